"""Changes: frames of other libraries, and dicts against json and boto3's TypeDeserializer."""

import base64
import gzip
import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dynarrow

from exports import Change, Item, change_line, random_items, write_changes, write_export
from reference import Path as Learnt
from reference import learn, plain, same

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def hour(shop: Path) -> Path:
    """The hour behind the sample export."""
    return shop.with_name("shop-hour")


def random_changes(seed: int, count: int) -> list[Change]:
    """Changes of items with columns of every type."""
    rng = random.Random(seed)
    items = random_items(seed, 2 * count)
    changes: list[Change] = []
    for n in range(count):
        old, new = items[2 * n], items[2 * n + 1]
        new["pk"] = old["pk"]
        op = rng.choice(["insert", "update", "update", "delete"])
        before, after = None if op == "insert" else old, None if op == "delete" else new
        micros = 1_754_291_400_000_000 + rng.randrange(10**9)
        changes.append(Change(micros, {"pk": old["pk"]}, before, after))
    return changes


def time(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def ordered(like: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """The images of an export are sorted by name."""
    assert set(like) == set(item)
    return {name: item[name] for name in like}


def assert_changes(found: list[Any], changes: list[Change], *, both: bool) -> None:
    assert len(found) == len(changes)
    for ours, change in zip(found, changes, strict=True):
        assert list(ours) == ["op", "ts", "keys", "old", "new"]
        assert ours["op"] == change.op(both)
        assert ours["ts"] == time(change.micros)
        assert ours["ts"].utcoffset() == timedelta()
        assert same(ours["keys"], plain(change.keys))
        for name, image in [("old", change.old if both else None), ("new", change.new)]:
            if image is None:
                assert ours[name] is None
            else:
                assert same(ours[name], ordered(ours[name], plain(image)))


@pytest.mark.parametrize("ion", [False, True])
@pytest.mark.parametrize("both", [False, True])
def test_random_changes_are_those_of_boto3(tmp_path: Path, ion: bool, both: bool) -> None:
    changes = random_changes(seed=1, count=1_500)
    files = [changes[:500], changes[500:500], changes[500:]]
    export = write_changes(tmp_path, files, both=both, ion=ion)
    for threads in (1, 3):
        found = list(dynarrow.iter_changes(export.folder, threads=threads))
        assert_changes(found, changes, both=both)


def row(change: Change, image: Item | None) -> Item:
    return change.keys | {n: v for n, v in sorted((image or {}).items()) if n not in change.keys}


def assert_images(table: pa.Table, columns: dict[str, Learnt], items: list[Item | None]) -> None:
    for name, path in columns.items():
        assert table.schema.field(name).type == path.type(), name
        for read, item in zip(table.column(name).to_pylist(), items, strict=True):
            value = (item or {}).get(name)
            assert path.normal(read) == path.value(value), (name, item)


def own_name(name: str, columns: dict[str, Learnt]) -> str:
    while name in columns:
        name += "_"
    return name


@pytest.mark.parametrize("images", ["new", "old", "both"])
def test_columns_are_those_of_the_rules(tmp_path: Path, images: Any) -> None:
    changes = random_changes(seed=2, count=2_000)
    export = write_changes(tmp_path, [changes[:500], changes[500:]])
    reader = dynarrow.read_changes(export.folder, images=images)
    table = reader.to_arrow()
    rows = [row(change, change.old if images == "old" else change.new) for change in changes]
    learnt: list[Item] = []
    for change, item in zip(changes, rows, strict=True):
        learnt.append(item)
        # An image before is learnt behind the one after.
        if images == "both" and change.old:
            learnt.append(row(change, change.old))
    columns = learn(learnt)
    assert "_op" in columns  # so that the own column needs another name
    op, ts, old = (own_name(name, columns) for name in ("_op", "_ts", "_old"))
    own = [old] if images == "both" else []
    assert table.column_names == [op, ts, *columns, *own]
    assert reader.schema.names == list(columns)
    assert table.column(op).to_pylist() == [change.op(both=True) for change in changes]
    assert table.schema.field(ts).type == pa.timestamp("us", "UTC")
    assert table.column(ts).to_pylist() == [time(change.micros) for change in changes]
    assert_images(table, columns, list(rows))
    if images == "both":
        before = table.column(old).combine_chunks()
        assert before.is_valid().to_pylist() == [change.old is not None for change in changes]
        assert [field.name for field in before.type] == list(columns)
        children = pa.Table.from_arrays(before.flatten(), schema=pa.schema(list(before.type)))
        assert_images(children, columns, [change.old for change in changes])
    table.validate(full=True)
    assert reader.report is not None
    assert reader.report.items == 2_000


def test_frames(hour: Path, shop: Path) -> None:
    ops = Counter(change["op"] for change in dynarrow.iter_changes(hour))
    assert sum(ops.values()) == 80
    assert set(ops) == {"insert", "update", "delete"}
    reader = dynarrow.read_changes(hour, images="both")
    frame = reader.to_polars()
    assert dict(frame["_op"].value_counts().iter_rows()) == ops
    assert frame["_ts"].dtype == pl.Datetime("us", "UTC")
    deleted = frame.filter(pl.col("_op") == "delete")
    assert deleted["EntityType"].null_count() == ops["delete"]
    assert deleted["_old"].struct.field("EntityType").null_count() == 0
    sold = frame.filter(pl.col("stock").is_not_null() & (pl.col("_op") == "update"))
    before = pl.col("_old").struct.field("stock")
    assert sold.height > 3
    assert sold.select((before - pl.col("stock") == 1).all()).item()
    panda = reader.to_pandas()
    assert panda["_op"].value_counts().to_dict() == ops
    assert isinstance(panda["_ts"].iloc[0], pd.Timestamp)
    relation = duckdb.from_arrow(reader)
    counted = relation.query("c", "select _op, count(*) from c where _ts < now() group by _op")
    assert dict(counted.fetchall()) == ops
    # What stood before a change stands in the base.
    base = {(item["PK"], item["SK"]): item for item in dynarrow.iter_items(shop)}
    for change in dynarrow.iter_changes(hour):
        assert base.get((change["keys"]["PK"], change["keys"]["SK"])) == change["old"]


def test_the_schema_says_what_the_changes_are_of(hour: Path) -> None:
    metadata = pa.schema(dynarrow.read_changes(hour)).metadata
    assert json.loads(metadata[b"dynarrow.keys"]) == ["PK", "SK"]
    assert metadata[b"dynarrow.table"].endswith(b":table/Shop")
    assert metadata[b"dynarrow.export_from_time"] == b"2025-08-04T07:09:00.850Z"
    assert metadata[b"dynarrow.export_to_time"] == b"2025-08-04T08:09:00.000Z"


def test_files_are_what_the_reader_reads(hour: Path, tmp_path: Path) -> None:
    for images in ("new", "old", "both"):
        table = dynarrow.read_changes(hour, images=images).to_arrow()
        for name in ("a.parquet", "a.arrow"):
            report = dynarrow.changes(hour, tmp_path / name, images=images)
            assert report.read.items == 80
            written = [(file.path, file.bytes, file.rows) for file in report.files]
            assert written == [(tmp_path / name, (tmp_path / name).stat().st_size, 80)]
        assert pq.read_table(tmp_path / "a.parquet").equals(table)
        assert pa.ipc.open_file(tmp_path / "a.arrow").read_all().equals(table)
    dynarrow.changes(hour, tmp_path / "a.ndjson.gz", columns=["status"])
    lines = gzip.decompress((tmp_path / "a.ndjson.gz").read_bytes()).splitlines()
    for line, change in zip(lines, dynarrow.iter_changes(hour, columns=["status"]), strict=True):
        assert json.loads(line) == {
            "_op": change["op"],
            "_ts": change["ts"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            **(change["new"] or change["keys"]),
        }
    dynarrow.changes(hour, tmp_path / "a.csv", images="old")
    frame = pl.read_csv(tmp_path / "a.csv", infer_schema=False)
    assert frame.columns == dynarrow.read_changes(hour, images="old").to_arrow().column_names
    assert frame.height == 80


@pytest.mark.parametrize("export_format", ["dynamodb_json", "ion"])
def test_an_export_of_changes(hour: Path, tmp_path: Path, export_format: Any) -> None:
    report = dynarrow.changes(hour, tmp_path, to="export", export_format=export_format)
    assert report.read.items == 80
    assert dynarrow.verify(tmp_path).ok
    written, read = dynarrow.iter_changes(tmp_path), dynarrow.iter_changes(hour)
    for ours, theirs in zip(written, read, strict=True):
        assert ours == theirs
    summary = dynarrow.open_export(tmp_path).summary
    assert summary is not None
    assert summary["exportToTime"] == "2025-08-04T08:09:00.000Z"
    with pytest.raises(dynarrow.UsageError, match="images=old"):
        dynarrow.changes(hour, tmp_path / "more", to="export", images="old")


def test_the_key_is_always_there(hour: Path) -> None:
    table = dynarrow.read_changes(hour, columns=["status", "SK"]).to_arrow()
    assert table.column_names == ["_op", "_ts", "PK", "SK", "status"]
    for change in dynarrow.iter_changes(hour, columns=["status"]):
        assert set(change["keys"]) == {"PK", "SK"}
        for image in (change["old"], change["new"]):
            assert image is None or set(image) - {"status"} == {"PK", "SK"}


def test_a_frozen_schema_and_what_has_no_place_in_it(hour: Path) -> None:
    document = json.loads(dynarrow.read_changes(hour, images="both").schema.to_json())
    document["fields"] = [field for field in document["fields"] if field["name"] != "note"]
    table = dynarrow.read_changes(hour, images="both", schema=document).to_arrow()
    assert "note" not in table.column_names
    extra = [json.loads(text) for text in table.column("_extra").to_pylist() if text]
    assert extra
    assert all(list(value) == ["note"] for value in extra)


def test_what_is_refused(hour: Path, shop: Path, tmp_path: Path) -> None:
    with pytest.raises(dynarrow.UsageError, match="E_FULL_EXPORT"):
        dynarrow.read_changes(shop)
    with pytest.raises(dynarrow.UsageError, match="E_FULL_EXPORT"):
        dynarrow.iter_changes(shop)
    with pytest.raises(dynarrow.UsageError, match="E_INCREMENTAL"):
        dynarrow.read_export(hour)
    unknown: Any = "all"
    with pytest.raises(dynarrow.UsageError, match="images must be one of new, old, both"):
        dynarrow.read_changes(hour, images=unknown)
    with pytest.raises(dynarrow.UsageError, match="changes are rows"):
        dynarrow.changes(hour, tmp_path / "a.json")
    with pytest.raises(dynarrow.NotFoundError):
        dynarrow.read_changes(tmp_path / "nothing")
    new = write_changes(tmp_path, [random_changes(3, 3)], both=False)
    for images in ("old", "both"):
        with pytest.raises(dynarrow.UsageError, match="E_VIEW"):
            dynarrow.read_changes(new.folder, images=images)
    assert [change["old"] for change in dynarrow.iter_changes(new.folder)] == [None] * 3
    assert not list(tmp_path.glob("a.*"))


def test_bad_changes(tmp_path: Path) -> None:
    changes = random_changes(4, 4)
    lines = [change_line(change) for change in changes]
    lines[2] = json.dumps({"Metadata": {}, "Keys": changes[2].keys}) + "\n"
    export = write_changes(tmp_path, ["".join(lines)])
    found = dynarrow.iter_changes(export.folder)
    assert_changes([next(found), next(found)], changes[:2], both=True)
    with pytest.raises(dynarrow.DataError, match="E_RECORD") as error:
        next(found)
    assert (error.value.code, error.value.line, error.value.item) == ("E_RECORD", 3, 2)
    assert list(found) == []
    found = dynarrow.iter_changes(export.folder, on_error="skip")
    assert_changes(list(found), changes[:2] + changes[3:], both=True)
    assert found.skipped == 1
    reader = dynarrow.read_changes(export.folder, on_error="skip")
    assert reader.to_arrow().num_rows == 3
    assert reader.report is not None
    assert reader.report.skipped == 1
    with pytest.raises(dynarrow.DataError, match="E_RECORD"):
        dynarrow.changes(export.folder, tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet").exists()


def test_a_time_past_all_datetimes(tmp_path: Path) -> None:
    file = tmp_path / "changes.json"
    file.write_text(change_line(Change(2**62, {"pk": {"S": "a"}}, None, None)))
    found = dynarrow.iter_changes(file)
    with pytest.raises(dynarrow.DataError, match="microseconds since 1970"):
        next(found)
    times = dynarrow.read_changes(file).to_arrow().column("_ts")
    assert times.cast(pa.int64()).to_pylist() == [2**62]


def test_exports_share_a_folder(tmp_path: Path) -> None:
    changes = random_changes(5, 20)
    first = write_changes(tmp_path, [changes[:10]])
    second = write_changes(tmp_path, [changes[10:], []], export_id="01754298540000-0c0ffee1")
    base = write_export(tmp_path, [random_items(6, 3)])
    assert first.files[0].parent == second.files[0].parent != base.files[0].parent
    assert_changes(list(dynarrow.iter_changes(first.folder)), changes[:10], both=True)
    assert_changes(list(dynarrow.iter_changes(second.folder)), changes[10:], both=True)
    assert len(list(dynarrow.iter_items(base.folder))) == 3


def test_data_files_without_a_manifest(tmp_path: Path) -> None:
    """A line says of itself whether there was an item before; without one nobody knows."""
    changes = random_changes(7, 30)
    (tmp_path / "a.json").write_text("".join(map(change_line, changes)))
    found = [change["op"] for change in dynarrow.iter_changes(tmp_path / "a.json")]
    assert found == [change.op(both=change.old is not None) for change in changes]
    assert dynarrow.read_changes(tmp_path, images="both").to_arrow().num_rows == 30


def test_a_binary_key(tmp_path: Path) -> None:
    raw = bytes(range(256))
    key: Item = {"pk": {"B": base64.b64encode(raw).decode()}}
    file = tmp_path / "changes.json"
    file.write_text(change_line(Change(1, key, None, key)))
    (change,) = dynarrow.iter_changes(file)
    assert change["keys"] == change["new"] == {"pk": raw}
    assert change["ts"] == EPOCH + timedelta(microseconds=1)
