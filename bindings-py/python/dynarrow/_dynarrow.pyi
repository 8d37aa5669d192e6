"""The native half of the package: the classes of results, and what the modules beside call."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypedDict, final

from dynarrow._changes import Change
from dynarrow._errors import DynarrowError
from dynarrow._options import (
    Check,
    Compression,
    ExportFormat,
    Format,
    FormatToldBy,
    Images,
    ImportFormat,
    Layout,
    Options,
    SchemaLike,
    Shuffle,
    SourceFormat,
    StrPath,
)
from dynarrow._progress import Callback
from dynarrow._validate import Assumed, Unknown

__version__: str

Value: TypeAlias = (
    str
    | Decimal
    | bytes
    | bool
    | list[Value]
    | dict[str, Value]
    | set[str]
    | set[Decimal]
    | set[bytes]
    | None
)

@final
class DataFile:
    """A data file of an export.

    Attributes:
        name: The key in the manifest, or the path; the name in messages.
        key: Where it stands below the folder that was opened; None where it is missing.
        size: Its compressed bytes; None where it is missing.
        item_count: Items in it, as the manifest says; None without a manifest.
        md5: The MD5 of its compressed bytes, base64, as the manifest says.
        etag: The ETag of the S3 object, as the manifest says.
    """

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str | None: ...
    @property
    def size(self) -> int | None: ...
    @property
    def item_count(self) -> int | None: ...
    @property
    def md5(self) -> str | None: ...
    @property
    def etag(self) -> str | None: ...

@final
class Field:
    """A column of a schema.

    Attributes:
        name: The attribute's exact name.
        column: Its name in Arrow: the same, but with ``names="athena"``.
        arrow: The Arrow type, as text.
        dynamodb: The DynamoDB type: a descriptor, ``"mixed"``, ``"typed"`` or ``"json"``.
    """

    @property
    def name(self) -> str: ...
    @property
    def column(self) -> str: ...
    @property
    def arrow(self) -> str: ...
    @property
    def dynamodb(self) -> str: ...
    def __arrow_c_schema__(self) -> object: ...

@final
class Schema:
    """Names, order and types of the columns, and what was learnt to choose them.

    Arrow libraries take it as a schema: ``pyarrow.schema(schema)``.

    Attributes:
        fields: The columns.
        names: The names of their attributes.
    """

    @property
    def fields(self) -> list[Field]: ...
    @property
    def names(self) -> list[str]: ...
    @staticmethod
    def from_json(document: StrPath | dict[str, Any]) -> Schema:
        """The schema of a document, frozen: what has no place in it goes to ``_extra``.

        Args:
            document: The text of the document, its path, or what `json.loads` makes of it.

        Raises:
            NotFoundError: There is no such file.
            UsageError: This is no schema document (``E_SCHEMA``).
        """

    def merge(self, other: Schema) -> Schema:
        """What two schemas know together: as if learnt from the data of both.

        Raises:
            UsageError: They were made with different policies.
        """

    def override(self, overrides: Mapping[str, str]) -> Schema:
        """The same schema with other types at single paths, frozen.

        Args:
            overrides: See `read_export`.

        Raises:
            UsageError: An unknown type or path.
        """

    def to_json(self) -> str:
        """The schema document, as JSON that a person can read.

        Returns:
            An object with ``items``, the policies and ``fields``: each path with the
            types seen and their counts, the share of items that have it, what its values are
            like, where it was first seen, and its Arrow type with the reason for it.
        """

    def __arrow_c_schema__(self) -> object: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class Loss:
    """One way of losing, counted.

    Attributes:
        count: Values.
        path: The path of the first of them, with indices; None where there is none.
        value: The text of the first of them.
    """

    @property
    def count(self) -> int: ...
    @property
    def path(self) -> str | None: ...
    @property
    def value(self) -> str | None: ...

@final
class Losses:
    """What columns lost: true where something was.

    Attributes:
        rounded: Numbers that a ``float64`` or ``decimal(p,s)`` column rounded.
        overflowed: Numbers that overflow a ``decimal(p,s)`` column: null.
        extra: Values that a frozen schema has no place for: in ``_extra``, or dropped.
    """

    @property
    def rounded(self) -> Loss: ...
    @property
    def overflowed(self) -> Loss: ...
    @property
    def extra(self) -> Loss: ...
    def __bool__(self) -> bool: ...

@final
class ReadReport:
    """What was read, and what was not.

    Attributes:
        items: Good items.
        skipped: Records that ``on_error="skip"`` passed over.
        errors: The errors of the first 100 of them.
        files: Files read to their end.
        bytes_in: Compressed bytes read.
        bytes_inflated: The same bytes, decompressed.
        losses: What the columns lost, or had no place for.
        check: What was checked against the manifest.
    """

    @property
    def items(self) -> int: ...
    @property
    def skipped(self) -> int: ...
    @property
    def errors(self) -> list[DynarrowError]: ...
    @property
    def files(self) -> int: ...
    @property
    def bytes_in(self) -> int: ...
    @property
    def bytes_inflated(self) -> int: ...
    @property
    def losses(self) -> Losses: ...
    @property
    def check(self) -> Check: ...

@final
class ConvertReport:
    """What a conversion came to.

    Attributes:
        read: What was read, and what was not.
        files: The files that were written.
        tables: The tables of ``split_by``, in the order in which their first items came.
        bytes_out: Bytes written.
    """

    @property
    def read(self) -> ReadReport: ...
    @property
    def files(self) -> list[WrittenFile]: ...
    @property
    def tables(self) -> list[SplitTable]: ...
    @property
    def bytes_out(self) -> int: ...

@final
class MergeReport:
    """What a merge came to.

    Attributes:
        convert: What was read of the base, and what was written. The items are those of the
            result.
        inserts: Items that the base does not have.
        updates: Items that stand in the place of one of the base.
        deletes: Items of the base that are there no more.
        unknown_deletes: Deletes of items that the base does not have.
        windows: The incremental exports, in the order in which they are applied.
        gaps: Times that none of them covers, from and to; with ``allow_gaps`` only.
        overlaps: Times that several of them cover.
    """

    @property
    def convert(self) -> ConvertReport: ...
    @property
    def inserts(self) -> int: ...
    @property
    def updates(self) -> int: ...
    @property
    def deletes(self) -> int: ...
    @property
    def unknown_deletes(self) -> int: ...
    @property
    def windows(self) -> list[Window]: ...
    @property
    def gaps(self) -> list[tuple[str, str]]: ...
    @property
    def overlaps(self) -> list[tuple[str, str]]: ...

@final
class Window:
    """An incremental export of a merge.

    Attributes:
        name: What was opened.
        from_time: The start of its window, inclusive, as in ``2026-01-14T10:00:00.000Z``.
        to_time: Its end, exclusive.
        applied: Whether it was applied: not where it ends before the base's time.
        changes: Its changes.
        skipped: Bad records that were passed over.
    """

    @property
    def name(self) -> str: ...
    @property
    def from_time(self) -> str: ...
    @property
    def to_time(self) -> str: ...
    @property
    def applied(self) -> bool: ...
    @property
    def changes(self) -> int: ...
    @property
    def skipped(self) -> int: ...

@final
class DiffReport:
    """What a comparison came to.

    Attributes:
        ok: Whether the tables have equal items.
        inserts: Items that only the second table has.
        updates: Items that both have, and that are not equal.
        deletes: Items that only the first table has.
        same: Items that are equal.
        key: The attributes of the primary key.
        skipped: Bad records of either table that were passed over.
        convert: What was written, where there was a destination.
    """

    @property
    def ok(self) -> bool: ...
    @property
    def inserts(self) -> int: ...
    @property
    def updates(self) -> int: ...
    @property
    def deletes(self) -> int: ...
    @property
    def same(self) -> int: ...
    @property
    def key(self) -> list[str]: ...
    @property
    def skipped(self) -> tuple[int, int]: ...
    @property
    def convert(self) -> ConvertReport | None: ...

@final
class WrittenFile:
    """A file that was written.

    Attributes:
        path: Where it is.
        bytes: Its size.
        rows: Its items; a manifest has none.
    """

    @property
    def path(self) -> Path: ...
    @property
    def bytes(self) -> int: ...
    @property
    def rows(self) -> int: ...

@final
class SplitTable:
    """A table of ``split_by``.

    Attributes:
        value: The attribute's value as text; None where it is missing or NULL.
        type: The value's type: ``"S"``, ``"N"``, ``"BOOL"`` or ``"NULL"``.
        folder: The table's folder.
        items: Its items.
    """

    @property
    def value(self) -> str | None: ...
    @property
    def type(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def items(self) -> int: ...

@final
class Finding:
    """One thing that `verify` found.

    Attributes:
        severity: ``"error"``: the export is not what its manifests say. ``"note"``: worth
            knowing, and harmless.
        code: What it is, ``E_…``.
        file: The file, as the manifest names it.
        message: What it is, in words.
        error: The same as an exception, with its position.
    """

    @property
    def severity(self) -> Literal["error", "note"]: ...
    @property
    def code(self) -> str: ...
    @property
    def file(self) -> str | None: ...
    @property
    def message(self) -> str: ...
    @property
    def error(self) -> DynarrowError: ...

@final
class VerifyReport:
    """What `verify` came to.

    Attributes:
        ok: No finding is an error.
        findings: All findings: the manifests first, then the files in order.
        files: Data files.
        items: Records in them.
        bytes: Their compressed bytes.
    """

    @property
    def ok(self) -> bool: ...
    @property
    def findings(self) -> list[Finding]: ...
    @property
    def files(self) -> int: ...
    @property
    def items(self) -> int: ...
    @property
    def bytes(self) -> int: ...

@final
class PrepareReport:
    """What `prepare_import` made.

    Attributes:
        read: What was read.
        files: The objects: their size is that on disk.
        items: Items in them.
        bytes: Their decompressed bytes: what AWS bills.
        rejected: Items that an import would refuse: they are in the file of rejected ones.
        first_rejected: What is wrong with the first of them.
        changed: Values that CSV cannot hold: imported they are strings, or left out where they
            are empty or null.
        first_changed: The path of the first of them.
        shuffled: Whether the items were shuffled.
        spec: What the import is to be asked for: the document in ``import-table.json``.
        missing: Members of it that nobody has said, such as ``TableName``.
    """

    @property
    def read(self) -> ReadReport: ...
    @property
    def files(self) -> list[WrittenFile]: ...
    @property
    def items(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def rejected(self) -> int: ...
    @property
    def first_rejected(self) -> str | None: ...
    @property
    def changed(self) -> int: ...
    @property
    def first_changed(self) -> str | None: ...
    @property
    def shuffled(self) -> bool: ...
    @property
    def spec(self) -> dict[str, Any]: ...
    @property
    def missing(self) -> list[str]: ...

@final
class ItemIterator:
    """The items of one reading, as dicts; made by `iter_items`.

    Attributes:
        skipped: Records that ``on_error="skip"`` passed over, so far.
    """

    @property
    def skipped(self) -> int: ...
    def __iter__(self) -> Iterator[dict[str, Value]]: ...
    def __next__(self) -> dict[str, Value]: ...

@final
class ChangeIterator:
    """The changes of one reading, as dicts; made by `iter_changes`.

    Attributes:
        skipped: Records that ``on_error="skip"`` passed over, so far.
    """

    @property
    def skipped(self) -> int: ...
    def __iter__(self) -> Iterator[Change]: ...
    def __next__(self) -> Change: ...

# What follows is for the modules of the package alone.

@final
class Export:
    @property
    def name(self) -> str: ...
    @property
    def summary_json(self) -> str | None: ...
    @property
    def files(self) -> list[DataFile]: ...
    @property
    def absent(self) -> list[str] | None: ...
    def told_format(self) -> tuple[SourceFormat, FormatToldBy]: ...
    def read(self, options: Options) -> Reader: ...
    def infer_schema(self, options: Options, progress: Callback | None) -> Schema: ...
    def iter_items(self, options: Options) -> ItemIterator: ...
    def verify(self, threads: int | None, progress: Callback | None) -> VerifyReport: ...
    def convert(
        self,
        dest: StrPath,
        converting: Converting,
        options: Options,
        progress: Callback | None,
    ) -> ConvertReport: ...
    def read_changes(self, images: Images, options: Options) -> Reader: ...
    def iter_changes(self, options: Options) -> ChangeIterator: ...
    def changes(
        self,
        dest: StrPath,
        images: Images,
        converting: Converting,
        options: Options,
        progress: Callback | None,
    ) -> ConvertReport: ...
    def merge(
        self,
        increments: Sequence[Export],
        dest: StrPath,
        merging: Merging,
        converting: Converting,
        options: Options,
        progress: Callback | None,
    ) -> MergeReport: ...
    def diff(
        self,
        other: Export,
        dest: StrPath | None,
        diffing: Diffing,
        converting: Converting,
        options: Options,
        progress: Callback | None,
    ) -> DiffReport: ...
    def relocate(self, to: str) -> list[Path]: ...

@final
class Reader:
    @property
    def name(self) -> str: ...
    @property
    def is_learnt(self) -> bool: ...
    def learn(self, progress: Callback | None) -> None: ...
    @property
    def schema(self) -> Schema: ...
    @property
    def report(self) -> ReadReport | None: ...
    @property
    def last_error(self) -> DynarrowError | None: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...
    def collect(self, progress: Callback | None) -> Batches: ...
    def batches(self) -> Iterator[Any]: ...

@final
class Batches:
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

@final
class FailingReader:
    @property
    def last_error(self) -> DynarrowError | None: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

class Converting(TypedDict):
    to: Format | None
    export_format: ExportFormat
    partition_by: Sequence[str] | None
    split_by: str | None
    file_size: str | None
    max_partitions: int | None
    overwrite: bool

class Defining(TypedDict):
    table: str
    location: str
    iceberg: bool
    changes: list[Path]
    staging: str | None
    key: list[str]
    schema: SchemaLike | None
    threads: int | None

class Merging(TypedDict):
    allow_gaps: bool
    memory: str | None

class Diffing(TypedDict):
    key: Sequence[str] | None
    images: Images
    memory: str | None

class Table(TypedDict):
    table: Mapping[str, Any] | StrPath | None
    key: Sequence[str] | None

class Validating(TypedDict):
    prefix: str | None
    strict: bool
    assume: Mapping[Unknown, Assumed] | None
    log: StrPath | None
    max_findings: int | None
    price_per_gb: float | None
    region: str | None
    threads: int | None

class Preparing(TypedDict):
    to: ImportFormat | None
    compression: Compression | None
    file_size: str | None
    shuffle: Shuffle
    seed: int
    memory: str | None
    types: Mapping[str, str] | None
    delimiter: str | None
    header_list: Sequence[str] | None
    table_name: str | None
    bucket: str | None
    prefix: str | None
    overwrite: bool

class Writing(TypedDict):
    schema: SchemaLike | None
    layout: Layout | None
    format: Format
    export_format: ExportFormat
    compression: Compression | None
    overwrite: bool

def open_export(src: StrPath, format: SourceFormat | None) -> Export: ...
def open_stream(data: object) -> Export: ...
def table_spec(table: Mapping[str, Any] | StrPath) -> str: ...
def validate_import(
    src: StrPath,
    table: Table,
    validating: Validating,
    error_log: StrPath | None,
    progress: Callback | None,
) -> str: ...
def prepare_import(
    source: Export,
    dest: StrPath,
    table: Table,
    preparing: Preparing,
    options: Options,
    progress: Callback | None,
) -> PrepareReport: ...
def ddl(source: Export, defining: Defining, progress: Callback | None) -> str: ...
def fit(data: object, schema: object) -> Batches: ...
def spool(items: Iterable[Mapping[str, Any]], path: StrPath) -> None: ...
def write(
    source: Export, dest: StrPath, writing: Writing, progress: Callback | None
) -> ConvertReport: ...
def dumps(item: Mapping[str, Any], format: ExportFormat | None) -> str: ...
def loads(line: bytes, format: ExportFormat | None) -> dict[str, Value]: ...
def _failing_reader(panics: bool, message: str) -> FailingReader: ...
def _run_cli(args: list[str]) -> int: ...
