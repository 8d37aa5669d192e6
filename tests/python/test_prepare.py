"""Import files from Python: any source of items, what is rejected, what others read of them."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import dynarrow

from exports import Item, item_line, random_items, write_export
from servers import Json, Server, renamed

KEY = ["pk:S", "sk:N"]


def prepare(data: object, dest: Path, **options: Any) -> dynarrow.PrepareReport:
    """Prepares, and has what stands there checked."""
    if "table" not in options:
        options = {"key": KEY} | options
    report = dynarrow.prepare_import(data, dest, **options)
    document = json.loads((dest / "import-table.json").read_text())
    assert document == report.spec
    names = {"TableName": "orders", "S3Bucket": "bucket"}
    assert set(report.missing) <= set(names)
    document["TableCreationParameters"].setdefault("TableName", names["TableName"])
    document["S3BucketSource"].setdefault("S3Bucket", names["S3Bucket"])
    checked = dynarrow.validate_import(dest, document, strict=True)
    assert checked.ok, checked.findings
    assert checked.description["ImportedItemCount"] == report.items
    assert checked.bytes == report.bytes
    prefix = document["S3BucketSource"]["S3KeyPrefix"]
    assert sorted(dest.glob(f"{prefix}*")) == [file.path for file in report.files]
    assert sum(file.rows for file in report.files) == report.items
    return report


def items_of(dest: Path) -> list[dict[str, Any]]:
    return sorted(dynarrow.iter_items(dest / "data"), key=lambda item: (item["pk"], item["sk"]))


ROWS: list[dict[str, Any]] = [
    {"pk": f"k{n % 7}", "sk": n, "price": n / 4, "tags": ["a", "b"], "note": f"n{n}"}
    for n in range(50)
]
EXPECTED = sorted(
    (row | {"sk": Decimal(row["sk"]), "price": Decimal(str(row["price"]))} for row in ROWS),
    key=lambda item: (item["pk"], item["sk"]),
)


def one_time_stream() -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(
        pa.Table.from_pylist(ROWS).schema, iter(pa.Table.from_pylist(ROWS).to_batches())
    )


@pytest.mark.parametrize(
    "data",
    [
        lambda _: pl.DataFrame(ROWS),
        lambda _: pd.DataFrame(ROWS),
        lambda _: pa.Table.from_pylist(ROWS),
        lambda _: one_time_stream(),
        lambda _: ROWS,
        lambda _: iter(ROWS),
    ],
    ids=["polars", "pandas", "pyarrow", "stream", "list", "iterator"],
)
@pytest.mark.parametrize("to", ["dynamodb_json", "ion"])
def test_frames_and_values(tmp_path: Path, data: Any, to: Any) -> None:
    report = prepare(data(tmp_path), tmp_path / "import", to=to)
    assert (report.items, report.rejected, report.read.items) == (50, 0, 50)
    assert items_of(tmp_path / "import") == EXPECTED


def test_parquet_and_its_schema(tmp_path: Path) -> None:
    pl.DataFrame(ROWS).write_parquet(tmp_path / "a.parquet", compression="snappy")
    report = prepare(tmp_path / "a.parquet", tmp_path / "import", compression="zstd")
    assert report.items == 50
    assert items_of(tmp_path / "import") == EXPECTED
    assert report.files[0].path.name == "part-00000.json.zst"
    # What dynarrow has read says what it was, or a schema does where a library forgot it.
    items: list[Item] = [{"pk": {"S": "a"}, "sk": {"N": "1"}, "s": {"SS": ["x", "y"]}}]
    export = write_export(tmp_path / "export", [items])
    schema = dynarrow.infer_schema(export.folder)
    frame = dynarrow.read_export(export.folder).to_polars()
    frame.write_parquet(tmp_path / "b.parquet", compression="snappy")
    for n, data in enumerate([tmp_path / "b.parquet", frame]):
        prepare(data, tmp_path / f"with-{n}", schema=schema)
        assert items_of(tmp_path / f"with-{n}")[0]["s"] == {"x", "y"}
    with pytest.raises(dynarrow.UsageError, match="this one is neither"):
        prepare(export.folder, tmp_path / "x", schema=schema)


def test_csv(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows([["a", "1", "2.50", '["x","y"]'], ["b", "2", "much", ""]])
    options: dict[str, Any] = {
        "format": "csv",
        "delimiter": ";",
        "header_list": ["pk", "sk", "price", "tags"],
    }
    types = {"price": "N", "tags": "SS"}
    report = prepare(tmp_path / "a.csv", tmp_path / "b", types=types, on_error="skip", **options)
    assert (report.items, report.read.skipped) == (1, 1)
    assert report.read.errors[0].item == 1
    (item,) = items_of(tmp_path / "b")
    assert item == {"pk": "a", "sk": Decimal(1), "price": Decimal("2.5"), "tags": {"x", "y"}}
    report = prepare(tmp_path / "a.csv", tmp_path / "c", types={"tags": "SS"}, **options)
    assert (report.items, report.read.skipped) == (2, 0)
    with pytest.raises(dynarrow.DataError):
        prepare(tmp_path / "a.csv", tmp_path / "d", types=types, **options)
    with pytest.raises(dynarrow.UsageError, match="must be one of S, N, B"):
        prepare(tmp_path / "a.csv", tmp_path / "d", types={"price": "number"}, **options)
    with pytest.raises(dynarrow.UsageError, match="types says S"):
        prepare(tmp_path / "a.csv", tmp_path / "d", types={"sk": "S"}, **options)
    with pytest.raises(dynarrow.UsageError, match="delimiter of CSV"):
        prepare(tmp_path / "a.csv", tmp_path / "d", **(options | {"delimiter": ";;"}))
    assert not (tmp_path / "d").exists()


def test_to_csv(tmp_path: Path) -> None:
    report = prepare(ROWS, tmp_path / "import", to="csv", compression="none")
    # Prices and lists are strings from then on.
    assert (report.items, report.changed, report.first_changed) == (50, 100, "price")
    with report.files[0].path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["note"] for row in rows} == {row["note"] for row in ROWS}


def test_an_export_in_pieces(tmp_path: Path) -> None:
    """Sorted items of an export, divided and shuffled; the same seed gives the same files."""
    items: list[Item] = [{"pk": {"S": f"{n:05}"}, "sk": {"N": "1"}} for n in range(2000)]
    export = write_export(tmp_path / "export", [items[:999], items[999:]])
    kept = prepare(export.folder, tmp_path / "a", file_size="20KB", compression="none")
    assert kept.shuffled
    assert len(kept.files) > 3
    first = dynarrow.open_export(export.folder)
    again = prepare(first, tmp_path / "b", file_size=20_000, compression="none", threads=1)
    other = prepare(first, tmp_path / "c", file_size=20_000, compression="none", seed=1)
    texts = [
        b"".join(file.path.read_bytes() for file in report.files) for report in (kept, again, other)
    ]
    assert texts[0] == texts[1] != texts[2]
    assert sorted(texts[0].splitlines()) == sorted(texts[2].splitlines())
    never = prepare(first, tmp_path / "d", shuffle="never", compression="none")
    assert not never.shuffled
    (one,) = never.files
    assert one.path.read_text() == "".join(map(item_line, items))
    always = prepare(reversed(ROWS), tmp_path / "e", shuffle="always", memory="1KB")
    assert always.shuffled
    assert items_of(tmp_path / "e") == EXPECTED


def test_rejected_items(tmp_path: Path) -> None:
    items: list[Item] = [
        {"pk": {"S": "a"}, "sk": {"N": "1"}},
        {"pk": {"S": "b"}},
        {"pk": {"S": "c"}, "sk": {"S": "1"}},
        {"pk": {"S": "d" * 3000}, "sk": {"N": "1"}},
    ]
    (tmp_path / "a.json").write_text("".join(map(item_line, items)))
    report = prepare(tmp_path / "a.json", tmp_path / "import")
    assert (report.items, report.rejected, report.read.skipped) == (1, 3, 0)
    assert report.first_rejected
    assert "Missing the key sk" in report.first_rejected
    assert "rejected=3, first_rejected='One or more" in repr(report)
    with gzip.open(tmp_path / "import/rejected.json.gz", "rt") as file:
        assert [json.loads(line)["Item"] for line in file] == items[1:]
    reasons = (tmp_path / "import/rejected.jsonl").read_text().splitlines()
    assert [json.loads(reason)["item"] for reason in reasons] == [0, 1, 2]


def table(**more: Any) -> Json:
    return {
        "S3BucketSource": {"S3Bucket": "bucket", "S3KeyPrefix": "data/"},
        "InputFormat": "ION",
        "InputCompressionType": "ZSTD",
        "TableCreationParameters": {
            "TableName": "orders",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "N"},
            ],
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
        },
    } | more


def test_the_request(tmp_path: Path) -> None:
    report = prepare(ROWS, tmp_path / "a", table=table())
    assert report.missing == []
    assert report.files[0].path.name == "part-00000.ion.zst"
    assert report.spec == table()
    named = prepare(
        ROWS, tmp_path / "b", table=table(), table_name="t_2", bucket="other", prefix="x/", to="csv"
    )
    assert named.spec["S3BucketSource"] == {"S3Bucket": "other", "S3KeyPrefix": "x/"}
    assert named.files[0].path == tmp_path / "b/x/part-00000.csv.zst"
    assert named.spec["TableCreationParameters"]["TableName"] == "t_2"
    assert named.spec["InputFormat"] == "CSV"
    short = prepare(ROWS, tmp_path / "c")
    assert sorted(short.missing) == ["S3Bucket", "TableName"]


def test_what_is_refused(tmp_path: Path) -> None:
    dest = tmp_path / "import"
    prepare(ROWS, dest)
    with pytest.raises(dynarrow.StorageError) as raised:
        prepare(ROWS, dest)
    assert raised.value.code == "E_DEST_EXISTS"
    prepare(ROWS[:9], dest, overwrite=True)
    assert items_of(dest) == [item for item in EXPECTED if item["sk"] < 9]
    (dest / "mine.txt").write_text("x")
    with pytest.raises(dynarrow.StorageError, match=r"mine\.txt"):
        prepare(ROWS, dest, overwrite=True)
    other = tmp_path / "other"
    for message, options in [
        ("one of both", {"key": None}),
        ("dynamodb_json, ion and csv", {"to": "parquet"}),
        ("gzip, zstd, none", {"compression": "bzip2"}),
        ("auto, always, never", {"shuffle": "yes"}),
        ("size", {"file_size": "much"}),
        ("format is for paths", {"format": "csv"}),
        ("a path below the bucket", {"prefix": "../x"}),
    ]:
        with pytest.raises(dynarrow.UsageError, match=message):
            prepare(ROWS, other, **options)
    with pytest.raises(dynarrow.UsageError, match="data must have __arrow_c_stream__"):
        prepare(1, other)
    with pytest.raises(dynarrow.DataError, match="price"):
        prepare([*ROWS, {"pk": "a", "sk": 1, "price": float("nan")}], other)
    with pytest.raises(dynarrow.DataError):
        prepare(pl.DataFrame({"pk": ["a"], "sk": [float("nan")]}), other, on_error="skip")
    with pytest.raises(dynarrow.NotFoundError):
        prepare(tmp_path / "no such", other)
    assert not other.exists()


def test_progress(tmp_path: Path) -> None:
    calls: list[tuple[int, int, int]] = []
    prepare(ROWS, tmp_path / "import", progress=lambda *call: calls.append(call))
    assert calls[-1][0] == calls[-1][1] > 0
    assert calls[-1][2] == 50


# What moto calls an import reads no zstd.
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_imported_by_the_service(moto: Server, name: str, tmp_path: Path, compression: Any) -> None:
    """Prepared, checked, uploaded, imported into a table: the same items."""
    items = random_items(7, 200)
    items = [{"pk": item["pk"], "n": {"N": str(n)}} for n, item in enumerate(items)]
    export = write_export(tmp_path / "export", [items])
    bucket = f"prepared-{compression}"
    report = prepare(
        export.folder,
        tmp_path / "import",
        key="pk:S",
        compression=compression,
        file_size="2KB",
        table_name=name,
        bucket=bucket,
    )
    assert len(report.files) > 3
    storage = moto.client("s3")
    storage.create_bucket(Bucket=bucket)
    for file in report.files:
        key = file.path.relative_to(tmp_path / "import").as_posix()
        storage.put_object(Bucket=bucket, Key=key, Body=file.path.read_bytes())
    description = dynarrow.request_import(
        tmp_path / "import/import-table.json", poll=0.1, endpoint_url=moto.url
    )
    assert description["ImportedItemCount"] == 200
    assert sorted(moto.items(name), key=str) == sorted(items, key=str)


def test_uploaded(moto: Server, name: str, tmp_path: Path) -> None:
    """Items of all types, prepared as Ion, uploaded and read back; those that are bad are not."""
    moto.make_table(name, "pk:S")
    items = random_items(8, 200)
    items = [{n: renamed(value) for n, value in item.items()} for item in items]
    bad: list[Item] = [{"pk": {"S": ""}}, {"pk": {"S": "x"}, "m": {"M": {"": {"S": "y"}}}}]
    (tmp_path / "a.json").write_text("".join(map(item_line, [*items, *bad])))
    dest = tmp_path / "import"
    report = prepare(tmp_path / "a.json", dest, key="pk:S", to="ion", shuffle="always")
    assert (report.items, report.rejected) == (200, 2)
    uploaded = dynarrow.upload(dest / "data", name, endpoint_url=moto.url)
    assert (uploaded.items, uploaded.skipped) == (200, 0)
    dynarrow.dump(name, tmp_path / "dump", endpoint_url=moto.url)
    expected = write_export(tmp_path / "export", [items])
    difference = dynarrow.diff(expected.folder, tmp_path / "dump", key=["pk"])
    assert (difference.ok, difference.same) == (True, 200)


PREPARE = """
    import sys, dynarrow
    src, dest = sys.argv[1:]
    dynarrow.prepare_import(
        src, dest, key="pk:S", file_size="1MB", memory="1MB", shuffle="always", overwrite=True
    )
"""


def run(*args: str | Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", textwrap.dedent(PREPARE), *map(str, args)]
    return subprocess.Popen(command)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_killed_at_any_moment_nothing_half_written_stands(tmp_path: Path) -> None:
    lines = [item_line({"pk": {"S": f"{n:040}"}, "t": {"S": "x" * 60}}) for n in range(150_000)]
    src, out = tmp_path / "src.json", tmp_path / "out"
    src.write_text("".join(lines))
    out.mkdir()
    dest = out / "import"
    start = time.monotonic()
    assert run(src, dest).wait() == 0
    usual = time.monotonic() - start
    whole = contents(dest)
    assert len(whole) > 10
    rng = random.Random(1)
    killed = 0
    for n in range(12):
        if n % 2:
            # In the place of what stands there, else where nothing does.
            for path in sorted(dest.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            if dest.exists():
                dest.rmdir()
        process = run(src, dest)
        time.sleep(rng.random() * usual)
        os.kill(process.pid, signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if dest.exists():
            assert contents(dest) == whole
        # What is left is not taken for anything.
        left = [path for path in out.iterdir() if path != dest]
        assert all(path.suffix in (".tmp", ".old") for path in left)
    assert killed > 5
    assert run(src, dest).wait() == 0
    assert contents(dest) == whole
