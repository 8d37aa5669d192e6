"""Changes into a Delta table: what is in it, what is refused, and that twice is once."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest
from deltalake.exceptions import DeltaError

import dynarrow
from dynarrow.lake import merge_delta

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/shop"
T0, T1, T2 = (f"2026-01-14T{hour}:00:00.000Z" for hour in (10, 11, 12))
STRUCT = pa.struct([("x", pa.int64()), ("y", pa.string())])


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """A table with odd names, and types that changes have in other forms."""
    uri = str(tmp_path / "table")
    rows = {
        "PK": ["a", "b", "c"],
        "userId": [1, 2, 3],
        'odd."`name': ["1", "2", "3"],
        "price": pa.array([Decimal("1.50")] * 3, pa.decimal128(38, 2)),
        "st": pa.array([{"x": 1, "y": "q"}] * 3, STRUCT),
        "list": pa.array([[{"x": 1, "y": "q"}]] * 3, pa.list_(STRUCT)),
        "gone": ["k"] * 3,
    }
    deltalake.write_deltalake(uri, pa.table(rows))
    return uri


def metadata(begins: str, ends: str, **others: str) -> dict[str, str]:
    said = {
        "table": TABLE,
        "export_arn": f"{TABLE}/export/{ends}",
        "export_from_time": begins,
        "export_to_time": ends,
        "keys": json.dumps(["PK"]),
    }
    return {f"dynarrow.{name}": value for name, value in {**said, **others}.items()}


def changes(
    begins: str = T0, ends: str = T1, columns: dict[str, Any] | None = None, **others: str
) -> pa.Table:
    if columns is None:
        columns = {
            "_op": ["update", "delete", "insert", "delete"],
            "_ts": pa.array([0] * 4, pa.timestamp("us", "UTC")),
            "PK": ["a", "b", "d", "never"],
            "userId": [10, None, 40, None],
            'odd."`name': ["11", None, "4", None],
            "price": pa.array([7, None, 8, None], pa.int64()),
            "st": pa.array([{"x": 5}, None, {"x": 6}, None]),
            "list": pa.array([[{"y": "z"}], None, [], None]),
            "new": pa.array([[1], None, None, None], pa.list_(pa.int64())),
        }
    return pa.table(columns).replace_schema_metadata(metadata(begins, ends, **others))


def rows(uri: str) -> list[dict[str, Any]]:
    return pa.table(deltalake.DeltaTable(uri).to_pyarrow_table()).sort_by("PK").to_pylist()


def test_what_is_in_the_table(uri: str):
    report = merge_delta(uri, changes())
    assert (report.merged, report.inserted, report.updated, report.deleted) == (True, 1, 1, 1)
    assert report.export_to_time == datetime(2026, 1, 14, 11, tzinfo=UTC)
    first, kept, last = rows(uri)
    # The whole item: an attribute that the change does not have is gone.
    assert first == {
        "PK": "a",
        "userId": 10,
        'odd."`name': "11",
        "price": Decimal("7.00"),
        "st": {"x": 5, "y": None},
        "list": [{"x": None, "y": "z"}],
        "gone": None,
        "new": [1],
    }
    assert (kept["PK"], kept["gone"], kept["new"]) == ("c", "k", None)
    assert (last["PK"], last["st"], last["list"]) == ("d", {"x": 6, "y": None}, [])
    commit = deltalake.DeltaTable(uri).history(1)[0]
    assert commit["dynarrow.export_arn"] == f"{TABLE}/export/{T1}"


def test_twice_is_once(uri: str):
    merge_delta(uri, changes())
    before, version = rows(uri), deltalake.DeltaTable(uri).version()
    assert merge_delta(uri, changes()).merged is False
    assert (rows(uri), deltalake.DeltaTable(uri).version()) == (before, version)
    # A window that begins inside the last one has more to say.
    assert merge_delta(uri, changes("2026-01-14T10:30:00.000Z", T2)).merged
    assert rows(uri) == before
    # Also when the history was put together.
    deltalake.DeltaTable(uri).create_checkpoint()
    assert merge_delta(uri, changes(T1, T2)).merged is False


def test_a_gap(uri: str):
    with pytest.raises(dynarrow.UsageError, match=r"10:00:00.*11:00:00") as caught:
        merge_delta(uri, changes(T1, T2), since=T0)
    assert caught.value.code == "E_GAP"
    merge_delta(uri, changes(T0, T1), since=T0)
    with pytest.raises(dynarrow.UsageError, match=r"11:00:00.*12:00:00") as caught:
        merge_delta(uri, changes(T2, "2026-01-14T13:00:00.000Z"))
    assert caught.value.code == "E_GAP"
    assert merge_delta(uri, changes(T1, T2)).merged


def test_what_is_refused(uri: str):
    version = deltalake.DeltaTable(uri).version()
    base = {"_op": ["update"], "_ts": pa.array([0], pa.timestamp("us", "UTC")), "PK": ["a"]}

    def refused(code: str, match: str, data: Any, **options: Any) -> None:
        with pytest.raises(dynarrow.UsageError, match=match) as caught:
            merge_delta(uri, data, **options)
        assert caught.value.code == code

    refused("E_USAGE", "price", changes(columns={**base, "price": [Decimal("1.505")]}))
    refused("E_USAGE", "userId", changes(columns={**base, "userId": ["text"]}))
    refused("E_USAGE", "st", changes(columns={**base, "st": [{"z": 1}]}))
    refused("E_USAGE", "_op and _ts", pa.table({"PK": ["a"]}), key=["PK"], **window())
    refused("E_USAGE", "old images", changes(images="old"))
    refused("E_USAGE", "key=", changes(keys="[]"))
    refused("E_SCHEMA", "keys", changes(keys="{"))
    refused("E_USAGE", "'SK'", changes(), key=["PK", "SK"])
    refused("E_USAGE", "export_from_time=", pa.table(base), key=["PK"])
    refused("E_USAGE", "since", changes(), since="yesterday")
    assert deltalake.DeltaTable(uri).version() == version
    merge_delta(uri, changes())
    refused("E_OTHER_TABLE", "another", changes(T1, T2, table="another"))


def window() -> dict[str, Any]:
    return {"export_from_time": T0, "export_to_time": datetime(2026, 1, 14, 11)}


def test_what_the_changes_do_not_say(uri: str):
    bare = changes().replace_schema_metadata(None)
    report = merge_delta(uri, bare, key=["PK"], export_arn="arn:x", **window())
    assert report.merged
    assert deltalake.DeltaTable(uri).history(1)[0]["dynarrow.export_arn"] == "arn:x"
    assert merge_delta(uri, changes()).merged is False


def test_two_changes_of_one_item_and_no_table(uri: str, tmp_path: Path):
    twice = pa.concat_tables([changes(), changes()])
    with pytest.raises(DeltaError):
        merge_delta(uri, twice)
    with pytest.raises(DeltaError):
        merge_delta(tmp_path / "none", changes())


def test_a_table_of_keys(tmp_path: Path):
    """Nothing is left to update, and the keys are two."""
    uri = str(tmp_path / "keys")
    deltalake.write_deltalake(uri, pa.table({"PK": ["a", "a"], "SK": [1, 2]}))
    columns = {
        "_op": ["upsert", "delete", "upsert"],
        "_ts": pa.array([0] * 3, pa.timestamp("us", "UTC")),
        "PK": ["a", "a", "a"],
        "SK": [1, 2, 3],
    }
    merge_delta(uri, changes(columns=columns, keys='["PK", "SK"]'))
    table = deltalake.DeltaTable(uri).to_pyarrow_table().sort_by("SK")
    assert table.to_pylist() == [{"PK": "a", "SK": 1}, {"PK": "a", "SK": 3}]


def test_a_table_that_dynarrow_wrote(shop: Path, tmp_path: Path):
    uri = str(tmp_path / "shop")
    reader = dynarrow.read_export(shop)
    deltalake.write_deltalake(uri, reader)
    table = reader.to_arrow()
    fields = ["PK", "SK"]
    columns = {
        "_op": ["delete", "update"],
        "_ts": pa.array([0, 0], pa.timestamp("us", "UTC")),
        **{name: table.column(name).slice(0, 2) for name in table.column_names},
    }
    merge_delta(uri, changes(columns=columns, keys=json.dumps(fields)))
    order = [(name, "ascending") for name in fields]
    expected = table.slice(1).sort_by(order)
    found = deltalake.DeltaTable(uri).to_pyarrow_table().select(table.column_names).sort_by(order)
    assert found.to_pylist() == expected.to_pylist()


def test_what_read_changes_gives(shop: Path, tmp_path: Path):
    """The table is that which `merge` writes."""
    increment = shop.parent / "shop-hour"
    dynarrow.merge(shop, increment, tmp_path / "merged.parquet")
    merged = dynarrow.read_export(tmp_path / "merged.parquet").to_arrow()
    uri = str(tmp_path / "shop")
    deltalake.write_deltalake(uri, dynarrow.read_export(shop))
    report = merge_delta(uri, dynarrow.read_changes(increment))
    assert report.merged
    assert merge_delta(uri, dynarrow.read_changes(increment)).merged is False
    found = deltalake.DeltaTable(uri).to_pyarrow_table()
    # A column that no item has any more stays.
    assert set(found.column_names) >= set(merged.column_names)
    assert found.num_rows == merged.num_rows
    order = [("PK", "ascending"), ("SK", "ascending")]
    columns = ["PK", "SK", "total", "status", "lines"]
    assert found.sort_by(order).select(columns).to_pylist() == (
        merged.sort_by(order).select(columns).to_pylist()
    )
