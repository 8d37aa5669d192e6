"""The dry run of `ImportTable`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict

from dynarrow import _dynarrow
from dynarrow._options import StrPath
from dynarrow._progress import Progress, reporting

# Something of which nobody has measured what an import does with it.
Unknown: TypeAlias = Literal[
    "value_faults",
    "json_array",
    "json_document",
    "beside_item",
    "duplicate_attributes",
    "not_utf8",
    "byte_order_mark",
    "ion_types",
    "ion_binary",
    "csv_columns",
    "csv_header",
]
Assumed: TypeAlias = Literal["unverified", "accept", "item", "object"]
# The document of `aws dynamodb import-table --cli-input-json`, or the path of its file.
TableLike: TypeAlias = Mapping[str, Any] | StrPath


class ImportInput(TypedDict):
    """What an import reads.

    Attributes:
        format: ``"DYNAMODB_JSON"``, ``"ION"`` or ``"CSV"``.
        compression: ``"NONE"``, ``"GZIP"`` or ``"ZSTD"``.
        delimiter: That of CSV.
        told: Nobody said so: the bytes of the first object did.
    """

    format: Literal["DYNAMODB_JSON", "ION", "CSV"]
    compression: Literal["NONE", "GZIP", "ZSTD"]
    delimiter: str | None
    told: bool


class ImportPointer(TypedDict):
    """Where an item is: the object, and the item in it, from 0."""

    key: str
    item: int


class RepeatedKey(TypedDict):
    """A key that several items have: its values as text, how many, and the first two of them."""

    key: dict[str, str]
    items: int
    first: ImportPointer
    second: ImportPointer


class Duplicates(TypedDict):
    """Items that have one key: they overwrite each other in silence.

    Attributes:
        keys: Keys that several items have.
        items: Items that overwrite another, or are overwritten: all but one of each key.
        examples: The first of the keys.
    """

    keys: int
    items: int
    examples: list[RepeatedKey]


class LocatedEntry(TypedDict):
    """Where an entry of AWS's error log is.

    Attributes:
        key: The object.
        item: The item in it, from 0.
        messages: What AWS says.
        line: The line, from 1; None where the object or the item is not here.
        byte: The byte in the decompressed object, from 0.
        path: The attribute, where the dry run finds a fault there.
        found: What the dry run says of the item.
    """

    key: str
    item: int
    messages: list[str]
    line: int | None
    byte: int | None
    path: str | None
    found: list[str]


@dataclass(frozen=True)
class ImportFinding:
    """One thing that `validate_import` found.

    Attributes:
        level: ``"error"``: the import fails. ``"unverified"``: nobody knows whether it does.
            ``"advice"``: worth knowing.
        code: What it is, ``E_…``.
        key: The object; None for what is said of all of them.
        item: The item in the object, from 0: ``itemIndex`` in AWS's log.
        line: The line, from 1.
        byte: The byte in the decompressed object, from 0.
        path: The attribute path, such as ``a.b[].c``.
        messages: What is wrong, in the words of the service where they are known.
        reached: Whether the service comes so far: it stops an object at its first record that
            cannot be read.
        unknown: What nobody knows of it, a name for ``assume``.
    """

    level: Literal["error", "unverified", "advice"]
    code: str
    key: str | None
    item: int | None
    line: int | None
    byte: int | None
    path: str | None
    messages: tuple[str, ...]
    reached: bool
    unknown: Unknown | None


@dataclass(frozen=True, repr=False)
class ImportReport:
    """What a dry run came to.

    Attributes:
        ok: The import has no errors.
        description: What ``DescribeImport`` would say: an ``ImportTableDescription``.
        input: What is read.
        objects: Objects under the prefix.
        stopped: Of them, those that the service stops reading before their end.
        errors: Errors that the service counts.
        unverified: Findings of which nobody knows whether they are errors.
        beyond: Findings behind the points where the service stops.
        items: Items that can be read, also behind those points.
        bytes: Decompressed bytes of all objects: what AWS bills.
        item_bytes: Bytes of all items, as DynamoDB counts them.
        price: What the import costs, by the price that was given.
        findings: What was found, in the order of the objects; advice behind it.
        omitted: Findings that are not in ``findings``, which was full.
        duplicates: Items that have one key.
        located: Where the entries of ``log`` are.
    """

    ok: bool
    description: dict[str, Any]
    input: ImportInput
    objects: int
    stopped: int
    errors: int
    unverified: int
    beyond: int
    items: int
    bytes: int
    item_bytes: int
    price: float | None
    findings: tuple[ImportFinding, ...]
    omitted: int
    duplicates: Duplicates
    located: tuple[LocatedEntry, ...]

    def __repr__(self) -> str:
        said = self.description
        fields: dict[str, object] = {
            "ok": self.ok,
            "status": said["ImportStatus"],
            "processed": said["ProcessedItemCount"],
            "imported": said["ImportedItemCount"],
            "errors": self.errors,
            "unverified": self.unverified,
            "beyond": self.beyond,
            "duplicates": self.duplicates["items"],
            "findings": len(self.findings),
        }
        return f"ImportReport({', '.join(f'{name}={value!r}' for name, value in fields.items())})"


def validate_import(
    src: StrPath,
    table: TableLike | None = None,
    *,
    key: str | Sequence[str] | None = None,
    prefix: str | None = None,
    strict: bool = False,
    assume: Mapping[Unknown, Assumed] | None = None,
    error_log: StrPath | None = None,
    log: StrPath | None = None,
    max_findings: int = 1000,
    price_per_gb: float | None = None,
    region: str | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> ImportReport:
    """Checks what `ImportTable` would do with files, before AWS bills for it.

    What the service would import and what it would refuse, by the measured rules; every bad
    item, also behind the point where the service stops an object; items that have one key,
    which overwrite each other in silence; and what makes an import slow. What nobody has
    measured is ``"unverified"``.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.HowItWorks.html

    Args:
        src: The objects: a folder that stands for the bucket, a file as the only object, or
            ``-`` for standard input.
        table: What the import is asked for: the JSON document of
            ``aws dynamodb import-table --cli-input-json`` as a dict, or the path of its file.
        key: In place of it: the partition key as ``"pk:S"``, or that and the sort key. Format
            and compression are told from the bytes of the first object.
        prefix: Only objects whose keys begin with this: a plain string, no folder, as
            ``S3KeyPrefix``. That of ``table`` for None.
        strict: What is unverified is an error.
        assume: What to assume of what nobody has measured, by its name: nothing
            (``"unverified"``), that it is imported (``"accept"``), that it costs its item
            (``"item"``) or the rest of its object (``"object"``).
        error_log: A file that becomes the error log, as AWS writes it to CloudWatch, with what
            else is known: a JSON line for each finding. It appears whole or not at all.
        log: AWS's own error log of an import of these objects: where its items are. Lines of
            JSON, or what ``aws logs filter-log-events`` prints.
        max_findings: Findings in the report, at most; the rest is counted.
        price_per_gb: The price of importing 2^30 bytes, to say what the import costs.
        region: The region of the import: limits differ.
        threads: As many as the machine has cores for None.
        progress: See `read_export`.

    Returns:
        What the service would say, and the findings. An import that would fail is a report
        whose ``ok`` is False, not an exception.

    Raises:
        UsageError: AWS would refuse the request (``E_TABLE_SPEC``), all of it is said at once;
            neither ``table`` nor ``key`` is given, or both; an unknown name in ``assume``.
        NotFoundError: There is nothing at ``src``, or no such file.
        StorageError: The check itself could not be done.
        DataError: ``log`` is no error log, or ``src`` is in a format that is not imported
            (``E_FORMAT``).
    """
    validating: _dynarrow.Validating = {
        "prefix": prefix,
        "strict": strict,
        "assume": None if assume is None else dict(assume),
        "log": log,
        "max_findings": max_findings,
        "price_per_gb": price_per_gb,
        "region": region,
        "threads": threads,
    }
    with reporting(progress, "validate") as callback:
        text = _dynarrow.validate_import(
            src, pack_table(table, key), validating, error_log, callback
        )
    document: dict[str, Any] = json.loads(text)
    document["description"] = document.pop("ImportTableDescription")
    findings: list[dict[str, Any]] = document["findings"]
    for finding in findings:
        finding["messages"] = tuple(finding["messages"])
    document["findings"] = tuple(ImportFinding(**finding) for finding in findings)
    document["located"] = tuple(document["located"])
    return ImportReport(**document)


def pack_table(table: TableLike | None, key: str | Sequence[str] | None) -> _dynarrow.Table:
    """What an import is asked for, as the native half takes it."""
    return {"table": table, "key": [key] if isinstance(key, str) else key}
