"""`infer_schema` and `Schema`."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

import dynarrow

from exports import random_items, write_export
from reference import learn


def test_fields(tmp_path: Path) -> None:
    items = [
        {"pk": {"S": "a"}, "n": {"N": "1"}, "m": {"M": {"x": {"N": "0.5"}, "y": {"BOOL": True}}}},
        {"pk": {"S": "b"}, "l": {"L": [{"S": "x"}]}, "n": {"S": "one"}, "s": {"NS": ["1"]}},
    ]
    schema = dynarrow.infer_schema(write_export(tmp_path, [items]).folder)
    assert schema.names == ["pk", "n", "m", "l", "s"]
    assert len(schema) == 5
    assert [(field.name, field.arrow, field.dynamodb) for field in schema.fields] == [
        ("pk", "utf8", "S"),
        ("n", "struct<S: utf8, N: int64>", "mixed"),
        ("m", "struct<x: decimal128(38, 1), y: boolean>", "M"),
        ("l", "list<utf8>", "L"),
        ("s", "list<int64>", "NS"),
    ]
    assert "  m: struct<x: decimal128(38, 1), y: boolean>\n" in repr(schema)
    assert pa.field(schema.fields[0]).equals(pa.field("pk", pa.string()))


def test_document(tmp_path: Path) -> None:
    items = [{"n": {"N": "1"}}, {"n": {"N": "18446744073709551616"}}, {}]
    schema = dynarrow.infer_schema(write_export(tmp_path, [items]).folder)
    document = json.loads(schema.to_json())
    assert (document["items"], document["numbers"], document["mixed"]) == (3, "auto", "struct")
    (field,) = document["fields"]
    assert (field["name"], field["seen"]) == ("n", {"N": 2})
    assert field["share"] == pytest.approx(2 / 3)
    assert "int64" in field["why"]
    assert "\n" in schema.to_json()


def test_random_items(tmp_path: Path) -> None:
    items = random_items(seed=31, count=3_000)
    folder = write_export(tmp_path, [items[:1_000], items[1_000:]]).folder
    export = dynarrow.open_export(folder)
    for threads in (1, 2, 5):
        schema = export.infer_schema(threads=threads)
        expected = [(name, path.type()) for name, path in learn(items).items()]
        assert [(field.name, field.type) for field in pa.schema(schema)] == expected
        assert schema == dynarrow.infer_schema(folder)
        assert schema.to_json() == dynarrow.infer_schema(folder).to_json()


def test_options(tmp_path: Path) -> None:
    items = [{"n": {"N": "1"}, "m": {"S": "x"}}, {"m": {"N": "1"}}]
    export = dynarrow.open_export(write_export(tmp_path, [items]).folder)
    assert export.infer_schema(numbers="float64", mixed="string").fields[0].arrow == "float64"
    assert export.infer_schema(mixed="json").fields[1].dynamodb == "json"
    assert export.infer_schema(columns=["m"]).names == ["m"]
    with pytest.raises(dynarrow.DataError, match="E_MIXED"):
        export.infer_schema(mixed="error")


def test_nothing_to_learn(tmp_path: Path) -> None:
    schema = dynarrow.infer_schema(write_export(tmp_path, [[]]).folder)
    assert (len(schema), schema.fields) == (0, [])
    assert dynarrow.read_export(tmp_path).to_arrow().shape == (0, 0)
