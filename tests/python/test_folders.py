"""`convert` to a folder that is divided: what polars, DuckDB and pyarrow read from it."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import dynarrow

ODD = [
    "plain",
    "a/b=c",
    "50%",
    "é 🦐",
    'it\'s "x"',
    "a:b?c*d",
    "[x]{y}^\\",
    "..",
    "tab\tnew\nline",
    " ",
]


def write(path: Path, items: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps({"Item": item}) + "\n" for item in items))
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three items of each odd value, and three of none."""
    items: list[dict[str, Any]] = []
    for n in range(3 * (len(ODD) + 1)):
        item = {"id": {"N": str(n)}, "text": {"S": f"text {n}"}}
        if n // 3 < len(ODD):
            item["kind"] = {"S": ODD[n // 3]}
        elif n % 3 == 0:
            item["kind"] = {"NULL": True}
        items.append(item)
    return write(tmp_path_factory.mktemp("folders") / "items.json", items)


def expected() -> list[tuple[int, str | None]]:
    return [(n, ODD[n // 3] if n // 3 < len(ODD) else None) for n in range(3 * (len(ODD) + 1))]


@pytest.fixture(scope="module")
def partitioned(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    dest = tmp_path_factory.mktemp("partitioned") / "out"
    report = dynarrow.convert(source, dest, partition_by="kind")
    assert len(report.files) == len(ODD) + 1
    assert {file.rows for file in report.files} == {3}
    assert report.bytes_out == sum(file.path.stat().st_size for file in report.files)
    for file in report.files:
        assert file.bytes == file.path.stat().st_size
        assert pq.read_schema(file.path).names == ["id", "text"]
    return dest


def test_polars_reads_partitions(partitioned: Path) -> None:
    frame = pl.scan_parquet(partitioned, hive_partitioning=True).sort("id").collect()
    assert frame.columns == ["id", "text", "kind"]
    assert list(zip(frame["id"], frame["kind"], strict=True)) == expected()


def test_duckdb_reads_partitions(partitioned: Path) -> None:
    source = f"read_parquet('{partitioned}/*/*.parquet', hive_partitioning=true)"
    assert duckdb.sql(f"select id, kind from {source} order by id").fetchall() == expected()


def test_pyarrow_reads_partitions(partitioned: Path) -> None:
    kind = pa.schema([("kind", pa.string())])
    table = ds.dataset(partitioned, partitioning=ds.partitioning(kind, flavor="hive")).to_table()
    rows = sorted(zip(table["id"].to_pylist(), table["kind"].to_pylist(), strict=True))
    assert rows == expected()


def test_folders_are_called_as_hive_calls_them(partitioned: Path) -> None:
    names = {path.name for path in partitioned.iterdir()}
    assert names == {
        "kind=plain",
        "kind=a%2Fb%3Dc",
        "kind=50%25",
        "kind=é 🦐",
        "kind=it%27s %22x%22",
        "kind=a%3Ab%3Fc%2Ad",
        "kind=%5Bx%5D%7By}%5E%5C",
        "kind=..",
        "kind=tab%09new%0Aline",
        "kind= ",
        "kind=__HIVE_DEFAULT_PARTITION__",
    }


def test_numbers_and_booleans_name_folders(tmp_path: Path) -> None:
    items = [
        {"n": {"N": n}, "b": {"BOOL": b}, "x": {"S": n}}
        for n in ("10", "1e1", "-0.50", "7")
        for b in (True, False)
    ]
    source = write(tmp_path / "items.json", items)
    report = dynarrow.convert(source, tmp_path / "out", partition_by=["n", "b"])
    folders = [str(file.path.parent.relative_to(tmp_path / "out")) for file in report.files]
    assert folders == [f"n={n}/b={b}" for n in ("10", "-0.5", "7") for b in ("true", "false")]
    assert [file.rows for file in report.files] == [2, 2, 1, 1, 1, 1]
    written = f"read_parquet('{tmp_path}/out/*/*/*.parquet', hive_partitioning=true)"
    query = f"select sum(n::double), count(*) filter (b::boolean) from {written}"
    assert duckdb.sql(query).fetchone() == (53.0, 4)


@pytest.mark.parametrize("to", ["arrow", "csv", "ndjson"])
def test_other_formats(source: Path, tmp_path: Path, to: Any) -> None:
    report = dynarrow.convert(source, tmp_path / "out", to=to, partition_by=["kind"])
    found: list[tuple[int, str]] = []
    for file in report.files:
        value = unquote(file.path.parent.name).removeprefix("kind=")
        if to == "arrow":
            ids = pa.ipc.open_file(file.path).read_all()["id"].to_pylist()
        elif to == "csv":
            frame = pl.read_csv(file.path)
            assert frame.columns == ["id", "text"]
            ids = frame["id"].to_list()
        else:
            rows = [json.loads(line) for line in file.path.read_text().splitlines()]
            assert all(row.keys() == {"id", "text"} for row in rows)
            ids = [row["id"] for row in rows]
        found.extend((n, value) for n in ids)
    assert sorted(found) == [(n, value or "__HIVE_DEFAULT_PARTITION__") for n, value in expected()]


def test_tables_of_the_shop(tmp_path: Path) -> None:
    shop = "tests/data/exports/shop"
    report = dynarrow.convert(shop, tmp_path / "out", split_by="EntityType", file_size="1kB")
    assert [(table.value, table.type, table.items) for table in report.tables] == [
        ("product", "S", 247),
        ("order", "S", 2245),
        ("user", "S", 508),
    ]
    assert repr(report.tables[0]).startswith("SplitTable(value='product', type='S', folder=")
    whole = dynarrow.read_export(shop).to_polars()
    for table in report.tables:
        assert table.folder == tmp_path / "out" / str(table.value)
        frame = pl.read_parquet(table.folder / "*.parquet")
        items = whole.filter(pl.col("EntityType") == table.value)
        own = [name for name in whole.columns if items[name].null_count() < len(items)]
        assert frame.height == table.items
        assert set(own) <= set(frame.columns) < set(whole.columns)
        assert sorted(frame["PK"].to_list()) == sorted(items["PK"].to_list())


def test_tables_and_partitions(tmp_path: Path) -> None:
    report = dynarrow.convert(
        "tests/data/exports/shop", tmp_path / "out", split_by="EntityType", partition_by="status"
    )
    written = f"read_parquet('{tmp_path}/out/order/*/*.parquet')"
    query = f"select status, count(*) from {written} group by status"
    orders = duckdb.sql(query).fetchall()
    assert len(orders) == 6
    assert sum(count for _, count in orders) == 2245
    assert (tmp_path / "out/user/status=__HIVE_DEFAULT_PARTITION__/part-00000.parquet").exists()
    assert sum(file.rows for file in report.files) == 3_000


def test_names_of_tables(source: Path, tmp_path: Path) -> None:
    report = dynarrow.convert(source, tmp_path / "out", split_by="kind")
    assert [table.folder.name for table in report.tables] == [
        "plain",
        "a%2Fb%3Dc",
        "50%25",
        "%C3%A9%20%F0%9F%A6%90",
        "it%27s%20%22x%22",
        "a%3Ab%3Fc%2Ad",
        "%5Bx%5D%7By%7D%5E%5C",
        "%2E%2E",
        "tab%09new%0Aline",
        "%20",
        "@missing",
    ]
    assert [unquote(table.folder.name) for table in report.tables[:-1]] == ODD
    assert (report.tables[-1].value, report.tables[-1].type) == (None, "NULL")


@pytest.mark.parametrize("size", [1_000, "1000", "1kB", "1 KB"])
def test_file_sizes(source: Path, tmp_path: Path, size: int | str) -> None:
    report = dynarrow.convert(source, tmp_path / "out", to="ndjson", file_size=size)
    assert [file.path.name for file in report.files] == ["part-00000.ndjson", "part-00001.ndjson"]
    assert report.files[0].bytes >= 1_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"file_size": 0}, "at least 1"),
        ({"file_size": -1}, "is no size"),
        ({"file_size": "1 furlong"}, "is no size"),
        ({"max_partitions": 0}, "at least 1"),
        ({"partition_by": ["kind", "kind"]}, 'names "kind" twice'),
        ({"partition_by": "kind", "to": "ion"}, "use split_by"),
        ({"partition_by": "kind", "to": "export"}, "is for a folder of files"),
        ({"split_by": "nope"}, "E_COLUMN"),
        ({"partition_by": "nope"}, "E_COLUMN"),
        ({"partition_by": "kind", "overrides": {"kind": "json"}}, "names folders"),
    ],
)
def test_what_makes_no_sense(
    source: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(dynarrow.UsageError, match=message):
        dynarrow.convert(source, tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_one_file_is_not_divided(source: Path, tmp_path: Path) -> None:
    for options in ({"file_size": 5}, {"split_by": "kind"}, {"partition_by": "kind"}):
        with pytest.raises(dynarrow.UsageError, match="is for a folder of files"):
            dynarrow.convert(source, tmp_path / "out.parquet", **options)  # type: ignore[arg-type]


def test_bad_values_can_be_passed_over(tmp_path: Path) -> None:
    items = [
        {"t": {"S": "x"}},
        {"t": {"S": ""}},
        {"t": {"B": "AA=="}},
        {"t": {"S": "x"}, "y": {"S": "y"}},
    ]
    source = write(tmp_path / "items.json", items)
    with pytest.raises(
        dynarrow.DataError, match="E_PARTITION: partition_by: an empty string"
    ) as raised:
        dynarrow.convert(source, tmp_path / "out", partition_by="t")
    assert (raised.value.line, raised.value.item, raised.value.path) == (2, 1, "t")
    report = dynarrow.convert(source, tmp_path / "out", partition_by="t", on_error="skip")
    assert (report.read.items, report.read.skipped) == (2, 2)
    assert pq.read_table(report.files[0].path).num_rows == 2
    # A table can have the empty string for its value.
    report = dynarrow.convert(source, tmp_path / "tables", split_by="t", on_error="skip")
    assert [(table.value, table.folder.name) for table in report.tables] == [
        ("x", "x"),
        ("", "@empty"),
    ]


def test_overwriting(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for options in (
        {"partition_by": "kind"},
        {"split_by": "kind"},
        {"split_by": "kind", "to": "csv"},
        {},
    ):
        dynarrow.convert(source, out, overwrite=True, **options)  # type: ignore[arg-type]
    assert [path.name for path in out.iterdir()] == ["part-00000.parquet"]
    dynarrow.convert(source, out, overwrite=True, partition_by="kind")
    for foreign in (
        "kind=plain/notes.txt",
        "mine/x",
        "kind=plain/_SUCCESS",
        ".git/part-00000.parquet",
    ):
        path = out / foreign
        path.parent.mkdir(exist_ok=True)
        path.touch()
        with pytest.raises(dynarrow.StorageError, match="E_DEST_EXISTS"):
            dynarrow.convert(source, out, overwrite=True)
        path.unlink()
        if not any(path.parent.iterdir()):
            with pytest.raises(dynarrow.StorageError, match="E_DEST_EXISTS"):
                dynarrow.convert(source, out, overwrite=True)
            path.parent.rmdir()
    dynarrow.convert(source, out, overwrite=True)
