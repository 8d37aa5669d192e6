"""Files that `ImportTable` imports at the first try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynarrow import _dynarrow
from dynarrow._dynarrow import PrepareReport
from dynarrow._options import (
    Compression,
    ImportFormat,
    Layout,
    OnError,
    SchemaLike,
    Shuffle,
    SourceFormat,
    StrPath,
    pack,
)
from dynarrow._progress import Progress, reporting
from dynarrow._validate import TableLike, pack_table
from dynarrow._write import source_of


def prepare_import(
    data: object,
    dest: StrPath,
    table: TableLike | None = None,
    *,
    key: str | Sequence[str] | None = None,
    to: ImportFormat | None = None,
    compression: Compression | None = None,
    file_size: int | str | None = None,
    shuffle: Shuffle = "auto",
    seed: int = 0,
    memory: int | str | None = None,
    types: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    header_list: Sequence[str] | None = None,
    table_name: str | None = None,
    bucket: str | None = None,
    prefix: str | None = None,
    schema: SchemaLike | None = None,
    layout: Layout | None = None,
    format: SourceFormat | None = None,
    on_error: OnError = "raise",
    overwrite: bool = False,
    threads: int | None = None,
    progress: Progress = None,
) -> PrepareReport:
    """Makes files that `ImportTable` imports at the first try.

    ``dest`` is the image of the bucket: the objects, by default in ``data/``, divided to a size
    that imports fast and shuffled where the items are sorted, and ``import-table.json`` for
    ``aws dynamodb import-table --cli-input-json``. Items that an import would refuse stand in
    ``rejected.*``, with the reasons in ``rejected.jsonl``, and are counted.

    Args:
        data: See `write_items`. Frames and Python values are put aside in a temporary file
            first.
        dest: The folder that is made. It appears whole or not at all.
        table: See `validate_import`. Its bucket and name need not be known yet.
        key: See `validate_import`.
        to: The format of the objects; that of ``table``, else ``"dynamodb_json"``, for None.
        compression: Their compression; that of ``table``, else ``"gzip"``, for None.
        file_size: Begin another object behind so many decompressed bytes: bytes, or as in
            ``"256MB"``. 256 MiB for None.
        shuffle: Shuffle the items over all objects: where they are sorted (``"auto"``),
            ``"always"`` or ``"never"``.
        seed: What the shuffling follows from: the same seed gives the same files.
        memory: Items that are shuffled in memory at a time: bytes, or as in ``"256MB"``; the
            others wait in a file without a name beside ``dest``. 256 MiB for None.
        types: Of a CSV source: the types of columns that are no strings, by name: ``"N"``,
            ``"SS"``, … Those of keys are known.
        delimiter: Of a CSV source: what stands between two cells, one of ``, ; : |``, a tab or
            a space. A comma for None.
        header_list: Of a CSV source: the names of its columns, where its first line is no
            header.
        table_name: The table's name, for ``import-table.json``.
        bucket: The bucket that the objects will be in.
        prefix: What their keys begin with there, and their paths in ``dest``; that of
            ``table``, else ``"data/"``, for None.
        schema: The schema or its document that says what the columns of frames, Parquet or
            Arrow mean.
        layout: How values stand in the columns, where they do not say it.
        format: The format of a path; its bytes and name say it for None.
        on_error: What a record of a file that cannot be read does: ``"raise"``, or be passed
            over and counted (``"skip"``). Values of frames and Python values that DynamoDB has
            not raise.
        overwrite: Replace a folder that was prepared before.
        threads: As many as the machine has cores for None.
        progress: See `read_export`.

    Returns:
        What was read and written, how much was rejected or changed, and the request.

    Raises:
        DynarrowError: As `write_items`.
        UsageError: As `validate_import`; ``schema`` is given for a source without columns, or
            ``types`` for a key of another type.
        StorageError: ``dest`` cannot be written, or is a folder that is not to be overwritten
            (``E_DEST_EXISTS``).
    """
    preparing: _dynarrow.Preparing = {
        "to": to,
        "compression": compression,
        "file_size": None if file_size is None else str(file_size),
        "shuffle": shuffle,
        "seed": seed,
        "memory": None if memory is None else str(memory),
        "types": None if types is None else dict(types),
        "delimiter": delimiter,
        "header_list": header_list,
        "table_name": table_name,
        "bucket": bucket,
        "prefix": prefix,
        "overwrite": overwrite,
    }
    asked = pack_table(table, key)
    # The order of the items is looked at before they are written.
    with (
        source_of(data, schema, layout, once=False, format=format) as (source, is_plain),
        reporting(progress, "prepare") as callback,
    ):
        options = pack(
            schema=None if is_plain else schema,
            source_layout=None if is_plain else layout,
            on_error=on_error,
            threads=threads,
        )
        return _dynarrow.prepare_import(source, dest, asked, preparing, options, callback)
