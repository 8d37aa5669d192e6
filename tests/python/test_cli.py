"""The command `dynarrow` that `pip install` brings: the command-line tool's own code."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

import dynarrow

from exports import write_export

COMMAND = Path(sys.executable).with_name("dynarrow")


def run(*args: str | Path, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(COMMAND), *map(str, args)]
    ended = subprocess.run(command, input=stdin, capture_output=True)
    return subprocess.CompletedProcess(
        command, ended.returncode, ended.stdout.decode(), ended.stderr.decode()
    )


def test_version() -> None:
    ended = run("--version")
    assert (ended.returncode, ended.stdout) == (0, f"dynarrow {dynarrow.__version__}\n")


def test_convert_writes_what_python_writes(shop: Path, tmp_path: Path) -> None:
    ended = run("convert", shop, tmp_path / "a.parquet")
    assert ended.returncode == 0, ended.stderr
    dynarrow.convert(shop, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 3_000


def test_results_and_exit_codes(shop: Path, tmp_path: Path) -> None:
    assert "Shop" in run("inspect", shop).stdout
    assert json.loads(run("verify", shop, "--json").stdout)["ok"] is True
    ended = run("head", "-n", "2", shop)
    assert (ended.returncode, len(ended.stdout.splitlines())) == (0, 2)
    assert json.loads(run("schema", shop, "--json").stdout)["items"] == 3_000
    bad = write_export(tmp_path, ["nonsense\n"]).folder
    assert run("verify", bad).returncode == 1
    assert run("no such verb").returncode == 2
    assert run("convert", shop, "out.xlsx").returncode == 2
    assert run("convert", tmp_path / "no such", "out.parquet").returncode == 3
    ended = run("convert", bad, tmp_path / "out.parquet")
    assert ended.returncode == 4
    assert "E_JSON" in ended.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_standard_input_and_output() -> None:
    ended = run("convert", "-", "-", "--to", "ndjson", stdin=b'{"Item":{"a":{"N":"1.50"}}}\n')
    assert (ended.returncode, ended.stdout) == (0, '{"a":1.5}\n'), ended.stderr


def test_as_a_module(shop: Path) -> None:
    command = [sys.executable, "-m", "dynarrow", "inspect", str(shop)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, run("inspect", shop).stdout)


def test_changes(shop: Path, tmp_path: Path) -> None:
    hour = shop.with_name("shop-hour")
    for images in ("new", "old", "both"):
        ended = run("changes", hour, tmp_path / "a.parquet", "--images", images)
        assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
        assert ended.stderr.startswith("80 changes, "), ended.stderr
        dynarrow.changes(hour, tmp_path / "b.parquet", images=images)
        assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    ended = run("changes", hour, "-", "--to", "csv", "--columns", "status", "--quiet")
    assert ended.stdout.startswith("_op,_ts,PK,SK,status\n")
    assert (ended.stdout.count("\n"), ended.stderr) == (81, "")
    report = json.loads(run("changes", hour, tmp_path / "parts", "--json").stdout)
    assert (report["items"], len(report["files"])) == (80, 1)


def test_changes_that_are_refused(shop: Path, tmp_path: Path) -> None:
    hour = shop.with_name("shop-hour")
    out = tmp_path / "a.parquet"
    for args, code, text in [
        ([shop, out], 2, "E_FULL_EXPORT"),
        ([hour, tmp_path / "a.ion"], 2, "changes are rows"),
        ([hour, tmp_path / "a", "--to", "export", "--images", "old"], 2, "images=old"),
        ([hour, out, "--images", "all"], 2, "new, old, both"),
        ([tmp_path / "nothing", out], 3, "nothing"),
    ]:
        ended = run("changes", *args)
        assert (ended.returncode, ended.stdout) == (code, ""), ended
        assert text in ended.stderr
    assert not list(tmp_path.iterdir())
    line = '{"Metadata":{},"Keys":{"pk":{"S":"a"}}}\n'
    ended = run("changes", "-", "-", "--to", "ndjson", stdin=line.encode())
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "E_RECORD" in ended.stderr
    assert "line 1" in ended.stderr
    line = '{"Metadata":{"WriteTimestampMicros":"1"},"Keys":{"pk":{"S":"a"}}}\n'
    ended = run("changes", "-", "-", "--to", "ndjson", stdin=line.encode())
    row = {"_op": "delete", "_ts": "1970-01-01T00:00:00.000001Z", "pk": "a"}
    assert (ended.returncode, json.loads(ended.stdout)) == (0, row)


def test_help_of_changes() -> None:
    help = run("changes", "--help").stdout
    assert "one for each change" in help
    assert "--images" in help
    assert "shop-hour" in help
    assert "Examples:" in help
    assert "convert tests" not in help


def test_prepare_and_validate(shop: Path, tmp_path: Path) -> None:
    key = ["--key", "PK:S", "--key", "SK:S"]
    dest = tmp_path / "import"
    names = ["--table-name", "shop", "--bucket", "imports", "--prefix", "in/"]
    ended = run("prepare", shop, dest, *key, *names, "--file-size", "100KB", "--json")
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert (report["prepared"], report["items"], report["rejected"]) == (3_000, 3_000, 0)
    assert len(report["files"]) > 3
    assert "3,000 items" in ended.stderr
    table = dest / "import-table.json"
    ended = run("validate", dest, "--table", table)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "COMPLETED: 3,000 items processed, 3,000 imported, no errors" in ended.stdout
    document = json.loads(run("validate", dest, *key, "--prefix", "in/", "--json").stdout)
    assert document["ok"] is True
    assert document["ImportTableDescription"]["ImportedItemCount"] == 3_000
    # What Python writes, and says.
    dynarrow.prepare_import(
        shop,
        tmp_path / "b",
        key=key[1::2],
        file_size="100KB",
        table_name="shop",
        bucket="imports",
        prefix="in/",
    )
    for path in sorted(dest.rglob("*.*")):
        assert (tmp_path / "b" / path.relative_to(dest)).read_bytes() == path.read_bytes()
    said = dynarrow.validate_import(dest, table)
    assert said.description == document["ImportTableDescription"] | {
        "S3BucketSource": said.description["S3BucketSource"],
        "TableCreationParameters": said.description["TableCreationParameters"],
    }


def test_imports_that_fail(tmp_path: Path) -> None:
    lines = '{"Item":{"pk":{"S":"a"}}}\n{"Item":{"pk":{"N":"1"}}}\n'
    (tmp_path / "a.json").write_text(lines)
    log = tmp_path / "log"
    ended = run("validate", tmp_path / "a.json", "--key", "pk:S", "--error-log", log)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "(a.json, item 1, line 2, byte 26, attribute pk)" in ended.stdout
    assert "FAILED: 2 items processed, 1 imported, 1 error" in ended.stdout
    assert json.loads(log.read_text())["itemS3Pointer"]["itemIndex"] == 1
    ended = run("validate", tmp_path / "a.json", "--key", "pk:S", "--log", log)
    assert "logged      a.json item 1: line 2, byte 26, attribute pk" in ended.stdout
    ended = run("validate", "-", "--key", "pk:S", "--json", stdin=lines.encode())
    assert (ended.returncode, json.loads(ended.stdout)["errors"]) == (1, 1)
    ended = run("prepare", tmp_path / "a.json", tmp_path / "import", "--key", "pk:S")
    assert ended.returncode == 0
    assert "1 item would not be imported" in ended.stderr


def test_imports_that_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"Item":{"pk":{"S":"a"}}}\n')
    (tmp_path / "table.json").write_text('{"InputFormat":"XML"}')
    src, dest = tmp_path / "a.json", tmp_path / "import"
    for args, code, text in [
        (["validate", src], 2, "--key"),
        (["validate", src, "--key", "pk"], 2, "pk:S, pk:N or pk:B"),
        (["validate", src, "--table", tmp_path / "table.json"], 2, "E_TABLE_SPEC"),
        (["validate", src, "--key", "pk:S", "--assume", "x=item"], 2, "value_faults"),
        (["validate", src, "--key", "pk:S", "--assume", "ion_types"], 2, "NAME=RULE"),
        (["validate", tmp_path / "none", "--key", "pk:S"], 3, "E_NOT_FOUND"),
        (["prepare", src, dest], 2, "--key"),
        (["prepare", src, dest, "--key", "pk:S", "--to", "parquet"], 2, "ion, csv"),
        (["prepare", src, dest, "--key", "pk:S", "--types", "a:X"], 2, 'column "a"'),
        (["prepare", src, dest, "--key", "pk:S", "--delimiter", ";;"], 2, ", ; : | tab space"),
        (["prepare", tmp_path / "none", dest, "--key", "pk:S"], 3, "E_NOT_FOUND"),
    ]:
        ended = run(*args)
        assert (ended.returncode, ended.stdout) == (code, ""), ended
        assert text in ended.stderr, ended
    assert not dest.exists()


def test_help_of_imports() -> None:
    for verb, option in [("validate", "--error-log"), ("prepare", "--file-size")]:
        help = run(verb, "--help").stdout
        assert option in help
        assert f"dynarrow {verb} " in help
