"""Items of any source into a table that exists, by BatchWriteItem."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dynarrow import _aws, _dynarrow
from dynarrow._aws import Connection, Stopped, Table
from dynarrow._checkpoint import Checkpoint
from dynarrow._errors import DynarrowError, ServiceError
from dynarrow._options import Check, Layout, OnError, SchemaLike, SourceFormat, StrPath, pack
from dynarrow._progress import Callback, Progress, reporting
from dynarrow._source import TELL, Meter, Source
from dynarrow._wire import Key, Wire, bad_item, base64_text, fault_of, key_of, path_text, to_wire

# What BatchWriteItem takes in a call: puts, and bytes of the request (16 MB, with room for what
# stands around the items).
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
_PUTS = 25
_CALL_BYTES = 15_000_000
_AROUND = 64

# Items of a batch that later ones of the same key took the place of: it ends there too.
_REPLACED = 1_000

# Errors that are kept in a report, as when reading.
_ERRORS = 100

# Seconds that requests under way may take to end when the upload is given up.
_GRACE = 2.0

# The service's codes for a request in which an item is not as it must be.
_REFUSALS = (
    "ValidationException",
    "SerializationException",
    "ItemCollectionSizeLimitExceededException",
)


@dataclass(frozen=True)
class UploadReport:
    """What an upload came to.

    Attributes:
        table_arn: The table's ARN.
        items: Items that were written.
        replaced: Items that were not, since a later one of the same key came close behind.
        resumed: Items that were not, since the checkpoint says that they were before.
        skipped: Records, and items behind the checkpoint, that ``on_error="skip"`` passed over.
        errors: The errors of the first 100 items that the table could not take. Of records
            that are no items there is the count.
        batches: Calls that wrote.
        retries: Calls that had to be made again, and calls for what was left unprocessed.
        bytes_out: Bytes of the items that were written, as JSON.
        consumed_capacity: Write capacity units that the service counted; None where it does
            not say.
        seconds: How long it took.
    """

    table_arn: str
    items: int
    replaced: int
    resumed: int
    skipped: int
    errors: list[DynarrowError]
    batches: int
    retries: int
    bytes_out: int
    consumed_capacity: float | None
    seconds: float


def upload(
    src: object,
    table_name: str,
    *,
    endpoint_url: str | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    session: Any = None,
    concurrency: int = 8,
    checkpoint: StrPath | None = None,
    columns: Sequence[str] | None = None,
    schema: SchemaLike | None = None,
    layout: Layout | None = None,
    threads: int | None = None,
    on_error: OnError = "raise",
    check: Check = "count",
    format: SourceFormat | None = None,
    progress: Progress = None,
) -> UploadReport:
    """Writes the items of any source into a table that exists, in AWS or a local one.

    ImportTable makes new tables only, and DynamoDB Local has no import. Items of the table with
    the same key are replaced. Of items with the same key the last in the source is what stays.
    Numbers keep all their digits. What the service throttles or leaves unprocessed is tried
    again, with longer and longer pauses; after about a minute without any success the upload
    ends with the error.

    Needs ``dynarrow[aws]``. Credentials, region and profiles are boto3's. At an endpoint on this
    machine (``http://localhost:8000``) none are needed.

    See https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html

    Args:
        src: See `open_export`; also an `Export`, anything with ``__arrow_c_stream__``, or an
            iterable of dicts, as for `write_items`.
        table_name: The table's name or ARN.
        endpoint_url: The URL of DynamoDB Local or the like; AWS's own for None.
        region_name: The region; the session's for None.
        profile_name: The profile of the AWS configuration.
        session: A ``boto3.Session``.
        concurrency: Requests under way at a time.
        checkpoint: A small JSON file that says how far the upload came, written about every
            quarter of a second. An upload that was stopped or killed goes on behind the items
            that the table acknowledged, if it is given the same file and source; one that was
            complete writes nothing.
        columns: The attributes to write; all for None.
        schema: What the columns of a source of record batches mean, where they do not say it.
        layout: How values stand in them, likewise.
        threads: Threads that read; as many as the machine has cores for None.
        on_error: ``"raise"``, or ``"skip"``: bad records and items that the table cannot take
            are passed over and counted.
        check: See `read_export`.
        format: See `read_export`.
        progress: See `read_export`. Bytes are those of the source where its manifest counts
            its items, else those sent, of an unknown total.

    Returns:
        What was written, and what was not.

    Raises:
        DynarrowError: As `iter_items`. The items before have been written.
        DataError: An item that the table cannot take, with its position: a key that is missing,
            empty, too long or of another type (``E_KEYS``), or what the service refuses
            (``E_ITEM``), such as items past 400 KB.
        NotFoundError: There is no such table.
        ServiceError: The service refuses, or cannot be reached (``E_AWS``).
        UsageError: The checkpoint is of another source or table (``E_CHECKPOINT``), or wrong
            arguments.
        ImportError: boto3 is not installed.
    """
    began = time.monotonic()
    _aws.at_least_one(concurrency=concurrency)
    options = pack(
        columns=columns,
        schema=schema,
        source_layout=layout,
        threads=threads,
        on_error=on_error,
        check=check,
    )
    connection = Connection(endpoint_url, region_name, profile_name, session)
    # The items are made here: looking at every value again would only take time.
    client = connection.client(connections=concurrency, validates=False)
    source = Source.of(src, format)
    table = _aws.describe(client, table_name)
    saved = None
    if checkpoint is not None:
        about = source.fingerprint(columns, schema, layout, format)
        saved = Checkpoint.open(Path(checkpoint), about, table, endpoint_url)
    with reporting(progress, "upload") as callback:
        work = _Upload(
            client=client,
            table=table,
            source=source,
            skips=on_error == "skip",
            concurrency=concurrency,
            checkpoint=saved,
            callback=callback,
        )
        return work.run(source.items(options), began)


@dataclass
class _Entry:
    """A put.

    Attributes:
        index: Which of the items of the source it is, from 0.
        item: The item.
        size: Its bytes as JSON.
        before: The item of the same key whose place it took.
    """

    index: int
    item: Wire
    size: int
    before: _Entry | None = None


@dataclass
class _Batch:
    """What one worker writes.

    Attributes:
        entries: The puts, by key.
        end: The items of the source up to here stand in this batch or in one before.
    """

    entries: dict[Key, _Entry] = field(default_factory=dict[Key, _Entry])
    bytes: int = 0
    replaced: int = 0
    end: int = 0
    done: bool = False

    def has_room(self, key: Key, entry: _Entry) -> bool:
        replaces = self.entries.get(key)
        if replaces is not None and self.replaced >= _REPLACED:
            return False
        if replaces is None and len(self.entries) >= _PUTS:
            return False
        # Those that were replaced count: they are held in memory.
        return not self.entries or self.bytes + entry.size <= _CALL_BYTES

    def add(self, key: Key, entry: _Entry) -> None:
        entry.before = self.entries.get(key)
        self.replaced += entry.before is not None
        self.entries[key] = entry
        self.bytes += entry.size
        self.end = entry.index + 1


@dataclass
class _Outcome:
    """What became of a batch."""

    batch: _Batch
    items: int = 0
    bytes: int = 0
    calls: int = 0
    retries: int = 0
    replaced: int = 0
    capacity: float | None = None
    refused: list[tuple[_Entry, str]] = field(default_factory=list[tuple[_Entry, str]])
    error: BaseException | None = None


class _Upload:
    def __init__(
        self,
        *,
        client: Any,
        table: Table,
        source: Source,
        skips: bool,
        concurrency: int,
        checkpoint: Checkpoint | None,
        callback: Callback | None,
    ) -> None:
        self.client = client
        self.table = table
        self.source = source
        self.skips = skips
        self.concurrency = concurrency
        self.checkpoint = checkpoint
        self.meter = Meter(source, callback)
        self.stop = threading.Event()
        self.todo: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self.outcomes: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
        # In the order of the source: those up to the first that is not done are acknowledged.
        self.under_way: deque[_Batch] = deque()
        self.acknowledged = checkpoint.acknowledged if checkpoint is not None else 0
        self.read = 0
        self.busy = 0
        self.keys: set[Key] = set()
        self.total = _Outcome(_Batch())
        self.skipped = 0
        self.errors: list[DynarrowError] = []
        self.iterator: Iterator[dict[str, Any]] = iter(())

    def run(self, items: Iterator[dict[str, Any]], began: float) -> UploadReport:
        self.iterator = items
        workers = [
            # Daemons: a request that hangs does not keep the process from ending.
            threading.Thread(target=self._work, name=f"dynarrow-upload-{n}", daemon=True)
            for n in range(self.concurrency)
        ]
        for worker in workers:
            worker.start()
        resumed = self.acknowledged
        try:
            read = self._send_all(items, resumed)
            if self.checkpoint is not None:
                self.checkpoint.acknowledged = read
        except BaseException:
            self._give_up()
            raise
        finally:
            self.stop.set()
            for _ in workers:
                self.todo.put(None)
        for worker in workers:
            worker.join()
        if self.checkpoint is not None:
            self.checkpoint.save(complete=True)
        self.meter.finish(read)
        return UploadReport(
            table_arn=self.table.arn,
            items=self.total.items,
            replaced=self.total.replaced,
            resumed=min(resumed, read),
            skipped=self.skipped + self._skipped_records(),
            errors=self.errors,
            batches=self.total.calls,
            retries=self.total.retries,
            bytes_out=self.total.bytes,
            consumed_capacity=self.total.capacity,
            seconds=time.monotonic() - began,
        )

    def _send_all(self, items: Iterator[dict[str, Any]], resumed: int) -> int:
        """Sends all items behind so many, and waits for the end; how many there are."""
        batch = _Batch()
        entries = self._entries(items, resumed)
        bad: DynarrowError | None = None
        while True:
            try:
                key, entry = next(entries)
            except StopIteration:
                break
            except DynarrowError as error:
                # What stands before it is written first.
                bad = error
                break
            if not batch.has_room(key, entry):
                self._send(batch)
                batch = _Batch()
            batch.add(key, entry)
        if batch.entries:
            self._send(batch)
        while self.busy:
            self._collect()
        if bad is not None:
            raise bad
        return self.read

    def _entries(
        self, items: Iterator[dict[str, Any]], resumed: int
    ) -> Iterator[tuple[Key, _Entry]]:
        """The puts of the items behind so many."""
        for index, item in enumerate(items):
            self.read = index + 1
            if index < resumed:
                self.meter.tell(index)
                continue
            wired = to_wire(item)
            fault = fault_of(self.table, wired)
            if fault is not None:
                name, message = fault
                self._refuse(index, "E_KEYS", message, path_text(name))
                continue
            size = len(json.dumps(wired, default=base64_text)) + _AROUND
            yield key_of(self.table, wired), _Entry(index, wired, size)

    def _refuse(self, index: int, code: str, message: str, path: str | None) -> None:
        self.skipped += self.skips
        if self.skips and len(self.errors) >= _ERRORS:
            return
        file, item = self.source.place(index, self._skipped_records())
        if item is None:
            message = f"{message}: number {index + 1:,} of the items that were read"
        error = bad_item(code, message, file, item, path)
        if not self.skips:
            raise error
        self.errors.append(error)

    def _skipped_records(self) -> int:
        iterator = self.iterator
        if isinstance(iterator, _dynarrow.ItemIterator):
            return iterator.skipped
        return self.source.skipped

    def _send(self, batch: _Batch) -> None:
        # Two puts of one key under way at a time could come to be in either order.
        while self.busy >= self.concurrency or not self.keys.isdisjoint(batch.entries):
            self._collect()
        self.keys.update(batch.entries)
        self.under_way.append(batch)
        self.busy += 1
        self.todo.put(batch)
        while not self.outcomes.empty():
            self._collect()

    def _collect(self) -> None:
        """Waits for the outcome of a batch."""
        while True:
            try:
                # Not for ever: Windows has no Ctrl-C in there.
                outcome = self.outcomes.get(timeout=TELL)
                break
            except queue.Empty:
                self.meter.tell(self.acknowledged)
        self._take(outcome)

    def _take(self, outcome: _Outcome) -> None:
        self.busy -= 1
        total, batch = self.total, outcome.batch
        total.calls += outcome.calls
        total.retries += outcome.retries
        total.items += outcome.items
        total.bytes += outcome.bytes
        total.replaced += outcome.replaced
        if outcome.capacity is not None:
            total.capacity = (total.capacity or 0.0) + outcome.capacity
        self.keys.difference_update(batch.entries)
        if outcome.error is not None:
            raise outcome.error
        for entry, message in sorted(outcome.refused, key=lambda refused: refused[0].index):
            self._refuse(entry.index, "E_ITEM", message, None)
        batch.done = True
        while self.under_way and self.under_way[0].done:
            self.acknowledged = self.under_way.popleft().end
            if self.checkpoint is not None:
                self.checkpoint.advance(self.acknowledged)
        self.meter.sent = total.bytes
        self.meter.tell(self.acknowledged)

    def _give_up(self) -> None:
        """Lets the requests under way end, for a while, and notes what they brought."""
        self.stop.set()
        # Nobody is told any more: what happened is on its way to the caller.
        self.meter.callback = None
        try:
            until = time.monotonic() + _GRACE
            while self.busy and (left := until - time.monotonic()) > 0:
                try:
                    self._take(self.outcomes.get(timeout=left))
                except Exception:
                    # The first error is the one that is raised; this batch is not
                    # acknowledged, and is sent again by the next upload.
                    continue
        finally:
            if self.checkpoint is not None:
                self.checkpoint.save(complete=False)

    # What follows runs on the workers.

    def _work(self) -> None:
        while (batch := self.todo.get()) is not None:
            outcome = _Outcome(batch)
            try:
                self._write(batch.entries, outcome)
            except BaseException as error:
                outcome.error = error
            self.outcomes.put(outcome)

    def _write(self, entries: dict[Key, _Entry], outcome: _Outcome) -> None:
        """Writes until nothing is left unprocessed."""
        waiting = dict(entries)
        fruitless = 0

        def retried() -> None:
            outcome.retries += 1

        while waiting:
            puts = [{"PutRequest": {"Item": entry.item}} for entry in waiting.values()]
            arguments = {
                "RequestItems": {self.table.given: puts},
                "ReturnConsumedCapacity": "TOTAL",
            }
            try:
                answer = _aws.call(
                    self.client.batch_write_item, arguments, stop=self.stop, retried=retried
                )
            except ServiceError as error:
                if error.service_code not in _REFUSALS:
                    raise
                self._write_each(waiting, outcome, error)
                return
            outcome.calls += 1
            for consumed in answer.get("ConsumedCapacity") or ():
                outcome.capacity = (outcome.capacity or 0.0) + consumed.get("CapacityUnits", 0.0)
            left: dict[Key, _Entry] = {}
            unprocessed: dict[str, Any] = answer.get("UnprocessedItems") or {}
            for requests in unprocessed.values():
                for request in requests:
                    key = key_of(self.table, request["PutRequest"]["Item"])
                    left[key] = waiting[key]
            for key, entry in waiting.items():
                if key not in left:
                    outcome.items += 1
                    outcome.bytes += entry.size - _AROUND
                    while entry.before is not None:
                        entry = entry.before
                        outcome.replaced += 1
            if not left:
                return
            fruitless = fruitless + 1 if len(left) == len(waiting) else 0
            if fruitless >= _aws.MAX_ATTEMPTS:
                raise _aws.failure(
                    f"the table {self.table.name} takes no more: of {len(waiting)} items none was"
                    f" processed in {fruitless} calls",
                    "UnprocessedItems",
                )
            waiting = left
            retried()
            _aws.wait(fruitless + 1, self.stop)
            if self.stop.is_set():
                raise Stopped

    def _write_each(
        self, entries: dict[Key, _Entry], outcome: _Outcome, error: ServiceError
    ) -> None:
        """The service takes all of a batch or nothing: each by itself shows which is bad."""
        if len(entries) > 1:
            for key, entry in entries.items():
                self._write({key: entry}, outcome)
            return
        ((key, entry),) = entries.items()
        outcome.refused.append((entry, error.service_message or error.message))
        if entry.before is not None:
            self._write({key: entry.before}, outcome)
