"""`verify`: all findings."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

import dynarrow

from exports import WrittenExport, item_line, write_export

ITEMS = [{"pk": {"S": f"{n}"}} for n in range(10)]


def test_a_good_export(shop: Path) -> None:
    report = dynarrow.verify(shop)
    assert report.ok
    assert report.findings == []
    assert (report.files, report.items) == (4, 3_000)
    assert report.bytes == sum(file.stat().st_size for file in shop.rglob("data/*"))
    assert repr(dynarrow.open_export(shop).verify(threads=2)) == repr(report)


def _without_last_line(export: WrittenExport) -> None:
    lines = "".join(map(item_line, ITEMS[:-1]))
    export.files[1].write_bytes(gzip.compress(lines.encode()))


def _truncate(export: WrittenExport) -> None:
    export.files[1].write_bytes(export.files[1].read_bytes()[:-20])


def _edit_summary(export: WrittenExport) -> None:
    path = export.folder / "manifest-summary.json"
    path.write_text(path.read_text() + "\n")


def _wrong_sum(export: WrittenExport) -> None:
    path = export.folder / "manifest-summary.json"
    path.write_text(path.read_text().replace('"itemCount": 20', '"itemCount": 21'))
    (export.folder / "manifest-summary.md5").unlink()


# What is done to an export, and the codes of the errors and of the notes that follow.
CASES: dict[str, tuple[Callable[[WrittenExport], object], set[str], set[str]]] = {
    "untouched": (lambda _: None, set(), set()),
    "missing": (lambda export: export.files[1].unlink(), {"E_FILE_MISSING"}, set()),
    "short": (_without_last_line, {"E_ITEM_COUNT", "E_MD5"}, set()),
    "truncated": (_truncate, {"E_TRUNCATED"}, set()),
    "manifest changed": (_edit_summary, {"E_MD5"}, set()),
    "no checksum": (
        lambda export: (export.folder / "manifest-files.md5").unlink(),
        set(),
        {"E_MANIFEST"},
    ),
    "wrong sum": (_wrong_sum, {"E_ITEM_COUNT"}, {"E_MANIFEST"}),
    "extra file": (
        lambda export: (export.folder / "data/extra.json.gz").write_bytes(b""),
        set(),
        {"E_MANIFEST"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_findings(tmp_path: Path, case: str) -> None:
    damage, errors, notes = CASES[case]
    export = write_export(tmp_path, [ITEMS, ITEMS])
    damage(export)
    report = dynarrow.verify(export.folder)
    found = {"error": set[str](), "note": set[str]()}
    for finding in report.findings:
        found[finding.severity].add(finding.code)
        assert finding.message
        assert finding.code == finding.error.code
        assert finding.file == finding.error.file
    assert errors <= found["error"]
    assert found["note"] == notes
    assert report.ok == (not errors)
    assert (not found["error"]) == (not errors)


def test_all_findings_not_the_first(tmp_path: Path) -> None:
    lines = '{"Item":{"pk":{"S":"a"}}}\nnonsense\n{"Item":{"n":{"X":"x"}}}\n'
    export = write_export(tmp_path, [lines, ITEMS, lines], counts=[3, 11, 3])
    report = dynarrow.verify(export.folder)
    assert not report.ok
    assert [(f.code, f.file, f.error.line) for f in report.findings] == [
        ("E_JSON", export.keys[0], 2),
        ("E_DESCRIPTOR", export.keys[0], 3),
        ("E_ITEM_COUNT", export.keys[1], None),
        ("E_JSON", export.keys[2], 2),
        ("E_DESCRIPTOR", export.keys[2], 3),
    ]


def test_what_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(dynarrow.NotFoundError):
        dynarrow.verify(tmp_path / "no such")
    (tmp_path / "a.json").write_text(item_line(ITEMS[0]))
    report = dynarrow.verify(tmp_path)
    assert report.ok
    assert [finding.severity for finding in report.findings] == ["note"]
