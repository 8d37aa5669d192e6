"""Asking DynamoDB itself for an export to S3, or an import from it."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, overload

from dynarrow import _aws
from dynarrow._aws import Connection
from dynarrow._errors import NotFoundError, StorageError
from dynarrow._open import Export, open_export
from dynarrow._options import ExportFormat, StrPath
from dynarrow._progress import Progress, reporting

View: TypeAlias = Literal["NEW_IMAGE", "NEW_AND_OLD_IMAGES"]
# A moment: with a time zone, or ISO 8601 text with one.
Moment: TypeAlias = datetime | str

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
_SHORTEST = timedelta(minutes=15)
_LONGEST = timedelta(hours=24)

_TELL = 0.1

# The patterns and limits of the service's model.
_BUCKET = re.compile(r"[a-z0-9A-Z]+[.\-\w]*[a-z0-9A-Z]+", re.ASCII)
_OWNER = re.compile(r"[0-9]{12}")
_PREFIX_CHARS = 1024
_TOKEN = re.compile(r"[^$]+")
_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_HEADER = re.compile(r"[\x20-\x21\x23-\x2B\x2D-\x7E]*")
_DELIMITER = re.compile(r"[,;:|\t ]")
_INPUT_FORMATS = ("DYNAMODB_JSON", "ION", "CSV")
_COMPRESSIONS = ("GZIP", "ZSTD", "NONE")
_HEADERS = 255
_HEADER_CHARS = 65_536


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
    _check_waiting(poll, timeout, faults)
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

    done = _wait(ask, "Export", answer, poll, timeout, progress)
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
    the data, after billing it, says `validate_import`, where this version has it.

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
        UsageError: The service would refuse the request.
        NotFoundError: There is no such file.
        ServiceError: The import failed: ``service_code`` is its ``FailureCode``, such as
            ``ItemValidationError``, and the message has the counts and where the log is. Or
            the service refuses, or cannot be reached (``E_AWS``).
        StorageError: ``timeout`` has passed (``E_TIMEOUT``). The import goes on.
        ImportError: boto3 is not installed.
    """
    request = _spec(spec)
    faults: list[str] = []
    _check_waiting(poll, timeout, faults)
    _check_import(request, faults)
    _refuse(faults)
    request = {"ClientToken": str(uuid.uuid4()), **request}
    client = Connection(endpoint_url, region_name, profile_name, session).client()
    answer = _aws.call(client.import_table, request, attempts=_aws.FIRST_ATTEMPTS)
    description: dict[str, Any] = answer["ImportTableDescription"]
    if not wait:
        return description

    def ask() -> dict[str, Any]:
        asked = _aws.call(client.describe_import, {"ImportArn": description["ImportArn"]})
        return asked["ImportTableDescription"]

    return _wait(ask, "Import", description, poll, timeout, progress)


# Waiting.


def _wait(
    ask: Callable[[], dict[str, Any]],
    what: str,
    answer: dict[str, Any],
    poll: float,
    timeout: float | None,
    progress: Progress,
) -> dict[str, Any]:
    """Asks until it is at an end."""
    began = time.monotonic()
    with reporting(progress, what.lower()) as callback:
        while True:
            status = answer.get(f"{what}Status")
            if callback is not None:
                callback(*_progressed(answer))
            if status == "COMPLETED":
                return answer
            if status in ("FAILED", "CANCELLED"):
                raise _failed(what, answer)
            again = time.monotonic() + poll
            while (left := again - time.monotonic()) > 0:
                if timeout is not None and time.monotonic() - began > timeout:
                    arn = answer.get(f"{what}Arn")
                    message = f"the {what.lower()} {arn} is still {status} after {timeout:g} s"
                    raise StorageError(f"E_TIMEOUT: {message}", "E_TIMEOUT", message)
                # In short sleeps: Ctrl-C and a timeout do not wait for the next question.
                time.sleep(min(left, _TELL))
            answer = ask()


def _progressed(answer: dict[str, Any]) -> tuple[int, int, int]:
    size = answer.get("ProcessedSizeBytes") or answer.get("BilledSizeBytes") or 0
    items = answer.get("ImportedItemCount") or answer.get("ItemCount") or 0
    return size, 0, items


def _failed(what: str, answer: dict[str, Any]) -> Exception:
    status = str(answer.get(f"{what}Status")).lower()
    code, said = answer.get("FailureCode"), answer.get("FailureMessage")
    text = f"the {what.lower()} {answer.get(f'{what}Arn')} {status}"
    text = text.replace(" failed", " has failed").replace(" cancelled", " was cancelled")
    reasons = ": ".join(str(reason) for reason in (code, said) if reason)
    text += f": {reasons}" if reasons else ", without a reason"
    if what == "Import" and answer.get("ProcessedItemCount"):
        counts = [answer.get(f"{name}Count", 0) for name in ("ProcessedItem", "ImportedItem")]
        text += (
            f" (items: {counts[0]:,} processed, {counts[1]:,} imported,"
            f" {answer.get('ErrorCount', 0):,} errors)"
        )
    if answer.get("CloudWatchLogGroupArn"):
        text += f"; log group {answer['CloudWatchLogGroupArn']}"
    return _aws.failure(text, code or status.upper(), said)


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


def _check_waiting(poll: float, timeout: float | None, faults: list[str]) -> None:
    if not poll > 0:
        faults.append(f"poll must be more than 0 seconds, not {poll:g}")
    if timeout is not None and not timeout >= 0:
        faults.append(f"timeout must be 0 seconds or more, not {timeout:g}")


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


def _check_place(
    bucket: object, prefix: object, owner: object, faults: list[str], at: str = "s3Bucket"
) -> None:
    if not isinstance(bucket, str) or len(bucket) > 255 or not _BUCKET.fullmatch(bucket):
        faults.append(_pattern(bucket, at, r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$"))
    if prefix is not None and (not isinstance(prefix, str) or len(prefix) > _PREFIX_CHARS):
        faults.append(f"the S3 prefix must have length less than or equal to {_PREFIX_CHARS}")
    if owner is not None and not (isinstance(owner, str) and _OWNER.fullmatch(owner)):
        faults.append(_pattern(owner, f"{at}Owner", "[0-9]{12}"))


def _check_token(token: object, faults: list[str]) -> None:
    if token is not None and not (isinstance(token, str) and _TOKEN.fullmatch(token)):
        faults.append(_pattern(token, "clientToken", r"^[^\$]+$"))


def _pattern(value: object, at: str, pattern: str) -> str:
    return (
        f"Value {_shown(value)} at '{at}' failed to satisfy constraint: Member must satisfy"
        f" regular expression pattern: {pattern}"
    )


def _enum(value: object, at: str, values: tuple[str, ...]) -> str:
    return (
        f"Value {_shown(value)} at '{at}' failed to satisfy constraint: Member must satisfy"
        f" enum value set: [{', '.join(values)}]"
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


def _spec(spec: Mapping[str, Any] | StrPath) -> dict[str, Any]:
    if isinstance(spec, Mapping):
        return dict(spec)
    path = Path(os.fspath(spec))
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        text = f"E_NOT_FOUND: no such file (file {path})"
        raise NotFoundError(text, "E_NOT_FOUND", "no such file", file=str(path)) from error
    except OSError as error:
        message = error.strerror or str(error)
        text = f"E_IO: {message} (file {path})"
        raise StorageError(text, "E_IO", message, file=str(path)) from error
    except ValueError as error:
        raise _aws.usage(f"{path} is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise _aws.usage(f"{path} must hold a JSON object")
    return cast("dict[str, Any]", document)


def _check_import(spec: dict[str, Any], faults: list[str]) -> None:
    """The constraints that boto3 does not check: the service does, when the request is there."""
    for name in ("S3BucketSource", "InputFormat", "TableCreationParameters"):
        if name not in spec:
            faults.append(f"{name} is missing")
    source = _members(spec, "S3BucketSource", faults)
    if source is not None:
        _check_place(
            source.get("S3Bucket"),
            source.get("S3KeyPrefix"),
            source.get("S3BucketOwner"),
            faults,
            at="s3BucketSource.s3Bucket",
        )
    _check_token(spec.get("ClientToken"), faults)
    format = spec.get("InputFormat")
    if "InputFormat" in spec and format not in _INPUT_FORMATS:
        faults.append(_enum(format, "inputFormat", _INPUT_FORMATS))
    compression = spec.get("InputCompressionType", "NONE")
    if compression not in _COMPRESSIONS:
        faults.append(_enum(compression, "inputCompressionType", ("ZSTD", "NONE", "GZIP")))
    options = _members(spec, "InputFormatOptions", faults) or {}
    csv = _members(options, "Csv", faults)
    if csv is not None:
        if format in _INPUT_FORMATS and format != "CSV":
            faults.append(
                "Invalid Request: Unsupported InputFormatOptions for the given input format:"
                f" {format}."
            )
        _check_csv(csv, faults)
    table = _members(spec, "TableCreationParameters", faults)
    if table is not None:
        _check_table(table, faults)


def _members(of: Mapping[str, Any], name: str, faults: list[str]) -> dict[str, Any] | None:
    value = of.get(name)
    if value is None:
        return None
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    faults.append(f"{name} must be an object, not {type(value).__name__}")
    return None


def _check_csv(csv: dict[str, Any], faults: list[str]) -> None:
    delimiter = csv.get("Delimiter", ",")
    if not (isinstance(delimiter, str) and _DELIMITER.fullmatch(delimiter)):
        faults.append(_pattern(delimiter, "inputFormatOptions.csv.delimiter", r"[,;:|\t ]"))
    headers = csv.get("HeaderList")
    if headers is None:
        return
    at = "inputFormatOptions.csv.headerList"
    names = cast("list[object]", headers) if isinstance(headers, list) else []
    if not 1 <= len(names) <= _HEADERS:
        faults.append(f"'{at}' must have 1 to {_HEADERS} names")
    for n, name in enumerate(names, 1):
        good = isinstance(name, str) and 1 <= len(name) <= _HEADER_CHARS
        if not (good and _HEADER.fullmatch(str(name))):
            pattern = r"[\x20-\x21\x23-\x2B\x2D-\x7E]*"
            faults.append(_pattern(name, f"{at}.{n}.member", pattern))


def _check_table(table: dict[str, Any], faults: list[str]) -> None:
    name = table.get("TableName")
    if isinstance(name, str) and not (3 <= len(name) <= 255 and _TABLE_NAME.fullmatch(name)):
        at = "tableCreationParameters.tableName"
        faults.append(_pattern(name, at, "[a-zA-Z0-9_.-]+") + ", of 3 to 255 characters")
    invalid = "One or more parameter values were invalid: "
    mode = table.get("BillingMode", "PROVISIONED")
    if mode == "PROVISIONED" and "ProvisionedThroughput" not in table:
        faults.append(
            f"{invalid}ReadCapacityUnits and WriteCapacityUnits must both be specified when"
            " BillingMode is PROVISIONED"
        )
    if mode == "PAY_PER_REQUEST" and "ProvisionedThroughput" in table:
        faults.append(
            f"{invalid}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when"
            " BillingMode is PAY_PER_REQUEST"
        )
    keys = _attributes(table, "KeySchema")
    definitions = _attributes(table, "AttributeDefinitions")
    missing = [key for key in keys if key not in definitions]
    if missing:
        faults.append(
            f"{invalid}Some index key attributes are not defined in AttributeDefinitions. Keys:"
            f" [{', '.join(missing)}], AttributeDefinitions: [{', '.join(definitions)}]"
        )


def _attributes(table: dict[str, Any], member: str) -> list[str]:
    """The names of a list of attributes; boto3 says where it is none."""
    value = table.get(member)
    elements = cast("list[object]", value) if isinstance(value, list) else []
    names = [
        cast("Mapping[str, Any]", element).get("AttributeName")
        for element in elements
        if isinstance(element, Mapping)
    ]
    return [name for name in names if isinstance(name, str)]
