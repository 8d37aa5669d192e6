"""Converting to a file or a folder."""

from collections.abc import Sequence

from dynarrow import _dynarrow
from dynarrow._dynarrow import ConvertReport
from dynarrow._options import Check, Format, Mixed, Numbers, OnError, StrPath, pack
from dynarrow._progress import Progress, reporting


def convert(
    src: StrPath,
    dest: StrPath,
    *,
    to: Format | None = None,
    columns: Sequence[str] | None = None,
    numbers: Numbers = "auto",
    mixed: Mixed = "struct",
    batch_size: int | None = None,
    threads: int | None = None,
    on_error: OnError = "raise",
    check: Check = "count",
    overwrite: bool = False,
    progress: Progress = None,
) -> ConvertReport:
    """Converts an export to Parquet, Arrow IPC, CSV or plain JSON lines.

    A file appears whole or not at all; a folder is built beside its place and renamed. The
    same bytes come out for any number of threads.

    Args:
        src: See `open_export`.
        dest: A file that ends in ``.parquet``, ``.arrow``, ``.csv`` or ``.ndjson``, text also
            with ``.gz``; a folder, which ends in ``/`` or has no ending and gets
            ``part-00000.<ending>``; or ``-`` for standard output.
        to: The format, where ``dest`` does not say it. A folder gets Parquet for None.
        columns: See `read_export`, as all that follow but ``overwrite``.
        numbers: What numbers become.
        mixed: What paths with several types become.
        batch_size: Rows of a record batch.
        threads: As many as the machine has cores for None.
        on_error: What a bad record does.
        check: What is checked.
        overwrite: Replace a folder that is not empty, if all its files are dynarrow's. A
            file is always replaced.
        progress: Who is told how far it is.

    Returns:
        What was read, what was skipped or lost, and the files written with their sizes.

    Raises:
        DynarrowError: As `read_export`.
        UsageError: ``dest`` names no format.
        StorageError: ``dest`` cannot be written, or is a folder that is not to be
            overwritten (``E_DEST_EXISTS``).
    """
    options = pack(
        columns=columns,
        numbers=numbers,
        mixed=mixed,
        batch_size=batch_size,
        threads=threads,
        on_error=on_error,
        check=check,
    )
    export = _dynarrow.open_export(src)
    with reporting(progress, "convert") as callback:
        return export.convert(dest, to, options, overwrite, callback)
