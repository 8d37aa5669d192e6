"""The options that all verbs share, with their types."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

from dynarrow._dynarrow import Schema

StrPath: TypeAlias = str | os.PathLike[str]
# ``"auto"``, ``"float64"``, ``"string"`` or ``"decimal(p,s)"``.
Numbers: TypeAlias = Literal["auto", "float64", "string"] | str
Mixed: TypeAlias = Literal["struct", "json", "string", "error"]
Maps: TypeAlias = Literal["auto", "struct", "map", "json"]
Layout: TypeAlias = Literal["plain", "typed"]
Names: TypeAlias = Literal["exact", "athena"]
Extra: TypeAlias = Literal["column", "drop", "error"]
Images: TypeAlias = Literal["new", "old", "both"]
OnError: TypeAlias = Literal["raise", "skip"]
Check: TypeAlias = Literal["count", "md5", "none"]
# How DynamoDB itself writes items: the data files of an export, and single lines.
ExportFormat: TypeAlias = Literal["dynamodb_json", "ion"]
SourceFormat: TypeAlias = ExportFormat | Literal["legacy", "ndjson", "csv", "parquet", "arrow"]
WriteFormat: TypeAlias = ExportFormat | Literal["legacy", "ndjson", "csv", "parquet", "arrow"]
Format: TypeAlias = WriteFormat | Literal["export"]
# What says the format of data files; None where nothing does, and it is taken for DynamoDB JSON.
FormatToldBy: TypeAlias = Literal["option", "manifest", "name", "bytes"] | None
Compression: TypeAlias = Literal["gzip", "zstd", "none"]
# What `ImportTable` reads.
ImportFormat: TypeAlias = ExportFormat | Literal["csv"]
Shuffle: TypeAlias = Literal["auto", "always", "never"]
# A schema, or its document: a path, or what `json.loads` makes of it.
SchemaLike: TypeAlias = Schema | StrPath | dict[str, Any]


class Options(TypedDict):
    """What the native half takes for everything that reads."""

    columns: Sequence[str] | None
    schema: SchemaLike | None
    source_layout: Layout | None
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


def pack(
    *,
    columns: Sequence[str] | None = None,
    schema: SchemaLike | None = None,
    source_layout: Layout | None = None,
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
) -> Options:
    """The options, those that a verb does not have at their defaults."""
    return {
        "columns": columns,
        "schema": schema,
        "source_layout": source_layout,
        "numbers": numbers,
        "mixed": mixed,
        "maps": maps,
        "layout": layout,
        "names": names,
        "overrides": None if overrides is None else dict(overrides),
        "max_fields": max_fields,
        "max_columns": max_columns,
        "max_paths": max_paths,
        "sample": sample,
        "extra": extra,
        "batch_size": batch_size,
        "threads": threads,
        "on_error": on_error,
        "check": check,
    }
