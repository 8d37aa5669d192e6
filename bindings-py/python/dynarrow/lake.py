"""Changes into the tables of a lake: Delta Lake, by delta-rs.

    deltalake.write_deltalake("shop", dynarrow.read_export("export"))
    dynarrow.lake.merge_delta("shop", dynarrow.read_changes("increment"))

Needs ``dynarrow[delta]``.
"""

# deltalake and arro3 are only there with the extra.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dynarrow import _dynarrow
from dynarrow._errors import UsageError
from dynarrow._options import StrPath

__all__ = ["MergeReport", "merge_delta"]

# The version of this application's transactions is the end of the last window, in microseconds:
# Delta keeps it when the history is cleaned up, and lets only one of two writers set it.
_APPLICATION = "dynarrow.changes"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class MergeReport:
    """What a merge came to.

    Attributes:
        merged: False where the table had these changes already: nothing was done.
        inserted: Rows that are new.
        updated: Rows that were replaced.
        deleted: Rows that are gone.
        export_from_time: The start of the window of the changes.
        export_to_time: Its end.
    """

    merged: bool
    inserted: int
    updated: int
    deleted: int
    export_from_time: datetime
    export_to_time: datetime


def merge_delta(
    uri: StrPath,
    changes: Any,
    *,
    key: Sequence[str] | None = None,
    export_arn: str | None = None,
    export_from_time: str | datetime | None = None,
    export_to_time: str | datetime | None = None,
    since: str | datetime | None = None,
    storage_options: Mapping[str, str] | None = None,
) -> MergeReport:
    """Brings the changes of an incremental export into a Delta table, in one transaction.

    Columns that the table does not have are added in a transaction before it.

    A change has the whole new item: what it does not have becomes null. Attributes that are new
    become columns of the table. A value goes into a column of another type only where it stays
    what it is: read the changes with the schema of the table where it does not.

    The table remembers up to which time it was brought. Changes that it has already are passed
    over, so a merge may be run again. Windows may overlap, but not leave a gap.

    Args:
        uri: The Delta table: a folder, or what deltalake takes.
        changes: What has ``__arrow_c_stream__``: the reader of ``read_changes``, or a table
            of a Parquet file of changes. Its first columns are ``_op`` and ``_ts``.
        key: The key attributes, as all that follow: where the schema's metadata
            (``dynarrow.keys``, ``dynarrow.export_arn``, …) does not say it, or otherwise.
        export_arn: The export's ARN. It is kept in the history of the table.
        export_from_time: The start of the window: ISO 8601, UTC where it says no zone.
        export_to_time: Its end.
        since: The moment whose state the table is, where nothing was merged into it yet: the
            ``exportTime`` of the full export that it was made of. Changes that begin later are
            a gap. Not checked for None.
        storage_options: See ``deltalake.DeltaTable``.

    Returns:
        What was done.

    Raises:
        UsageError: The changes leave a gap (``E_GAP``), are of another table
            (``E_OTHER_TABLE``), hold the old images, do not say what they must, or have values
            that do not fit the table.
        ImportError: deltalake is not installed.
        deltalake.exceptions.DeltaError: There is no such table, it cannot be written, two changes
            are of one item, or another writer was faster.
    """
    from arro3.core import RecordBatchReader
    from deltalake import CommitProperties, DeltaTable, Transaction

    reader = RecordBatchReader.from_arrow(changes)
    said = {name.decode(): value.decode() for name, value in reader.schema.metadata.items()}
    if said.get("dynarrow.images") == "old":
        raise _usage("the changes hold the old images: to merge them is to undo them")
    begins = _time("export_from_time", export_from_time, said)
    ends = _time("export_to_time", export_to_time, said)
    keys = _keys(key, said)
    names = reader.schema.names
    own = [name for name in names[:2] if name.rstrip("_") in ("_op", "_ts")]
    if len(own) < 2:
        raise _usage("these are no changes: the first columns are not _op and _ts")
    if said.get("dynarrow.images") == "both":
        own += [name for name in names[-1:] if name.rstrip("_") == "_old"]
    attributes = [name for name in names if name not in own]
    if missing := [name for name in keys if name not in attributes]:
        raise _usage(f"the changes have no key attribute {', '.join(map(repr, missing))}")

    table = DeltaTable(uri, storage_options=dict(storage_options) if storage_options else None)
    _check_table(table, said)
    applied = table.transaction_version(_APPLICATION)
    if applied is not None and _micros(ends) <= applied:
        return MergeReport(False, 0, 0, 0, begins, ends)
    known = _moment("since", since) if applied is None else _EPOCH + timedelta(microseconds=applied)
    if known is not None and ends <= known:
        # What the table holds is newer.
        return MergeReport(False, 0, 0, 0, begins, ends)
    if known is not None and begins > known:
        raise _usage(
            f"the table was brought up to {known.isoformat()}, and the changes begin at"
            f" {begins.isoformat()}: what is between them is missing",
            "E_GAP",
        )

    op = own[0]
    source, columns = _fitted(table, reader, attributes, op)
    update = {_quoted(name): f"source.{_quoted(name)}" for name in columns if name not in keys}
    insert = {_quoted(name): f"source.{_quoted(name)}" for name in columns}
    commit = CommitProperties(
        custom_metadata=_kept(said, export_arn, begins, ends),
        app_transactions=[Transaction(_APPLICATION, _micros(ends))],
    )
    merge = table.merge(
        source,
        predicate=" AND ".join(f"target.{_quoted(name)} = source.{_quoted(name)}" for name in keys),
        source_alias="source",
        target_alias="target",
        commit_properties=commit,
    ).when_matched_delete(f"source.{_quoted(op)} = 'delete'")
    if update:
        merge = merge.when_matched_update(update)
    done = merge.when_not_matched_insert(insert, f"source.{_quoted(op)} <> 'delete'").execute()
    return MergeReport(
        merged=True,
        inserted=done["num_target_rows_inserted"],
        updated=done["num_target_rows_updated"],
        deleted=done["num_target_rows_deleted"],
        export_from_time=begins,
        export_to_time=ends,
    )


def _fitted(table: Any, reader: Any, attributes: list[str], op: str) -> tuple[Any, list[str]]:
    """The changes in the columns of the table, which gets those that it does not have."""
    from arro3.core import Field
    from arro3.core import Schema as ArrowSchema
    from deltalake import Schema

    known = ArrowSchema.from_arrow(table.schema())
    there = [known.field(n) for n in range(len(known))]
    columns = [field.name for field in there]
    if op in columns:
        raise _usage(f"the table has a column {op!r}, which is no attribute here")
    new = [reader.schema.field(name) for name in attributes if name not in columns]
    fields = [*there, *(Field(field.name, field.type, nullable=True) for field in new)]
    target = ArrowSchema([Field(op, reader.schema.field(op).type, nullable=True), *fields])
    # What does not fit is said before the table is touched.
    source = _dynarrow.fit(reader, target)
    if new:
        added = Schema.from_arrow(ArrowSchema(fields[len(there) :])).fields
        table.alter.add_columns(added)
    return source, [field.name for field in fields]


def _check_table(table: Any, said: Mapping[str, str]) -> None:
    """Refuses changes of another table than the last ones, as far as the history says it."""
    for name in ("dynarrow.table_id", "dynarrow.table"):
        merges = (commit[name] for commit in table.history(100) if name in commit)
        last = next(merges, None)
        if last is not None and name in said and last != said[name]:
            message = f"these are changes of {said[name]!r}, and those before were of {last!r}"
            raise _usage(message, "E_OTHER_TABLE")


def _kept(
    said: Mapping[str, str], export_arn: str | None, begins: datetime, ends: datetime
) -> dict[str, str]:
    """What the history of the table says of the merge."""
    names = ("dynarrow.table", "dynarrow.table_id", "dynarrow.export_arn")
    kept = {name: said[name] for name in names if name in said}
    if export_arn is not None:
        kept["dynarrow.export_arn"] = export_arn
    kept["dynarrow.export_from_time"] = begins.isoformat()
    kept["dynarrow.export_to_time"] = ends.isoformat()
    return kept


def _keys(given: Sequence[str] | None, said: Mapping[str, str]) -> list[str]:
    try:
        keys = list(given) if given is not None else json.loads(said.get("dynarrow.keys", "[]"))
    except ValueError as error:
        raise _usage(f"dynarrow.keys is no list of names: {error}", "E_SCHEMA") from error
    if not keys:
        raise _usage("the changes do not say what the table's key is: give key=")
    return keys


def _time(name: str, given: str | datetime | None, said: Mapping[str, str]) -> datetime:
    moment = _moment(name, given if given is not None else said.get(f"dynarrow.{name}"))
    if moment is None:
        raise _usage(f"the changes do not say their window: give {name}=")
    return moment


def _moment(name: str, given: str | datetime | None) -> datetime | None:
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given)
        except ValueError as error:
            raise _usage(f"{name}: {error}") from error
    if given is None:
        return None
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _usage(message: str, code: str = "E_USAGE") -> UsageError:
    return UsageError(f"{code}: {message}", code, message)
