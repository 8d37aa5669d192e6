"""The dry run of imports from Python; what it says of the data is tested in Rust."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pyarrow
import pytest

import dynarrow

from exports import Item, item_line
from servers import Json

TABLE: Json = {
    "S3BucketSource": {"S3Bucket": "bucket", "S3KeyPrefix": "data/"},
    "InputFormat": "DYNAMODB_JSON",
    "InputCompressionType": "NONE",
    "TableCreationParameters": {
        "TableName": "orders",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    },
}
MISSING = "One or more parameter values were invalid: Missing the key pk in the item"


def good(pk: str) -> str:
    item: Item = {"pk": {"S": pk}}
    return item_line(item)


def bucket(folder: Path, **objects: str) -> Path:
    (folder / "bucket/data").mkdir(parents=True)
    for name, text in objects.items():
        (folder / f"bucket/data/{name}.json").write_text(text, encoding="utf-8")
    return folder / "bucket"


def found(report: dynarrow.ImportReport) -> list[dynarrow.ImportFinding]:
    """The findings but for advice: items as small as these make an import slow."""
    return [finding for finding in report.findings if finding.level != "advice"]


def test_a_good_import(tmp_path: Path) -> None:
    src = bucket(tmp_path, a=good("a") + good("b"), b=good("c"))
    report = dynarrow.validate_import(src, TABLE, price_per_gb=float(1 << 30))
    assert report.ok
    assert report.description == {
        "ImportStatus": "COMPLETED",
        "S3BucketSource": TABLE["S3BucketSource"],
        "InputFormat": "DYNAMODB_JSON",
        "InputCompressionType": "NONE",
        "TableCreationParameters": TABLE["TableCreationParameters"],
        "ErrorCount": 0,
        "ProcessedSizeBytes": 3 * len(good("a")),
        "ProcessedItemCount": 3,
        "ImportedItemCount": 3,
    }
    assert (report.objects, report.items, report.bytes) == (2, 3, 3 * len(good("a")))
    # A name of two bytes, a text of one; the price is one for each byte.
    assert (report.item_bytes, report.price) == (9, float(report.bytes))
    assert report.input == {
        "format": "DYNAMODB_JSON",
        "compression": "NONE",
        "delimiter": None,
        "told": False,
    }
    assert "ok=True, status='COMPLETED', processed=3, imported=3" in repr(report)
    with pytest.raises(FrozenInstanceError):
        report.ok = False  # type: ignore[misc]


def test_findings_with_places(tmp_path: Path) -> None:
    text = good("a") + '{"Item":{"sk":{"S":"b"}}}\nno JSON\n' + '{"Item":{"n":{"N":"1"}}}\n'
    src = bucket(tmp_path, a=text, b=good("ü"))
    report = dynarrow.validate_import(src, TABLE, threads=1)
    first, second, third = found(report)
    assert first == dynarrow.ImportFinding(
        level="error",
        code="E_IMPORT",
        key="data/a.json",
        item=1,
        line=2,
        byte=len(good("a")),
        path=None,
        messages=(MISSING,),
        reached=True,
        unknown=None,
    )
    assert (second.code, second.item, second.line, second.reached) == ("E_JSON", 2, 3, True)
    assert (third.code, third.item, third.line, third.reached) == ("E_IMPORT", 3, 4, False)
    assert not report.ok
    assert (report.errors, report.beyond, report.stopped, report.items) == (2, 1, 1, 4)
    said = report.description
    assert (said["ProcessedItemCount"], said["ImportedItemCount"]) == (4, 2)
    assert (said["ImportStatus"], said["FailureCode"]) == ("FAILED", "ItemValidationError")
    few = dynarrow.validate_import(src, TABLE, max_findings=1)
    assert (found(few), few.omitted, few.errors) == ([first], 2, 2)
    none = dynarrow.validate_import(src, TABLE, max_findings=0)
    assert (found(none), none.omitted) == ([], 3)
    (advice,) = none.findings
    assert (advice.level, advice.key, advice.reached) == ("advice", None, True)
    assert "below 200 an import takes longer" in advice.messages[0]


def test_what_is_assumed(tmp_path: Path) -> None:
    src = bucket(tmp_path, a=good("a") + '{"Item":{"pk":{"S":"b"}},"x":1}\n' + good("c"))

    def counts(**options: Any) -> tuple[bool, int, int, int]:
        report = dynarrow.validate_import(src, TABLE, **options)
        imported = report.description["ImportedItemCount"]
        return report.ok, report.errors, report.unverified, imported

    assert counts() == (True, 0, 1, 3)
    assert counts(strict=True) == (False, 1, 0, 2)
    assert counts(assume={"beside_item": "accept"}, strict=True) == (True, 0, 0, 3)
    assert counts(assume={"beside_item": "item"}) == (False, 1, 0, 2)
    assert counts(assume={"beside_item": "object"}) == (False, 1, 0, 1)
    (finding,) = found(dynarrow.validate_import(src, TABLE))
    assert (finding.level, finding.unknown) == ("unverified", "beside_item")
    with pytest.raises(dynarrow.UsageError, match="there are value_faults, json_array"):
        counts(assume={"nothing": "item"})
    with pytest.raises(dynarrow.UsageError, match="must be one of unverified, accept, item"):
        counts(assume={"ion_types": "refuse"})


def test_the_error_log(tmp_path: Path) -> None:
    """It is AWS's in form, has all findings, and is located as one of AWS's is."""
    src = bucket(tmp_path, a=good("a") + '{"Item":{}}\n' * 3)
    log = tmp_path / "errors.jsonl"
    log.write_text("what stood here before")
    report = dynarrow.validate_import(src, TABLE, error_log=log, max_findings=1)
    assert len(found(report)) == 1
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [entry["itemS3Pointer"]["itemIndex"] for entry in entries] == [1, 2, 3]
    assert entries[0] == {
        "itemS3Pointer": {"bucket": "bucket", "key": "data/a.json", "itemIndex": 1},
        "errorMessages": [MISSING],
        "dynarrow": {
            "level": "error",
            "code": "E_IMPORT",
            "reached": True,
            "line": 2,
            "byte": len(good("a")),
            "path": None,
            "unknown": None,
        },
    }
    located = dynarrow.validate_import(src, TABLE, log=log).located
    assert [(entry["item"], entry["line"]) for entry in located] == [(1, 2), (2, 3), (3, 4)]
    assert located[0]["found"] == [MISSING]
    # As `aws logs filter-log-events` prints it; an object that is not here.
    pointer = {"bucket": "b", "key": "data/gone", "itemIndex": 0}
    entry = {"itemS3Pointer": pointer, "errorMessages": ["said"]}
    log.write_text(json.dumps({"events": [{"message": json.dumps(entry)}]}))
    (gone,) = dynarrow.validate_import(src, TABLE, log=log).located
    assert (gone["messages"], gone["line"], gone["found"]) == (["said"], None, [])
    log.write_text("no log")
    with pytest.raises(dynarrow.DataError) as raised:
        dynarrow.validate_import(src, TABLE, log=log)
    assert (raised.value.code, raised.value.file) == ("E_FORMAT", str(log))


def test_a_check_that_fails_leaves_the_old_log(large: Path, tmp_path: Path) -> None:
    log = tmp_path / "errors.jsonl"
    log.write_text("before")

    def stop(*_: int) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        dynarrow.validate_import(large, TABLE, error_log=log, progress=stop, threads=1)
    assert log.read_text() == "before"
    assert list(tmp_path.iterdir()) == [log]
    with pytest.raises(dynarrow.NotFoundError):
        dynarrow.validate_import(large, TABLE, error_log=tmp_path / "no folder/log")


def test_duplicates(tmp_path: Path) -> None:
    src = bucket(tmp_path, a=good("x") + good("y") + good("x"), b=good("z") + good("x"))
    report = dynarrow.validate_import(src, TABLE)
    assert report.ok
    assert report.duplicates == {
        "keys": 1,
        "items": 2,
        "examples": [
            {
                "key": {"pk": "x"},
                "items": 3,
                "first": {"key": "data/a.json", "item": 0},
                "second": {"key": "data/a.json", "item": 2},
            }
        ],
    }


def test_the_short_form(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sk;pk\n1;a\nx;b\n")
    report = dynarrow.validate_import(tmp_path / "a.csv", key=["pk:S", "sk:N"])
    assert report.input == {
        "format": "CSV",
        "compression": "NONE",
        "delimiter": ";",
        "told": True,
    }
    # The record whose key is no number is no item.
    assert (report.errors, report.items) == (1, 1)
    keys = report.description["TableCreationParameters"]["KeySchema"]
    assert [key["AttributeName"] for key in keys] == ["pk", "sk"]
    assert dynarrow.validate_import(tmp_path / "a.csv", key="pk:S").ok
    src = bucket(tmp_path, a=good("a"), b=good("b"))
    assert dynarrow.validate_import(src, key="pk:S", prefix="data/b").objects == 1
    # The prefix is a plain string, and in place of the document's.
    assert dynarrow.validate_import(src, TABLE, prefix="dat").objects == 2
    assert dynarrow.validate_import(src, TABLE, prefix="other/").objects == 0


def test_the_format_of_large_zstd_is_told(tmp_path: Path) -> None:
    """By its first blocks: what a decoder gives before its window is full is nothing."""
    rng = random.Random(1)
    text = "sk;pk\n" + "".join(f"{n};{rng.random()}\n" for n in range(50_000))
    stored = pyarrow.compress(text.encode(), "zstd", asbytes=True)
    assert len(stored) > 300_000
    (tmp_path / "a").write_bytes(stored)
    report = dynarrow.validate_import(tmp_path / "a", key=["pk:S", "sk:N"])
    assert (report.input["format"], report.input["delimiter"]) == ("CSV", ";")
    assert (report.ok, report.items) == (True, 50_000)


def test_a_file_of_the_document(tmp_path: Path) -> None:
    src = bucket(tmp_path, a=good("a"))
    path = tmp_path / "import-table.json"
    path.write_text(json.dumps(TABLE))
    assert dynarrow.validate_import(src, path) == dynarrow.validate_import(src, TABLE)
    path.write_text("{")
    with pytest.raises(dynarrow.UsageError, match="no JSON") as raised:
        dynarrow.validate_import(src, path)
    assert (raised.value.code, raised.value.file) == ("E_TABLE_SPEC", str(path))
    with pytest.raises(dynarrow.NotFoundError):
        dynarrow.validate_import(src, tmp_path / "no such file")


def test_what_is_refused(tmp_path: Path) -> None:
    src = bucket(tmp_path, a=good("a"))
    refused: list[tuple[str, str, Callable[[], object]]] = [
        ("E_USAGE", "one of both", lambda: dynarrow.validate_import(src)),
        ("E_USAGE", "one of both", lambda: dynarrow.validate_import(src, TABLE, key="pk:S")),
        ("E_USAGE", "pk:S, pk:N or pk:B", lambda: dynarrow.validate_import(src, key="pk")),
        ("E_USAGE", "threads", lambda: dynarrow.validate_import(src, TABLE, threads=0)),
        ("E_USAGE", "max_findings", lambda: dynarrow.validate_import(src, TABLE, max_findings=-1)),
        (
            "E_TABLE_SPEC",
            "inputFormat.*keySchema",
            lambda: dynarrow.validate_import(
                src,
                TABLE
                | {
                    "InputFormat": "PARQUET",
                    "TableCreationParameters": TABLE["TableCreationParameters"] | {"KeySchema": []},
                },
            ),
        ),
    ]
    for code, message, call in refused:
        with pytest.raises(dynarrow.UsageError, match=message) as raised:
            call()
        assert raised.value.code == code
    with pytest.raises(dynarrow.NotFoundError):
        dynarrow.validate_import(tmp_path / "no such", TABLE)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and so on")
    with pytest.raises(dynarrow.DataError, match="`prepare`"):
        dynarrow.validate_import(tmp_path / "a.parquet", key="pk:S")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough to work on for a second or more on one thread: 40 objects that are one file."""
    text = "".join(good(f"{n:050}") for n in range(100_000))
    folder = bucket(tmp_path_factory.mktemp("large"), o0=text)
    for n in range(1, 40):
        os.link(folder / "data/o0.json", folder / f"data/o{n}.json")
    return folder


def test_progress(large: Path) -> None:
    size = sum(path.stat().st_size for path in large.rglob("*.json"))
    calls: list[tuple[int, int, int]] = []
    report = dynarrow.validate_import(
        large, TABLE, threads=1, progress=lambda *call: calls.append(call)
    )
    assert len(calls) > 1
    assert calls == sorted(calls)
    assert calls[-1] == (size, size, 4_000_000)
    assert report.duplicates["items"] == 3_900_000


def test_ctrl_c(large: Path, tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys, time, dynarrow
        print("ready", flush=True)
        try:
            dynarrow.validate_import(sys.argv[1], key="pk:S", threads=1, error_log=sys.argv[2])
        except KeyboardInterrupt:
            print(f"stopped {time.time()}", flush=True)
        else:
            print("done")
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(large), str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    word, _, at = out.partition(" ")
    assert word == "stopped", out
    assert float(at) - sent < 2
    assert list(tmp_path.iterdir()) == []
