"""Exports and imports by the service: moto's server over HTTP, and a proxy for what it has not."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import dynarrow

from exports import Item, item_line, write_export
from servers import Forward, Json, Server, disturbed, refusal

NOW = datetime.now(UTC)


@pytest.fixture
def bucket(moto: Server, name: str) -> str:
    made = name.lower().replace("_", "-")
    moto.client("s3").create_bucket(Bucket=made)
    return made


def with_recovery(server: Server, table: str) -> str:
    server.make_table(table, "pk:S")
    client = server.client()
    specification = {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification=specification
    )
    client.put_item(TableName=table, Item={"pk": {"S": "a"}})
    return client.describe_table(TableName=table)["Table"]["TableArn"]


# Exports.


def test_export(moto: Server, name: str, bucket: str) -> None:
    with_recovery(moto, name)
    calls: list[tuple[int, int, int]] = []
    described = dynarrow.request_export(
        name,
        bucket,
        s3_prefix="exports",
        poll=0.1,
        endpoint_url=moto.url,
        progress=lambda *call: calls.append(call),
    )
    assert described.status == "COMPLETED"
    assert described.description["ItemCount"] == 1
    assert described.s3_uri == f"s3://{bucket}/exports/"
    assert f"aws s3 sync s3://{bucket}/exports/ FOLDER" in str(described)
    assert "dynarrow.open_export" in described.next_step
    assert calls[-1][2] == 1
    keys = [o["Key"] for o in moto.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    assert all(key.startswith("exports/AWSDynamoDB/") for key in keys)


def test_export_without_waiting(moto: Server, name: str, bucket: str) -> None:
    arn = with_recovery(moto, name)
    requests: list[Json] = []

    def note(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        if operation == "ExportTableToPointInTime":
            requests.append(body)
        return forward(body)

    with disturbed(moto, note) as proxy:
        described = dynarrow.request_export(
            name,
            bucket,
            s3_prefix="p",
            export_format="ion",
            kms_key_id="key",
            client_token="mine",
            wait=False,
            endpoint_url=proxy.server.url,
        )
        assert proxy.count("DescribeExport") == 0
    assert described.arn
    (request,) = requests
    assert request == {
        "TableArn": arn,
        "S3Bucket": bucket,
        "S3Prefix": "p",
        "ExportFormat": "ION",
        "S3SseAlgorithm": "KMS",
        "S3SseKmsKeyId": "key",
        "ClientToken": "mine",
    }


def test_export_that_fails(moto: Server, name: str) -> None:
    with_recovery(moto, name)
    with pytest.raises(dynarrow.ServiceError) as raised:
        dynarrow.request_export(
            name, "no-such-bucket", s3_prefix="p", poll=0.1, endpoint_url=moto.url
        )
    error = raised.value
    assert error.service_code == "S3NoSuchBucket"
    assert error.service_message == "The specified bucket does not exist"
    assert "has failed: S3NoSuchBucket: The specified bucket does not exist" in str(error)


def windows(
    earliest: datetime, latest: datetime, created: datetime, requests: list[Json] | None = None
) -> Any:
    """A proxy's rule: a table of this age with this recovery window."""

    def rule(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        if operation == "ExportTableToPointInTime" and requests is not None:
            requests.append(body)
        status, answer = forward(body)
        if operation == "DescribeContinuousBackups":
            answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"] |= {
                "EarliestRestorableDateTime": earliest.timestamp(),
                "LatestRestorableDateTime": latest.timestamp(),
            }
        if operation == "DescribeTable":
            answer["Table"]["CreationDateTime"] = created.timestamp()
        return status, answer

    return rule


def test_incremental_export(moto: Server, name: str, bucket: str) -> None:
    with_recovery(moto, name)
    requests: list[Json] = []
    rule = windows(NOW - timedelta(days=35), NOW, NOW - timedelta(days=99), requests)
    begins = NOW - timedelta(hours=2)
    with disturbed(moto, rule) as proxy:
        dynarrow.request_export(
            name,
            bucket,
            s3_prefix="p",
            from_time=begins,
            to_time=(begins + timedelta(minutes=15)).isoformat(),
            view="NEW_IMAGE",
            poll=0.1,
            endpoint_url=proxy.server.url,
        )
    (request,) = requests
    assert request["ExportType"] == "INCREMENTAL_EXPORT"
    window = request["IncrementalExportSpecification"]
    assert window["ExportViewType"] == "NEW_IMAGE"
    assert round(window["ExportToTime"] - window["ExportFromTime"]) == 900


def hours(number: float) -> datetime:
    return NOW - timedelta(hours=number)


BAD_EXPORTS: list[tuple[dict[str, Any], str]] = [
    ({"export_time": hours(900)}, "Export Time is invalid"),
    ({"export_time": NOW + timedelta(hours=1)}, "Export Time is invalid"),
    ({"export_time": "2026-01-14"}, "export_time must have a time zone"),
    ({"export_time": "yesterday"}, "export_time must be a time"),
    (
        {"from_time": hours(2), "to_time": hours(1.8)},
        "Difference between export period from time and export period to time is less than 15",
    ),
    ({"from_time": hours(0.1)}, "less than 15 minutes"),
    ({"from_time": hours(30), "to_time": hours(1)}, "greater than 24 hours"),
    (
        {"from_time": hours(2), "to_time": NOW + timedelta(hours=1)},
        "Incremental export period to time cannot be greater than the current time : ",
    ),
    (
        {"from_time": hours(3000), "to_time": hours(2999)},
        "Incremental export period from time cannot be less than the table creation time : ",
    ),
    ({"from_time": hours(900), "to_time": hours(899)}, "outside of the recovery window"),
    ({"to_time": hours(1)}, "ExportFromTime must be provided in IncrementalExportSpecification"),
    ({"view": "NEW_IMAGE"}, "ExportFromTime must be provided"),
    ({"from_time": hours(2), "view": "OLD_IMAGE"}, "view must be NEW_IMAGE or NEW_AND_OLD_IMAGES"),
    ({"from_time": hours(2), "export_time": hours(1)}, "export_time is for full exports"),
    ({"export_format": "csv"}, "export_format must be dynamodb_json or ion"),
    ({"s3_bucket_owner": "12"}, r"Member must satisfy regular expression pattern: \[0-9\]\{12\}"),
    ({"s3_prefix": "x" * 1025}, "less than or equal to 1024"),
    ({"client_token": "$"}, "'clientToken' failed to satisfy constraint"),
    ({"poll": 0}, "poll must be more than 0"),
    ({"wait": False, "bucket_folder": "."}, "bucket_folder"),
]


@pytest.mark.parametrize(("options", "message"), BAD_EXPORTS)
def test_bad_exports_are_not_requested(
    moto: Server, name: str, bucket: str, options: dict[str, Any], message: str
) -> None:
    with_recovery(moto, name)
    with disturbed(moto, windows(hours(840), NOW, hours(2000))) as proxy:
        with pytest.raises(dynarrow.UsageError, match=message):
            dynarrow.request_export(name, bucket, endpoint_url=proxy.server.url, **options)
        assert proxy.count("ExportTableToPointInTime") == 0


def test_all_that_is_wrong_is_said(moto: Server) -> None:
    with pytest.raises(dynarrow.UsageError) as raised:
        dynarrow.request_export(
            "T", "-", s3_bucket_owner="x", export_time="never", endpoint_url=moto.url
        )
    assert all(word in str(raised.value) for word in ("s3Bucket", "s3BucketOwner", "export_time"))


def test_tables_without_recovery(moto: Server, name: str, bucket: str) -> None:
    moto.make_table(name, "pk:S")
    message = f"Point in time recovery is not enabled for table '{name}'; dump reads"
    with pytest.raises(dynarrow.UsageError, match=message):
        dynarrow.request_export(name, bucket, endpoint_url=moto.url)
    with pytest.raises(dynarrow.NotFoundError, match="there is no table No_such"):
        dynarrow.request_export("No_such", bucket, endpoint_url=moto.url)


def test_an_export_whose_bucket_is_here_is_opened(
    moto: Server, name: str, bucket: str, shop: Path, tmp_path: Path
) -> None:
    """moto gives no ExportManifest: the proxy says the one that stands in the folder."""
    with_recovery(moto, name)
    written = write_export(tmp_path / "bucket", [[{"pk": {"S": "a"}}]])
    manifest = (written.folder / "manifest-summary.json").relative_to(tmp_path / "bucket")
    asked = 0

    def rule(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        nonlocal asked
        status, answer = forward(body)
        if "ExportDescription" in answer:
            asked += operation == "DescribeExport"
            done = {"ExportStatus": "COMPLETED", "ExportManifest": str(manifest)}
            answer["ExportDescription"] |= done if asked > 2 else {"ExportStatus": "IN_PROGRESS"}
        return status, answer

    with disturbed(moto, rule) as proxy:
        options: dict[str, Any] = {"s3_prefix": "p", "poll": 0.1, "endpoint_url": proxy.server.url}
        export = dynarrow.request_export(name, bucket, bucket_folder=tmp_path / "bucket", **options)
        assert asked == 3
        assert export.verify().ok
        assert export.summary is not None
        described = dynarrow.request_export(name, bucket, **options)
        assert described.s3_uri == f"s3://{bucket}/{manifest.parent}/"
        shutil.rmtree(tmp_path / "bucket")
        with pytest.raises(dynarrow.NotFoundError, match="aws s3 sync"):
            dynarrow.request_export(name, bucket, bucket_folder=tmp_path / "bucket", **options)


def test_timeout_and_ctrl_c(moto: Server, name: str, bucket: str) -> None:
    with_recovery(moto, name)

    def never(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        status, answer = forward(body)
        if "ExportDescription" in answer:
            answer["ExportDescription"]["ExportStatus"] = "IN_PROGRESS"
        return status, answer

    with disturbed(moto, never) as proxy:
        with pytest.raises(dynarrow.StorageError, match=r"is still IN_PROGRESS after 0\.5 s"):
            dynarrow.request_export(
                name, bucket, s3_prefix="p", timeout=0.5, endpoint_url=proxy.server.url
            )
        script = textwrap.dedent(
            f"""
            import dynarrow
            try:
                dynarrow.request_export(
                    {name!r}, {bucket!r}, s3_prefix="p", endpoint_url={proxy.server.url!r}
                )
            except KeyboardInterrupt:
                print("stopped")
            """
        )
        proxy.calls.clear()
        process = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
        )
        while not proxy.count("ExportTableToPointInTime"):
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=3)
        assert out == "stopped\n"


# Imports.


def spec(table: str, bucket: str, prefix: str, **more: Any) -> Json:
    return {
        "S3BucketSource": {"S3Bucket": bucket, "S3KeyPrefix": prefix},
        "InputFormat": "DYNAMODB_JSON",
        "InputCompressionType": "NONE",
        "TableCreationParameters": {
            "TableName": table,
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    } | more


def put(moto: Server, bucket: str, items: list[Item]) -> None:
    body = "".join(map(item_line, items)).encode()
    moto.client("s3").put_object(Bucket=bucket, Key="data/a.json", Body=body)


def test_import(moto: Server, name: str, bucket: str, tmp_path: Path) -> None:
    put(moto, bucket, [{"pk": {"S": str(n)}} for n in range(3)])
    path = tmp_path / "import-table.json"
    path.write_text(json.dumps(spec(name, bucket, "data/")))
    description = dynarrow.request_import(path, poll=0.1, endpoint_url=moto.url)
    assert description["ImportStatus"] == "COMPLETED"
    assert description["ImportedItemCount"] == 3
    assert len(moto.items(name)) == 3
    started = dynarrow.request_import(
        spec(f"{name}_b", bucket, "data/"), wait=False, endpoint_url=moto.url
    )
    assert started["ImportArn"]


def test_import_that_fails(moto: Server, name: str, bucket: str) -> None:
    put(moto, bucket, [{"pk": {"S": "a"}}, {"no": {"S": "key"}}])

    def told(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        status, answer = forward(body)
        if answer.get("ImportTableDescription", {}).get("ImportStatus") == "FAILED":
            answer["ImportTableDescription"] |= {
                "FailureCode": "ItemValidationError",
                "FailureMessage": "Some of the items failed validation checks",
                "CloudWatchLogGroupArn": "arn:aws:logs:x",
            }
        return status, answer

    with disturbed(moto, told) as proxy, pytest.raises(dynarrow.ServiceError) as raised:
        dynarrow.request_import(
            spec(name, bucket, "data/"), poll=0.1, endpoint_url=proxy.server.url
        )
    error = raised.value
    assert error.service_code == "ItemValidationError"
    for text in (
        "has failed: ItemValidationError: Some of the items failed validation checks",
        "(items: 2 processed, 1 imported, 1 errors)",
        "log group arn:aws:logs:x",
    ):
        assert text in str(error)
    with pytest.raises(dynarrow.ServiceError, match="S3NoSuchBucket: The specified bucket"):
        dynarrow.request_import(
            spec(f"{name}_b", "no-such-bucket", "data/"), poll=0.1, endpoint_url=moto.url
        )


CSV = "'inputFormatOptions.csv.delimiter' failed to satisfy constraint: Member must satisfy"
THROUGHPUT = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
BAD_IMPORTS: list[tuple[Json, str]] = [
    ({"InputFormat": "PARQUET"}, r"enum value set: \[DYNAMODB_JSON, ION, CSV\]"),
    ({"InputCompressionType": "BZIP2"}, r"enum value set: \[ZSTD, NONE, GZIP\]"),
    (
        {"InputFormatOptions": {"Csv": {"Delimiter": ","}}},
        "Invalid Request: Unsupported InputFormatOptions for the given input format: DYNAMODB_JSON",
    ),
    ({"InputFormat": "CSV", "InputFormatOptions": {"Csv": {"Delimiter": ";;"}}}, CSV),
    ({"InputFormat": "CSV", "InputFormatOptions": {"Csv": {"Delimiter": "#"}}}, CSV),
    (
        {"InputFormat": "CSV", "InputFormatOptions": {"Csv": {"HeaderList": []}}},
        "than or equal to 1",
    ),
    (
        {"InputFormat": "CSV", "InputFormatOptions": {"Csv": {"HeaderList": ["a", "é"]}}},
        "headerList.2.member' failed to satisfy",
    ),
    ({"InputFormatOptions": "x"}, "Invalid type for parameter InputFormatOptions"),
    ({"S3BucketSource": {"S3Bucket": "-"}}, "s3BucketSource.s3Bucket"),
    ({"S3BucketSource": {"S3Bucket": "b1", "Unknown": 1}}, "Unknown parameter"),
    ({"ClientToken": "$"}, "clientToken"),
]


@pytest.mark.parametrize(("members", "message"), BAD_IMPORTS)
def test_bad_imports_are_not_requested(moto: Server, members: Json, message: str) -> None:
    with disturbed(moto, lambda *_: refusal("InternalServerError")) as proxy:
        with pytest.raises(dynarrow.UsageError, match=message):
            dynarrow.request_import(
                spec("Table", "bucket", "p") | members, endpoint_url=proxy.server.url
            )
        assert proxy.calls == []


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"BillingMode": "PROVISIONED"}, "must both be specified when BillingMode is PROVISIONED"),
        ({"ProvisionedThroughput": THROUGHPUT}, "when BillingMode is PAY_PER_REQUEST"),
        ({"TableName": "a b"}, "tableName"),
        (
            {"AttributeDefinitions": [{"AttributeName": "b", "AttributeType": "S"}]},
            r"Keys: \[pk\], AttributeDefinitions: \[b\]",
        ),
        ({"KeySchema": [{"AttributeName": "pk"}]}, r"keySchema\.1\.member\.keyType"),
    ],
)
def test_bad_tables_are_not_requested(moto: Server, members: Json, message: str) -> None:
    request = spec("Table", "bucket", "p")
    request["TableCreationParameters"] |= members
    with pytest.raises(dynarrow.UsageError, match=message):
        dynarrow.request_import(request, endpoint_url=moto.url)


def test_specs_that_are_none(moto: Server, tmp_path: Path) -> None:
    with pytest.raises(dynarrow.UsageError) as raised:
        dynarrow.request_import({}, endpoint_url=moto.url)
    assert all(
        f"Value null at '{member}' failed" in str(raised.value)
        for member in ("s3BucketSource", "inputFormat", "tableCreationParameters")
    )
    with pytest.raises(dynarrow.NotFoundError):
        dynarrow.request_import(tmp_path / "no such")
    (tmp_path / "a.json").write_text("[1")
    with pytest.raises(dynarrow.UsageError, match="no JSON"):
        dynarrow.request_import(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("[1]")
    with pytest.raises(dynarrow.UsageError, match="Invalid type for parameter input"):
        dynarrow.request_import(tmp_path / "a.json")
