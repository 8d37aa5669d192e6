"""Tables of Athena."""

import os
from collections.abc import Sequence
from pathlib import Path

from dynarrow import _dynarrow
from dynarrow._options import SchemaLike, SourceFormat, StrPath
from dynarrow._progress import Progress, reporting


def ddl(
    src: StrPath,
    *,
    table: str,
    location: str,
    iceberg: bool = False,
    changes: StrPath | Sequence[StrPath] = (),
    staging: str | None = None,
    key: Sequence[str] | None = None,
    schema: SchemaLike | None = None,
    threads: int | None = None,
    format: SourceFormat | None = None,
    progress: Progress = None,
) -> str:
    """The statements that make a table in Athena. Nothing is sent anywhere.

    A Parquet source is a table as it is. Its names must be such that Athena can resolve them:
    `convert` with ``names="athena"`` writes such into the file. The attributes' own are the
    comments of the columns. Folders ``attribute=value/`` become partitions. Of any other source
    the schema is learnt, and the table is that of its Parquet with ``names="athena"``.

    A change has the whole new item: the ``MERGE INTO`` sets a column to null that it does not
    have. Where types of columns differ, values are cast if nothing is lost by it, else the changes
    are refused: convert the table and its changes with the same ``schema``, which also adds no
    columns. Changes that have new attributes add columns to the table, which ``src`` then does
    not say: give all changes from there on again, in order, or a new ``src``.

    Args:
        src: A Parquet file, or a folder of such; or see `open_export`.
        table: The table: ``"table"`` or ``"database.table"``.
        location: Its folder, ``s3://…``: where the Parquet files stand, or where an Iceberg
            table is to keep its own.
        iceberg: An Iceberg table, and what loads a Parquet source into it while it is empty; or
            the changes, where there are any.
        changes: Parquet files of changes of incremental exports, by the order of time: for each a
            staging table and a ``MERGE INTO``.
        staging: The folder, ``s3://…``, below which the Parquet files for an Iceberg table are
            put, each in a folder of its own. ``location`` with ``_staging`` behind its name for
            None.
        key: The key attributes, where the changes do not say them.
        schema: The schema that a source is converted with, where it is no Parquet: it is not
            learnt then.
        threads: As many as the machine has cores for None.
        format: The source's format; told by its bytes and name for None.
        progress: See `read_export`.

    Returns:
        The statements, each with ``;`` and an empty line behind it, with remarks in lines that
        begin with ``--``.

    Raises:
        UsageError: A name that Athena cannot resolve (``E_ATHENA_NAME``); options that do not go
            together; changes that do not fit the table, are of another one, or leave a gap.
        DynarrowError: As `read_export`.
    """
    paths = [changes] if isinstance(changes, str | os.PathLike) else changes
    defining: _dynarrow.Defining = {
        "table": table,
        "location": location,
        "iceberg": iceberg,
        "changes": [Path(path) for path in paths],
        "staging": staging,
        "key": list(key or ()),
        "schema": schema,
        "threads": threads,
    }
    export = _dynarrow.open_export(src, format)
    with reporting(progress, "ddl") as callback:
        return _dynarrow.ddl(export, defining, callback)
