"""`read_export` and `Reader`: every consumer, all batch sizes, any number of threads."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import dynarrow

from exports import item_line, random_items, write_export
from reference import assert_table


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    items = random_items(seed=11, count=400)
    root = tmp_path_factory.mktemp("small")
    return write_export(root, [items[:100], items[100:101], items[101:]]).folder


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    items = [{"id": {"S": "a"}, "n": {"N": str(2**53 + 1)}}, {"id": {"S": "b"}}]
    return write_export(tmp_path_factory.mktemp("numbers"), [items]).folder


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("batch_size", [1, 3, 8_192])
def test_batch_size_and_threads_change_nothing(small: Path, batch_size: int, threads: int) -> None:
    reader = dynarrow.read_export(small, batch_size=batch_size, threads=threads)
    batches = list(reader)
    assert [batch.num_rows for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    table = pa.Table.from_batches(batches, pa.schema(reader.schema))
    assert_table(table, random_items(seed=11, count=400))


def test_random_items_are_columns_of_the_rules(tmp_path: Path) -> None:
    items = random_items(seed=12, count=4_000)
    export = write_export(tmp_path, [items[:1_500], items[1_500:]])
    assert_table(dynarrow.read_export(export.folder).to_arrow(), items)


def test_every_consumer_sees_the_same(small: Path) -> None:
    columns = ["pk", "text", "integer", "price", "huge", "flag", "binary", "strings", "map"]
    reader = dynarrow.read_export(small, columns=columns)
    table = reader.to_arrow()
    rows = table.to_pylist()
    assert len(rows) == 400
    assert pa.table(reader).equals(table)
    assert pa.RecordBatchReader.from_stream(reader).read_all().equals(table)
    assert reader.to_polars().to_dicts() == rows
    assert pl.DataFrame(reader).equals(reader.to_polars())
    for relation in (reader.to_duckdb(), duckdb.from_arrow(reader)):
        fetched = relation.fetchall()
        assert fetched == [tuple(row.values()) for row in rows]
    frame = reader.to_pandas()
    assert pa.Table.from_pandas(frame, schema=table.schema, preserve_index=False).equals(table)
    assert pd.DataFrame.from_arrow(reader).shape == (400, len(columns))


def test_a_duckdb_query_may_run_twice_and_join(small: Path) -> None:
    con = duckdb.connect()
    reader = dynarrow.read_export(small)
    assert reader.to_duckdb(con).aggregate("count(*)").fetchall() == [(400,)]
    query = "select count(*) from reader a join reader b on a.pk = b.pk"
    assert con.sql(query).fetchall() == [(400,)]
    assert con.sql(query).fetchall() == [(400,)]


def test_large_integers_beside_nulls_survive_pandas(numbers: Path) -> None:
    reader = dynarrow.read_export(numbers)
    column = reader.to_pandas()["n"]
    assert column.dtype == pd.ArrowDtype(pa.int64())
    assert column[0] == 2**53 + 1
    assert column[1] is pd.NA
    nullable = reader.to_pandas(dtype_backend="numpy_nullable")["n"]
    assert nullable.dtype == pd.Int64Dtype()
    assert nullable[0] == 2**53 + 1
    assert reader.to_pandas(dtype_backend=None)["n"].dtype == "float64"
    with pytest.raises(dynarrow.UsageError, match="dtype_backend"):
        reader.to_pandas(dtype_backend="numpy")  # type: ignore[arg-type]


def test_a_reader_reads_as_often_as_wanted(small: Path) -> None:
    reader = dynarrow.read_export(small)
    first, second = iter(reader), iter(reader)
    assert next(first).equals(next(second))
    assert reader.to_arrow().equals(reader.to_arrow())
    streams = [pa.RecordBatchReader.from_stream(reader) for _ in range(2)]
    assert streams[0].read_all().equals(streams[1].read_all())


def test_schema_capsule(small: Path) -> None:
    reader = dynarrow.read_export(small)
    schema = pa.schema(reader)
    assert schema.equals(reader.to_arrow().schema, check_metadata=True)
    # A schema is of no table; a reader says of which.
    bare = pa.schema(reader.schema)
    assert schema.with_metadata(bare.metadata).equals(bare, check_metadata=True)
    assert b":table/" in schema.metadata[b"dynarrow.table"]
    assert schema.metadata[b"dynarrow.whole"] == b"true"
    assert schema.field("price").metadata == {b"dynamodb.type": b"N"}
    assert schema.metadata[b"dynarrow.layout"] == b"plain"


def test_columns(small: Path) -> None:
    reader = dynarrow.read_export(small, columns=["text", "pk"])
    assert reader.schema.names == ["text", "pk"]
    assert reader.to_arrow().column_names == ["text", "pk"]
    none = dynarrow.read_export(small, columns=["pk", "no such"])
    for read in (lambda: none.schema, none.to_arrow, lambda: iter(none), lambda: pa.table(none)):
        with pytest.raises(dynarrow.UsageError) as caught:
            read()
        assert caught.value.code == "E_COLUMN"
        assert "no such" in caught.value.message
    with pytest.raises(dynarrow.UsageError, match="twice"):
        dynarrow.read_export(small, columns=["pk", "pk"])
    with pytest.raises(TypeError):
        dynarrow.read_export(small, columns="pk")


def test_no_columns_keep_the_rows(small: Path) -> None:
    reader = dynarrow.read_export(small, columns=[])
    assert reader.to_arrow().num_rows == 400
    assert sum(batch.num_rows for batch in reader) == 400


def test_numbers(tmp_path: Path) -> None:
    numbers = ["1", "2.5", "12345678901234567890.5"]
    items = [{"n": {"N": number}} for number in numbers]
    folder = write_export(tmp_path, [items]).folder

    def column(**options: str) -> pa.ChunkedArray:
        return dynarrow.read_export(folder, **options).to_arrow()["n"]

    assert column().type == pa.decimal128(38, 1)
    assert column().to_pylist() == [Decimal(number) for number in numbers]
    assert column(numbers="string").to_pylist() == numbers
    assert column(numbers="float64").to_pylist() == [float(number) for number in numbers]
    reader = dynarrow.read_export(folder, numbers="float64")
    reader.to_arrow()
    assert reader.report
    assert reader.report.losses.rounded.count == 1


def test_mixed(tmp_path: Path) -> None:
    values = [{"S": "x"}, {"N": "1.50"}, {"NULL": True}, {"BOOL": True}, {"L": [{"S": "y"}]}]
    folder = write_export(tmp_path, [[{"m": value} for value in values]]).folder

    def column(mixed: str) -> pa.ChunkedArray:
        return dynarrow.read_export(folder, mixed=mixed).to_arrow()["m"]  # type: ignore[arg-type]

    none = {"S": None, "N": None, "BOOL": None, "L": None}
    assert column("struct").to_pylist() == [
        none | {"S": "x"},
        none | {"N": Decimal("1.5")},
        None,
        none | {"BOOL": True},
        none | {"L": ["y"]},
    ]
    assert column("json").to_pylist() == [
        '{"S":"x"}',
        '{"N":"1.5"}',
        None,
        '{"BOOL":true}',
        '{"L":[{"S":"y"}]}',
    ]
    assert column("string").to_pylist()[:4] == ["x", "1.5", None, "true"]
    with pytest.raises(dynarrow.DataError) as caught:
        column("error")
    assert (caught.value.code, caught.value.path) == ("E_MIXED", "m")


def test_json_columns_reach_every_consumer(tmp_path: Path) -> None:
    items = [{"m": {"S": "x"}}, {"m": {"N": "1"}}]
    reader = dynarrow.read_export(write_export(tmp_path, [items]).folder, mixed="json")
    expected = ['{"S":"x"}', '{"N":"1"}']
    assert reader.to_arrow()["m"].to_pylist() == expected
    assert reader.to_polars()["m"].to_list() == expected
    assert reader.to_pandas()["m"].to_list() == expected
    assert [row[0] for row in reader.to_duckdb().fetchall()] == expected


def test_report(small: Path) -> None:
    reader = dynarrow.read_export(small)
    assert reader.report is None
    assert reader.last_error is None
    reader.to_arrow()
    report = reader.report
    assert report
    assert (report.items, report.skipped, report.files, report.errors) == (400, 0, 3, [])
    assert report.check == "count"
    assert report.bytes_in == sum(file.stat().st_size for file in (small / "data").iterdir())
    assert report.bytes_inflated > report.bytes_in
    pa.table(dynarrow.read_export(small, check="md5"))
    assert "items=400" in repr(report)


def test_skipping_equals_the_file_without_the_bad_lines(tmp_path: Path) -> None:
    items = random_items(seed=13, count=300)
    bad = [
        '{"Item":{"pk":{"S":"x"},"new":{"N":"1"},"price":{"N":"1.123456"},"n":{"N":"one"}}}',
        "nonsense",
        '{"Item":{"pk":{"S":"x"},"pk":{"S":"y"}}}',
        '{"Item":{"early":{"S":"x"},"pk":{"B":"!"}}}',
        '{"Item":{"text":{"S":"x","N":"1"}}}',
        '{"Item":{"text":{"M":{"a":{"Q":"x"}}}}}',
        '{"Item":{"text":{"S":"\\ud800"}}}',
        '{"Item":[]}',
    ]
    lines = [item_line(item) for item in items]
    for n, line in enumerate(bad):
        lines.insert(n * 37, line + "\n")
    clean = write_export(tmp_path / "clean", [items]).folder
    dirty = write_export(tmp_path / "dirty", ["".join(lines)]).folder
    expected = dynarrow.read_export(clean).to_arrow()
    for threads in (1, 2, 5):
        reader = dynarrow.read_export(dirty, on_error="skip", threads=threads)
        table = reader.to_arrow()
        assert table.equals(expected)
        assert table.schema.equals(expected.schema, check_metadata=True)
        report = reader.report
        assert report
        assert (report.items, report.skipped) == (300, len(bad))
        assert [error.code for error in report.errors] == [
            "E_NUMBER",
            "E_JSON",
            "E_DUPLICATE_ATTRIBUTE",
            "E_BASE64",
            "E_DESCRIPTOR",
            "E_DESCRIPTOR",
            "E_JSON",
            "E_RECORD",
        ]
        assert [error.line for error in report.errors] == [n * 37 + 1 for n in range(len(bad))]
    for ending in ("parquet", "arrow", "csv", "ndjson"):
        written = [tmp_path / f"{name}.{ending}" for name in ("clean", "dirty")]
        dynarrow.convert(clean, written[0])
        dynarrow.convert(dirty, written[1], on_error="skip")
        assert written[0].read_bytes() == written[1].read_bytes()


def test_an_error_behind_the_learning_pass(tmp_path: Path) -> None:
    """The file was whole when the schema was learnt, and is not when it is read."""
    items = random_items(seed=14, count=2_000)
    export = write_export(tmp_path, [items])
    reader = dynarrow.read_export(export.folder)
    assert len(reader.schema) > 0
    stored = export.files[0].read_bytes()
    export.files[0].write_bytes(stored[: len(stored) // 2])
    for read in (reader.to_arrow, reader.to_polars, reader.to_pandas, lambda: list(reader)):
        with pytest.raises(dynarrow.DynarrowError) as caught:
            read()
        error = reader.last_error
        assert error
        assert (error.code, error.file) == (caught.value.code, caught.value.file)
    for consume in (pa.table, pl.DataFrame, lambda reader: duckdb.from_arrow(reader).fetchall()):
        with pytest.raises(Exception, match=caught.value.code):
            consume(reader)
        assert isinstance(reader.last_error, dynarrow.DynarrowError)
        assert reader.last_error.code == caught.value.code
    export.files[0].write_bytes(stored)
    assert reader.to_arrow().num_rows == 2_000
    assert reader.last_error is None


def _wide_enough_to_guess(folder: Path, last: str = "", middle: str = "") -> Path:
    """Lines for which a guess is worth its while: three files of 8 MiB each."""
    line = item_line({"pk": {"S": "x" * 1_000}, "n": {"N": "1"}, "l": {"L": [{"N": "1.5"}]}})
    lines = line * ((8 << 20) // len(line) + 1)
    folder.mkdir()
    for name, more in (("a", ""), ("b", middle), ("c", last)):
        (folder / f"{name}.json").write_text(lines + more + lines * bool(more))
    return folder


@pytest.mark.parametrize(
    ("surprise", "passes"),
    [
        ("", 1),
        (item_line({"pk": {"S": "y"}}), 1),
        (item_line({"pk": {"S": "y"}, "n": {"N": "2.5"}}), 3),
        (item_line({"late": {"BOOL": True}, "pk": {"S": "y"}}), 3),
        (item_line({"pk": {"S": "y"}, "l": {"L": [{"N": "1" * 30}, {"M": {"a": {"S": "z"}}}]}}), 3),
    ],
)
def test_a_guess_changes_nothing(tmp_path: Path, surprise: str, passes: int) -> None:
    """What takes all items reads once; after a surprise it learns, and reads again."""
    folder = _wide_enough_to_guess(tmp_path / "data", middle=surprise)
    size = sum(file.stat().st_size for file in folder.iterdir())
    calls: list[tuple[int, int, int]] = []
    guessing = dynarrow.read_export(folder, progress=lambda *call: calls.append(call))
    table = guessing.to_arrow()
    assert calls[-1][1] == passes * size
    learning = dynarrow.read_export(folder)
    assert learning.schema == guessing.schema
    expected = learning.to_arrow()
    assert table.equals(expected)
    assert table.schema.equals(expected.schema, check_metadata=True)
    assert table.schema.equals(pa.schema(guessing), check_metadata=True)
    for report in (guessing.report, learning.report):
        assert report
        assert (report.items, report.bytes_in, report.files) == (table.num_rows, size, 3)
    assert guessing.last_error is None


def test_bad_data_behind_a_guess(tmp_path: Path) -> None:
    bad = '{"Item":{"pk":{"N":"one"}}}\n'
    folder = _wide_enough_to_guess(tmp_path / "data", last=bad)
    reader = dynarrow.read_export(folder)
    assert repr(reader) == f"Reader of {folder}"
    with pytest.raises(dynarrow.DataError) as caught:
        reader.to_polars()
    assert caught.value.code == "E_NUMBER"
    assert reader.last_error
    assert (reader.last_error.code, reader.last_error.line) == ("E_NUMBER", caught.value.line)
    skipping = dynarrow.read_export(folder, on_error="skip", numbers="float64")
    frame = skipping.to_polars()
    assert skipping.report
    assert (skipping.report.items, skipping.report.skipped) == (frame.height, 1)
    assert skipping.report.errors[0].line == caught.value.line


def test_names_with_nul_cross_no_stream(tmp_path: Path) -> None:
    """C strings end at a NUL; items and JSON can have such names."""
    items = [{"a\0b": {"S": "x"}, "c": {"S": "y"}}]
    folder = write_export(tmp_path, [items]).folder
    reader = dynarrow.read_export(folder)
    for read in (reader.to_arrow, reader.to_polars, lambda: pa.table(reader)):
        with pytest.raises(dynarrow.UsageError, match="NUL"):
            read()
    assert dynarrow.read_export(folder, columns=["c"]).to_arrow()["c"].to_pylist() == ["y"]
    assert next(dynarrow.iter_items(folder)) == {"a\0b": "x", "c": "y"}


@pytest.mark.parametrize(
    "option",
    [
        {"numbers": "float"},
        {"mixed": "x"},
        {"on_error": "ignore"},
        {"check": "sha"},
        {"batch_size": 0},
        {"batch_size": -1},
        {"threads": 0},
        {"threads": -1},
    ],
)
def test_wrong_options(small: Path, option: dict[str, object]) -> None:
    with pytest.raises(dynarrow.UsageError) as caught:
        dynarrow.read_export(small, **option)  # type: ignore[arg-type]
    assert caught.value.code == "E_USAGE"
    assert next(iter(option)) in caught.value.message
