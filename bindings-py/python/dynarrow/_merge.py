"""Merging incremental exports into a base, and comparing two tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

from dynarrow import _dynarrow
from dynarrow._convert import pack_converting
from dynarrow._options import (
    Check,
    ExportFormat,
    Extra,
    Format,
    Images,
    Layout,
    Maps,
    Mixed,
    Names,
    Numbers,
    OnError,
    SchemaLike,
    StrPath,
    pack,
)
from dynarrow._progress import Progress, reporting

if TYPE_CHECKING:
    from typing import Unpack

    from dynarrow._dynarrow import Converting, DiffReport, MergeReport
    from dynarrow._options import Options


class ConvertOptions(TypedDict, total=False):
    """The keywords of `convert`, for verbs that write as it does."""

    to: Format | None
    columns: Sequence[str] | None
    schema: SchemaLike | None
    numbers: Numbers
    mixed: Mixed
    maps: Maps
    layout: Layout
    names: Names
    overrides: Mapping[str, str] | None
    max_fields: int | None
    max_columns: int | None
    max_paths: int | None
    sample: int | None
    extra: Extra
    batch_size: int | None
    threads: int | None
    on_error: OnError
    check: Check
    export_format: ExportFormat
    partition_by: str | Sequence[str] | None
    split_by: str | None
    file_size: int | str | None
    max_partitions: int | None
    overwrite: bool


_CONVERTING = frozenset(pack_converting())


def _packed(options: ConvertOptions) -> tuple[Converting, Options]:
    """The keywords as the native half takes them: how is written, and how is read."""
    converting = {name: value for name, value in options.items() if name in _CONVERTING}
    reading = {name: value for name, value in options.items() if name not in _CONVERTING}
    return pack_converting(**converting), pack(**reading)  # type: ignore[arg-type]


def merge(
    base: StrPath,
    increments: StrPath | Sequence[StrPath],
    dest: StrPath,
    *,
    allow_gaps: bool = False,
    memory: int | str | None = None,
    progress: Progress = None,
    **options: Unpack[ConvertOptions],
) -> MergeReport:
    """Merges a full export and incremental exports into the table as it was after the last one.

    Items stand in the base's order with what became of them; those that are new stand behind,
    by window, file and line. The incremental exports may come in any order and overlap: of the
    changes of an item that of the window that ends last stands. The bytes are the same for any
    memory and number of threads.

    Args:
        base: A full export, or what `merge` has written: an export, or Parquet with
            ``layout="typed"``.
        increments: Incremental exports of the same table, one or several.
        dest: As for `convert`. With ``to="export"``, or Parquet with ``layout="typed"``, the
            result is a base for the next merge.
        allow_gaps: Merge also where no incremental export covers some of the time.
        memory: For the whole work: bytes, or as in ``"256MB"``. What does not fit is put aside
            in files without names beside ``dest``. 1 GiB for None.
        progress: Who is told how far it is.
        **options: All other keywords of `convert`.

    Returns:
        What became of the changes and of each window, and what was written.

    Raises:
        DynarrowError: As `convert`.
        UsageError: The exports do not go together: another table (``E_OTHER_TABLE``), a time
            that none of them covers (``E_GAP``), an incremental export as base
            (``E_INCREMENTAL``), a full one among the increments (``E_FULL_EXPORT``), a base of
            which nobody knows table or time (``E_BASE_UNKNOWN``).
        DataError: An item without its key, or a change whose key is not that of its image
            (``E_KEYS``).
    """
    one = isinstance(increments, str | os.PathLike)
    sources: Sequence[StrPath] = [increments] if one else increments
    converting, reading = _packed(options)
    merging: _dynarrow.Merging = {
        "allow_gaps": allow_gaps,
        "memory": None if memory is None else str(memory),
    }
    opened = [_dynarrow.open_export(src, None) for src in sources]
    with reporting(progress, "merge") as callback:
        return _dynarrow.open_export(base, None).merge(
            opened, dest, merging, converting, reading, callback
        )


def diff(
    a: StrPath,
    b: StrPath,
    dest: StrPath | None = None,
    *,
    key: str | Sequence[str] | None = None,
    images: Images = "both",
    memory: int | str | None = None,
    progress: Progress = None,
    **options: Unpack[ConvertOptions],
) -> DiffReport:
    """Compares two tables: what was inserted, updated and deleted from ``a`` to ``b``.

    Items are compared as DynamoDB compares them: numbers by value, maps and sets without
    order.

    Args:
        a: The table before: an export, a merge, or any other source of items.
        b: The table after.
        dest: Where the changes go, as for `changes`; nothing is written for None. With
            ``to="export"`` they are an incremental export, which `merge` takes.
        key: The attributes of the primary key: the partition key and, where there is one, the
            sort key. None where a table was written as Parquet by `merge`, which says it.
        images: The images that become columns; see `read_changes`.
        memory: For the whole work: bytes, or as in ``"256MB"``. What does not fit is put aside
            in temporary files. 1 GiB for None.
        progress: Who is told how far it is.
        **options: All other keywords of `convert`.

    Returns:
        How many items were inserted, updated, deleted, and are the same.

    Raises:
        DynarrowError: As `convert`.
        UsageError: Nobody says what the key is.
        DataError: An item without its key, or two with the same (``E_KEYS``).
    """
    converting, reading = _packed(options)
    diffing: _dynarrow.Diffing = {
        "key": [key] if isinstance(key, str) else key,
        "images": images,
        "memory": None if memory is None else str(memory),
    }
    first, second = _dynarrow.open_export(a, None), _dynarrow.open_export(b, None)
    with reporting(progress, "diff") as callback:
        return first.diff(second, dest, diffing, converting, reading, callback)
