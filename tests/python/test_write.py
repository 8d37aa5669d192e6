"""The way back: `write_items`, `write_export`, `dumps`, `loads`, `relocate`."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from boto3.dynamodb.types import Binary
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynarrow

from exports import random_items
from exports import write_export as made_export
from reference import assert_items, identical, plain, same
from strategies import ITEMS

SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def without_nulls(value: Any) -> Any:
    """What `layout="plain"` keeps: a null of an item or a struct is missing."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(v) for v in value]
    return value


def read(path: Path) -> list[dict[str, Any]]:
    return list(dynarrow.iter_items(path))


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(ITEMS)
def test_dumps_and_loads(item: dict[str, Any]) -> None:
    line = dynarrow.dumps(item)
    assert "\n" not in line
    assert identical(dynarrow.loads(line), item)
    record = json.loads(line)
    assert list(record) == ["Item"]
    # A bare item with an attribute named Item may look like the wrapper.
    if "Item" not in item:
        assert identical(dynarrow.loads(json.dumps(record["Item"])), item)
    # boto3 reads it as we do.
    assert same(item, plain(record["Item"]))


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(items=st.lists(ITEMS, max_size=8))
def test_items_to_arrow_to_items(tmp_path: Path, items: list[dict[str, Any]]) -> None:
    source, back = tmp_path / "source.json.gz", tmp_path / "back.json"
    dynarrow.write_items(items, source)
    assert_items(read(source), items)
    typed = dynarrow.read_export(source, layout="typed")
    dynarrow.write_items(typed, back)
    assert_items(read(back), items)
    table = typed.to_arrow()
    dynarrow.write_items(table, back)
    assert_items(read(back), items)
    reader = dynarrow.read_export(source)
    dynarrow.write_items(reader, back)
    assert_items(without_nulls(read(back)), without_nulls(items))


FRAMES: dict[str, Callable[[dynarrow.Reader], Any]] = {
    "pyarrow": lambda reader: reader.to_arrow(),
    "polars": lambda reader: reader.to_polars(),
    "pandas": lambda reader: reader.to_pandas(),
}


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    path = tmp_path_factory.mktemp("varied") / "items.json"
    items = random_items(seed=51, count=300)
    path.write_text("".join(json.dumps({"Item": item}) + "\n" for item in items))
    return path, read(path)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("layout", ["plain", "typed"])
def test_frames_with_the_schema_document(
    varied: tuple[Path, list[dict[str, Any]]], tmp_path: Path, layout: Any, frame: str
) -> None:
    source, items = varied
    reader = dynarrow.read_export(source, layout=layout)
    document = tmp_path / "schema.json"
    document.write_text(reader.schema.to_json())
    back = tmp_path / "back.json.zst"
    dynarrow.write_items(FRAMES[frame](reader), back, schema=document)
    found = read(back)
    if layout == "plain":
        found, items = without_nulls(found), without_nulls(items)
    assert_items(found, items)


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_files(varied: tuple[Path, list[dict[str, Any]]], tmp_path: Path, ending: str) -> None:
    source, items = varied
    file, back = tmp_path / f"items.{ending}", tmp_path / "back.json"
    dynarrow.convert(source, file, layout="typed")
    dynarrow.write_items(file, back)
    assert_items(read(back), items)
    assert_items(read(file), items)
    dynarrow.convert(file, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == back.read_bytes()


def test_frames_that_never_saw_dynamodb(tmp_path: Path) -> None:
    columns = {
        "i": [1, None],
        "f": [0.1, 1e30],
        "d": [Decimal("1.50"), None],
        "b": [True, False],
        "t": ["x", ""],
        "raw": [b"\0", None],
        "at": [datetime(2024, 2, 29, 12, 30, tzinfo=UTC), None],
        "day": [date(2024, 2, 29), None],
        "l": [[1, None], []],
        "m": [{"x": 1}, {"x": None}],
    }
    first = {
        "i": Decimal(1),
        "f": Decimal("0.1"),
        "d": Decimal("1.5"),
        "b": True,
        "t": "x",
        "raw": b"\0",
        "at": "2024-02-29T12:30:00Z",
        "day": "2024-02-29",
        "l": [Decimal(1), None],
        "m": {"x": Decimal(1)},
    }
    second = {"f": Decimal("1E+30"), "b": False, "t": "", "l": [], "m": {}}
    table = pa.table(columns)
    dest = tmp_path / "items.json"
    frames = [table, pl.DataFrame(table), table.to_pandas(types_mapper=pd.ArrowDtype)]
    for frame in frames:
        report = dynarrow.write_items(frame, dest)
        assert report.read.items == 2
        assert_items(read(dest), [first, second])
    relation = duckdb.from_arrow(table)
    if hasattr(relation, "__arrow_c_stream__"):
        dynarrow.write_items(relation, dest)
        assert_items(read(dest), [first, second])
    # One after the other, from an iterator that is read once.
    dynarrow.write_items(table.to_reader(), dest)
    assert_items(read(dest), [first, second])
    rows = (without_nulls(row) for row in table.to_pylist())
    dynarrow.write_items(rows, dest)
    assert_items(read(dest), [first, second])
    pq.write_table(table, tmp_path / "x.parquet")
    dynarrow.write_items(tmp_path / "x.parquet", dest)
    assert_items(read(dest), [first, second])


@pytest.mark.parametrize("ending", ["parquet", "arrow", "ndjson", "json", "ion"])
def test_streams_that_are_read_once(tmp_path: Path, ending: Any) -> None:
    dest = tmp_path / f"x.{ending}"
    format = "dynamodb_json" if ending == "json" else ending
    dynarrow.write_items(pa.table({"a": ["x", "y"]}).to_reader(), dest, format=format)
    assert read(dest) == [{"a": "x"}, {"a": "y"}]


def test_plain_json(tmp_path: Path) -> None:
    source, dest = tmp_path / "x.ndjson", tmp_path / "x.json"
    source.write_text('{"n":1.50,"l":[1,null],"m":{"x":true}}\n')
    dynarrow.write_items(source, dest)
    expected = [{"n": Decimal("1.5"), "l": [Decimal(1), None], "m": {"x": True}}]
    assert_items(read(dest), expected)
    other = tmp_path / "x.txt"
    other.write_bytes(source.read_bytes())
    assert_items(list(dynarrow.iter_items(other, format="ndjson")), expected)


def test_python_values() -> None:
    east = timezone(timedelta(hours=2))
    item = {
        "tuple": (1, 2.5),
        "frozen": frozenset(["a"]),
        "array": bytearray(b"x"),
        "view": memoryview(b"y"),
        "binary": Binary(b"z"),
        "naive": datetime(2024, 1, 2, 3, 4, 5),
        "aware": datetime(2024, 1, 2, 3, 4, 5, tzinfo=east),
        "int64": np.int64(7),
        "float64": np.float64(0.5),
        "bool": np.bool_(True),
    }
    assert dynarrow.loads(dynarrow.dumps(item)) == {
        "tuple": [Decimal(1), Decimal("2.5")],
        "frozen": {"a"},
        "array": b"x",
        "view": b"y",
        "binary": b"z",
        "naive": "2024-01-02T03:04:05",
        "aware": "2024-01-02T01:04:05Z",
        "int64": Decimal(7),
        "float64": Decimal("0.5"),
        "bool": True,
    }


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "E_NUMBER"),
        (float("-inf"), "E_NUMBER"),
        (Decimal("NaN"), "E_NUMBER"),
        (Decimal("Infinity"), "E_NUMBER"),
        (1e200, "E_NUMBER"),
        (10**39 + 1, "E_NUMBER"),
        pytest.param(10**5000, "E_NUMBER", id="huge"),
        (set(), "E_DESCRIPTOR"),
        ({1, "x"}, "E_DESCRIPTOR"),
        ({None}, "E_DESCRIPTOR"),
        ("\ud800", "E_UTF8"),
        (object(), "E_USAGE"),
        ({1: "x"}, "E_RECORD"),
    ],
)
def test_values_that_dynamodb_has_not(value: Any, code: str, tmp_path: Path) -> None:
    with pytest.raises(dynarrow.DynarrowError) as caught:
        dynarrow.dumps({"a": {"b c": [0, value]}})
    assert (caught.value.code, caught.value.path) == (code, 'a["b c"][1]')
    with pytest.raises(dynarrow.DynarrowError) as caught:
        dynarrow.write_items([{}, {"x": value}], tmp_path / "x.json")
    assert (caught.value.code, caught.value.item, caught.value.path) == (code, 1, "x")
    assert list(tmp_path.iterdir()) == []


def test_nan_in_frames_says_where(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [1, 2], "m": [{"price": 1.0}, {"price": float("nan")}]})
    with pytest.raises(dynarrow.DataError) as caught:
        dynarrow.write_items(frame, tmp_path / "x.json")
    error = caught.value
    assert (error.code, error.item, error.path) == ("E_NUMBER", 1, "m.price")
    assert list(tmp_path.iterdir()) == []


def test_nesting() -> None:
    def nest(depth: int) -> dict[str, Any]:
        value: Any = "x"
        for _ in range(depth):
            value = [value]
        return {"a": value}

    for depth in (1, 31, 60):
        assert dynarrow.loads(dynarrow.dumps(nest(depth))) == nest(depth)
    with pytest.raises(dynarrow.DataError, match="E_NESTING"):
        dynarrow.dumps(nest(70))
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(dynarrow.DataError, match="E_NESTING"):
        dynarrow.dumps({"a": endless})


@pytest.mark.parametrize("line", ["", "1", "[]", '{"a":1}', '{"a":{"N":"x"}}', '{"a":{"S":"x"}'])
def test_lines_that_are_no_item(line: str) -> None:
    with pytest.raises(dynarrow.DataError):
        dynarrow.loads(line)


def test_loads_takes_one_item() -> None:
    assert dynarrow.loads(b'{"Item":{"a":{"S":"x"}}}\n') == {"a": "x"}
    with pytest.raises(dynarrow.DataError, match="E_RECORD"):
        dynarrow.loads('{"a":{"S":"x"}} {"a":{"S":"y"}}')
    with pytest.raises(dynarrow.DynarrowError):
        dynarrow.loads("{}", format="csv")  # type: ignore[arg-type]


def test_compression(tmp_path: Path) -> None:
    item = [{"a": "x"}]
    dynarrow.write_items(item, tmp_path / "x.json", compression="gzip")
    assert gzip.decompress((tmp_path / "x.json").read_bytes()) == b'{"Item":{"a":{"S":"x"}}}\n'
    dynarrow.write_items(item, tmp_path / "x.json.gz", compression="none")
    assert (tmp_path / "x.json.gz").read_bytes() == b'{"Item":{"a":{"S":"x"}}}\n'
    dynarrow.write_items(item, tmp_path / "x.parquet", format="parquet")
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == item
    dynarrow.write_items(item, tmp_path / "x.ndjson", format="ndjson")
    assert (tmp_path / "x.ndjson").read_text() == '{"a":"x"}\n'
    for options in [
        {"compression": "brotli"},
        {"format": "excel"},
        {"format": "export"},
        {"format": "parquet", "compression": "gzip"},
        {"layout": "wide"},
    ]:
        with pytest.raises(dynarrow.UsageError):
            dynarrow.write_items(item, tmp_path / "other", **options)


@pytest.mark.parametrize("data", [1, None, {"a": 1}, b"x", object()])
def test_what_is_no_data(data: Any, tmp_path: Path) -> None:
    with pytest.raises(dynarrow.UsageError, match="__arrow_c_stream__"):
        dynarrow.write_items(data, tmp_path / "x.json")


def test_write_export(varied: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    source, items = varied
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    for data in (items, source, dynarrow.read_export(source, layout="typed")):
        report = dynarrow.write_export(data, bucket / type(data).__name__)
        assert report.read.items == len(items)
        folder = bucket / type(data).__name__
        verified = dynarrow.verify(folder)
        assert (verified.ok, verified.findings, verified.items) == (True, [], len(items))
        assert_items(read(folder), items)
        with pytest.raises(dynarrow.StorageError, match="E_DEST_EXISTS"):
            dynarrow.write_export(data, folder)


def test_an_export_without_items(tmp_path: Path) -> None:
    dynarrow.write_export([], tmp_path / "bucket")
    assert dynarrow.verify(tmp_path / "bucket").ok
    assert read(tmp_path / "bucket") == []


def test_an_export_of_an_export(tmp_path: Path) -> None:
    source = made_export(tmp_path / "source", [[{"a": {"S": "x"}}]])
    export = dynarrow.open_export(source.folder)
    dynarrow.write_export(export, tmp_path / "bucket")
    summary = dynarrow.open_export(tmp_path / "bucket").summary
    assert summary
    assert export.summary
    assert summary["tableArn"] == export.summary["tableArn"]
    assert summary["itemCount"] == 1


def test_relocate(tmp_path: Path) -> None:
    dynarrow.write_export([{"a": "x"}], tmp_path / "bucket")
    written = dynarrow.relocate(tmp_path / "bucket", to="s3://elsewhere/some/prefix/")
    assert {path.name for path in written} >= {"manifest-summary.json", "manifest-files.json"}
    export = dynarrow.open_export(tmp_path / "bucket")
    assert export.summary
    assert (export.summary["s3Bucket"], export.summary["s3Prefix"]) == ("elsewhere", "some/prefix")
    assert export.files[0].name.startswith("some/prefix/AWSDynamoDB/")
    assert export.verify().findings == []
    with pytest.raises(dynarrow.UsageError):
        dynarrow.relocate(tmp_path / "bucket", to="gs://elsewhere")
    (tmp_path / "x.json").write_text("{}\n")
    with pytest.raises(dynarrow.DataError, match="E_MANIFEST"):
        dynarrow.relocate(tmp_path / "x.json", to="s3://elsewhere")
