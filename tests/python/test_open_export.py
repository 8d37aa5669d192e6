"""`open_export`: metadata, wherever the export stands."""

import json
import shutil
from pathlib import Path

import pytest

import dynarrow

from exports import EXPORT_ID, item_line, write_export

ITEMS = [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}]


def count(src: Path | str) -> int:
    return sum(1 for _ in dynarrow.iter_items(src))


def test_summary_and_files(tmp_path: Path) -> None:
    made = write_export(tmp_path, [ITEMS, []], summary={"newMember": [1, {"x": None}]})
    export = dynarrow.open_export(made.folder)
    written = json.loads((made.folder / "manifest-summary.json").read_text())
    assert export.summary == written
    assert list(export.summary or {}) == list(written)
    assert export.name == str(made.folder)
    lines = (made.folder / "manifest-files.json").read_text().splitlines()
    for file, line, path in zip(export.files, map(json.loads, lines), made.files, strict=True):
        assert file.name == line["dataFileS3Key"]
        assert file.item_count == line["itemCount"]
        assert (file.md5, file.etag) == (line["md5Checksum"], line["etag"])
        assert file.size == path.stat().st_size
        assert str(path).endswith(file.key or "nowhere")


def test_repr_is_the_metadata(shop: Path) -> None:
    text = repr(dynarrow.open_export(shop))
    for part in ("Shop", "FULL_EXPORT", "3,000", "2025-08-04T07:09:00.850Z", "4 files"):
        assert part in text
    assert "missing" not in text


def test_missing_files_are_listed(tmp_path: Path) -> None:
    made = write_export(tmp_path, [ITEMS, ITEMS])
    made.files[1].unlink()
    export = dynarrow.open_export(made.folder)
    assert [(file.key is None, file.size is None) for file in export.files] == [
        (False, False),
        (True, True),
    ]
    assert "1 missing" in repr(export)


@pytest.mark.parametrize("prefix", ["", "some/prefix"])
def test_every_way_to_name_it(tmp_path: Path, prefix: str) -> None:
    made = write_export(tmp_path, [ITEMS], prefix=prefix)
    for src in (
        made.folder,
        str(made.folder),
        f"{made.folder}/",
        made.folder / "manifest-summary.json",
        made.folder / "manifest-files.json",
        made.root,
        made.root / "AWSDynamoDB",
        made.folder / "data",
        made.files[0],
    ):
        assert count(src) == 2, src


def test_it_may_have_been_copied_elsewhere(tmp_path: Path) -> None:
    made = write_export(tmp_path / "a", [ITEMS], prefix="some/prefix")
    moved = shutil.copytree(made.folder, tmp_path / "b")
    assert count(moved) == 2
    flat = tmp_path / "c"
    flat.mkdir()
    for file in [*made.files, *made.folder.glob("manifest*")]:
        shutil.copy(file, flat)
    assert count(flat) == 2


def test_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "2.json").write_text(item_line(ITEMS[1]))
    (tmp_path / "1.json").write_text(item_line(ITEMS[0]))
    export = dynarrow.open_export(tmp_path)
    assert export.summary is None
    assert [file.key for file in export.files] == ["1.json", "2.json"]
    assert [file.item_count for file in export.files] == [None, None]
    assert [item["pk"] for item in dynarrow.iter_items(tmp_path)] == ["a", "b"]
    assert "2 files" in repr(export)


def test_several_exports_are_listed(tmp_path: Path) -> None:
    made = write_export(tmp_path, [ITEMS])
    shutil.copytree(made.folder, made.folder.with_name("01754291340999-00000000"))
    with pytest.raises(dynarrow.UsageError) as caught:
        dynarrow.open_export(tmp_path)
    assert caught.value.code == "E_SEVERAL_EXPORTS"
    for name in (EXPORT_ID, "01754291340999-00000000"):
        assert name in caught.value.message


@pytest.mark.parametrize("text", ["", "[]", "{", '{"itemCount": "3"}', '{"itemCount": -1}'])
def test_manifests_that_are_none(tmp_path: Path, text: str) -> None:
    made = write_export(tmp_path, [ITEMS])
    (made.folder / "manifest-summary.json").write_text(text)
    with pytest.raises(dynarrow.DataError) as caught:
        dynarrow.open_export(made.folder)
    assert caught.value.code == "E_MANIFEST"
    assert (caught.value.file or "").endswith("manifest-summary.json")


def test_wrong_types() -> None:
    with pytest.raises(TypeError):
        dynarrow.open_export(3)  # type: ignore[arg-type]
    with pytest.raises(dynarrow.NotFoundError):
        dynarrow.open_export("no such folder")
