"""Learning a schema."""

from collections.abc import Mapping, Sequence

from dynarrow._dynarrow import Schema
from dynarrow._open import open_export
from dynarrow._options import (
    Check,
    Layout,
    Maps,
    Mixed,
    Names,
    Numbers,
    OnError,
    SourceFormat,
    StrPath,
)
from dynarrow._progress import Progress


def infer_schema(
    src: StrPath,
    *,
    columns: Sequence[str] | None = None,
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
    threads: int | None = None,
    on_error: OnError = "raise",
    check: Check = "count",
    format: SourceFormat | None = None,
    progress: Progress = None,
) -> Schema:
    """Learns the schema of all items; of the first ones where ``sample`` says so.

    Args:
        src: See `open_export`.
        columns: See `read_export`, as all the others.
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
        threads: As many as the machine has cores for None.
        on_error: What a bad record does.
        check: What is checked.
        format: The source's format.
        progress: Who is told how far it is.

    Returns:
        The schema, with the reasons for its types in ``to_json()``.

    Raises:
        DynarrowError: As `read_export`.
    """
    return open_export(src, format=format).infer_schema(
        columns=columns,
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
        threads=threads,
        on_error=on_error,
        check=check,
        progress=progress,
    )
