"""The way back: items written from frames, files and plain Python values."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from dynarrow import _dynarrow
from dynarrow._dynarrow import ConvertReport
from dynarrow._errors import UsageError
from dynarrow._open import Export
from dynarrow._options import (
    Compression,
    ExportFormat,
    Format,
    Layout,
    SchemaLike,
    SourceFormat,
    StrPath,
    WriteFormat,
)
from dynarrow._progress import Progress, reporting

# The formats that are written without a schema, in one pass over the data.
_ONE_PASS: tuple[Format, ...] = ("dynamodb_json", "ion", "ndjson", "export", "legacy")


def write_items(
    data: object,
    dest: StrPath,
    *,
    schema: SchemaLike | None = None,
    layout: Layout | None = None,
    format: WriteFormat = "dynamodb_json",
    compression: Compression | None = None,
    overwrite: bool = False,
    progress: Progress = None,
) -> ConvertReport:
    """Writes items, by default as lines of DynamoDB JSON, ``{"Item": …}``.

    What dynarrow has read is written as it was: columns say in their metadata what they
    are. polars, DuckDB and pandas drop the metadata; ``schema`` says it again. Frames that
    never saw DynamoDB are written as they look: text is S, numbers are N, a list is L, a
    struct is M, dates and times are ISO text. A null is a missing attribute, inside of lists
    NULL.

    Args:
        data: Anything with ``__arrow_c_stream__`` (polars, pyarrow, pandas, DuckDB, a
            `Reader`); the path of an export or of a Parquet, Arrow IPC, DynamoDB JSON, Ion or
            plain JSON file; an `Export`; or an iterable of dicts as `iter_items` gives them,
            where a number may be int, float or `decimal.Decimal`.
        dest: A file, also a folder or ``-`` for standard output, as for `convert`.
        schema: The schema or its document that says what the columns mean.
        layout: How values stand in the columns, where they do not say it.
        format: The format that is written; ``"ion"`` is Amazon Ion, a line
            ``$ion_1_0 {Item:{…}}`` for each item; ``"legacy"`` is a folder as AWS Data Pipeline
            and the EMR connector write it, with its manifest.
        compression: That of the file; what its name says (``.gz``, ``.zst``) for None.
        overwrite: See `convert`.
        progress: See `read_export`.

    Returns:
        What was read and written.

    Raises:
        DynarrowError: As `convert`.
        DataError: A value that DynamoDB has not, with its place: NaN and infinity, a number
            of more than 38 digits.
        UsageError: ``data`` is nothing of the above.
    """
    writing: _dynarrow.Writing = {
        "schema": schema,
        "layout": layout,
        "format": format,
        "export_format": "dynamodb_json",
        "compression": compression,
        "overwrite": overwrite,
    }
    if str(format) == "export":
        message = "write_export writes exports"
        raise UsageError(f"E_USAGE: {message}", "E_USAGE", message)
    return _write(data, dest, writing, progress)


def write_export(
    data: object,
    folder: StrPath,
    *,
    schema: SchemaLike | None = None,
    layout: Layout | None = None,
    export_format: ExportFormat = "dynamodb_json",
    overwrite: bool = False,
    progress: Progress = None,
) -> ConvertReport:
    """Writes a whole export as AWS writes one: data files, manifests, checksums, etags.

    Args:
        data: See `write_items`.
        folder: The folder that stands for the bucket.
        schema: See `write_items`.
        layout: See `write_items`.
        export_format: The format of the data files: ``"dynamodb_json"`` or ``"ion"``.
        overwrite: See `convert`.
        progress: See `read_export`.

    Returns:
        What was read and written.

    Raises:
        DynarrowError: As `write_items`.
    """
    writing: _dynarrow.Writing = {
        "schema": schema,
        "layout": layout,
        "format": "export",
        "export_format": export_format,
        "compression": None,
        "overwrite": overwrite,
    }
    return _write(data, folder, writing, progress)


def dumps(item: Mapping[str, Any], format: ExportFormat = "dynamodb_json") -> str:
    """An item as a line of an export, ``{"Item": …}``, without the newline.

    Args:
        item: A dict of str, int, float, `decimal.Decimal`, bytes, bool, None, list, dict and
            set; dates and times become ISO text.
        format: ``"dynamodb_json"``, or ``"ion"``: ``$ion_1_0 {Item:{…}}``.

    Raises:
        DataError: A value that DynamoDB has not, with its path.
        UsageError: A value of another class, or an unknown ``format``.
    """
    return _dynarrow.dumps(item, format)


def loads(line: str | bytes, format: ExportFormat = "dynamodb_json") -> dict[str, _dynarrow.Value]:
    """The item on a line of an export, with or without ``Item``.

    Args:
        line: The line. Ion may also be several lines, or binary.
        format: ``"dynamodb_json"`` or ``"ion"``.

    Returns:
        The item, as `iter_items` gives it.

    Raises:
        DataError: The line is no item, or is several.
        UsageError: An unknown ``format``.
    """
    # A lone surrogate becomes bytes that are no UTF-8, which are refused as such.
    text = line.encode(errors="surrogatepass") if isinstance(line, str) else line
    return _dynarrow.loads(text, format)


def relocate(src: StrPath, *, to: str) -> list[Path]:
    """Rewrites the manifests and checksums of an export that was copied to another place.

    Of a legacy dump it is the one ``manifest``: the EMR connector goes by its URLs.

    Args:
        src: The folder of the export or dump, on this machine.
        to: Where the export is now, or will be: ``s3://bucket`` or ``s3://bucket/prefix``.

    Returns:
        The files that were written.

    Raises:
        DynarrowError: As `open_export`.
        DataError: There is no manifest (``E_MANIFEST``).
        UsageError: ``to`` is no such place.
        StorageError: A manifest cannot be written.
    """
    return _dynarrow.open_export(src, None).relocate(to)


def _write(
    data: object, dest: StrPath, writing: _dynarrow.Writing, progress: Progress
) -> ConvertReport:
    # The schema is learnt first where there is none, and a stream may be one that can be read once.
    once = writing["format"] in _ONE_PASS or writing["schema"] is not None
    with (
        source_of(data, writing["schema"], writing["layout"], once=once) as (source, _),
        reporting(progress, "write") as callback,
    ):
        return _dynarrow.write(source, dest, writing, callback)


@contextmanager
def source_of(
    data: object,
    schema: SchemaLike | None,
    layout: Layout | None,
    *,
    once: bool,
    format: SourceFormat | None = None,
) -> Generator[tuple[_dynarrow.Export, bool]]:
    """What `write_items` takes as data, as a source.

    Args:
        data: The data.
        schema: What says what its columns mean.
        layout: How values stand in its columns.
        once: The source will be read once. Else what may be gone then is put aside.
        format: The format of a path.

    Yields:
        The source, and whether it was put aside: as items, which no schema has to explain.
    """
    if format is not None and not isinstance(data, (str, os.PathLike)):
        message = "format is for paths"
        raise UsageError(f"E_USAGE: {message}", "E_USAGE", message)
    if isinstance(data, (str, os.PathLike)):
        yield _dynarrow.open_export(cast(StrPath, data), format), False
    elif isinstance(data, Export):
        yield data.native, False
    elif once and hasattr(data, "__arrow_c_stream__"):
        yield _dynarrow.open_stream(data), False
    else:
        with tempfile.TemporaryDirectory(prefix="dynarrow-") as folder:
            spooled = os.path.join(folder, "items.json")
            _spool(data, schema, layout, spooled)
            yield _dynarrow.open_export(spooled, "dynamodb_json"), True


def _spool(data: object, schema: SchemaLike | None, layout: Layout | None, spooled: str) -> None:
    if hasattr(data, "__arrow_c_stream__"):
        plain: _dynarrow.Writing = {
            "schema": schema,
            "layout": layout,
            "format": "dynamodb_json",
            "export_format": "dynamodb_json",
            "compression": None,
            "overwrite": False,
        }
        _dynarrow.write(_dynarrow.open_stream(data), spooled, plain, None)
    elif isinstance(data, Iterable) and not isinstance(data, (bytes, Mapping)):
        _dynarrow.spool(cast(Iterable[Mapping[str, Any]], data), spooled)
    else:
        name = type(cast(object, data)).__name__
        message = (
            f"data must have __arrow_c_stream__, be a path or an iterable of dicts, not {name}"
        )
        raise UsageError(f"E_USAGE: {message}", "E_USAGE", message)
