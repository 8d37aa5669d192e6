"""The policies: which column each makes, and with which values, as pyarrow sees them."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dynarrow

from exports import Item, write_export

ITEMS: list[Item] = [
    {
        "n": {"N": "1"},
        "price": {"N": "2.345"},
        "mix": {"S": "x"},
        "m": {"M": {"a": {"N": "1"}, "b": {"N": "2.5"}}},
        "l": {"L": [{"M": {"qty": {"N": "1.0"}}}, {"M": {"qty": {"S": "many"}}}]},
        "s": {"NS": ["1", "2.5"]},
        "at": {"N": "1700000000"},
        "iso": {"S": "2024-02-29T12:30:45.678Z"},
        "day": {"S": "2024-02-29"},
    },
    {
        "n": {"NULL": True},
        "price": {"N": "99999.5"},
        "mix": {"N": "1.50"},
        "m": {"M": {"c": {"N": "3"}}},
        "at": {"N": "1.5"},
        "iso": {"S": "yesterday"},
        "day": {"S": "2024-02-30"},
    },
    {"mix": {"BOOL": True}},
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(tmp_path_factory.mktemp("policies"), [ITEMS[:1], ITEMS[1:]]).folder


def table(src: Path, **options: Any) -> pa.Table:
    return dynarrow.read_export(src, **options).to_arrow()


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


MOMENT = pa.timestamp("us", "UTC")
STRUCT = pa.struct([("a", pa.int64()), ("b", pa.decimal128(38, 1)), ("c", pa.int64())])


@pytest.mark.parametrize(
    ("column", "options", "ty", "values"),
    [
        ("n", {}, pa.int64(), [1, None, None]),
        ("n", {"numbers": "float64"}, pa.float64(), [1.0, None, None]),
        ("n", {"numbers": "string"}, pa.string(), ["1", None, None]),
        ("n", {"numbers": "decimal(9,2)"}, pa.decimal128(9, 2), [Decimal("1.00"), None, None]),
        ("price", {}, pa.decimal128(38, 3), [Decimal("2.345"), Decimal("99999.500"), None]),
        ("price", {"numbers": "decimal(6,2)"}, pa.decimal128(6, 2), [Decimal("2.34"), None, None]),
        (
            "mix",
            {},
            pa.struct([("S", pa.string()), ("N", pa.decimal128(38, 1)), ("BOOL", pa.bool_())]),
            [
                {"S": "x", "N": None, "BOOL": None},
                {"S": None, "N": Decimal("1.5"), "BOOL": None},
                {"S": None, "N": None, "BOOL": True},
            ],
        ),
        ("mix", {"mixed": "string"}, pa.string(), ["x", "1.5", "true"]),
        (
            "m",
            {},
            STRUCT,
            [
                {"a": 1, "b": Decimal("2.5"), "c": None},
                {"a": None, "b": None, "c": 3},
                None,
            ],
        ),
        (
            "m",
            {"maps": "map"},
            pa.map_(pa.string(), pa.decimal128(38, 1)),
            [[("a", Decimal(1)), ("b", Decimal("2.5"))], [("c", Decimal(3))], None],
        ),
        (
            "m",
            {"max_fields": 2},
            pa.map_(pa.string(), pa.decimal128(38, 1)),
            [[("a", Decimal(1)), ("b", Decimal("2.5"))], [("c", Decimal(3))], None],
        ),
        (
            "n",
            {"layout": "typed"},
            pa.struct([("N", pa.int64()), ("NULL", pa.bool_())]),
            [{"N": 1, "NULL": None}, {"N": None, "NULL": True}, None],
        ),
        ("price", {"overrides": {"price": "string"}}, pa.string(), ["2.345", "99999.5", None]),
        ("at", {"overrides": {"at": "float64"}}, pa.float64(), [1_700_000_000.0, 1.5, None]),
        (
            "at",
            {"overrides": {"at": "timestamp(s)"}},
            MOMENT,
            [utc(2023, 11, 14, 22, 13, 20), utc(1970, 1, 1, 0, 0, 1, 500_000), None],
        ),
        (
            "at",
            {"overrides": {"at": "timestamp(ms)"}},
            MOMENT,
            [utc(1970, 1, 20, 16, 13, 20), utc(1970, 1, 1, 0, 0, 0, 1_500), None],
        ),
        (
            "iso",
            {"overrides": {"iso": "timestamp(iso)"}},
            MOMENT,
            [utc(2024, 2, 29, 12, 30, 45, 678_000), None, None],
        ),
        (
            "day",
            {"overrides": {"day": "timestamp(iso:YYYY-MM-DD)"}},
            MOMENT,
            [utc(2024, 2, 29), None, None],
        ),
        (
            "l",
            {"overrides": {"l[].qty": "int64"}},
            pa.list_(pa.struct([("qty", pa.int64())])),
            [[{"qty": 1}, {"qty": None}], None, None],
        ),
    ],
)
def test_columns(
    made: Path, column: str, options: dict[str, Any], ty: pa.DataType, values: list[Any]
) -> None:
    found = table(made, **options)[column]
    # The names of a list's elements and of a map's entries are not what is tested here.
    assert pa.array(found.to_pylist(), ty).type == ty
    assert simple(found.type) == simple(ty)
    assert found.to_pylist() == values


def simple(ty: pa.DataType) -> Any:
    """A type without what is said of nulls."""
    if pa.types.is_struct(ty):
        return [(field.name, simple(field.type)) for field in ty]
    if pa.types.is_map(ty):
        return "map", simple(ty.item_type)
    if pa.types.is_list(ty):
        return "list", simple(ty.value_type)
    return getattr(ty, "storage_type", ty)


@pytest.mark.parametrize(
    ("column", "options", "expected"),
    [
        ("mix", {"mixed": "json"}, [{"S": "x"}, {"N": "1.5"}, {"BOOL": True}]),
        ("m", {"maps": "json"}, [ITEMS[0]["m"], ITEMS[1]["m"], None]),
        ("m", {"overrides": {"m": "json"}}, [ITEMS[0]["m"], ITEMS[1]["m"], None]),
    ],
)
def test_json_columns(
    made: Path, column: str, options: dict[str, Any], expected: list[Any]
) -> None:
    found = table(made, **options)[column]
    assert simple(found.type) == pa.string()
    texts = [getattr(value, "as_py", lambda: None)() for value in found]
    assert [None if text is None else json.loads(text) for text in texts] == expected


def losses(reader: dynarrow.Reader) -> dict[str, tuple[int, str | None, str | None]]:
    reader.to_arrow()
    assert reader.report
    found = reader.report.losses
    every = {"rounded": found.rounded, "overflowed": found.overflowed, "extra": found.extra}
    counted = {k: (v.count, v.path, v.value) for k, v in every.items() if v.count}
    assert bool(found) == bool(counted)
    assert repr(found).startswith("Losses(")
    return counted


def test_losses(made: Path) -> None:
    assert losses(dynarrow.read_export(made)) == {}
    reader = dynarrow.read_export(made, columns=["price"], numbers="decimal(6,2)")
    assert losses(reader) == {
        "rounded": (1, "price", "2.345"),
        "overflowed": (1, "price", "99999.5"),
    }
    reader = dynarrow.read_export(made, columns=["l"], overrides={"l[].qty": "int64"})
    assert losses(reader) == {"extra": (1, "l[1].qty", '{"S":"many"}')}


def extra_of(found: pa.Table, name: str = "_extra") -> list[Any]:
    texts = found[name].cast(pa.string()).to_pylist()
    return [None if text is None else json.loads(text) for text in texts]


def test_extra(made: Path, tmp_path: Path) -> None:
    old = dynarrow.infer_schema(write_export(tmp_path, [ITEMS[:1]]).folder)
    reader = dynarrow.read_export(made, schema=old)
    found = reader.to_arrow()
    assert found.column_names == [*old.names, "_extra"]
    assert found["n"].to_pylist() == [1, None, None]
    assert found["mix"].to_pylist() == ["x", None, None]
    assert extra_of(found) == [
        None,
        {"mix": {"N": "1.5"}, "m.c": {"N": "3"}, "at": {"N": "1.5"}},
        {"mix": {"BOOL": True}},
    ]
    assert losses(reader)["extra"][0] == 4
    dropped = dynarrow.read_export(made, schema=old, extra="drop")
    assert dropped.to_arrow().column_names == old.names
    assert losses(dropped)["extra"][0] == 4
    with pytest.raises(dynarrow.DataError) as caught:
        dynarrow.read_export(made, schema=old, extra="error").to_arrow()
    assert (caught.value.code, caught.value.path) == ("E_EXTRA", "mix")
    report = dynarrow.convert(made, tmp_path / "x.parquet", schema=old)
    assert report.read.losses.extra.count == 4
    assert extra_of(pq.read_table(tmp_path / "x.parquet")) == extra_of(found)
    # And the way back puts them in place again.
    dynarrow.write_items(tmp_path / "x.parquet", tmp_path / "x.json")
    items = list(dynarrow.iter_items(tmp_path / "x.json"))
    assert [item["mix"] for item in items] == ["x", Decimal("1.5"), True]
    assert items[1]["m"] == {"c": Decimal(3)}


def test_sample(made: Path) -> None:
    export = dynarrow.open_export(made)
    schema = export.infer_schema(sample=1)
    assert schema.names == list(ITEMS[0])
    found = export.read(sample=1).to_arrow()
    assert found.column_names == [*ITEMS[0], "_extra"]
    assert extra_of(found)[2] == {"mix": {"BOOL": True}}


def test_max_columns(made: Path) -> None:
    reader = dynarrow.read_export(made, max_columns=2)
    found = reader.to_arrow()
    assert found.column_names == ["n", "price", "_extra"]
    assert extra_of(found)[2] == {"mix": {"BOOL": True}}
    assert dynarrow.read_export(made, max_columns=9).to_arrow().column_names == list(ITEMS[0])


def test_max_paths(made: Path) -> None:
    with pytest.raises(dynarrow.DataError, match="E_TOO_MANY_PATHS"):
        dynarrow.infer_schema(made, max_paths=3)


def test_mixed_error(made: Path) -> None:
    with pytest.raises(dynarrow.DataError) as caught:
        dynarrow.read_export(made, mixed="error").to_arrow()
    assert (caught.value.code, caught.value.path) == ("E_MIXED", "mix")


@pytest.mark.parametrize(
    "options",
    [
        {"numbers": "float"},
        {"numbers": "decimal(39,1)"},
        {"mixed": "union"},
        {"maps": "list"},
        {"layout": "wide"},
        {"names": "lower"},
        {"extra": "keep"},
        {"max_fields": 0},
        {"max_columns": -1},
        {"sample": 0},
        {"overrides": {"a": "int32"}},
        {"overrides": {"a[": "int64"}},
        {"format": "xml"},
    ],
)
def test_wrong_options(made: Path, options: dict[str, Any]) -> None:
    with pytest.raises(dynarrow.UsageError):
        dynarrow.read_export(made, **options)


def test_a_schema_fixes_the_policies(made: Path) -> None:
    schema = dynarrow.infer_schema(made)
    fixed: list[dict[str, Any]] = [
        {"numbers": "string"},
        {"sample": 1},
        {"overrides": {"n": "json"}},
    ]
    for options in fixed:
        with pytest.raises(dynarrow.UsageError):
            dynarrow.read_export(made, schema=schema, **options)
    with pytest.raises(dynarrow.NotFoundError):
        dynarrow.read_export(made, schema="no such file.json")


def test_documents(made: Path, tmp_path: Path) -> None:
    schema = dynarrow.infer_schema(made, layout="typed", overrides={"at": "timestamp(s)"})
    path = tmp_path / "schema.json"
    path.write_text(schema.to_json())
    for document in (schema.to_json(), path, str(path), json.loads(schema.to_json())):
        read = dynarrow.Schema.from_json(document)
        assert read.to_json() == schema.to_json()
        assert read.fields == schema.fields
    assert table(made, schema=path).equals(table(made, schema=schema))
    assert table(made, schema=json.loads(schema.to_json())).equals(table(made, schema=schema))
    # A person may edit it.
    document = json.loads(dynarrow.infer_schema(made).to_json())
    document["fields"] = [field for field in document["fields"] if field["name"] == "n"]
    document["fields"][0]["arrow"] = "float64"
    found = table(made, schema=document)
    assert (found.column_names, found["n"].type) == (["n", "_extra"], pa.float64())
    for wrong in ("{}", "{", {"dynarrow_schema": 99}, {**document, "fields": [{"name": 1}]}):
        with pytest.raises(dynarrow.UsageError, match="E_SCHEMA"):
            dynarrow.Schema.from_json(wrong)
    with pytest.raises(dynarrow.NotFoundError):
        dynarrow.Schema.from_json(tmp_path / "none.json")


def test_merge(made: Path, tmp_path: Path) -> None:
    parts = []
    for number, item in enumerate(ITEMS):
        folder = write_export(tmp_path / str(number), [[item]]).folder
        parts.append(dynarrow.infer_schema(folder))
    one, two, three = parts
    merged = one.merge(two).merge(three)

    # Members that stood first in different files come in another order.
    def types(schema: dynarrow.Schema) -> dict[str, list[str]]:
        return {f.name: sorted(re.split("[<>]|, ", f.arrow)) for f in schema.fields}

    assert types(merged) == types(dynarrow.infer_schema(made))
    assert three.merge(two.merge(one)).to_json() == merged.to_json()
    other = dynarrow.infer_schema(made, numbers="string")
    with pytest.raises(dynarrow.UsageError, match="policies"):
        one.merge(other)


def test_override(made: Path) -> None:
    schema = dynarrow.infer_schema(made).override({"price": "decimal(18,2)", "m": "json"})
    assert {f.name: f.arrow for f in schema.fields if f.name in ("price", "m")} == {
        "price": "decimal128(18, 2) rounded",
        "m": "utf8",
    }
    found = table(made, schema=schema)
    assert found["price"].to_pylist() == [Decimal("2.34"), Decimal("99999.50"), None]
    assert found.column_names[-1] == "_extra"
    with pytest.raises(dynarrow.UsageError):
        schema.override({"price": "money"})
