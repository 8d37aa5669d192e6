"""Converting to a file or a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynarrow import _dynarrow
from dynarrow._dynarrow import ConvertReport
from dynarrow._options import (
    Check,
    ExportFormat,
    Extra,
    Format,
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


def pack_converting(
    *,
    to: Format | None = None,
    export_format: ExportFormat = "dynamodb_json",
    partition_by: str | Sequence[str] | None = None,
    split_by: str | None = None,
    file_size: int | str | None = None,
    max_partitions: int | None = None,
    overwrite: bool = False,
) -> _dynarrow.Converting:
    """How what is read is written, as the native half takes it."""
    return {
        "to": to,
        "export_format": export_format,
        "partition_by": [partition_by] if isinstance(partition_by, str) else partition_by,
        "split_by": split_by,
        "file_size": None if file_size is None else str(file_size),
        "max_partitions": max_partitions,
        "overwrite": overwrite,
    }


def convert(
    src: StrPath,
    dest: StrPath,
    *,
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
    partition_by: str | Sequence[str] | None = None,
    split_by: str | None = None,
    file_size: int | str | None = None,
    max_partitions: int | None = None,
    overwrite: bool = False,
    progress: Progress = None,
) -> ConvertReport:
    """Converts any source to Parquet, Arrow IPC, CSV, JSON, Amazon Ion, an export or a legacy dump.

    A file appears whole or not at all; a folder is built beside its place and renamed. The
    same bytes come out for any number of threads.

    Args:
        src: See `open_export`.
        dest: A file that ends in ``.parquet``, ``.arrow``, ``.csv``, ``.ndjson``, ``.json``
            (DynamoDB JSON) or ``.ion``, text also with ``.gz`` or ``.zst``; a folder, which
            ends in ``/`` or has no ending and gets ``part-00000.<ending>``; or ``-`` for
            standard output.
        to: The format, where ``dest`` does not say it. A folder gets Parquet for None.
            ``"legacy"`` is a folder as AWS Data Pipeline and the EMR connector write it
            (https://github.com/awslabs/emr-dynamodb-connector): files of at most 100,000 items
            and a ``manifest`` of where they are written; `relocate` rewrites it for a bucket.
        columns: See `read_export`, as all that follow up to ``check``.
        schema: The schema, where it is not to be learnt.
        numbers: What numbers become.
        mixed: What paths with several types become.
        maps: What maps become.
        layout: How values stand in columns.
        names: Under which names columns stand in Arrow.
        overrides: Types of single paths.
        max_fields: Members of a struct, at most.
        max_columns: Columns, at most.
        max_paths: Attribute paths, at most.
        sample: Learn from the first items only, so many.
        extra: What becomes of values that a schema has no place for.
        batch_size: Rows of a record batch.
        threads: As many as the machine has cores for None.
        on_error: What a bad record does.
        check: What is checked.
        format: The source's format; ``to`` is that of ``dest``.
        export_format: The format of the data files with ``to="export"``.
        partition_by: Attributes whose values name folders in the folder ``dest``, the first
            outermost, as Hive has them: ``EntityType=order/part-00000.parquet``. They are no
            columns then. Where an attribute is missing or NULL, the folder is
            ``EntityType=__HIVE_DEFAULT_PARTITION__``. Values are strings, numbers and booleans;
            others, and the empty string, are bad records (``E_PARTITION``).
        split_by: An attribute by whose values the items are told apart into tables, each in
            a folder of ``dest`` and with only the columns of its items. The folder is called
            what the value is, percent-encoded; ``@missing`` is for items where it is missing
            or NULL. The report's ``tables`` has them all.
        file_size: Begin another file in a folder where one has reached this size: in bytes, or
            as in ``"256MB"`` or ``"64MiB"``. It ends with a row group (Parquet), a batch
            (Arrow) or a line. For None a folder has one file.
        max_partitions: Folders in ``dest``, at most: more are an error. 1,000 for None.
        overwrite: Replace a folder that is not empty, if all its files are dynarrow's. A
            file is always replaced.
        progress: Who is told how far it is.

    Returns:
        What was read, what was skipped or lost, and the files written with their sizes and
        rows.

    Raises:
        DynarrowError: As `read_export`.
        UsageError: ``dest`` names no format, or ``export_format`` is given for another one;
            ``partition_by``, ``split_by`` or ``file_size`` is given for what is no folder of
            files, or names what no item has (``E_COLUMN``).
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
        to=to,
        export_format=export_format,
        partition_by=partition_by,
        split_by=split_by,
        file_size=file_size,
        max_partitions=max_partitions,
        overwrite=overwrite,
    )
    export = _dynarrow.open_export(src, format)
    with reporting(progress, "convert") as callback:
        return export.convert(dest, converting, options, callback)
