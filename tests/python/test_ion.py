"""Amazon Ion, read and written: against DynamoDB JSON and against the package amazon.ion."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from amazon.ion import simpleion
from amazon.ion.core import IonType
from amazon.ion.simple_types import IonPyList, IonPyNull
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dynarrow

from exports import Item, ion_lines, item_line, random_items, write_export
from reference import assert_items, assert_table, canonical, identical, plain, same
from strategies import TEXT, VALUES

COUNT = 2_000
ITEMS = random_items(seed=61, count=COUNT)
# All control characters, those that Ion escapes, and some that it does not.
CHARACTERS = "".join(map(chr, range(0x100))) + "\u2028\u2029\ufeff\ufffe日\U0001f990\U0010ffff"
ODD_NAMES = [
    *["", "$", "$10", "$dollar", "$ion_1_0", "$ion_symbol_table", "$dynamodb_SS", "_", "_u"],
    *["null", "true", "false", "nan", "null.string", "1abc", "a.b", "a-b", "it's", 'q"q', "{{"],
    *["Item", "Keys", "Record", "Metadata", "é", "\0", "\n", "\x85", "//", "'''", CHARACTERS],
]
ODD_ITEM: dict[str, Any] = {
    "names": dict.fromkeys(ODD_NAMES, Decimal(1)),
    "text": CHARACTERS,
    "numbers": [
        Decimal(text)
        for text in (
            *["0", "1", "10", "600", "103", "100.5", "-17.5", "0.1", "0.000001", "0.0000001"],
            *["1E-130", "-1E-130", "9.99E125", "1E125", "12E-8", "1702062202420"],
            *["9" * 38, "-" + "9" * 38, "0." + "9" * 38, "9." + "9" * 37 + "E125"],
        )
    ],
    "bytes": [b"", b"\0", bytes(range(256))],
    "sets": [{CHARACTERS, ""}, {Decimal(1), Decimal("1E-130")}, {b"", b"x"}],
    "rest": [None, True, False, [], {}, [[]], {"": {}}],
}
ION_ITEMS = st.dictionaries(st.one_of(st.sampled_from(ODD_NAMES), TEXT), VALUES, max_size=5)

FORMATS: tuple[Literal["dynamodb_json", "ion"], ...] = ("dynamodb_json", "ion")
SETS: dict[type, str] = {str: "SS", Decimal: "NS", bytes: "BS"}


def to_ion(value: Any) -> Any:
    """A plain value as amazon.ion writes it."""
    if isinstance(value, dict):
        return {name: to_ion(member) for name, member in value.items()}
    if isinstance(value, list):
        return [to_ion(member) for member in value]
    if isinstance(value, set):
        annotation = f"$dynamodb_{SETS[type(next(iter(value)))]}"
        return IonPyList.from_value(IonType.LIST, list(value), (annotation,))
    return value


def from_ion(value: Any) -> Any:
    """What amazon.ion read as a plain value."""
    annotations = [symbol.text for symbol in value.ion_annotations]
    match value.ion_type:
        case IonType.NULL:
            assert isinstance(value, IonPyNull)
            plain: Any = None
        case IonType.BOOL:
            plain = bool(value)
        case IonType.DECIMAL:
            plain = Decimal(value)
        case IonType.STRING:
            plain = str(value)
        case IonType.BLOB:
            plain = bytes(value)
        case IonType.STRUCT:
            assert isinstance(value, Mapping)
            plain = {name: from_ion(member) for name, member in value.items()}
        case IonType.LIST:
            plain = [from_ion(member) for member in value]
            if annotations:
                (annotation,) = annotations
                members, plain = plain, set(plain)
                assert len(members) == len(plain)
                assert annotation == f"$dynamodb_{SETS[type(members[0])]}"
                annotations = []
        case other:
            raise AssertionError(other)
    assert not annotations
    return plain


def read(path: Path, **options: Any) -> list[dict[str, Any]]:
    return list(dynarrow.iter_items(path, **options))


# An export in Ion and the same one in DynamoDB JSON.


@pytest.fixture(scope="module")
def in_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = [ITEMS[:1_200], ITEMS[1_200:1_200], ITEMS[1_200:]]
    return write_export(tmp_path_factory.mktemp("json"), parts).folder


@pytest.fixture(scope="module", params=["written by hand", "written by dynarrow"])
def in_ion(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, in_json: Path
) -> Path:
    folder = tmp_path_factory.mktemp("ion") / "bucket"
    if request.param == "written by hand":
        parts = [ITEMS[:1_200], ITEMS[1_200:1_200], ITEMS[1_200:]]
        return write_export(folder, parts, ion=True).folder
    report = dynarrow.write_export(in_json, folder, export_format="ion")
    assert report.read.items == COUNT
    return folder


def test_an_export_in_ion_is_one(in_ion: Path) -> None:
    export = dynarrow.open_export(in_ion)
    assert export.summary
    assert (export.summary["outputFormat"], export.summary["itemCount"]) == ("ION", COUNT)
    assert "  format    ION\n" in repr(export)
    assert all(file.name.endswith(".ion.gz") for file in export.files)
    report = export.verify()
    assert (report.ok, report.findings, report.items) == (True, [], COUNT)


@pytest.mark.parametrize("layout", ["plain", "typed"])
@pytest.mark.parametrize("threads", [1, 3])
def test_tables_are_those_of_json(in_json: Path, in_ion: Path, layout: Any, threads: int) -> None:
    json_reader = dynarrow.read_export(in_json, layout=layout)
    ion_reader = dynarrow.read_export(in_ion, layout=layout, threads=threads, check="md5")
    table = ion_reader.to_arrow()
    assert table.equals(json_reader.to_arrow(), check_metadata=True)
    if layout == "plain":
        assert_table(table, ITEMS)
    assert ion_reader.to_polars().equals(json_reader.to_polars())
    pd.testing.assert_frame_equal(ion_reader.to_pandas(), json_reader.to_pandas())
    assert ion_reader.report
    assert (ion_reader.report.items, ion_reader.report.skipped) == (COUNT, 0)


def test_schemas_are_those_of_json(tmp_path: Path) -> None:
    # One file each: the document says in which file a path was first seen.
    documents: list[Any] = []
    for ion in (False, True):
        text = ion_lines(ITEMS) if ion else "".join(map(item_line, ITEMS))
        path = tmp_path / str(ion) / "data.gz"
        path.parent.mkdir()
        path.write_bytes(gzip.compress(text.encode()))
        schema = dynarrow.infer_schema(path, format="ion" if ion else None)
        documents.append(schema.to_json().replace(str(path), "data.gz"))
    assert json.loads(documents[1]) == json.loads(documents[0])


@pytest.mark.parametrize("threads", [1, 3])
def test_items_are_those_of_json(in_json: Path, in_ion: Path, threads: int) -> None:
    found = read(in_ion, threads=threads)
    assert len(found) == COUNT
    assert all(map(same, found, map(plain, ITEMS)))
    assert all(map(same, found, read(in_json)))
    columns = ["price", "map", "anything", "pk"]
    assert read(in_ion, columns=columns) == read(in_json, columns=columns)


def test_bytes_are_those_of_the_exporter(in_json: Path, tmp_path: Path) -> None:
    dest = tmp_path / "items.ion"
    dynarrow.convert(in_json, dest)
    # But for the space before the marker, which says nothing.
    assert dest.read_text() == ion_lines(ITEMS).replace("\n $ion", "\n$ion")


def test_json_to_ion_to_json(tmp_path: Path, in_json: Path) -> None:
    ion, back, straight = (tmp_path / name for name in ("x.ion.gz", "back.json", "straight.json"))
    dynarrow.convert(in_json, ion)
    dynarrow.convert(ion, back)
    dynarrow.convert(in_json, straight)
    assert back.read_bytes() == straight.read_bytes()
    # Numbers in DynamoDB's own form come back with each byte.
    for line, item in zip(
        back.read_text().split("\n")[:-1], map(in_canonical_form, ITEMS), strict=True
    ):
        assert json.loads(line)["Item"] == item
    dynarrow.convert(back, tmp_path / "again.ion.gz")
    assert (tmp_path / "again.ion.gz").read_bytes() == ion.read_bytes()


def in_canonical_form(value: Any) -> Any:
    if isinstance(value, list):
        return [in_canonical_form(member) for member in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"N": str(text), **rest} if not rest:
            return {"N": canonical(text)}
        case {"NS": [str(), *_] as members, **rest} if not rest:
            return {"NS": [canonical(member) for member in members]}
        case _:
            return {name: in_canonical_form(member) for name, member in value.items()}


# What amazon.ion reads and writes.


@settings(max_examples=400, deadline=None)
@example(ODD_ITEM)
@given(ION_ITEMS)
def test_amazon_ion_reads_what_we_write(item: dict[str, Any]) -> None:
    line = dynarrow.dumps(item, format="ion")
    assert line.startswith("$ion_1_0 {Item:{")
    assert "\n" not in line
    record = simpleion.loads(line)
    assert list(record) == ["Item"]
    assert identical(from_ion(record["Item"]), item)


@settings(max_examples=400, deadline=None)
@example(ODD_ITEM, True)
@example(ODD_ITEM, False)
@given(ION_ITEMS, st.booleans())
def test_we_read_what_amazon_ion_writes(item: dict[str, Any], binary: bool) -> None:
    written = simpleion.dumps({"Item": to_ion(item)}, binary=binary)
    assert identical(dynarrow.loads(written, format="ion"), item)


@settings(max_examples=400, deadline=None)
@example(ODD_ITEM)
@given(ION_ITEMS)
def test_dumps_and_loads(item: dict[str, Any]) -> None:
    line = dynarrow.dumps(item, format="ion")
    assert identical(dynarrow.loads(line, format="ion"), item)
    assert identical(dynarrow.loads(f" {line}\n".encode(), format="ion"), item)
    assert identical(dynarrow.loads(dynarrow.dumps(item)), item)


@pytest.mark.parametrize("form", ["text", "pretty", "binary", "one list", "binary list"])
@pytest.mark.parametrize("name", ["items.ion", "items.ion.gz", "data.gz", "data"])
def test_files_that_amazon_ion_wrote(tmp_path: Path, form: str, name: str) -> None:
    items = [plain_item(item) for item in ITEMS[:200]]
    records = [{"Item": to_ion(item)} for item in items]
    options: dict[str, Any] = {"binary": "binary" in form, "sequence_as_stream": "list" not in form}
    if form == "pretty":
        options["indent"] = "  "
    written = simpleion.dumps(records, **options)
    stored = written if isinstance(written, bytes) else written.encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(stored) if name.endswith(".gz") else stored)
    for format in (None, "ion"):
        assert_items(read(path, format=format), items)
    assert_table(dynarrow.read_export(path).to_arrow(), ITEMS[:200])


def plain_item(item: Item) -> dict[str, Any]:
    """The item as `iter_items` gives it, which test_iter_items compares with boto3."""
    return dynarrow.loads(json.dumps(item))


def test_files_that_amazon_ion_reads(in_json: Path, tmp_path: Path) -> None:
    dest = tmp_path / "items.ion.gz"
    dynarrow.convert(in_json, dest)
    records: Any = simpleion.loads(gzip.decompress(dest.read_bytes()), single_value=False)
    assert all(list(record) == ["Item"] for record in records)
    assert_items([from_ion(record["Item"]) for record in records], read(in_json))


# Lines.


@pytest.mark.parametrize(
    "line",
    [
        "$ion_1_0 {Item:{a:1.}}",
        " $ion_1_0 {Item:{a:1.}}\n",
        "{Item:{a:1.}}",
        "{a:1.}",
        "{'a':1}",
        '{"a":0x1}',
        "[{Item:{a:1d0}}]",
        "$ion_1_0\n{\n  // one\n  Item: { a: 10d-1, },\n}\n",
        b"{Item:{a:1.00}}",
        simpleion.dumps({"a": 1}, binary=True),
    ],
)
def test_forms_of_a_line(line: str | bytes) -> None:
    assert identical(dynarrow.loads(line, format="ion"), {"a": Decimal(1)})


@pytest.mark.parametrize(
    ("line", "code", "path"),
    [
        ("{Item:{a:2007-02-23T}}", "E_ION_TYPE", "a"),
        ("{Item:{a:(x)}}", "E_ION_TYPE", "a"),
        ("{Item:{a:{b:[1., 0.1e0]}}}", "E_ION_TYPE", "a.b[]"),
        ("{Item:{a:{'b c':[other::1.]}}}", "E_ANNOTATION", 'a["b c"][]'),
        ('{Item:{a:$dynamodb_SS::"x"}}', "E_ANNOTATION", "a"),
        ('{Item:{a:$dynamodb_SS::["x","x"]}}', "E_SET", "a"),
        ("{Item:{a:$dynamodb_NS::[1.,10d-1]}}", "E_SET", "a"),
        ("{Item:{a:$dynamodb_BS::[{{eA==}},{{ eA== }}]}}", "E_SET", "a"),
        ('{Item:{a:$dynamodb_NS::["x"]}}', "E_SET", "a"),
        ("{Item:{a:1.,a:2.}}", "E_DUPLICATE_ATTRIBUTE", "a"),
        ("{Item:{a:1d999}}", "E_NUMBER", "a"),
        ("{Item:{a:{{eA}}}}", "E_BASE64", "a"),
        ('{Item:{a:"x}}', "E_ION", "a"),
        ("{Item:{a:1. b:2.}}", "E_ION", None),
        (b'{Item:{a:"\xff"}}', "E_UTF8", None),
        ('{Item:{a:"\udc00"}}', "E_UTF8", None),
        (f"{{Item:{{a:{'[' * 100}{']' * 100}}}}}", "E_NESTING", None),
        ("$ion_1_1 {Item:{}}", "E_ION_VERSION", None),
        ("{Item:{}} {Item:{}}", "E_RECORD", None),
        ("[{Item:{}},{Item:{}}]", "E_RECORD", None),
        ("[]", "E_RECORD", None),
        ("", "E_RECORD", None),
        ("5", "E_RECORD", None),
        (simpleion.dumps([{"a": 1}, {"a": 1}], sequence_as_stream=True), "E_RECORD", None),
    ],
)
def test_lines_that_are_no_item(line: str | bytes, code: str, path: str | None) -> None:
    with pytest.raises(dynarrow.DataError) as caught:
        dynarrow.loads(line, format="ion")
    error = caught.value
    assert error.code == code
    if path is not None:
        assert (error.line, error.item, error.path) == (1, 0, path)


def test_wrong_formats(tmp_path: Path, in_json: Path) -> None:
    wrong: Any = "parquet"
    calls: list[Callable[[], Any]] = [
        lambda: dynarrow.dumps({}, format=wrong),
        lambda: dynarrow.loads("{}", format=wrong),
        lambda: dynarrow.write_export([], tmp_path / "bucket", export_format=wrong),
        lambda: dynarrow.convert(in_json, tmp_path / "b", to="export", export_format=wrong),
        # Nothing but an export has an export_format.
        lambda: dynarrow.convert(in_json, tmp_path / "x.json", export_format="ion"),
        lambda: dynarrow.convert(in_json, tmp_path / "folder", export_format="ion"),
        lambda: dynarrow.convert(in_json, tmp_path / "x.ion", to="dynamodb_json"),
        lambda: dynarrow.write_items([], tmp_path / "x.ion", format="dynamodb_json"),
    ]
    for call in calls:
        with pytest.raises(dynarrow.UsageError):
            call()
    assert list(tmp_path.iterdir()) == []


# Files.


def stored_text(path: Path) -> str:
    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    with pa.input_stream(str(path), compression=codec) as stream:
        return bytes(stream.read()).decode()


LINES = '$ion_1_0 {Item:{a:"x"}}\n$ion_1_0 {Item:{n:6d2,s:$dynamodb_NS::[1.]}}\n'
PLAIN: list[dict[str, Any]] = [{"a": "x"}, {"n": Decimal(600), "s": {Decimal(1)}}]


@pytest.mark.parametrize("ending", ["ion", "ion.gz", "ion.zst"])
def test_files(tmp_path: Path, ending: str) -> None:
    source, dest, again = (tmp_path / f"{name}.{ending}" for name in ("source", "dest", "again"))
    assert dynarrow.write_items(PLAIN, source, format="ion").read.items == 2
    dynarrow.convert(source, dest)
    dynarrow.write_items(dynarrow.open_export(dest), again, format="ion")
    for path in (source, dest, again):
        assert stored_text(path) == LINES
        assert_items(read(path), PLAIN)


def test_compression_and_folders(tmp_path: Path) -> None:
    dynarrow.write_items(PLAIN, tmp_path / "x.ion", format="ion", compression="gzip")
    assert gzip.decompress((tmp_path / "x.ion").read_bytes()).decode() == LINES
    assert_items(read(tmp_path / "x.ion"), PLAIN)
    report = dynarrow.convert(tmp_path / "x.ion", tmp_path / "out", to="ion")
    [file] = report.files
    assert (file.path, file.bytes) == (tmp_path / "out/part-00000.ion", len(LINES))
    assert_items(read(tmp_path / "out"), PLAIN)
    dynarrow.convert(tmp_path / "out", tmp_path / "out", to="ion", overwrite=True)
    assert (tmp_path / "out/part-00000.ion").read_text() == LINES
    bucket = tmp_path / "bucket"
    dynarrow.convert(tmp_path / "out", bucket, to="export", export_format="ion")
    assert dynarrow.verify(bucket).findings == []
    assert_items(read(bucket), PLAIN)


def test_frames(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": ["x", None], "n": [None, 600], "l": [[1, None], []]})
    dynarrow.write_items(frame, tmp_path / "x.ion", format="ion")
    expected = '$ion_1_0 {Item:{a:"x",l:[1.,null]}}\n$ion_1_0 {Item:{n:6d2,l:[]}}\n'
    assert (tmp_path / "x.ion").read_text() == expected
    dynarrow.write_export(frame.to_arrow().to_reader(), tmp_path / "bucket", export_format="ion")
    assert read(tmp_path / "bucket") == read(tmp_path / "x.ion")


@pytest.mark.parametrize(
    "text",
    [
        '$ion_1_0 {Item:{a:"x"}}\n $ion_1_0 {Item:{a:"y"}}\n',
        '{Item:{a:"x"}}\n{Item:{a:"y"}}',
        '$ion_1_0 [ {Item:{a:"x"}}, {Item:{a:"y"}} ]',
        '[\n  {\n    Item: {a: "x"}\n  },\n  {\n    Item: {a: "y"}\n  },\n]\n',
        "// two items\n$ion_1_0\n{\n  Item: {\n    a: '''x'''\n  }\n}\n{ 'Item': { a: y } }\n",
        '$ion_1_0 $ion_symbol_table::{symbols:["a","x"]} {Item:{$10:$11}} {Item:{$10:"y"}}',
    ],
)
@pytest.mark.parametrize("name", ["data.gz", "data", "x.json", "x.ion.gz"])
def test_ion_is_found_out(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / name
    stored = text.encode()
    path.write_bytes(gzip.compress(stored) if name.endswith(".gz") else stored)
    expected = [{"a": "x"}, {"a": "y"}]
    assert read(path) == read(path, format="ion") == expected
    assert dynarrow.read_export(path).to_arrow().to_pylist() == expected


def test_ion_that_looks_like_json(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text('{"Item":{"a":"x"}}\n')
    assert read(path, format="ion") == [{"a": "x"}]
    assert dynarrow.read_export(path, format="ion").to_arrow().to_pylist() == [{"a": "x"}]
    assert dynarrow.infer_schema(path, format="ion").names == ["a"]
    assert dynarrow.open_export(path, format="ion").read().schema.names == ["a"]
    dynarrow.convert(path, tmp_path / "x.json", format="ion")
    assert (tmp_path / "x.json").read_text() == '{"Item":{"a":{"S":"x"}}}\n'
    with pytest.raises(dynarrow.DataError) as caught:
        read(path)
    assert caught.value.code == "E_DESCRIPTOR"


@pytest.mark.parametrize("format", [None, "ion"])
def test_standard_streams(format: str | None) -> None:
    script = f"import dynarrow; dynarrow.convert('-', '-', to='ion', format={format!r})"
    ended = subprocess.run(
        [sys.executable, "-c", script], input=LINES, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (0, LINES), ended.stderr


# Bad input.

GOOD = ion_lines(ITEMS[:500])


def test_errors_say_where(tmp_path: Path) -> None:
    lines = [line + "\n" for line in GOOD.split("\n")[:-1]]
    lines[200] = " $ion_1_0 {Item:{ok:1.,m:{'a b':[\"x\",2007-02-23T]}}}\n"
    export = write_export(tmp_path, [GOOD, "".join(lines)], ion=True)
    byte = len("".join(lines[:200]).encode()) + lines[200].index("2007")
    for call in (
        lambda: read(export.folder),
        lambda: dynarrow.read_export(export.folder).to_arrow(),
        lambda: dynarrow.infer_schema(export.folder),
        lambda: dynarrow.convert(export.folder, tmp_path / "x.parquet"),
    ):
        with pytest.raises(dynarrow.DataError) as caught:
            call()
        error = caught.value
        assert (error.code, error.file) == ("E_ION_TYPE", export.keys[1])
        assert (error.line, error.byte, error.item) == (201, byte, 200)
        assert error.path == 'm["a b"][]'
        assert "timestamp" in error.message
    assert not (tmp_path / "x.parquet").exists()


def test_skipping_is_counted(tmp_path: Path) -> None:
    bad = {
        "{Item:{a:2007-02-23T}}": "E_ION_TYPE",
        "{Item:{a:x::1.}}": "E_ANNOTATION",
        "{Item:{a:$dynamodb_SS::[x,x]}}": "E_SET",
        '{Item:{a:"x}}': "E_ION",
        "{Item:{a:[1.,}}": "E_ION",
        "{a:1.}": "E_RECORD",
        "5": "E_RECORD",
    }
    text = GOOD + "".join(f" $ion_1_0 {line}\n{' ' + GOOD}" for line in bad)
    count = 500 * (len(bad) + 1)
    export = write_export(tmp_path, [text], ion=True)
    items = dynarrow.iter_items(export.folder, on_error="skip")
    assert sum(1 for _ in items) == count
    assert items.skipped == len(bad)
    reader = dynarrow.read_export(export.folder, on_error="skip")
    assert reader.to_arrow().num_rows == count
    assert reader.report
    assert (reader.report.items, reader.report.skipped) == (count, len(bad))
    found = [(error.code, error.line, error.item) for error in reader.report.errors]
    places = [501 * (n + 1) for n in range(len(bad))]
    assert found == [(code, n, n - 1) for n, code in zip(places, bad.values(), strict=True)]


def test_files_that_end_too_early(tmp_path: Path) -> None:
    items = [{"Item": to_ion(plain_item(item))} for item in ITEMS[:50]]
    texts: dict[str, bytes] = {
        "list": b'$ion_1_0 [{Item:{a:"x"}},',
        "binary": simpleion.dumps(items, sequence_as_stream=True)[:-1],
        "data.gz": gzip.compress(GOOD.encode())[:-100],
    }
    for name, stored in texts.items():
        (tmp_path / name).write_bytes(stored)
        for on_error in ("raise", "skip"):
            with pytest.raises(dynarrow.DataError) as caught:
                read(tmp_path / name, on_error=on_error)
            assert caught.value.code == "E_TRUNCATED"
            assert caught.value.file
            assert caught.value.file.endswith(name)


def test_counts_and_verify(tmp_path: Path) -> None:
    export = write_export(tmp_path, [ITEMS[:10], ITEMS[:5]], counts=[10, 6], ion=True)
    with pytest.raises(dynarrow.DataError) as caught:
        read(export.folder)
    assert (caught.value.code, caught.value.file) == ("E_ITEM_COUNT", export.keys[1])
    report = dynarrow.verify(export.folder)
    assert [finding.code for finding in report.findings] == ["E_ITEM_COUNT"]
    assert report.items == 15


def test_changes_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "x.ion"
    path.write_text("$ion_1_0 {Record:{Keys:{a:1.},Metadata:{WriteTimestampMicros:1.}}}\n")
    with pytest.raises(dynarrow.UsageError) as caught:
        read(path)
    assert caught.value.code == "E_INCREMENTAL"


@pytest.mark.parametrize(
    "value",
    [
        {"SS": ["a", "b", "a"]},
        {"NS": ["1", "10e-1"]},
        {"NS": ["0", "-0"]},
        {"BS": ["eA==", "eA=="]},
    ],
)
def test_sets_with_a_member_twice(tmp_path: Path, value: dict[str, Any]) -> None:
    """DynamoDB has no such sets, in either format."""
    item: Item = {"m": {"M": {"x": {"L": [value]}}}}
    good: Item = {"a": {"S": "x"}}
    for ion in (False, True):
        export = write_export(tmp_path / str(ion), [[good, item, good]], ion=ion)
        with pytest.raises(dynarrow.DataError) as caught:
            read(export.folder)
        error = caught.value
        assert (error.code, error.line, error.item) == ("E_SET", 2, 1)
        assert error.path == "m.x[]"
        items = dynarrow.iter_items(export.folder, on_error="skip")
        assert list(items) == [{"a": "x"}, {"a": "x"}]
        assert items.skipped == 1
    with pytest.raises(dynarrow.DataError, match="E_SET"):
        dynarrow.loads(json.dumps(item))


@pytest.mark.parametrize(
    "twice", [{0.1, Decimal("0.1")}, {date(2024, 2, 29), "2024-02-29"}, {1e25, 10**25}]
)
def test_python_sets_with_a_member_twice(tmp_path: Path, twice: set[Any]) -> None:
    """Two values for Python, one for DynamoDB."""
    for format in FORMATS:
        with pytest.raises(dynarrow.DataError) as caught:
            dynarrow.dumps({"a": [twice]}, format=format)
        assert (caught.value.code, caught.value.path) == ("E_SET", "a[0]")
    with pytest.raises(dynarrow.DataError) as caught:
        dynarrow.write_items([{}, {"a": twice}], tmp_path / "x.json")
    assert (caught.value.code, caught.value.item, caught.value.path) == ("E_SET", 1, "a")
