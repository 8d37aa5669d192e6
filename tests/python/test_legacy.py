"""Legacy dumps, of AWS Data Pipeline and the EMR connector, by every verb and back."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import dynarrow

SHOP = Path(__file__).resolve().parents[1] / "data" / "exports" / "shop"

Item = dict[str, Any]


def lower(value: Item) -> Item:
    """A value of DynamoDB JSON with the descriptors of dumps."""
    ((descriptor, inner),) = value.items()
    if descriptor == "M":
        inner = {name: lower(member) for name, member in inner.items()}
    elif descriptor == "L":
        inner = [lower(member) for member in inner]
    return {descriptor[0].lower() + descriptor[1:]: inner}


def json_line(item: Item) -> str:
    return json.dumps({name: lower(value) for name, value in item.items()})


def hive_line(item: Item) -> str:
    return "\x02".join(f"{name}\x03{json.dumps(lower(value))}" for name, value in item.items())


def shop_items() -> list[Item]:
    """The items of the sample export, as DynamoDB JSON."""
    files = dynarrow.open_export(SHOP).files
    paths = [SHOP / (file.key or "") for file in files]
    texts = [gzip.decompress(path.read_bytes()) for path in paths]
    return [json.loads(line)["Item"] for text in texts for line in text.splitlines()]


def write_dump(folder: Path, items: list[Item]) -> Path:
    """A dump of two files, one in each form of lines."""
    folder.mkdir(parents=True)
    half = len(items) // 2
    names = ("0b2c5c0e-6f0e-4f3c-9d0c-7a8f1c2d3e4f", "f3a1d2c4-1b5e-4a6d-8c7b-9e0f1a2b3c4d")
    first = "".join(json_line(item) + "\n" for item in items[:half])
    second = "".join(hive_line(item) + "\n\n" for item in items[half:])
    (folder / names[0]).write_text(first)
    (folder / f"{names[1]}.gz").write_bytes(gzip.compress(second.encode()))
    entries = [
        {"url": f"s3n://gone/dumps/{names[0]}", "mandatory": True},
        {"url": f"s3://gone/dumps/{names[1]}.gz"},
    ]
    manifest = {"name": "DynamoDB-export", "version": 3, "entries": entries}
    (folder / "manifest").write_text(json.dumps(manifest))
    (folder / "_SUCCESS").touch()
    return folder


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "dumps" / "2014-01-01", shop_items())


def test_a_dump_gives_the_tables_of_an_export(dump: Path) -> None:
    expected = dynarrow.read_export(SHOP).to_polars()
    assert dynarrow.read_export(dump).to_polars().equals(expected)
    assert dynarrow.read_export(dump.parent, threads=1).to_polars().equals(expected)
    (dump / "manifest").unlink()
    for format in (None, "legacy"):
        frame = dynarrow.read_export(dump, format=format).to_polars()
        assert frame.equals(expected)
    # The same bytes, but for what an export says of itself.
    report = dynarrow.convert(dump, dump / "shop.ndjson")
    dynarrow.convert(SHOP, dump / "export.ndjson")
    assert (dump / "shop.ndjson").read_bytes() == (dump / "export.ndjson").read_bytes()
    assert report.read.items == expected.height


def test_inspect_and_verify(dump: Path) -> None:
    export = dynarrow.open_export(dump)
    assert (export.format, export.format_told_by) == ("legacy", "manifest")
    assert (export.summary, export.absent, len(export.files)) == (None, [], 2)
    assert export.files[0].name.startswith("s3n://gone/dumps/")
    assert "manifest  of a legacy dump" in repr(export)
    report = export.verify()
    assert report.ok
    assert (report.files, report.items) == (2, len(shop_items()))
    assert [str(finding.error.code) for finding in report.findings] == ["E_MANIFEST"]
    file = next(path for path in dump.iterdir() if path.suffix == ".gz")
    one = dynarrow.open_export(file)
    assert (one.format, one.format_told_by, one.absent) == ("legacy", "bytes", [])
    forced = dynarrow.open_export(file, format="legacy")
    assert (forced.format, forced.format_told_by) == ("legacy", "option")
    assert dynarrow.open_export(SHOP).format_told_by == "manifest"


def test_has_the_restore_kept_everything(dump: Path, tmp_path: Path) -> None:
    assert dynarrow.diff(dump, SHOP, key=["PK", "SK"]).ok
    kept = write_dump(tmp_path / "kept", shop_items()[1:])
    report = dynarrow.diff(dump, kept, key=["PK", "SK"])
    assert (report.inserts, report.updates, report.deletes) == (0, 0, 1)


def test_written_and_read_back(tmp_path: Path) -> None:
    place = tmp_path / "dump"
    report = dynarrow.convert(SHOP, place, to="legacy")
    assert report.files[0].path.name == "manifest"
    assert report.files[1].rows == report.read.items == len(shop_items())
    assert dynarrow.diff(SHOP, place, key=["PK", "SK"]).ok
    (name,) = [path.name for path in place.iterdir() if path.name != "manifest"]
    assert (place / "manifest").read_text() == (
        '{"name":"DynamoDB-export","version":3,\n"entries": [\n'
        f'{{"url":"{place.as_uri()}/{name}","mandatory":true}}\n]}}'
    )
    lines = (place / name).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        json.loads(json_line(item)) for item in shop_items()
    ]
    assert dynarrow.relocate(place, to="s3://bucket/dump") == [place / "manifest"]
    assert f'{{"url":"s3://bucket/dump/{name}"' in (place / "manifest").read_text()
    with pytest.raises(dynarrow.UsageError, match="a legacy dump is a folder"):
        dynarrow.convert(SHOP, "-", to="legacy")


def test_from_frames_and_items(tmp_path: Path) -> None:
    items: list[Item] = [{"id": Decimal(1), "tags": {"a"}, "gone": None}, {"id": Decimal("2.5")}]
    dynarrow.write_items(items, tmp_path / "items", format="legacy")
    assert list(dynarrow.iter_items(tmp_path / "items")) == items
    frame = pl.DataFrame({"id": ["a", "b"], "n": [1, None]})
    dynarrow.write_items(frame, tmp_path / "frame", format="legacy")
    found = list(dynarrow.iter_items(tmp_path / "frame"))
    assert found == [{"id": "a", "n": Decimal(1)}, {"id": "b"}]


def test_what_is_missing(dump: Path) -> None:
    manifest = json.loads((dump / "manifest").read_text())
    manifest["entries"].append({"url": "s3://gone/dumps/gone", "mandatory": False})
    (dump / "manifest").write_text(json.dumps(manifest))
    export = dynarrow.open_export(dump)
    assert export.absent == ["s3://gone/dumps/gone"]
    assert export.read().to_polars().height == len(shop_items())
    manifest["entries"][-1]["mandatory"] = True
    (dump / "manifest").write_text(json.dumps(manifest))
    for on_error in ("raise", "skip"):
        with pytest.raises(dynarrow.DataError) as raised:
            dynarrow.read_export(dump, on_error=on_error).to_polars()
        assert raised.value.code == "E_FILE_MISSING"
        assert raised.value.file == "s3://gone/dumps/gone"
    assert not dynarrow.verify(dump).ok


def test_mixed_formats(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"id":{"n":"1"}}\n')
    (tmp_path / "b").write_text('{"Item":{"id":{"N":"2"}}}\n')
    (tmp_path / "c").write_text("$ion_1_0 {Item:{id:3.}}\n")
    ids = [item["id"] for item in dynarrow.iter_items(tmp_path)]
    assert ids == [1, 2, 3]
    with pytest.raises(dynarrow.DataError) as raised:
        list(dynarrow.iter_items(tmp_path, format="legacy"))
    assert (raised.value.code, raised.value.line, raised.value.path) == (
        "E_DESCRIPTOR",
        1,
        "Item",
    )
    reader = dynarrow.iter_items(tmp_path, format="legacy", on_error="skip")
    assert [item["id"] for item in reader] == [1]
    assert reader.skipped == 2


def test_half_a_line(tmp_path: Path) -> None:
    file = tmp_path / "dump"
    file.write_text('{"id":{"n":"1"}}\nid\x03{"n":"2"}\x02na')
    with pytest.raises(dynarrow.DataError, match="expected ETX") as raised:
        list(dynarrow.iter_items(file))
    assert (raised.value.code, raised.value.line) == ("E_JSON", 2)
    reader = dynarrow.iter_items(file, on_error="skip")
    assert ([item["id"] for item in reader], reader.skipped) == ([1], 1)
