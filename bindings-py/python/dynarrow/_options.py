"""The options that all verbs share, with their types."""

import os
from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict

StrPath: TypeAlias = str | os.PathLike[str]
Numbers: TypeAlias = Literal["auto", "float64", "string"]
Mixed: TypeAlias = Literal["struct", "json", "string", "error"]
OnError: TypeAlias = Literal["raise", "skip"]
Check: TypeAlias = Literal["count", "md5", "none"]
Format: TypeAlias = Literal["parquet", "arrow", "csv", "ndjson"]


class Options(TypedDict):
    """What the native half takes for everything that reads."""

    columns: Sequence[str] | None
    numbers: Numbers
    mixed: Mixed
    batch_size: int | None
    threads: int | None
    on_error: OnError
    check: Check


def pack(
    *,
    columns: Sequence[str] | None = None,
    numbers: Numbers = "auto",
    mixed: Mixed = "struct",
    batch_size: int | None = None,
    threads: int | None = None,
    on_error: OnError = "raise",
    check: Check = "count",
) -> Options:
    """The options, those that a verb does not have at their defaults."""
    return {
        "columns": columns,
        "numbers": numbers,
        "mixed": mixed,
        "batch_size": batch_size,
        "threads": threads,
        "on_error": on_error,
        "check": check,
    }
