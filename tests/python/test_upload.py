"""Items into a table: moto's server and dynalite over HTTP, and a proxy where they are too kind."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import textwrap
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import dynarrow

from exports import Item, item_line, random_items, write_changes, write_export
from servers import Forward, Json, Server, disturbed, free_port, refusal, renamed

COMMAND = Path(sys.executable).with_name("dynarrow")


def numbered(count: int, **more: Any) -> list[Item]:
    return [{"pk": {"S": f"{n:06}"}, "n": {"N": str(n)}} | more for n in range(count)]


def upload(src: object, table: str, server: Server, **options: Any) -> dynarrow.UploadReport:
    return dynarrow.upload(src, table, endpoint_url=server.url, **options)


def stored(server: Server, table: str) -> dict[str, Json]:
    return {item["pk"]["S"]: item for item in server.items(table)}


def put_keys(calls: list[tuple[str, Json]]) -> list[str]:
    """The keys of all puts."""
    return [
        put["PutRequest"]["Item"]["pk"]["S"]
        for operation, body in calls
        if operation == "BatchWriteItem"
        for puts in body["RequestItems"].values()
        for put in puts
    ]


def pass_on(_: str, body: Json, forward: Forward) -> tuple[int, Json]:
    return forward(body)


def test_report(server: Server, name: str, tmp_path: Path) -> None:
    server.make_table(name, "pk:S")
    items = numbered(60)
    export = write_export(tmp_path, [items[:40], items[40:]])
    report = upload(export.folder, name, server, concurrency=2)
    assert report.table_arn == server.client().describe_table(TableName=name)["Table"]["TableArn"]
    assert (report.items, report.batches, report.retries) == (60, 3, 0)
    assert (report.skipped, report.replaced, report.resumed, report.errors) == (0, 0, 0, [])
    assert report.bytes_out == sum(len(json.dumps(item)) for item in items)
    assert report.consumed_capacity is not None
    assert report.consumed_capacity >= 3
    assert report.seconds > 0
    assert stored(server, name) == {item["pk"]["S"]: item for item in items}


def test_numbers_and_binary_are_exact(server: Server, name: str, tmp_path: Path) -> None:
    server.make_table(name, "id:N", "sort:B")
    digits = "1234567890.1234567890123456789012345678"
    item: Item = {
        "id": {"N": digits},
        "sort": {"B": "AP8="},
        "big": {"N": "9.9999999999999999999999999999999999999E+125"},
        "tiny": {"N": "-1E-130"},
        "set": {"NS": ["0.1", "1E+30"]},
        "blobs": {"BS": ["AA==", "/w=="]},
        "no": {"BOOL": False},
        "null": {"NULL": True},
        "deep": {"M": {"l": {"L": [{"S": ""}, {"M": {}}, {"L": []}, {"B": ""}]}}},
    }
    upload(write_export(tmp_path, [[item]]).folder, name, server)
    (found,) = server.items(name)
    assert Decimal(found["id"]["N"]) == Decimal(digits)
    assert Decimal(found["big"]["N"]) == Decimal(item["big"]["N"])
    assert Decimal(found["tiny"]["N"]) == Decimal("-1E-130")
    assert {Decimal(n) for n in found["set"]["NS"]} == {Decimal("0.1"), Decimal(10) ** 30}
    assert found["sort"]["B"] == b"\0\xff"
    assert set(found["blobs"]["BS"]) == {b"\0", b"\xff"}
    assert (found["no"], found["null"]) == ({"BOOL": False}, {"NULL": True})
    assert found["deep"] == {"M": {"l": {"L": [{"S": ""}, {"M": {}}, {"L": []}, {"B": b""}]}}}


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_last_of_a_key_stays(
    server: Server, name: str, tmp_path: Path, concurrency: int
) -> None:
    server.make_table(name, "id:N")
    rng = random.Random(1)
    # The same key is written in many ways.
    ways = ["{}", "{}.0", "{}00E-2"]
    items = [
        {"id": {"N": rng.choice(ways).format(rng.randrange(1, 40))}, "n": {"N": str(n)}}
        for n in range(1_500)
    ]
    path = tmp_path / "items.json"
    path.write_text("".join(map(item_line, items)))
    last = {Decimal(item["id"]["N"]): item["n"]["N"] for item in items}
    with disturbed(server, pass_on) as proxy:
        report = upload(path, name, proxy.server, concurrency=concurrency)
        for operation, body in proxy.calls:
            if operation == "BatchWriteItem":
                puts = body["RequestItems"][name]
                keys = [Decimal(put["PutRequest"]["Item"]["id"]["N"]) for put in puts]
                assert len(keys) == len(set(keys)) <= 25
    assert report.items + report.replaced == 1_500
    assert report.replaced > 0
    assert {Decimal(item["id"]["N"]): item["n"]["N"] for item in server.items(name)} == last


def test_many_of_one_key_are_held_in_bounds(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    path = tmp_path / "items.json"
    path.write_text(
        "".join(item_line({"pk": {"S": "a"}, "n": {"N": str(n)}}) for n in range(5_000))
    )
    report = upload(path, name, moto)
    assert (report.items + report.replaced, report.batches) == (5_000, 5)
    assert stored(moto, name)["a"]["n"] == {"N": "4999"}


def test_calls_have_no_more_than_16_mb(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    # Three bytes in UTF-8 are six in the request.
    items = numbered(50, text={"S": "日" * 130_000})
    path = tmp_path / "items.json"
    path.write_text("".join(map(item_line, items)), encoding="utf-8")
    sizes: list[int] = []

    def measure(_: str, body: Json, forward: Forward) -> tuple[int, Json]:
        sizes.append(len(json.dumps(body)))
        return forward(body)

    with disturbed(moto, measure) as proxy:
        report = upload(path, name, proxy.server, concurrency=2)
    assert report.items == 50
    assert 12_000_000 < max(sizes) < 16_000_000


def test_unprocessed_items_are_sent_again(server: Server, name: str, tmp_path: Path) -> None:
    server.make_table(name, "pk:S")
    rng = random.Random(2)

    def half(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        if operation != "BatchWriteItem":
            return forward(body)
        puts = body["RequestItems"][name]
        rng.shuffle(puts)
        # Now and then nothing.
        taken = rng.choice([0, len(puts) // 2, len(puts)])
        if taken == 0:
            return 200, {"UnprocessedItems": {name: puts}}
        status, answer = forward({**body, "RequestItems": {name: puts[:taken]}})
        if puts[taken:]:
            answer["UnprocessedItems"] = {name: puts[taken:]}
        return status, answer

    export = write_export(tmp_path, [numbered(500, blob={"B": "AP8="})])
    with disturbed(server, half) as proxy:
        report = upload(export.folder, name, proxy.server)
        assert report.items == 500
        assert report.retries > 20
        assert report.batches == 20 + report.retries == proxy.count("BatchWriteItem")
    assert len(stored(server, name)) == 500


def test_throttling_and_errors_of_the_service_pass(
    server: Server, name: str, tmp_path: Path
) -> None:
    server.make_table(name, "pk:S")
    rng = random.Random(3)
    trouble = [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        refusal("RequestLimitExceeded"),
        refusal("InternalServerError", status=500),
        (503, {}),
    ]

    def sometimes(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        if rng.random() < 0.4:
            return rng.choice(trouble)
        return forward(body)

    export = write_export(tmp_path, [numbered(500)])
    with disturbed(server, sometimes) as proxy:
        report = upload(export.folder, name, proxy.server)
        refused = sum(status != 200 for status, _ in proxy.answers)
        described = proxy.count("DescribeTable") - 1
        assert report.retries == refused - described > 0
    assert (report.items, len(stored(server, name))) == (500, 500)


def test_other_refusals_end_it(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    export = write_export(tmp_path, [numbered(500)])

    def denied(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        if operation == "BatchWriteItem":
            return refusal("AccessDeniedException", "User x is not authorized")
        return forward(body)

    with disturbed(moto, denied) as proxy, pytest.raises(dynarrow.ServiceError) as raised:
        upload(export.folder, name, proxy.server)
    error = raised.value
    assert str(error) == "E_AWS: AccessDeniedException: User x is not authorized"
    assert (error.code, error.service_code) == ("E_AWS", "AccessDeniedException")
    assert error.service_message == "User x is not authorized"
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.service_code) == (str(error), error.service_code)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_bad_items(server: Server, name: str, tmp_path: Path, on_error: Any) -> None:
    index = {
        "IndexName": "byColour",
        "KeySchema": [{"AttributeName": "gsi colour", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    server.make_table(name, "pk:S", "sk:N", "gsi colour:S", indexes=[index])
    good: Item = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    invalid = "One or more parameter values were invalid: "
    empty = "One or more parameter values are not valid. "
    of_key = "The AttributeValue for a key attribute cannot contain an empty string value. "
    bad: list[tuple[Item, str, str | None]] = [
        ({"sk": {"N": "1"}}, f"{invalid}Missing the key pk in the item", "pk"),
        ({"pk": {"S": "a"}}, f"{invalid}Missing the key sk in the item", "sk"),
        (
            good | {"sk": {"S": "1"}},
            f"{invalid}Type mismatch for key sk expected: N actual: S",
            "sk",
        ),
        (good | {"pk": {"S": ""}}, f"{empty}{of_key}Key: pk", "pk"),
        (
            good | {"pk": {"S": "é" * 1025}},
            f"{invalid}Size of hashkey has exceeded the maximum size limit of2048 bytes",
            "pk",
        ),
        (
            good | {"gsi colour": {"N": "1"}},
            f"{invalid}Type mismatch for Index Key gsi colour Expected: S Actual: N"
            " IndexName: byColour",
            '["gsi colour"]',
        ),
        (
            good | {"gsi colour": {"S": ""}},
            f"{empty}A value specified for a secondary index key is not supported. {of_key}"
            "IndexName: byColour, IndexKey: gsi colour",
            '["gsi colour"]',
        ),
    ]
    if on_error == "raise":
        for n, (item, message, path) in enumerate(bad):
            files = [[good], [good | {"sk": {"N": "2"}}, item]]
            export = write_export(tmp_path / str(n), files)
            with pytest.raises(dynarrow.DataError) as raised:
                upload(export.folder, name, server)
            error = raised.value
            assert (error.code, error.message, error.path) == ("E_KEYS", message, path)
            assert (error.file, error.item) == (export.keys[1], 1)
            assert (
                str(error) == f"E_KEYS: {message} (file {export.keys[1]}, item 1, attribute {path})"
            )
        return
    items = [part for item, _, _ in bad for part in (item, good)]
    export = write_export(tmp_path, [items])
    report = upload(export.folder, name, server, on_error="skip")
    assert (report.items + report.replaced, report.skipped) == (len(bad), len(bad))
    assert [error.message for error in report.errors] == [message for _, message, _ in bad]
    assert [error.item for error in report.errors] == list(range(0, len(items), 2))
    assert server.items(name) == [good]


def test_what_the_service_refuses_is_found(dynalite: Server, name: str, tmp_path: Path) -> None:
    dynalite.make_table(name, "pk:S")
    items = numbered(60)
    items[7]["text"] = {"S": "x" * 500_000}
    # The item of the same key before it is what stays.
    items[9] = items[8] | {"text": {"S": "x" * 500_000}}
    message = "Item size has exceeded the maximum allowed size"
    export = write_export(tmp_path, [items])
    with pytest.raises(dynarrow.DataError) as raised:
        upload(export.folder, name, dynalite)
    assert (raised.value.code, raised.value.message, raised.value.item) == ("E_ITEM", message, 7)
    report = upload(export.folder, name, dynalite, on_error="skip")
    assert (report.items, report.replaced, report.skipped) == (58, 0, 2)
    assert [(error.code, error.item) for error in report.errors] == [("E_ITEM", 7), ("E_ITEM", 9)]
    expected = {item["pk"]["S"]: item for n, item in enumerate(items) if n not in (7, 9)}
    assert stored(dynalite, name) == expected


def test_bad_records(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    path = tmp_path / "items.json"
    path.write_text(item_line(numbered(1)[0]) + "nonsense\n" + item_line({"n": {"N": "1"}}))
    with pytest.raises(dynarrow.DataError, match="E_JSON"):
        upload(path, name, moto)
    report = upload(path, name, moto, on_error="skip")
    assert (report.items, report.skipped) == (1, 2)
    (error,) = report.errors
    assert (error.file, error.item) == (str(path), None)
    assert "number 2 of the items that were read" in str(error)


def test_every_source(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    items = numbered(30)
    export = dynarrow.open_export(write_export(tmp_path, [items]).folder)
    expected = {item["pk"]["S"]: item for item in items}
    dynarrow.convert(export.name, tmp_path / "items.parquet")
    frame = pl.read_parquet(tmp_path / "items.parquet")
    plain = [{"pk": f"{n:06}", "n": n} for n in range(30)]
    for src in (export, tmp_path / "items.parquet", frame, export.read(), plain, iter(plain)):
        client = moto.client()
        for key in stored(moto, name):
            client.delete_item(TableName=name, Key={"pk": {"S": key}})
        assert upload(src, name, moto).items == 30
        assert stored(moto, name) == expected
    upload(export, name, moto, columns=["pk"])
    assert stored(moto, name)["000003"] == {"pk": {"S": "000003"}}
    with pytest.raises(dynarrow.DataError, match=r"item 1, attribute n"):
        upload([*plain[:1], {"pk": "a", "n": float("nan")}], name, moto)
    values = [plain[0], {"pk": "a", "n": float("inf")}, {"n": 1}, plain[1]]
    report = upload(values, name, moto, on_error="skip")
    assert (report.items, report.skipped) == (2, 2)
    assert [error.item for error in report.errors] == [2]
    with pytest.raises(dynarrow.UsageError, match="not int"):
        upload(7, name, moto)
    changes = write_changes(tmp_path / "changes", [[]])
    with pytest.raises(dynarrow.UsageError, match="E_INCREMENTAL"):
        upload(changes.folder, name, moto)


def test_no_such_table_or_server(server: Server, name: str, shop: Path) -> None:
    with pytest.raises(dynarrow.NotFoundError) as raised:
        upload(shop, name, server)
    assert f"there is no table {name}" in str(raised.value)
    assert raised.value.file == name
    start = time.monotonic()
    with pytest.raises(dynarrow.ServiceError, match="Could not connect"):
        upload(shop, name, Server(f"http://127.0.0.1:{free_port()}"))
    assert time.monotonic() - start < 10
    for options in ({"concurrency": 0}, {"profile_name": "no such profile"}):
        with pytest.raises(dynarrow.UsageError):
            upload(shop, name, server, **options)


def test_progress(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    export = dynarrow.open_export(write_export(tmp_path, [numbered(700), numbered(300)]).folder)
    size = sum(file.size or 0 for file in export.files)
    calls: list[tuple[int, int, int]] = []
    upload(export, name, moto, progress=lambda *call: calls.append(call))
    assert calls == sorted(calls)
    assert calls[-1] == (size, size, 1_000)

    def stop(*_: int) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        upload(export, name, moto, progress=stop)


# Checkpoints.


def start(folder: Path, table: str, server: Server, checkpoint: Path) -> subprocess.Popen[str]:
    command = [str(COMMAND), "upload", str(folder), table, "--endpoint-url", server.url]
    return subprocess.Popen(
        [*command, "--checkpoint", str(checkpoint), "--json", "--concurrency", "4"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def acknowledged(checkpoint: Path) -> int:
    return json.loads(checkpoint.read_text())["acknowledged"] if checkpoint.exists() else 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_upload_goes_on(
    moto: Server, name: str, tmp_path: Path, how: signal.Signals
) -> None:
    moto.make_table(name, "pk:S")
    # Each key several times, the last one counts.
    items = [{"pk": {"S": f"{n % 2000:06}"}, "n": {"N": str(n)}} for n in range(6_000)]
    export = write_export(tmp_path, [items[:2_500], items[2_500:]])
    checkpoint = tmp_path / "checkpoint.json"

    def slowly(_: str, body: Json, forward: Forward) -> tuple[int, Json]:
        time.sleep(0.02)
        return forward(body)

    with disturbed(moto, slowly) as proxy:
        process = start(export.folder, name, proxy.server, checkpoint)
        until = time.monotonic() + 60
        while acknowledged(checkpoint) < 1_000 and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(how)
        sent = time.monotonic()
        out, err = process.communicate(timeout=30)
        assert time.monotonic() - sent < 4
        first = acknowledged(checkpoint)
        assert 1_000 <= first < 6_000
        if how is signal.SIGINT:
            assert process.returncode == 130, err
            assert "Traceback" not in err
            assert json.loads(out)["error"]["code"] == "E_INTERRUPTED"
        # What was written, but not noted, is sent again: nothing of what was noted.
        proxy.calls.clear()
        process = start(export.folder, name, proxy.server, checkpoint)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        report = json.loads(out)
        assert report["resumed"] == first
        assert report["items"] + report["replaced"] == 6_000 - first
        assert len(put_keys(proxy.calls)) == report["items"]
    assert {key: item["n"]["N"] for key, item in stored(moto, name).items()} == {
        f"{n:06}": str(4_000 + n) for n in range(2_000)
    }
    assert json.loads(checkpoint.read_text())["complete"] is True
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_complete_upload_writes_nothing_again(server: Server, name: str, tmp_path: Path) -> None:
    server.make_table(name, "pk:S")
    export = write_export(tmp_path, [numbered(100)])
    checkpoint = tmp_path / "checkpoint.json"
    assert upload(export.folder, name, server, checkpoint=checkpoint).items == 100
    # The same export, however it is named.
    for src in (export.folder, export.root, dynarrow.open_export(export.root)):
        report = upload(src, name, server, checkpoint=checkpoint)
        assert (report.items, report.resumed, report.batches) == (0, 100, 0)


def test_a_checkpoint_behind_a_bad_item(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    items = numbered(300)
    del items[200]["pk"]
    export = write_export(tmp_path, [items])
    checkpoint = tmp_path / "checkpoint.json"
    with pytest.raises(dynarrow.DataError, match="item 200"):
        upload(export.folder, name, moto, checkpoint=checkpoint)
    first = acknowledged(checkpoint)
    assert first == 200
    assert len(moto.items(name)) == 200
    report = upload(export.folder, name, moto, checkpoint=checkpoint, on_error="skip")
    assert (report.resumed, report.items, report.skipped) == (first, 299 - first, 1)


def test_checkpoints_of_others_are_refused(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    moto.make_table(f"{name}_b", "pk:S")
    path = tmp_path / "items.json"
    path.write_text("".join(map(item_line, numbered(50))))
    checkpoint = tmp_path / "checkpoint.json"
    upload(path, name, moto, checkpoint=checkpoint)

    def refused(match: str, src: object = path, table: str = name, **options: Any) -> None:
        with pytest.raises(dynarrow.UsageError, match=match) as raised:
            upload(src, table, moto, checkpoint=checkpoint, **options)
        assert "checkpoint" in str(raised.value)

    refused("another table", table=f"{name}_b")
    refused("of other options", columns=["pk"])
    refused("needs a source that can be read again", src=[{"pk": "a"}])
    refused("needs a source that can be read again", src=pl.DataFrame({"pk": ["a"]}))
    moto.client().delete_table(TableName=name)
    moto.make_table(name, "pk:S")
    refused("made anew since")
    checkpoint.unlink()
    upload(path, name, moto, checkpoint=checkpoint)
    # As many bytes, and others.
    path.write_text("".join(map(item_line, numbered(50))).replace("000001", "00000x"))
    refused("has changed since")
    checkpoint.write_text("{}")
    refused("no checkpoint of an upload")
    with pytest.raises(dynarrow.StorageError, match="E_IO"):
        upload(path, name, moto, checkpoint=tmp_path / "no such folder" / "c.json")


# The command, and what it needs.


def test_ctrl_c_while_the_service_does_not_answer(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    export = write_export(tmp_path, [numbered(1_000)])

    def hang(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        if operation == "BatchWriteItem":
            time.sleep(8)
        return forward(body)

    with disturbed(moto, hang) as proxy:
        process = start(export.folder, name, proxy.server, tmp_path / "checkpoint.json")
        while not proxy.count("BatchWriteItem"):
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        _, err = process.communicate(timeout=30)
        assert time.monotonic() - sent < 4
        assert (process.returncode, "Traceback" in err) == (130, False), err
    assert acknowledged(tmp_path / "checkpoint.json") == 0


def run(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [str(COMMAND), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env})


def test_command(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    at = ("--endpoint-url", moto.url)
    export = write_export(tmp_path, [[*numbered(30), {"n": {"N": "1"}}]])
    ended = run("upload", "--help")
    assert ended.returncode == 0
    assert "Examples:" in ended.stdout
    assert "130  Ctrl-C" in ended.stdout
    ended = run("upload", export.folder, name, *at)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr.startswith("dynarrow: E_KEYS: One or more parameter values were invalid")
    ended = run("upload", export.folder, name, *at, "--json")
    assert json.loads(ended.stdout)["error"]["item"] == 30
    ended = run("upload", export.folder, name, *at, "--on-error", "skip")
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    assert "1 record skipped; first: E_KEYS" in ended.stderr
    assert f"30 items -> {name} in " in ended.stderr
    ended = run("upload", export.folder, name, *at, "--on-error=skip", "--quiet", "--json")
    report = json.loads(ended.stdout)
    assert (report["items"], report["errors"][0]["code"]) == (30, "E_KEYS")
    assert run("upload", export.folder, "No_such_table", *at).returncode == 3
    assert run("upload", tmp_path / "no such", name, *at).returncode == 3
    for wrong in (["--no-such-option"], ["--concurrency", "x"], ["--on-error", "ignore"]):
        ended = run("upload", export.folder, name, *at, *wrong)
        assert ended.returncode == 2
        assert ended.stderr.startswith("dynarrow: E_USAGE: ")
    assert "upload" in run("--help").stdout


def test_without_boto3(shop: Path, tmp_path: Path) -> None:
    script = textwrap.dedent(
        f"""
        import sys
        sys.modules["boto3"] = None
        import dynarrow
        calls = [
            lambda: dynarrow.upload({str(shop)!r}, "T"),
            lambda: dynarrow.dump("T", {str(tmp_path / "out")!r}),
            lambda: dynarrow.request_export("T", "bucket"),
            lambda: dynarrow.request_import({{
                "S3BucketSource": {{"S3Bucket": "bucket"}},
                "InputFormat": "ION",
                "TableCreationParameters": {{
                    "TableName": "Table",
                    "AttributeDefinitions": [{{"AttributeName": "pk", "AttributeType": "S"}}],
                    "KeySchema": [{{"AttributeName": "pk", "KeyType": "HASH"}}],
                    "BillingMode": "PAY_PER_REQUEST",
                }},
            }}),
        ]
        for call in calls:
            try:
                call()
            except ImportError as error:
                print(error)
        from dynarrow import _cli
        print(_cli.run(["upload", {str(shop)!r}, "T"]))
        """
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    message = "this needs boto3: pip install 'dynarrow[aws]'"
    assert ended.stdout.splitlines() == [message] * 4 + ["2"]
    assert ended.stderr == f"dynarrow: E_USAGE: {message}\n"


@pytest.mark.parametrize("seed", range(3))
def test_round_trip(
    server: Server, name: str, tmp_path: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    """An export, uploaded, dumped: the same items of all types."""
    server.make_table(name, "pk:S")
    items = random_items(seed, 300)
    if request.node.callspec.params["server"] == "moto":
        items = [{name: renamed(value) for name, value in item.items()} for item in items]
    export = write_export(tmp_path / "a", [items[:100], items[100:]])
    report = upload(export.folder, name, server)
    assert (report.items, report.skipped) == (300, 0)
    dynarrow.dump(name, tmp_path / "b", endpoint_url=server.url, segments=3)
    difference = dynarrow.diff(export.folder, tmp_path / "b", key=["pk"])
    assert difference.ok, difference
    assert difference.same == 300
