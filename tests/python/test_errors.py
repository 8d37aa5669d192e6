"""The exceptions themselves."""

import copy
import errno
import pickle
from pathlib import Path

import pytest

import dynarrow

from exports import write_export


def test_classes() -> None:
    assert issubclass(dynarrow.UsageError, (dynarrow.DynarrowError, ValueError))
    assert issubclass(dynarrow.DataError, ValueError)
    assert issubclass(dynarrow.StorageError, OSError)
    assert issubclass(dynarrow.NotFoundError, FileNotFoundError)
    assert issubclass(dynarrow.NotFoundError, dynarrow.StorageError)


def test_what_is_not_there_is_pythons_own_error_too(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        dynarrow.open_export(tmp_path / "no such")
    error = caught.value
    assert isinstance(error, dynarrow.NotFoundError)
    assert (error.code, error.errno) == ("E_NOT_FOUND", errno.ENOENT)
    assert error.file == error.filename == str(tmp_path / "no such")
    assert str(error).startswith("E_NOT_FOUND: ")


def test_position_text_and_copies(tmp_path: Path) -> None:
    lines = '{"Item":{"a":{"S":"x"}}}\n{"Item":{"a":{"M":{"b c":{"L":[{"N":"1"},{"N":"x"}]}}}}}\n'
    export = write_export(tmp_path, [lines])
    with pytest.raises(dynarrow.DataError) as caught:
        dynarrow.read_export(export.folder).to_arrow()
    error = caught.value
    assert error.code == "E_NUMBER"
    assert error.file == export.keys[0]
    assert (error.line, error.byte, error.item) == (2, lines.index('x"}]'), 1)
    assert error.path == 'a["b c"][]'
    assert str(error) == (
        f"E_NUMBER: {error.message} (file {error.file}, line 2, byte {error.byte}, item 1, "
        'attribute a["b c"][])'
    )
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is dynarrow.DataError
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)
