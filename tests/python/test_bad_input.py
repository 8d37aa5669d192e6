"""Bad input: one clear error with its position, nothing left half-written."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dynarrow

from exports import EXPORT_ID, item_line, random_items, write_export
from reference import plain, same

CORPORA = [Path(__file__).parents[1] / "data" / name for name in ("dynamodb_json", "ion")]

VERBS: dict[str, Callable[[Path, Path], Any]] = {
    "read_export": lambda src, _: dynarrow.read_export(src).to_arrow(),
    "iter_items": lambda src, _: list(dynarrow.iter_items(src)),
    "infer_schema": lambda src, _: dynarrow.infer_schema(src),
    "convert to parquet": lambda src, out: dynarrow.convert(src, out / "out.parquet"),
    "convert to a folder": lambda src, out: dynarrow.convert(src, out / "out"),
    "convert to ndjson": lambda src, out: dynarrow.convert(src, out / "out.ndjson.gz"),
    "convert to csv": lambda src, out: dynarrow.convert(src, out / "out.csv"),
    "convert to ion": lambda src, out: dynarrow.convert(src, out / "out.ion.zst"),
    "convert to an export": lambda src, out: dynarrow.convert(
        src, out / "bucket", to="export", export_format="ion"
    ),
    "convert to arrow": lambda src, out: dynarrow.convert(src, out / "out.arrow"),
}


@pytest.fixture(params=VERBS)
def failing(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Any]:
    """Runs a verb, which fails; its error. Nothing of its output may be there."""
    out = tmp_path / "out"
    out.mkdir()

    def run(src: Path, error: type[Exception] = dynarrow.DataError) -> dynarrow.DynarrowError:
        with pytest.raises(error) as caught:
            VERBS[request.param](src, out)
        assert list(out.iterdir()) == []
        assert isinstance(caught.value, dynarrow.DynarrowError)
        return caught.value

    return run


ITEMS = random_items(seed=21, count=3_000)
LINES = [item_line(item) for item in ITEMS]
DATA = "".join(LINES).encode()


def test_truncated_gzip(failing: Callable[..., Any], tmp_path: Path) -> None:
    stored = gzip.compress(DATA)
    export = write_export(tmp_path / "src", [ITEMS, stored[: len(stored) * 2 // 3]])
    error = failing(export.folder)
    assert (error.code, error.file) == ("E_TRUNCATED", export.keys[1])


def test_corrupt_gzip(failing: Callable[..., Any], tmp_path: Path) -> None:
    stored = bytearray(gzip.compress(DATA))
    stored[-8] ^= 1  # its checksum
    export = write_export(tmp_path / "src", [bytes(stored)], counts=[3_000])
    error = failing(export.folder)
    assert (error.code, error.file) == ("E_COMPRESSION", export.keys[0])


def test_broken_json_in_a_line(failing: Callable[..., Any], tmp_path: Path) -> None:
    broken = LINES[2_000][:-10] + "\n"
    export = write_export(
        tmp_path / "src", [ITEMS, "".join([*LINES[:2_000], broken, *LINES[2_001:]])]
    )
    error = failing(export.folder)
    assert (error.code, error.file) == ("E_JSON", export.keys[1])
    assert (error.line, error.item) == (2_001, 2_000)
    start = len("".join(LINES[:2_000]).encode())
    assert start < error.byte <= start + len(broken.encode())


def test_missing_file(failing: Callable[..., Any], tmp_path: Path) -> None:
    export = write_export(tmp_path / "src", [ITEMS, ITEMS[:10]])
    export.files[1].unlink()
    error = failing(export.folder)
    assert (error.code, error.file) == ("E_FILE_MISSING", export.keys[1])


def test_fewer_lines_than_the_manifest_says(failing: Callable[..., Any], tmp_path: Path) -> None:
    export = write_export(tmp_path / "src", [ITEMS, ITEMS[:10]], counts=[3_000, 11])
    error = failing(export.folder)
    assert (error.code, error.file) == ("E_ITEM_COUNT", export.keys[1])
    assert re.search(r"\b11\b.*\b10\b", error.message)


@pytest.mark.parametrize(
    "key",
    [
        f"AWSDynamoDB/{EXPORT_ID}/data/../../../../secret.json.gz",
        "../secret.json.gz",
        "/etc/passwd",
        "data/..",
    ],
)
def test_a_key_that_leaves_the_export(
    failing: Callable[..., Any], tmp_path: Path, key: str
) -> None:
    (tmp_path / "secret.json.gz").write_bytes(gzip.compress(DATA))
    export = write_export(tmp_path / "src", [ITEMS[:1]], keys=[key])
    error = failing(export.folder)
    assert error.code == "E_KEY"
    assert error.file.endswith("manifest-files.json")
    assert error.line == 1
    assert key in error.message


def test_a_link_that_leaves_the_export(failing: Callable[..., Any], tmp_path: Path) -> None:
    secret = tmp_path / "secret.json.gz"
    secret.write_bytes(gzip.compress(LINES[0].encode()))
    export = write_export(tmp_path / "src", [ITEMS[:1]])
    export.files[0].unlink()
    export.files[0].symlink_to(secret)
    assert failing(export.folder).code in ("E_KEY", "E_FILE_MISSING")


def test_a_record_of_20_mib(failing: Callable[..., Any], tmp_path: Path) -> None:
    huge = item_line({"pk": {"S": "x" * (20 << 20)}})
    export = write_export(tmp_path / "src", [LINES[0] + huge + LINES[1]])
    error = failing(export.folder)
    assert (error.code, error.file) == ("E_RECORD_SIZE", export.keys[0])
    assert (error.line, error.item) == (2, 1)


def test_a_record_of_10_mib_is_read(tmp_path: Path) -> None:
    item = {"pk": {"S": "x" * (10 << 20)}}
    export = write_export(tmp_path, [[ITEMS[0], item, ITEMS[1]]])
    assert [len(item["pk"]) for item in dynarrow.iter_items(export.folder)][1] == 10 << 20


def test_incremental_exports_are_no_tables(failing: Callable[..., Any], tmp_path: Path) -> None:
    summary = {"exportType": "INCREMENTAL_EXPORT", "version": "2023-08-01"}
    export = write_export(tmp_path / "src", [ITEMS[:1]], summary=summary)
    error = failing(export.folder, dynarrow.UsageError)
    assert error.code == "E_INCREMENTAL"
    assert "changes" in error.message


def test_md5(tmp_path: Path) -> None:
    export = write_export(tmp_path, [ITEMS[:10]])
    export.files[0].write_bytes(gzip.compress(LINES[0].encode()))
    assert len(list(dynarrow.iter_items(export.folder, check="none"))) == 1
    stored = gzip.compress("".join(LINES[10:20]).encode())
    export.files[0].write_bytes(stored)
    assert len(list(dynarrow.iter_items(export.folder))) == 10
    with pytest.raises(dynarrow.DataError) as caught:
        dynarrow.read_export(export.folder, check="md5").to_arrow()
    assert (caught.value.code, caught.value.file) == ("E_MD5", export.keys[0])


EXPECTED: dict[Path, dict[str, Any]] = {
    corpus / "invalid" / name: expected
    for corpus in CORPORA
    for name, expected in json.loads((corpus / "invalid/expected.json").read_text()).items()
}


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.name)
def test_invalid_corpus(path: Path) -> None:
    with pytest.raises(dynarrow.DynarrowError) as caught:
        list(dynarrow.iter_items(path))
    expected = EXPECTED[path]
    assert {field: getattr(caught.value, field) for field in expected} == expected


@pytest.mark.parametrize(
    "path",
    [path for corpus in CORPORA for path in sorted((corpus / "valid").glob("*.items"))],
    ids=lambda path: path.stem,
)
def test_valid_corpus(path: Path) -> None:
    expected = [plain(json.loads(line)) for line in path.read_text().split("\n") if line]
    read = list(dynarrow.iter_items(path.with_suffix("")))
    assert len(read) == len(expected)
    assert all(map(same, read, expected))
