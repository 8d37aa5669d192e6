"""Items as plain Python values."""

from collections.abc import Sequence

from dynarrow import _dynarrow
from dynarrow._dynarrow import ItemIterator
from dynarrow._options import Check, Layout, OnError, SchemaLike, SourceFormat, StrPath, pack


def iter_items(
    src: StrPath,
    *,
    columns: Sequence[str] | None = None,
    schema: SchemaLike | None = None,
    layout: Layout | None = None,
    threads: int | None = None,
    on_error: OnError = "raise",
    check: Check = "count",
    format: SourceFormat | None = None,
) -> ItemIterator:
    """The items of an export, one by one, in order, in bounded memory.

    Values are those of boto3's ``TypeDeserializer``: S is str, N `decimal.Decimal` with all
    digits, B bytes, BOOL bool, NULL None, M dict, L list, sets set. boto3 wraps B in its own
    ``Binary``, which equals the bytes.

    Args:
        src: See `open_export`.
        columns: The attributes to read; all for None. Items keep the order of the source.
        schema: What the columns of a source of record batches mean, where they do not say it.
        layout: How values stand in them, likewise.
        threads: As many as the machine has cores for None.
        on_error: See `read_export`.
        check: See `read_export`.
        format: See `read_export`.

    Returns:
        An iterator of dicts.

    Raises:
        DynarrowError: As `read_export`. What is wrong in the data is raised where it is met:
            the items before have been given.
    """
    options = pack(
        columns=columns,
        schema=schema,
        source_layout=layout,
        threads=threads,
        on_error=on_error,
        check=check,
    )
    return _dynarrow.open_export(src, format).iter_items(options)
