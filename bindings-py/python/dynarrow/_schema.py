"""Learning a schema."""

from collections.abc import Sequence

from dynarrow._dynarrow import Schema
from dynarrow._open import open_export
from dynarrow._options import Check, Mixed, Numbers, OnError, StrPath
from dynarrow._progress import Progress


def infer_schema(
    src: StrPath,
    *,
    columns: Sequence[str] | None = None,
    numbers: Numbers = "auto",
    mixed: Mixed = "struct",
    threads: int | None = None,
    on_error: OnError = "raise",
    check: Check = "count",
    progress: Progress = None,
) -> Schema:
    """Learns the schema of all items: nothing is sampled.

    Args:
        src: See `open_export`.
        columns: See `read_export`, as all the others.
        numbers: What numbers become.
        mixed: What paths with several types become.
        threads: As many as the machine has cores for None.
        on_error: What a bad record does.
        check: What is checked.
        progress: Who is told how far it is.

    Returns:
        The schema, with the reasons for its types in ``to_json()``.

    Raises:
        DynarrowError: As `read_export`.
    """
    return open_export(src).infer_schema(
        columns=columns,
        numbers=numbers,
        mixed=mixed,
        threads=threads,
        on_error=on_error,
        check=check,
        progress=progress,
    )
