"""What is known of imports, by way of Python and of the command.

The facts are those of `tests/data/import/facts.jsonl`; `tests/rust/tests/import_facts.rs` says what
stands in them.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow
import pytest

import dynarrow

from servers import Json

FACTS = Path(__file__).parents[1] / "data/import/facts.jsonl"
COMMAND = Path(sys.executable).with_name("dynarrow")


def repeated(value: Any) -> Any:
    """Puts the texts that are given by what they repeat."""
    if isinstance(value, dict):
        if "repeat" in value:
            return value["repeat"] * value["times"]
        return {name: repeated(member) for name, member in value.items()}
    return [repeated(member) for member in value] if isinstance(value, list) else value


def facts(kind: str) -> list[Json]:
    all_facts = [json.loads(line) for line in FACTS.read_text(encoding="utf-8").splitlines()]
    return [fact | {"input": repeated(fact["input"])} for fact in all_facts if fact["kind"] == kind]


SPECS, IMPORTS = facts("spec"), facts("import")


def write(folder: Path, fact: Json) -> Path:
    """The objects in a folder that stands for the bucket."""
    folder.mkdir(parents=True)
    for obj in fact["input"]["objects"]:
        text = "".join(obj["parts"]) if "parts" in obj else obj.get("text", "")
        content = base64.b64decode(obj["base64"]) if "base64" in obj else text.encode()
        if "compress" in obj:
            codec = obj["compress"]
            is_gzip = codec == "gzip"
            content = (
                gzip.compress(content)
                if is_gzip
                else pyarrow.compress(content, codec, asbytes=True)
            )
        path = folder / obj["key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def check(fact: Json, description: Json, entries: list[Json]) -> None:
    """The description and the entries of the error log are what the fact says."""
    said = description["ProcessedItemCount"], description["ImportedItemCount"]
    assert said[0] == said[1] + description["ErrorCount"]
    assert fact["expect"]
    for name, expected in fact["expect"].items():
        if name != "errors":
            assert description.get(name) == expected, name
            continue
        reached = [entry for entry in entries if entry["dynarrow"]["reached"]]
        assert len(reached) == len(expected)
        for entry, error in zip(reached, expected, strict=True):
            bucket = fact["input"]["spec"]["S3BucketSource"]["S3Bucket"]
            place = {"bucket": bucket, "key": error["key"], "itemIndex": error["itemIndex"]}
            assert entry["itemS3Pointer"] == place
            if "message" in error:
                assert entry["errorMessages"] == [error["message"]]


def lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_there_are_facts() -> None:
    assert len(SPECS) >= 88
    assert len(IMPORTS) >= 111


@pytest.mark.parametrize("fact", IMPORTS, ids=lambda fact: fact["id"])
def test_imports(tmp_path: Path, fact: Json) -> None:
    bucket = write(tmp_path / "bucket", fact)
    log = tmp_path / "errors.jsonl"
    report = dynarrow.validate_import(bucket, fact["input"]["spec"], error_log=log)
    check(fact, report.description, lines(log))
    assert report.unverified == 0
    assert report.ok is (report.description["ImportStatus"] == "COMPLETED")
    assert report.errors == report.description["ErrorCount"]


def test_imports_by_the_command(tmp_path: Path) -> None:
    def run(fact: Json) -> tuple[subprocess.CompletedProcess[str], list[Json]]:
        folder = tmp_path / fact["id"]
        bucket, log, table = write(folder / "bucket", fact), folder / "errors", folder / "table"
        table.write_text(json.dumps(fact["input"]["spec"]))
        command = [COMMAND, "validate", bucket, "--table", table, "--error-log", log, "--json"]
        ended = subprocess.run([*map(str, command)], capture_output=True, encoding="utf-8")
        return ended, lines(log) if log.exists() else []

    with ThreadPoolExecutor(4) as threads:
        for fact, (ended, entries) in zip(IMPORTS, threads.map(run, IMPORTS), strict=True):
            assert ended.returncode in (0, 1), (fact["id"], ended.stderr)
            document = json.loads(ended.stdout)
            assert document["ok"] is (ended.returncode == 0), fact["id"]
            check(fact, document["ImportTableDescription"], entries)


@pytest.mark.parametrize("fact", SPECS, ids=lambda fact: fact["id"])
def test_specs(tmp_path: Path, fact: Json) -> None:
    """The document alone is looked at: the bucket is empty."""
    error: dynarrow.UsageError | None = None
    try:
        report = dynarrow.validate_import(tmp_path, fact["input"]["spec"])
    except dynarrow.UsageError as raised:
        error = raised
    else:
        assert report.ok
    assert error is None or error.code == "E_TABLE_SPEC"
    for name, expected in fact["expect"].items():
        said = "" if error is None else error.message
        answer = said.removeprefix("AWS would refuse the request: ")
        if name == "refused":
            assert (error is not None) is expected
        elif name in ("answer", "answerBegins"):
            if expected is None:
                assert error is None
            elif name == "answerBegins":
                assert answer.startswith(expected)
            else:
                # Where there is more, the answer stands first.
                assert answer == expected or answer.startswith(f"{expected} (and then: ")
        else:
            assert name == "spec"
            assert (error is None) is (expected == [])
            # Control characters are shown as escapes.
            assert all(message.replace("\t", "\\t") in said for message in expected)
