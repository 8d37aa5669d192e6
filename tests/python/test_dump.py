"""A table into an export's layout: moto's server and dynalite over HTTP, and a proxy."""

from __future__ import annotations

import base64
import gzip
import json
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import dynarrow

from servers import Forward, Json, Server, disturbed, free_port, refusal

COMMAND = Path(sys.executable).with_name("dynarrow")


def fill(server: Server, table: str, items: list[Json]) -> None:
    client = server.client()
    for n in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[n : n + 25]]
        client.batch_write_item(RequestItems={table: puts})


def numbered(count: int, **more: Any) -> list[Json]:
    return [{"pk": {"S": f"{n:06}"}, "n": {"N": str(n)}} | more for n in range(count)]


def keys(folder: Path) -> list[str]:
    return sorted(str(item["pk"]) for item in dynarrow.iter_items(folder))


@pytest.mark.parametrize("format", ["dynamodb_json", "ion"])
def test_an_export_like_those_of_aws(
    server: Server, name: str, tmp_path: Path, format: Any
) -> None:
    server.make_table(name, "pk:S")
    fill(server, name, numbered(100, blob={"B": b"\0\xff"}, set={"NS": ["1", "2.50"]}))
    before = datetime.now(UTC)
    calls: list[tuple[int, int, int]] = []
    report = dynarrow.dump(
        name,
        tmp_path / "out",
        endpoint_url=server.url,
        format=format,
        progress=lambda *call: calls.append(call),
    )
    table = server.client().describe_table(TableName=name)["Table"]
    assert (report.items, report.retries) == (100, 0)
    assert report.pages >= report.segments == 1
    assert report.table_arn == table["TableArn"]
    assert report.consumed_capacity is not None
    assert report.bytes_out == sum(
        path.stat().st_size
        for path in (tmp_path / "out").rglob("*")
        if path.suffix in (".gz", ".json", ".md5")
    )
    assert calls == sorted(calls)
    assert calls[-1][0] == calls[-1][1] > 0
    assert calls[-1][2] == 100
    assert report.folder.parent == tmp_path / "out/AWSDynamoDB"
    assert {path.name for path in report.folder.iterdir()} == {
        "_started",
        "data",
        "manifest-files.json",
        "manifest-files.md5",
        "manifest-summary.json",
        "manifest-summary.md5",
    }
    export = dynarrow.open_export(tmp_path / "out")
    assert export.verify().ok
    summary = export.summary
    assert summary is not None
    assert summary["tableArn"] == table["TableArn"]
    assert summary["tableId"] == table.get("TableId")  # moto gives none
    assert summary["itemCount"] == 100
    assert summary["outputFormat"] == {"ion": "ION"}.get(format, "DYNAMODB_JSON")
    assert summary["exportTime"] == report.export_time
    at = datetime.fromisoformat(summary["exportTime"])
    assert 0 <= (at - before).total_seconds() + 0.001 < 10
    items = list(dynarrow.iter_items(tmp_path / "out"))
    assert {bytes(item["blob"]) for item in items} == {b"\0\xff"}  # pyright: ignore
    assert sorted(item["n"] for item in items) == list(range(100))  # pyright: ignore
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_an_empty_table(server: Server, name: str, tmp_path: Path) -> None:
    server.make_table(name, "pk:S")
    report = dynarrow.dump(name, tmp_path / "out", endpoint_url=server.url, segments=4)
    assert (report.items, report.segments) == (0, 4)
    assert dynarrow.verify(tmp_path / "out").ok


def test_segments_and_pages(server: Server, name: str, tmp_path: Path) -> None:
    server.make_table(name, "pk:S")
    # 3 MB: DynamoDB and its like give 1 MB a page.
    fill(server, name, numbered(300, text={"S": "x" * 10_000}))

    def pass_on(_: str, body: Json, forward: Forward) -> tuple[int, Json]:
        return forward(body)

    with disturbed(server, pass_on) as proxy:
        report = dynarrow.dump(
            name,
            tmp_path / "out",
            endpoint_url=proxy.server.url,
            segments=5,
            consistent_read=True,
        )
        scans = [body for operation, body in proxy.calls if operation == "Scan"]
        assert {scan["Segment"] for scan in scans} == set(range(5))
        assert all(scan["TotalSegments"] == 5 and scan["ConsistentRead"] for scan in scans)
    one = dynarrow.dump(name, tmp_path / "one", endpoint_url=server.url, segments=1)
    assert one.pages >= 3
    assert report.items == one.items == 300
    assert keys(tmp_path / "out") == keys(tmp_path / "one") == [f"{n:06}" for n in range(300)]
    with pytest.raises(dynarrow.UsageError, match="segments"):
        dynarrow.dump(name, tmp_path / "no", endpoint_url=server.url, segments=0)


def test_throttling_passes(server: Server, name: str, tmp_path: Path) -> None:
    server.make_table(name, "pk:S")
    fill(server, name, numbered(300, text={"S": "x" * 10_000}))
    rng = random.Random(1)

    def sometimes(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        if operation == "Scan" and rng.random() < 0.5:
            return rng.choice([refusal("ProvisionedThroughputExceededException"), (500, {})])
        return forward(body)

    with disturbed(server, sometimes) as proxy:
        report = dynarrow.dump(name, tmp_path / "out", endpoint_url=proxy.server.url, segments=4)
        assert report.retries == sum(status != 200 for status, _ in proxy.answers) > 0
    assert keys(tmp_path / "out") == [f"{n:06}" for n in range(300)]
    assert dynarrow.verify(tmp_path / "out").ok


def test_whole_or_not_at_all(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    fill(moto, name, numbered(300, text={"S": "x" * 10_000}))
    scans = 0

    def later_denied(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        nonlocal scans
        scans += operation == "Scan"
        return refusal("AccessDeniedException") if scans > 2 else forward(body)

    with disturbed(moto, later_denied) as proxy, pytest.raises(dynarrow.ServiceError):
        dynarrow.dump(name, tmp_path / "out", endpoint_url=proxy.server.url, segments=2)
    assert list(tmp_path.iterdir()) == []


def test_a_destination_is_checked_before_the_table_is_read(
    moto: Server, name: str, tmp_path: Path
) -> None:
    moto.make_table(name, "pk:S")
    fill(moto, name, numbered(10))
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "notes.txt").write_text("mine")

    def no_scan(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        assert operation != "Scan"
        return forward(body)

    with disturbed(moto, no_scan) as proxy:
        at = {"endpoint_url": proxy.server.url}
        for dest in (taken, taken / "notes.txt"):
            with pytest.raises(dynarrow.StorageError, match="E_DEST_EXISTS"):
                dynarrow.dump(name, dest, **at)
        with pytest.raises(dynarrow.NotFoundError):
            dynarrow.dump(name, tmp_path / "no such" / "out", **at)
        assert proxy.calls == []
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    (tmp_path / "out").mkdir()
    dynarrow.dump(name, tmp_path / "out", endpoint_url=moto.url)
    assert len(keys(tmp_path / "out")) == 10


def test_no_such_table_or_server(server: Server, name: str, tmp_path: Path) -> None:
    with pytest.raises(dynarrow.NotFoundError, match=f"there is no table {name}"):
        dynarrow.dump(name, tmp_path / "out", endpoint_url=server.url)
    with pytest.raises(dynarrow.ServiceError, match="Could not connect"):
        dynarrow.dump(name, tmp_path / "out", endpoint_url=f"http://127.0.0.1:{free_port()}")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    fill(moto, name, numbered(300, text={"S": "x" * 10_000}))

    def hang(operation: str, body: Json, forward: Forward) -> tuple[int, Json]:
        if operation == "Scan" and "ExclusiveStartKey" in body:
            time.sleep(8)
        return forward(body)

    with disturbed(moto, hang) as proxy:
        command = [str(COMMAND), "dump", name, str(tmp_path / "out")]
        process = subprocess.Popen(
            [*command, "--endpoint-url", proxy.server.url, "--segments", "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while proxy.count("Scan") < 2:
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        _, err = process.communicate(timeout=30)
        assert time.monotonic() - sent < 4
        assert (process.returncode, "Traceback" in err) == (130, False), err
    assert list(tmp_path.iterdir()) == []


def test_command(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:S")
    fill(moto, name, numbered(10))

    def run(*args: str | Path) -> subprocess.CompletedProcess[str]:
        command = [str(COMMAND), "dump", *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True)

    at = ("--endpoint-url", moto.url)
    ended = run("--help")
    assert (ended.returncode, "Examples:" in ended.stdout) == (0, True)
    ended = run(name, tmp_path / "out", *at)
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    assert f"10 items -> {tmp_path}/out/AWSDynamoDB/" in ended.stderr
    assert run(name, tmp_path / "out", *at).returncode == 3
    ended = run(name, tmp_path / "ion", *at, "--export-format=ion", "--json")
    report = json.loads(ended.stdout)
    assert report["items"] == 10
    assert dynarrow.open_export(report["folder"]).verify().ok
    assert run("No_such_table", tmp_path / "no", *at).returncode == 3
    ended = run(name, *at, "--json")
    assert ended.returncode == 2
    assert json.loads(ended.stdout)["error"]["code"] == "E_USAGE"


def test_lines_are_dynamodb_json(moto: Server, name: str, tmp_path: Path) -> None:
    moto.make_table(name, "pk:B")
    text = 'é"\\\n\u2028\0😀'
    fill(moto, name, [{"pk": {"B": b"\xff"}, text: {"L": [{"S": text}, {"NULL": True}]}}])
    dynarrow.dump(name, tmp_path / "out", endpoint_url=moto.url)
    (item,) = dynarrow.iter_items(tmp_path / "out")
    assert item == {"pk": b"\xff", text: [text, None]}
    (path,) = (tmp_path / "out").rglob("*.json.gz")
    line = json.loads(gzip.decompress(path.read_bytes()))
    assert line["Item"]["pk"] == {"B": base64.b64encode(b"\xff").decode()}
