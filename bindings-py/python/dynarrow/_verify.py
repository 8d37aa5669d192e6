"""Checking an export against its manifests."""

from dynarrow._dynarrow import VerifyReport
from dynarrow._open import open_export
from dynarrow._options import StrPath
from dynarrow._progress import Progress


def verify(src: StrPath, *, threads: int | None = None, progress: Progress = None) -> VerifyReport:
    """Checks checksums, counts and files: all findings, not the first.

    Args:
        src: See `open_export`.
        threads: As many as the machine has cores for None.
        progress: See `read_export`.

    Returns:
        The findings, and how much was checked. An export with errors is a report whose
        ``ok`` is False, not an exception.

    Raises:
        NotFoundError: There is nothing at ``src``.
        StorageError: The check itself could not be done.
        DataError: The manifests cannot be understood.
    """
    return open_export(src).verify(threads=threads, progress=progress)
