"""`convert`: the values in the files, column by column."""

import csv
import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dynarrow

from exports import random_items, random_lines, write_export
from reference import assert_table, plain


def test_parquet_columns_are_those_of_the_rules(tmp_path: Path) -> None:
    items = random_items(seed=41, count=20_000)
    rng = random.Random(42)
    parts = [items[:7_000], items[7_000:7_000], items[7_000:]]
    export = write_export(tmp_path / "src", [random_lines(rng, part) for part in parts])
    dest = tmp_path / "out.parquet"
    report = dynarrow.convert(export.folder, dest)
    [file] = report.files
    assert (file.path, file.bytes, file.rows) == (dest, dest.stat().st_size, 20_000)
    assert report.bytes_out == dest.stat().st_size
    assert (report.read.items, report.read.skipped, report.read.files) == (20_000, 0, 3)
    assert_table(pq.read_table(dest), items)
    assert pl.read_parquet(dest).height == 20_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    items = random_items(seed=43, count=500)
    return write_export(tmp_path_factory.mktemp("small"), [items[:3], items[3:]]).folder


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "ndjson", "ndjson.gz"])
def test_threads_change_no_byte(small: Path, tmp_path: Path, ending: str) -> None:
    written: list[bytes] = []
    for threads in (1, 2, 5):
        dest = tmp_path / f"{threads}.{ending}"
        dynarrow.convert(small, dest, threads=threads)
        written.append(dest.read_bytes())
    assert written[0] == written[1] == written[2]
    assert written[0]


@pytest.mark.parametrize("batch_size", [1, 3, 8_192])
@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_batch_size_changes_no_row(
    small: Path, tmp_path: Path, ending: str, batch_size: int
) -> None:
    dest = tmp_path / f"out.{ending}"
    dynarrow.convert(small, dest, batch_size=batch_size)
    if ending == "parquet":
        table = pq.read_table(dest)
    else:
        reader = pa.ipc.open_file(dest)
        table = reader.read_all()
        assert reader.get_batch(0).num_rows == min(batch_size, 500)
    assert_table(table, random_items(seed=43, count=500))


def plain_json(value: Any) -> Any:
    """A value as plain JSON lines have it, sets in order."""
    import base64
    from decimal import Decimal

    if isinstance(value, dict):
        return {k: plain_json(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain_json(v) for v in value]
    if isinstance(value, set):
        return sorted((plain_json(v) for v in value), key=str)
    if value is None or isinstance(value, (str, bool, Decimal)):
        return value
    return base64.b64encode(bytes(value)).decode()


def test_ndjson(tmp_path: Path) -> None:
    from decimal import Decimal

    items = random_items(seed=44, count=1_000)
    folder = write_export(tmp_path / "src", [items]).folder
    dynarrow.convert(folder, tmp_path / "out.ndjson.gz")
    lines = gzip.decompress((tmp_path / "out.ndjson.gz").read_bytes()).decode().split("\n")
    assert lines.pop() == ""
    assert len(lines) == 1_000
    for line, item in zip(lines, items, strict=True):
        read = json.loads(line, parse_float=Decimal, parse_int=Decimal)
        expected = plain_json(plain(item))
        for name, value in item.items():
            if set(value) & {"SS", "NS", "BS"}:
                read[name] = sorted(read[name], key=str)
        if "anything" in item:
            # Sets inside stand in the order of the source.
            del read["anything"], expected["anything"]
        assert read == expected


def test_csv(tmp_path: Path) -> None:
    items = [
        {"a": {"S": 'x,"y"\n'}, "n": {"N": "1.50"}, "b": {"B": "aGk="}, "t": {"BOOL": True}},
        {"a": {"S": ""}, "m": {"M": {"k": {"N": "2"}}}, "l": {"L": [{"S": "é"}]}},
        {"a": {"NULL": True}},
    ]
    folder = write_export(tmp_path / "src", [items]).folder
    dynarrow.convert(folder, tmp_path / "out.csv")
    text = (tmp_path / "out.csv").read_text()
    assert list(csv.reader(io.StringIO(text))) == [
        ["a", "n", "b", "t", "m", "l"],
        ['x,"y"\n', "1.5", "aGk=", "true", "", ""],
        ["", "", "", "", '{"k":2}', '["é"]'],
        ["", "", "", "", "", ""],
    ]
    assert '\n"",' in text


def test_folders(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = dynarrow.convert(small, out)
    assert [path.name for path in out.iterdir()] == ["part-00000.parquet"]
    assert report.files[0].path == out / "part-00000.parquet"
    assert pq.read_table(out).num_rows == 500
    with pytest.raises(dynarrow.StorageError) as caught:
        dynarrow.convert(small, out)
    assert caught.value.code == "E_DEST_EXISTS"
    dynarrow.convert(small, out, to="ndjson", overwrite=True)
    assert [path.name for path in out.iterdir()] == ["part-00000.ndjson"]
    (out / "notes.txt").write_text("mine")
    with pytest.raises(dynarrow.StorageError, match=r"notes\.txt"):
        dynarrow.convert(small, out, overwrite=True)
    assert (out / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    good = write_export(tmp_path / "good", [[{"a": {"S": "x"}}]])
    bad = write_export(tmp_path / "bad", ['{"Item":{"a":{"S":"x"}}}\nnonsense\n'])
    out = tmp_path / "out"
    out.mkdir()
    dest = out / "data.parquet"
    dynarrow.convert(good.folder, dest)
    before = dest.read_bytes()
    with pytest.raises(dynarrow.DataError):
        dynarrow.convert(bad.folder, dest)
    assert dest.read_bytes() == before
    report = dynarrow.convert(bad.folder, dest, on_error="skip")
    assert (report.read.items, report.read.skipped) == (1, 1)
    assert report.read.errors[0].line == 2
    assert dest.read_bytes() == before
    assert [path.name for path in out.iterdir()] == ["data.parquet"]


def test_wrong_destinations(small: Path, tmp_path: Path) -> None:
    for dest, to in [("out.xlsx", None), ("out.parquet", "csv"), ("out.parquet.gz", None)]:
        with pytest.raises(dynarrow.UsageError):
            dynarrow.convert(small, tmp_path / dest, to=to)  # type: ignore[arg-type]
    with pytest.raises(dynarrow.UsageError, match="format"):
        dynarrow.convert(small, "-")
    with pytest.raises(dynarrow.UsageError):
        dynarrow.convert(small, tmp_path / "out", to="excel")  # type: ignore[arg-type]
    with pytest.raises(dynarrow.NotFoundError):
        dynarrow.convert(small, tmp_path / "no such folder" / "out.parquet")
    assert list(tmp_path.iterdir()) == []
