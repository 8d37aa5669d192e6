"""Progress, Ctrl-C, and what other threads can do meanwhile."""

import gzip
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

import dynarrow

from exports import item_line, write_export


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough to work on for seconds: 1.2 GB, in 24 files that are one file."""
    lines = "".join(
        item_line({"pk": {"S": f"{n}"}, "n": {"N": f"{n}.5"}, "t": {"S": "x" * 100}})
        for n in range(20_000)
    )
    stored = gzip.compress(lines.encode() * 16, compresslevel=1)
    export = write_export(tmp_path_factory.mktemp("large"), [stored] * 24, counts=[320_000] * 24)
    return export.folder


def test_a_callable_is_told(large: Path) -> None:
    export = dynarrow.open_export(large)
    size = sum(file.size or 0 for file in export.files)
    calls: list[tuple[int, int, int]] = []
    export.infer_schema(columns=["pk"], progress=lambda *call: calls.append(call))
    assert len(calls) > 1
    assert calls == sorted(calls)
    assert calls[-1] == (size, size, 320_000 * 24)


def test_short_work_is_told_its_end(shop: Path) -> None:
    calls: list[tuple[int, int, int]] = []
    dynarrow.verify(shop, progress=lambda *call: calls.append(call))
    assert calls[-1][0] == calls[-1][1] > 0
    assert calls[-1][2] == 3_000


def test_an_exception_of_the_callable_stops_the_work(large: Path, tmp_path: Path) -> None:
    def stop(*_: int) -> None:
        raise LookupError("enough")

    start = time.monotonic()
    with pytest.raises(LookupError, match="enough"):
        dynarrow.convert(large, tmp_path / "out.parquet", progress=stop)
    assert time.monotonic() - start < 2
    assert list(tmp_path.iterdir()) == []


def test_tqdm(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    dynarrow.read_export(shop).to_arrow()
    assert capfd.readouterr().err == ""
    dynarrow.read_export(shop, progress=True).to_arrow()
    assert "read" in capfd.readouterr().err
    dynarrow.read_export(shop, progress=False)
    assert capfd.readouterr().err == ""


def test_other_threads_run_meanwhile(large: Path) -> None:
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.005)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.monotonic()
    dynarrow.infer_schema(large, columns=["n"], threads=1)
    elapsed = time.monotonic() - start
    done.set()
    thread.join()
    assert ticks > elapsed / 0.005 / 10


# On one thread, so that no machine is done before it is stopped.
VERBS = {
    "read": "dynarrow.read_export(src, threads=1).schema",
    "to_arrow": "reader.to_arrow()",
    "items": "for item in dynarrow.iter_items(src, threads=1): pass",
    "schema": "dynarrow.infer_schema(src, threads=1)",
    "verify": "dynarrow.verify(src, threads=1)",
    "convert": "dynarrow.convert(src, out + '/out.parquet', threads=1)",
    "convert to text": "dynarrow.convert(src, out + '/out.ndjson.gz', threads=1)",
    "batches": "for batch in reader: pass",
}


@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c(large: Path, tmp_path: Path, verb: str) -> None:
    script = textwrap.dedent(
        f"""
        import time
        import dynarrow
        src, out = {str(large)!r}, {str(tmp_path)!r}
        if "reader" in {VERBS[verb]!r}:
            reader = dynarrow.read_export(src, columns=["pk", "n"], threads=1)
        print("ready", flush=True)
        try:
            {VERBS[verb]}
        except KeyboardInterrupt:
            print(f"stopped {{time.time()}}", flush=True)
        else:
            print("done")
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    word, _, at = out.partition(" ")
    assert word == "stopped", out
    assert float(at) - sent < 2
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_of_the_command(large: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dynarrow", "convert", str(large), f"{tmp_path}/out.parquet"]
    command += ["--threads", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.iterdir()):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_waiting_for_standard_input() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dynarrow", "head", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == 130
    assert process.stdin
    process.stdin.close()


TASKS = Path("/proc/self/task")


@pytest.mark.skipif(not TASKS.exists(), reason="threads are counted by Linux")
def test_threads_are_not_left_behind(shop: Path) -> None:
    before = len(os.listdir(TASKS))
    reader = dynarrow.read_export(shop, batch_size=100)
    for _ in range(20):
        next(iter(reader))
        next(dynarrow.iter_items(shop))
    assert len(os.listdir(TASKS)) <= before + 2
