"""Changes: what incremental exports say of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from dynarrow import _dynarrow
from dynarrow._convert import pack_converting
from dynarrow._dynarrow import ChangeIterator, ConvertReport
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
    SourceFormat,
    StrPath,
    pack,
)
from dynarrow._progress import Progress, reporting
from dynarrow._read import Reader

if TYPE_CHECKING:
    from dynarrow._dynarrow import Value


class Change(TypedDict):
    """What became of an item.

    Attributes:
        op: ``"insert"``, ``"update"`` or ``"delete"``; ``"upsert"`` for an item of an export
            without old images.
        ts: When the item was written last, in UTC.
        keys: The attributes of its key.
        old: The item before; None for an insert, and where the export has no old images.
        new: The item after; None for a delete.
    """

    op: Literal["insert", "update", "upsert", "delete"]
    ts: datetime
    keys: dict[str, Value]
    old: dict[str, Value] | None
    new: dict[str, Value] | None


def read_changes(
    src: StrPath,
    *,
    images: Images = "new",
    columns: Sequence[str] | None = None,
    schema: SchemaLike | None = None,
    numbers: Numbers = "auto",
    mixed: Mixed = "struct",
    maps: Maps = "auto",
    layout: Layout = "plain",
    names: Names = "exact",
    overrides: Mapping[str, str] | None = None,
    max_fields: int | None = None,
    max_columns: int | None = None,
    max_paths: int | None = None,
    sample: int | None = None,
    extra: Extra = "column",
    batch_size: int | None = None,
    threads: int | None = None,
    on_error: OnError = "raise",
    check: Check = "count",
    format: SourceFormat | None = None,
    progress: Progress = None,
) -> Reader:
    """A reader of record batches with a row for each change of an incremental export.

    The columns are ``_op`` (text: ``"insert"``, ``"update"``, ``"delete"``; ``"upsert"`` for an
    item of an export without old images, where nobody knows whether it is new), ``_ts``
    (timestamp(us, UTC): when the item was written last), the key attributes, which are always
    there, and the other attributes, one column each. Where an attribute bears the name of one
    of the tool's own columns, that gets underscores behind: ``_op_``. Rows come in the order
    of the export, which is not that of time.

    Args:
        src: An incremental export, or data files of one; see `open_export`. Nothing but its
            manifests and its first change, which says what the key is, is read here.
        images: The images that become columns. ``"new"``: the items after the change; a
            delete has its key alone. ``"old"``: those before; an insert has its key alone.
            ``"both"``: the items after, and those before in one struct column ``_old``, null
            for an insert; both have the same fields.
        columns: The attributes to read beside the key. This and all that follow: see
            `read_export`.
        schema: The schema of the images, where it is not to be learnt.
        numbers: What numbers become.
        mixed: What paths with several types become.
        maps: What maps become.
        layout: How values stand in columns.
        names: Under which names columns stand in Arrow.
        overrides: Types of single paths.
        max_fields: Members of a struct, at most.
        max_columns: Columns, at most.
        max_paths: Attribute paths, at most.
        sample: Learn from the first changes only, so many.
        extra: What becomes of values that a schema has no place for.
        batch_size: Rows of a batch, at most.
        threads: As many as the machine has cores for None.
        on_error: What a bad record does.
        check: What is checked.
        format: The source's format: ``"dynamodb_json"`` or ``"ion"``.
        progress: Who is told how far it is.

    Returns:
        The reader. Its ``schema`` is that of the images.

    Raises:
        NotFoundError: There is nothing at ``src``.
        UsageError: A wrong option; a full export (``E_FULL_EXPORT``); or ``images`` other than
            ``"new"`` of an export whose view is NEW_IMAGE (``E_VIEW``).
        StorageError: The source cannot be read; raised by the reader, too.
        DataError: A manifest cannot be understood. The reader raises it for bad data, with
            its position: also for an image whose key is not that of its change (``E_KEYS``).
    """
    options = pack(
        columns=columns,
        schema=schema,
        numbers=numbers,
        mixed=mixed,
        maps=maps,
        layout=layout,
        names=names,
        overrides=overrides,
        max_fields=max_fields,
        max_columns=max_columns,
        max_paths=max_paths,
        sample=sample,
        extra=extra,
        batch_size=batch_size,
        threads=threads,
        on_error=on_error,
        check=check,
    )
    return Reader(_dynarrow.open_export(src, format).read_changes(images, options), progress)


def iter_changes(
    src: StrPath,
    *,
    columns: Sequence[str] | None = None,
    threads: int | None = None,
    on_error: OnError = "raise",
    check: Check = "count",
    format: SourceFormat | None = None,
) -> ChangeIterator:
    """The changes of an incremental export, one by one, in its order, in bounded memory.

    Args:
        src: See `read_changes`.
        columns: The attributes to read of the images, beside the key; all for None.
        threads: As many as the machine has cores for None.
        on_error: See `read_export`.
        check: See `read_export`.
        format: See `read_changes`.

    Returns:
        An iterator of dicts: ``op`` as in `read_changes`, ``ts`` a `datetime.datetime` in UTC,
        ``keys``, ``old`` and ``new`` items as `iter_items` gives them. ``old`` and ``new`` are
        None where the export does not have that image.

    Raises:
        DynarrowError: As `read_changes`. What is wrong in the data is raised where it is met:
            the changes before have been given.
    """
    options = pack(columns=columns, threads=threads, on_error=on_error, check=check)
    return _dynarrow.open_export(src, format).iter_changes(options)


def changes(
    src: StrPath,
    dest: StrPath,
    *,
    images: Images = "new",
    to: Format | None = None,
    columns: Sequence[str] | None = None,
    schema: SchemaLike | None = None,
    numbers: Numbers = "auto",
    mixed: Mixed = "struct",
    maps: Maps = "auto",
    layout: Layout = "plain",
    names: Names = "exact",
    overrides: Mapping[str, str] | None = None,
    max_fields: int | None = None,
    max_columns: int | None = None,
    max_paths: int | None = None,
    sample: int | None = None,
    extra: Extra = "column",
    batch_size: int | None = None,
    threads: int | None = None,
    on_error: OnError = "raise",
    check: Check = "count",
    format: SourceFormat | None = None,
    export_format: ExportFormat = "dynamodb_json",
    file_size: int | str | None = None,
    overwrite: bool = False,
    progress: Progress = None,
) -> ConvertReport:
    """Converts an incremental export to a file or folder with a row for each change.

    Args:
        src: See `read_changes`.
        dest: A file that ends in ``.parquet``, ``.arrow``, ``.csv`` or ``.ndjson``, text also
            with ``.gz`` or ``.zst``, a folder, or ``-``; see `convert`. Changes are not items:
            no DynamoDB JSON or Ion is made of them. ``to="export"`` writes them whole, as an
            incremental export.
        images: The images that become columns; see `read_changes`.
        to: The format, where ``dest`` does not say it. A folder gets Parquet for None.
        columns: The attributes to read beside the key. This and all that follow: see
            `read_export`.
        schema: The schema of the images, where it is not to be learnt.
        numbers: What numbers become.
        mixed: What paths with several types become.
        maps: What maps become.
        layout: How values stand in columns.
        names: Under which names columns stand in Arrow.
        overrides: Types of single paths.
        max_fields: Members of a struct, at most.
        max_columns: Columns, at most.
        max_paths: Attribute paths, at most.
        sample: Learn from the first changes only, so many.
        extra: What becomes of values that a schema has no place for.
        batch_size: Rows of a record batch.
        threads: As many as the machine has cores for None.
        on_error: What a bad record does.
        check: What is checked.
        format: The source's format; ``to`` is that of ``dest``.
        export_format: The format of the data files with ``to="export"``.
        file_size: Bytes of a file of a folder; see `convert`.
        overwrite: Replace a folder that is not empty, if all its files are dynarrow's.
        progress: Who is told how far it is.

    Returns:
        What was read (changes count as items), what was skipped or lost, and the files written
        with their sizes.

    Raises:
        DynarrowError: As `read_changes`.
        UsageError: ``dest`` names no format, or one that is not made of changes.
        StorageError: ``dest`` cannot be written, or is a folder that is not to be
            overwritten (``E_DEST_EXISTS``).
    """
    options = pack(
        columns=columns,
        schema=schema,
        numbers=numbers,
        mixed=mixed,
        maps=maps,
        layout=layout,
        names=names,
        overrides=overrides,
        max_fields=max_fields,
        max_columns=max_columns,
        max_paths=max_paths,
        sample=sample,
        extra=extra,
        batch_size=batch_size,
        threads=threads,
        on_error=on_error,
        check=check,
    )
    converting = pack_converting(
        to=to, export_format=export_format, file_size=file_size, overwrite=overwrite
    )
    export = _dynarrow.open_export(src, format)
    with reporting(progress, "changes") as callback:
        return export.changes(dest, images, converting, options, callback)
