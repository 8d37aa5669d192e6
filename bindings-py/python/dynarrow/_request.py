"""Asking DynamoDB itself for an export to S3, or an import from it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias, overload

from dynarrow import _aws, _dynarrow
from dynarrow._aws import Connection
from dynarrow._errors import NotFoundError
from dynarrow._open import Export, open_export
from dynarrow._options import ExportFormat, StrPath
from dynarrow._progress import Progress
from dynarrow._wait import check_waiting, wait_for

View: TypeAlias = Literal["NEW_IMAGE", "NEW_AND_OLD_IMAGES"]
# A moment: with a time zone, or ISO 8601 text with one.
Moment: TypeAlias = datetime | str

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
_SHORTEST = timedelta(minutes=15)
_LONGEST = timedelta(hours=24)

# The patterns and limits of the service's model.
_BUCKET = re.compile(r"[a-z0-9A-Z]+[.\-\w]*[a-z0-9A-Z]+", re.ASCII)
_OWNER = re.compile(r"[0-9]{12}")
_PREFIX_CHARS = 1024
_TOKEN = re.compile(r"[^$]+")


@dataclass(frozen=True)
class ExportDescription:
    """What the service says of an export, and where it is.

    Attributes:
        description: The service's ``ExportDescription``, as it is.
        arn: The export's ARN.
        status: ``"IN_PROGRESS"``, ``"COMPLETED"`` or ``"FAILED"``.
        s3_uri: The folder of its manifests, or the place that was asked for, where the service
            does not say it yet.
        next_step: What to do with it, for people.
    """

    description: dict[str, Any]

    @property
    def arn(self) -> str:
        return str(self.description.get("ExportArn", ""))

    @property
    def status(self) -> str:
        return str(self.description.get("ExportStatus", ""))

    @property
    def s3_uri(self) -> str:
        bucket = self.description.get("S3Bucket", "")
        manifest = self.description.get("ExportManifest")
        if manifest:
            return f"s3://{bucket}/{str(manifest).rpartition('/')[0]}/"
        prefix = str(self.description.get("S3Prefix") or "").strip("/")
        return f"s3://{bucket}/{prefix}/" if prefix else f"s3://{bucket}/"

    @property
    def next_step(self) -> str:
        if self.status != "COMPLETED":
            return f"wait: aws dynamodb describe-export --export-arn {self.arn}"
        # The data files of an incremental export stand beside the folder of its manifests.
        full = self.description.get("ExportType", "FULL_EXPORT") == "FULL_EXPORT"
        place = self.s3_uri if full else self.s3_uri.rstrip("/").rpartition("/")[0] + "/"
        return f"copy it: aws s3 sync {place} FOLDER, then dynarrow.open_export('FOLDER')"

    def __str__(self) -> str:
        return f"export {self.arn} is {self.status} at {self.s3_uri}; {self.next_step}"


@overload
def request_export(
    table: str,
    s3_bucket: str,
    *,
    bucket_folder: StrPath,
    s3_prefix: str | None = None,
    s3_bucket_owner: str | None = None,
    kms_key_id: str | None = None,
    export_format: ExportFormat = "dynamodb_json",
    export_time: Moment | None = None,
    from_time: Moment | None = None,
    to_time: Moment | None = None,
    view: View | None = None,
    client_token: str | None = None,
    wait: Literal[True] = True,
    poll: float = 15.0,
    timeout: float | None = None,
    endpoint_url: str | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    session: Any = None,
    progress: Progress = None,
) -> Export: ...


@overload
def request_export(
    table: str,
    s3_bucket: str,
    *,
    bucket_folder: None = None,
    s3_prefix: str | None = None,
    s3_bucket_owner: str | None = None,
    kms_key_id: str | None = None,
    export_format: ExportFormat = "dynamodb_json",
    export_time: Moment | None = None,
    from_time: Moment | None = None,
    to_time: Moment | None = None,
    view: View | None = None,
    client_token: str | None = None,
    wait: bool = True,
    poll: float = 15.0,
    timeout: float | None = None,
    endpoint_url: str | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    session: Any = None,
    progress: Progress = None,
) -> ExportDescription: ...


def request_export(
    table: str,
    s3_bucket: str,
    *,
    bucket_folder: StrPath | None = None,
    s3_prefix: str | None = None,
    s3_bucket_owner: str | None = None,
    kms_key_id: str | None = None,
    export_format: ExportFormat = "dynamodb_json",
    export_time: Moment | None = None,
    from_time: Moment | None = None,
    to_time: Moment | None = None,
    view: View | None = None,
    client_token: str | None = None,
    wait: bool = True,
    poll: float = 15.0,
    timeout: float | None = None,
    endpoint_url: str | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    session: Any = None,
    progress: Progress = None,
) -> Export | ExportDescription:
    """Asks DynamoDB for an export to S3, and waits for it.

    With ``from_time`` it is an incremental export, else a full one. What the service would
    refuse is said beforehand, all of it at once.

    Needs ``dynarrow[aws]``. Credentials, region and profiles are boto3's.

    See https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html

    Args:
        table: The table's ARN or name.
        s3_bucket: The bucket.
        bucket_folder: A folder on this machine where the bucket stands (mountpoint-s3, s3fs):
            the export is opened there.
        s3_prefix: The prefix in the bucket.
        s3_bucket_owner: The bucket's account, 12 digits, where it is another.
        kms_key_id: The KMS key that encrypts the files; S3's own (AES256) for None.
        export_format: The format of the data files: ``"dynamodb_json"`` or ``"ion"``.
        export_time: The moment whose state a full export holds; now for None.
        from_time: The start of an incremental export's window, inclusive.
        to_time: Its end, exclusive; as late as can be for None. It is 15 minutes to 24 hours
            behind the start.
        view: What an incremental export has of each item: ``"NEW_IMAGE"``, or
            ``"NEW_AND_OLD_IMAGES"`` (also for None).
        client_token: The same token is the same request, for 8 hours; a new one for None.
        wait: Whether to wait for the end.
        poll: Seconds between two questions how it goes.
        timeout: Seconds to wait at most; without end for None.
        endpoint_url: The URL of another server than AWS's own.
        region_name: The region; the session's for None.
        profile_name: The profile of the AWS configuration.
        session: A ``boto3.Session``.
        progress: See `read_export`; nothing but the time passes until the end.

    Returns:
        The export, opened, with ``bucket_folder``; else what the service says of it. Reading
        from S3 itself is not part of dynarrow yet: the description's ``next_step`` says how to
        copy it.

    Raises:
        UsageError: The service would refuse: point-in-time recovery is off, a time is outside
            its window, the window's length is not 15 minutes to 24 hours, …
        NotFoundError: There is no such table, or nothing in ``bucket_folder``.
        ServiceError: The export failed (``service_code`` is its ``FailureCode``), the service
            refuses, or cannot be reached (``E_AWS``).
        StorageError: ``timeout`` has passed (``E_TIMEOUT``). The export goes on.
        ImportError: boto3 is not installed.
    """
    faults: list[str] = []
    times = {
        name: _moment(name, moment, faults)
        for name, moment in {
            "export_time": export_time,
            "from_time": from_time,
            "to_time": to_time,
        }.items()
    }
    _check_place(s3_bucket, s3_prefix, s3_bucket_owner, faults)
    _check_token(client_token, faults)
    formats = {"dynamodb_json": "DYNAMODB_JSON", "ion": "ION"}
    if export_format not in formats:
        faults.append(f"export_format must be dynamodb_json or ion, not {export_format!r}")
    if view not in (None, "NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        faults.append(f"view must be NEW_IMAGE or NEW_AND_OLD_IMAGES, not {view!r}")
    if bucket_folder is not None and not wait:
        faults.append("bucket_folder is where the finished export is opened: it needs wait=True")
    check_waiting(poll, timeout, faults)
    incremental = times["from_time"] is not None
    if incremental and times["export_time"] is not None:
        faults.append("export_time is for full exports, from_time for incremental ones")
    if not incremental and (times["to_time"] is not None or view is not None):
        faults.append(
            "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification"
        )
    _refuse(faults)

    client = Connection(endpoint_url, region_name, profile_name, session).client()
    description = _aws.call(
        client.describe_table, {"TableName": table}, attempts=_aws.FIRST_ATTEMPTS
    )["Table"]
    _check_window(client, table, description.get("CreationDateTime"), times, faults)
    _refuse(faults)
    request: dict[str, Any] = {
        "TableArn": description["TableArn"],
        "S3Bucket": s3_bucket,
        "ExportFormat": formats[export_format],
        # The same for every attempt: tried again, the request is not another export.
        "ClientToken": client_token or str(uuid.uuid4()),
    }
    if s3_prefix is not None:
        request["S3Prefix"] = s3_prefix
    if s3_bucket_owner is not None:
        request["S3BucketOwner"] = s3_bucket_owner
    if kms_key_id is not None:
        request |= {"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": kms_key_id}
    if times["export_time"] is not None:
        request["ExportTime"] = times["export_time"]
    if incremental:
        window: dict[str, Any] = {
            "ExportFromTime": times["from_time"],
            "ExportViewType": view or "NEW_AND_OLD_IMAGES",
        }
        if times["to_time"] is not None:
            window["ExportToTime"] = times["to_time"]
        request |= {
            "ExportType": "INCREMENTAL_EXPORT",
            "IncrementalExportSpecification": window,
        }
    answer = _aws.call(client.export_table_to_point_in_time, request)["ExportDescription"]
    if not wait:
        return ExportDescription(answer)

    def ask() -> dict[str, Any]:
        asked = _aws.call(client.describe_export, {"ExportArn": answer["ExportArn"]})
        return asked["ExportDescription"]

    done = wait_for(ask, "Export", answer, poll, timeout, progress)
    described = ExportDescription(done)
    if bucket_folder is None:
        return described
    return _open(described, Path(bucket_folder))


def request_import(
    spec: Mapping[str, Any] | StrPath,
    *,
    wait: bool = True,
    poll: float = 15.0,
    timeout: float | None = None,
    endpoint_url: str | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    session: Any = None,
    progress: Progress = None,
) -> dict[str, Any]:
    """Asks DynamoDB to import files from S3 into a new table, and waits for the end.

    What the service would refuse is said beforehand, all of it at once. What it would say of
    the data, after billing it, says `validate_import`.

    Needs ``dynarrow[aws]``. Credentials, region and profiles are boto3's.

    See https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ImportTable.html

    Args:
        spec: The request: a dict, or the path of its JSON, as for
            ``aws dynamodb import-table --cli-input-json``. Without ``ClientToken`` it gets one.
        wait: Whether to wait for the end.
        poll: Seconds between two questions how it goes.
        timeout: Seconds to wait at most; without end for None.
        endpoint_url: The URL of another server than AWS's own.
        region_name: The region; the session's for None.
        profile_name: The profile of the AWS configuration.
        session: A ``boto3.Session``.
        progress: See `read_export`. The service counts nothing before the end.

    Returns:
        The service's ``ImportTableDescription``.

    Raises:
        UsageError: The service would refuse the request (``E_TABLE_SPEC``).
        NotFoundError: There is no such file.
        ServiceError: The import failed: ``service_code`` is its ``FailureCode``, such as
            ``ItemValidationError``, and the message has the counts and where the log is. Or
            the service refuses, or cannot be reached (``E_AWS``).
        StorageError: ``timeout`` has passed (``E_TIMEOUT``). The import goes on.
        ImportError: boto3 is not installed.
    """
    faults: list[str] = []
    check_waiting(poll, timeout, faults)
    _refuse(faults)
    request = {"ClientToken": str(uuid.uuid4()), **json.loads(_dynarrow.table_spec(spec))}
    client = Connection(endpoint_url, region_name, profile_name, session).client()
    answer = _aws.call(client.import_table, request, attempts=_aws.FIRST_ATTEMPTS)
    description: dict[str, Any] = answer["ImportTableDescription"]
    if not wait:
        return description

    def ask() -> dict[str, Any]:
        asked = _aws.call(client.describe_import, {"ImportArn": description["ImportArn"]})
        return asked["ImportTableDescription"]

    return wait_for(ask, "Import", description, poll, timeout, progress)


def _open(described: ExportDescription, folder: Path) -> Export:
    """Opens an export where its bucket stands on this machine."""
    manifest = described.description.get("ExportManifest")
    place = folder / str(manifest) if manifest else folder
    if not place.exists():
        message = f"the bucket does not stand here: no such file; {described}"
        text = f"E_NOT_FOUND: {message} (file {place})"
        raise NotFoundError(text, "E_NOT_FOUND", message, file=str(place))
    return open_export(place)


# The service's constraints.


def _refuse(faults: list[str]) -> None:
    if faults:
        raise _aws.usage("; ".join(faults))


def _moment(name: str, given: Moment | None, faults: list[str]) -> datetime | None:
    if given is None:
        return None
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(given)
    except ValueError:
        faults.append(f"{name} must be a time as in 2026-01-14T10:00:00Z, not {given!r}")
        return None
    if moment.tzinfo is None:
        faults.append(f"{name} must have a time zone: {moment.isoformat()}Z, if it is in UTC")
        return None
    return moment


def _check_place(bucket: object, prefix: object, owner: object, faults: list[str]) -> None:
    if not isinstance(bucket, str) or len(bucket) > 255 or not _BUCKET.fullmatch(bucket):
        faults.append(_pattern(bucket, "s3Bucket", r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$"))
    if prefix is not None and (not isinstance(prefix, str) or len(prefix) > _PREFIX_CHARS):
        faults.append(f"the S3 prefix must have length less than or equal to {_PREFIX_CHARS}")
    if owner is not None and not (isinstance(owner, str) and _OWNER.fullmatch(owner)):
        faults.append(_pattern(owner, "s3BucketOwner", "[0-9]{12}"))


def _check_token(token: object, faults: list[str]) -> None:
    if token is not None and not (isinstance(token, str) and _TOKEN.fullmatch(token)):
        faults.append(_pattern(token, "clientToken", r"^[^\$]+$"))


def _pattern(value: object, at: str, pattern: str) -> str:
    return (
        f"Value {_shown(value)} at '{at}' failed to satisfy constraint: Member must satisfy"
        f" regular expression pattern: {pattern}"
    )


def _shown(value: object) -> str:
    text = str(value)
    return f"'{text if len(text) <= 80 else text[:80] + '…'}'"


def _check_window(
    client: Any,
    table: str,
    created: datetime | None,
    times: dict[str, datetime | None],
    faults: list[str],
) -> None:
    """Whether the service still has the changes of these times."""
    answer = _aws.call(client.describe_continuous_backups, {"TableName": table})
    backups: dict[str, Any] = answer["ContinuousBackupsDescription"]
    recovery: dict[str, Any] = backups.get("PointInTimeRecoveryDescription") or {}
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        name = table.rpartition("/")[2]
        faults.append(
            f"Point in time recovery is not enabled for table '{name}'; dump reads a table"
            " without it"
        )
        return
    earliest: datetime | None = recovery.get("EarliestRestorableDateTime")
    latest: datetime | None = recovery.get("LatestRestorableDateTime")
    now = datetime.now(UTC)

    def outside(moment: datetime) -> bool:
        # The service says whole seconds.
        early = earliest is not None and moment < earliest
        return early or (latest is not None and moment > latest + timedelta(seconds=1))

    window = f"it can be from {_iso(earliest)} to {_iso(latest)}"
    at, begins, ends = times["export_time"], times["from_time"], times["to_time"]
    if at is not None and outside(at):
        faults.append(f"Export Time is invalid: {_iso(at)}; {window}")
    if begins is None:
        return
    if ends is not None and ends > now:
        faults.append(
            "Incremental export period to time cannot be greater than the current time :"
            f" {_iso(now)}"
        )
    length = (ends or now) - begins
    if length < _SHORTEST:
        faults.append(
            "Difference between export period from time and export period to time is less than"
            " 15 minutes"
        )
    elif ends is not None and length > _LONGEST:
        faults.append(
            "Difference between export period from time and export period to time is greater"
            " than 24 hours"
        )
    if created is not None and begins < created:
        faults.append(
            "Incremental export period from time cannot be less than the table creation time :"
            f" {_iso(created)}"
        )
    for name, moment in (("from_time", begins), ("to_time", ends)):
        if moment is not None and moment <= now and outside(moment):
            faults.append(f"{name} {_iso(moment)} is outside of the recovery window: {window}")


def _iso(moment: datetime | None) -> str:
    if moment is None:
        return "unknown"
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
