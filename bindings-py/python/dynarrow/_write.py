"""The way back: items written from frames, files and plain Python values."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
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
    StrPath,
    WriteFormat,
)
from dynarrow._progress import Progress, reporting

# The formats that are written without a schema, in one pass over the data.
ONE_PASS: tuple[Format, ...] = ("dynamodb_json", "ion", "ndjson", "export", "legacy")


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
    with tempfile.TemporaryDirectory(prefix="dynarrow-") as folder:
        source = _source(data, writing, os.path.join(folder, "items.json"))
        with reporting(progress, "write") as callback:
            return _dynarrow.write(source, dest, writing, callback)


def _source(data: object, writing: _dynarrow.Writing, spooled: str) -> _dynarrow.Export:
    """What is to be written, as a source that can be read as often as that takes."""
    if isinstance(data, (str, os.PathLike)):
        return _dynarrow.open_export(cast(StrPath, data), None)
    if isinstance(data, Export):
        return data.native
    if hasattr(data, "__arrow_c_stream__"):
        stream = _dynarrow.open_stream(data)
        if writing["format"] in ONE_PASS or writing["schema"] is not None:
            return stream
        # The schema is learnt first, and a stream may be one that can be read once.
        plain: _dynarrow.Writing = {**writing, "format": "dynamodb_json", "compression": None}
        _dynarrow.write(stream, spooled, plain, None)
    elif isinstance(data, Iterable) and not isinstance(data, (bytes, Mapping)):
        _dynarrow.spool(cast(Iterable[Mapping[str, Any]], data), spooled)
    else:
        name = type(cast(object, data)).__name__
        message = (
            f"data must have __arrow_c_stream__, be a path or an iterable of dicts, not {name}"
        )
        raise UsageError(f"E_USAGE: {message}", "E_USAGE", message)
    return _dynarrow.open_export(spooled, "dynamodb_json")
