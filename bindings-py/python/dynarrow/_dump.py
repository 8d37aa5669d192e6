"""A table into an export's layout, by a parallel Scan."""

from __future__ import annotations

import gzip
import json
import os
import queue
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from dynarrow import _aws, _dynarrow
from dynarrow._aws import Connection, Table
from dynarrow._errors import NotFoundError, StorageError
from dynarrow._options import ExportFormat, StrPath
from dynarrow._progress import Callback, Progress, reporting
from dynarrow._wire import base64_text

# Where nobody says how many segments: one for so many bytes of the table, at most so many.
_SEGMENT_BYTES = 64 << 20
_SEGMENTS = 16
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
_MOST_SEGMENTS = 1_000_000
# Requests under way at a time, however many segments there are.
_WORKERS = 32

# Seconds: between two calls of the progress, and how long requests under way may take to end
# when the dump is given up.
_TELL = 0.1
_GRACE = 2.0


@dataclass(frozen=True)
class DumpReport:
    """What a dump came to.

    Attributes:
        folder: The folder of the export in the destination: that of its manifests.
        table_arn: The table's ARN.
        export_time: When the scan began, as the manifest says it.
        items: Items.
        segments: Segments that the table was read in.
        pages: Calls that read.
        retries: Calls that had to be made again.
        bytes_out: Bytes written.
        consumed_capacity: Read capacity units that the service counted; None where it does
            not say.
        seconds: How long it took.
    """

    folder: Path
    table_arn: str
    export_time: str
    items: int
    segments: int
    pages: int
    retries: int
    bytes_out: int
    consumed_capacity: float | None
    seconds: float


def dump(
    table_name: str,
    dest: StrPath,
    *,
    endpoint_url: str | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    session: Any = None,
    segments: int | None = None,
    format: ExportFormat = "dynamodb_json",
    consistent_read: bool = False,
    progress: Progress = None,
) -> DumpReport:
    """Reads a whole table, in AWS or a local one, and writes an export as AWS writes one.

    For tables without point-in-time recovery, and for local ones. The export has data files,
    manifests and checksums, and everything that takes an export takes it. But a scan is no
    moment: what is written to the table meanwhile may be in the export or not. The manifest's
    ``exportTime`` is when the scan began, so that an incremental export from then on has all
    that the scan may have missed.

    A scan reads, and bills, the whole table. It is held on disk beside the destination until
    all is read: the destination appears whole or not at all.

    Needs ``dynarrow[aws]``. Credentials, region and profiles are boto3's. At an endpoint on this
    machine (``http://localhost:8000``) none are needed.

    See https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html

    Args:
        table_name: The table's name or ARN.
        dest: The folder that stands for the bucket: a new one, or an empty one.
        endpoint_url: The URL of DynamoDB Local or the like; AWS's own for None.
        region_name: The region; the session's for None.
        profile_name: The profile of the AWS configuration.
        session: A ``boto3.Session``.
        segments: Parts that the table is read in, up to 32 at a time; by its size for None.
        format: The format of the data files: ``"dynamodb_json"`` or ``"ion"``.
        consistent_read: Each item as it is when it is read, for twice the capacity.
        progress: See `read_export`. Bytes are those of the items as JSON, of an unknown total.

    Returns:
        What was read and written.

    Raises:
        NotFoundError: There is no such table, or the folder of ``dest`` does not exist.
        StorageError: ``dest`` exists (``E_DEST_EXISTS``) or cannot be written.
        ServiceError: The service refuses, or cannot be reached (``E_AWS``).
        UsageError: Wrong arguments.
        ImportError: boto3 is not installed.
    """
    began = time.monotonic()
    if segments is not None and not 1 <= segments <= _MOST_SEGMENTS:
        raise _aws.usage(f"segments must be 1 to {_MOST_SEGMENTS:,}, not {segments}")
    writing: _dynarrow.Writing = {
        "schema": None,
        "layout": None,
        "format": "export",
        "export_format": format,
        "compression": None,
        "overwrite": False,
    }
    connection = Connection(endpoint_url, region_name, profile_name, session)
    client = connection.client(connections=min(segments or _SEGMENTS, _WORKERS))
    folder = Path(dest)
    _check_dest(folder)
    table = _aws.describe(client, table_name)
    if segments is None:
        segments = min(_SEGMENTS, 1 + table.bytes // _SEGMENT_BYTES)
    # Beside the destination: on its disk there has to be room in any case.
    with tempfile.TemporaryDirectory(
        prefix=".dynarrow-", suffix=".tmp", dir=_parent(folder)
    ) as spooled:
        export_time = _text(datetime.now(UTC))
        scan = _Scan(client, table, Path(spooled), segments, consistent_read)
        with reporting(progress, "dump") as callback:
            scan.run(callback)
        _write_manifests(Path(spooled), table, export_time, scan.counts)
        report = _dynarrow.write(_dynarrow.open_export(spooled, None), folder, writing, None)
    return DumpReport(
        # The manifests come first.
        folder=report.files[0].path.parent,
        table_arn=table.arn,
        export_time=export_time,
        items=report.read.items,
        segments=segments,
        pages=scan.pages,
        retries=scan.retries,
        bytes_out=report.bytes_out,
        consumed_capacity=scan.capacity,
        seconds=time.monotonic() - began,
    )


def _check_dest(folder: Path) -> None:
    """Refuses a destination before the table is read; behind it the core does."""
    parent = _parent(folder)
    if not parent.is_dir():
        message = "no such folder"
        text = f"E_NOT_FOUND: {message} (file {parent})"
        raise NotFoundError(text, "E_NOT_FOUND", message, file=str(parent))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        message = "the destination exists, and is no empty folder"
        text = f"E_DEST_EXISTS: {message} (file {folder})"
        raise StorageError(text, "E_DEST_EXISTS", message, file=str(folder))


def _parent(folder: Path) -> Path:
    return Path(os.path.abspath(folder)).parent


class _Scan:
    """The scan of a table into files of lines, a file for each segment."""

    def __init__(
        self, client: Any, table: Table, folder: Path, segments: int, consistent_read: bool
    ) -> None:
        self.client = client
        self.table = table
        self.folder = folder
        self.segments = segments
        self.consistent_read = consistent_read
        self.counts: dict[str, int] = {}
        self.pages = self.retries = self.items = self.bytes = 0
        self.capacity: float | None = None
        self.stop = threading.Event()
        self._lock = threading.Lock()
        self._todo: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run(self, callback: Callback | None) -> None:
        for segment in range(self.segments):
            self._todo.put(segment)
        workers = [
            # Daemons: a request that hangs does not keep the process from ending.
            threading.Thread(target=self._work, name=f"dynarrow-dump-{n}", daemon=True)
            for n in range(min(self.segments, _WORKERS))
        ]
        for worker in workers:
            worker.start()
        left = len(workers)
        try:
            while left:
                try:
                    # Not for ever: Windows has no Ctrl-C in there.
                    error = self._ended.get(timeout=_TELL)
                except queue.Empty:
                    if callback is not None:
                        callback(self.bytes, 0, self.items)
                    continue
                left -= 1
                if error is not None:
                    raise error
            if callback is not None:
                callback(self.bytes, self.bytes, self.items)
        finally:
            self.stop.set()
            until = time.monotonic() + _GRACE
            for worker in workers:
                worker.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            while not self.stop.is_set():
                try:
                    segment = self._todo.get_nowait()
                except queue.Empty:
                    break
                self._read(segment)
        except BaseException as raised:
            error = raised
        self._ended.put(error)

    def _read(self, segment: int) -> None:
        name = f"{segment:06}.json.gz"
        path = self.folder / "data" / name
        path.parent.mkdir(exist_ok=True)
        try:
            with gzip.open(path, "wt", compresslevel=1, encoding="utf-8", newline="\n") as file:
                self.counts[name] = self._pages(segment, file)
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            message = error.strerror or str(error)
            text = f"E_IO: {message} (file {path})"
            raise StorageError(text, "E_IO", message, file=str(path)) from error

    def _pages(self, segment: int, file: TextIO) -> int:
        arguments: dict[str, Any] = {
            "TableName": self.table.given,
            "ConsistentRead": self.consistent_read,
            "ReturnConsumedCapacity": "TOTAL",
        }
        if self.segments > 1:
            arguments |= {"Segment": segment, "TotalSegments": self.segments}
        count = 0
        while True:
            page = _aws.call(self.client.scan, arguments, stop=self.stop, retried=self._retried)
            items: list[Any] = page.get("Items") or []
            text = "".join(map(_line, items))
            file.write(text)
            count += len(items)
            with self._lock:
                self.pages += 1
                self.items += len(items)
                self.bytes += len(text)
                consumed: dict[str, Any] = page.get("ConsumedCapacity") or {}
                if "CapacityUnits" in consumed:
                    self.capacity = (self.capacity or 0.0) + consumed["CapacityUnits"]
            following = page.get("LastEvaluatedKey")
            if not following:
                return count
            arguments["ExclusiveStartKey"] = following

    def _retried(self) -> None:
        with self._lock:
            self.retries += 1


def _line(item: dict[str, Any]) -> str:
    line = json.dumps(
        {"Item": item}, default=base64_text, separators=(",", ":"), ensure_ascii=False
    )
    return line + "\n"


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def _write_manifests(folder: Path, table: Table, export_time: str, counts: dict[str, int]) -> None:
    """Makes an export of what was scanned: what the core takes over into the one it writes."""
    lines = [
        json.dumps({"itemCount": items, "dataFileS3Key": f"data/{name}"}) + "\n"
        for name, items in sorted(counts.items())
    ]
    summary = {
        "version": "2020-06-30",
        "exportArn": f"{table.arn}/export/00000000000000-00000000",
        "startTime": export_time,
        "tableArn": table.arn,
        "tableId": table.id,
        "exportTime": export_time,
        "manifestFilesS3Key": "manifest-files.json",
        "itemCount": sum(counts.values()),
        "outputFormat": "DYNAMODB_JSON",
    }
    (folder / "manifest-files.json").write_text("".join(lines))
    (folder / "manifest-summary.json").write_text(json.dumps(summary))
