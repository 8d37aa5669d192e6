"""Opening an export: its metadata."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dynarrow import _dynarrow
from dynarrow._dynarrow import DataFile, Schema, VerifyReport
from dynarrow._options import (
    Check,
    Extra,
    FormatToldBy,
    Layout,
    Maps,
    Mixed,
    Names,
    Numbers,
    OnError,
    SchemaLike,
    SourceFormat,
    StrPath,
    pack,
)
from dynarrow._progress import Progress, reporting
from dynarrow._read import Reader


class Export:
    """An export, or data files without manifests, opened: nothing but the manifests is read.

    Made by `open_export`. What is learnt of the data is kept here, so that a schema and a
    reader of one export cost one pass.
    """

    __slots__ = ("_native",)

    def __init__(self, native: _dynarrow.Export) -> None:
        self._native = native

    @property
    def native(self) -> _dynarrow.Export:
        """The native half; for this package alone."""
        return self._native

    @property
    def name(self) -> str:
        """What was opened."""
        return self._native.name

    @property
    def summary(self) -> dict[str, Any] | None:
        """The summary manifest with all its members; None without a manifest."""
        text = self._native.summary_json
        return None if text is None else json.loads(text)

    @property
    def files(self) -> list[DataFile]:
        """The data files, in the order of the manifest, else in byte order of their names."""
        return self._native.files

    @property
    def format(self) -> SourceFormat:
        """The format of the data files: of the first, where no manifest says it."""
        return self._native.told_format()[0]

    @property
    def format_told_by(self) -> FormatToldBy:
        """What says the format; None for DynamoDB JSON, which is what nothing says."""
        return self._native.told_format()[1]

    @property
    def absent(self) -> list[str]:
        """The files that a legacy dump's manifest names as not mandatory, and that are not there.

        They are none of ``files``.
        """
        return self._native.absent or []

    def verify(self, *, threads: int | None = None, progress: Progress = None) -> VerifyReport:
        """Checks manifests and data files: all findings, not the first.

        Args:
            threads: As many as the machine has cores for None.
            progress: See `read_export`.

        Returns:
            The findings, and how much was checked. An export with errors is a report whose
            ``ok`` is False, not an exception.

        Raises:
            StorageError: The check itself could not be done.
        """
        with reporting(progress, "verify") as callback:
            return self._native.verify(threads, callback)

    def infer_schema(
        self,
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
        progress: Progress = None,
    ) -> Schema:
        """Learns the schema of all items; see `infer_schema` of the package."""
        options = pack(
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
        )
        with reporting(progress, "schema") as callback:
            return self._native.infer_schema(options, callback)

    def read(
        self,
        *,
        columns: Sequence[str] | None = None,
        schema: SchemaLike | None = None,
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
        progress: Progress = None,
    ) -> Reader:
        """A reader of record batches; see `read_export`."""
        options = pack(
            columns=columns,
            schema=schema,
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
            extra=extra,
            batch_size=batch_size,
            threads=threads,
            on_error=on_error,
            check=check,
        )
        return Reader(self._native.read(options), progress)

    def __repr__(self) -> str:
        summary = self.summary
        files = self.files
        size = sum(file.size or 0 for file in files)
        missing = sum(file.size is None for file in files)
        stored = f"{len(files):,} files, {size:,} bytes"
        lines = {"source": self.name}
        if summary is None:
            lines["manifest"] = "none" if self._native.absent is None else "of a legacy dump"
        else:
            arn = summary.get("tableArn") or ""
            times = [summary.get(name) for name in ("exportFromTime", "exportToTime")]
            lines |= {
                "table": arn.rpartition("table/")[2],
                "type": summary.get("exportType") or "FULL_EXPORT",
                "format": summary.get("outputFormat") or "",
                "state of": summary.get("exportTime") or "",
                "changes": " to ".join(time for time in times if time),
                "items": f"{summary['itemCount']:,}" if summary.get("itemCount") else "",
            }
        lines["files"] = stored + (f", {missing:,} missing" if missing else "")
        return "Export\n" + "\n".join(f"  {k:<9} {v}" for k, v in lines.items() if v)


def open_export(src: StrPath, *, format: SourceFormat | None = None) -> Export:
    """Opens an export: reads its manifests, and nothing of the data.

    Args:
        src: A folder with manifests, a manifest, a folder with one export below it, a folder
            of data files, a data file, or ``-`` for standard input. Data files are DynamoDB
            JSON, Amazon Ion (text or binary), plain JSON, Parquet or Arrow IPC, or lines of a
            legacy dump (AWS Data Pipeline, the EMR connector), which has a ``manifest`` or none.
        format: The format of the data files; told by bytes and name for None. Ion that
            begins as JSON may begin is read as JSON if not told.

    Returns:
        The export. Its ``repr`` is its metadata as people read it.

    Raises:
        NotFoundError: There is nothing at ``src``.
        UsageError: Several exports stand below ``src`` (``E_SEVERAL_EXPORTS``); the text
            lists them.
        DataError: A manifest cannot be understood, or names a key outside of the export.
    """
    return Export(_dynarrow.open_export(src, format))
