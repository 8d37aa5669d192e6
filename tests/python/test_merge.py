"""Merging: against a dict of Python, in little memory, and killed at any moment."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq
import pytest

import dynarrow

from exports import Change, Item, item_line, random_items, write_changes, write_export
from reference import alike, plain

EXPORT_TIME = "2025-08-04T07:09:00.850Z"


def hour(n: int) -> str:
    """The n-th hour behind that of the export, as manifests have it."""
    return f"2025-08-04T{7 + n:02}:09:00.850Z"


def change(key: Item, old: Item | None, new: Item | None, micros: int) -> Change:
    return Change(micros, key, old, new)


def play(seed: int, count: int, hours: int) -> tuple[list[Item], list[list[Change]], list[Item]]:
    """A table, what became of it hour by hour, and the items in the end, as `merge` orders them."""
    rng = random.Random(seed)
    base = random_items(seed, count)
    for n, item in enumerate(base):
        item["pk"] = {"N": str(n)}
    table = dict(enumerate(base))
    order = list(table)
    windows: list[list[Change]] = []
    for window in range(hours):
        changes: list[Change] = []
        for key in rng.sample(range(count * 3 // 2), count // 3):
            old = table.get(key)
            new = None if old and rng.random() < 0.4 else random_items(rng.randrange(10**9), 1)[0]
            if new is not None:
                # The same value, written in another way.
                new["pk"] = {"N": f"{key}.0"}
            changes.append(
                change({"pk": {"N": f"{key}e0"}}, old, new, 1_754_291_400_000_000 + window)
            )
            if new is None:
                table.pop(key)
            else:
                table[key] = new
            if key >= count:
                order = [other for other in order if other != key]
                order += [key] if new is not None else []
        windows.append(changes)
    return base, windows, [table[key] for key in order if key in table]


def write_chain(
    root: Path, base: list[Item], windows: list[list[Change]], *, ion: bool, both: bool
) -> tuple[Path, list[Path]]:
    third = len(base) // 3
    files = [base[:third], [], base[third:]]
    full = write_export(root, files, ion=ion, summary={"exportTime": EXPORT_TIME})
    increments = [
        write_changes(
            root,
            [changes[::2], [], changes[1::2]] if n % 2 else [changes],
            ion=ion,
            both=both,
            export_id=f"0175430000000{n}-0000000{n}",
            summary={
                "exportFromTime": hour(n),
                "exportToTime": hour(n + 1),
                "exportArn": f"arn:aws:dynamodb:eu-west-1:123456789012:table/Shop/export/{n}",
            },
        ).folder
        for n, changes in enumerate(windows)
    ]
    return full.folder, increments


@pytest.mark.parametrize("ion", [False, True], ids=["json", "ion"])
@pytest.mark.parametrize("both", [False, True], ids=["new", "both"])
def test_the_state_is_that_of_a_dict(tmp_path: Path, ion: bool, both: bool) -> None:
    base, windows, items = play(7, 90, 4)
    # Files by twos: `play` orders new items by window and line, as one file has them.
    full, increments = write_chain(tmp_path, base, windows, ion=ion, both=both)
    expected = sorted((plain(item) for item in items), key=lambda item: item["pk"])
    for memory in [None, 1]:
        report = dynarrow.merge(full, increments[::-1], tmp_path / "out.json.gz", memory=memory)
        found = sorted(dynarrow.iter_items(tmp_path / "out.json.gz"), key=lambda item: item["pk"])
        assert len(found) == len(expected)
        assert all(map(alike, found, expected))
        assert report.convert.read.items == len(items)
        assert [window.changes for window in report.windows] == [30] * 4
        assert all(window.applied for window in report.windows)
        assert len(base) + report.inserts - report.deletes == len(items)
        assert not report.gaps
        assert not report.overlaps


def test_every_destination_holds_the_same(tmp_path: Path) -> None:
    base, windows, items = play(11, 60, 2)
    full, increments = write_chain(tmp_path, base, windows, ion=False, both=True)
    truth = tmp_path / "truth.json"
    truth.write_text("".join(map(item_line, items)))
    as_is: dict[str, Any] = {"key": "pk"}
    for dest, options in {
        "out.json": {},
        "out.ion.gz": {},
        "typed.parquet": {"layout": "typed"},
        "typed.arrow": {"layout": "typed"},
        "export": {"to": "export"},
        "ion": {"to": "export", "export_format": "ion"},
        "folder": {"layout": "typed", "file_size": 1},
    }.items():
        dynarrow.merge(full, increments, tmp_path / dest, **options)  # type: ignore[arg-type]
        report = dynarrow.diff(truth, tmp_path / dest, **as_is)
        assert report.ok, (dest, report)
        assert report.same == len(items)
    schema = pq.read_schema(tmp_path / "typed.parquet")
    assert schema.metadata[b"dynarrow.keys"] == b'["pk"]'
    assert schema.metadata[b"dynarrow.export_time"] == hour(2).encode()
    assert dynarrow.verify(tmp_path / "export").ok
    assert dynarrow.open_export(tmp_path / "export").summary["exportTime"] == hour(2)


def test_one_after_the_other_is_all_at_once(tmp_path: Path) -> None:
    base, windows, items = play(13, 60, 4)
    full, increments = write_chain(tmp_path, base, windows, ion=False, both=False)
    now = full
    for n, increment in enumerate(increments):
        dest, to = (tmp_path / f"{n}", "export") if n % 2 else (tmp_path / f"{n}.parquet", None)
        layout: Literal["plain", "typed"] = "plain" if to else "typed"
        dynarrow.merge(now, increment, dest, to=to, layout=layout)  # type: ignore[arg-type]
        now = dest
    truth = tmp_path / "truth.json"
    truth.write_text("".join(map(item_line, items)))
    assert dynarrow.diff(truth, now, key=["pk"]).ok


def test_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    base, windows, _ = play(17, 30, 3)
    full, increments = write_chain(tmp_path, base, windows, ion=False, both=True)
    dest = tmp_path / "out.parquet"
    for code, sources in {
        "E_GAP": (full, [increments[0], increments[2]]),
        "E_INCREMENTAL": (increments[0], [increments[1]]),
        "E_FULL_EXPORT": (full, [full]),
    }.items():
        with pytest.raises(dynarrow.UsageError) as raised:
            dynarrow.merge(*sources, dest)
        assert raised.value.code == code
        assert not dest.exists()
    report = dynarrow.merge(full, [increments[0], increments[2]], dest, allow_gaps=True)
    assert report.gaps == [(hour(1), hour(2))]
    with pytest.raises(dynarrow.UsageError, match=r"size"):
        dynarrow.merge(full, increments, dest, memory="much")
    with pytest.raises(TypeError):
        dynarrow.merge(full, increments, dest, columms=["pk"])  # type: ignore[call-arg]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A base of 400,000 items and 300,000 changes of it: keys and images of 240 MB."""
    root = tmp_path_factory.mktemp("large")
    text = "x" * 600
    files = [
        gzip.compress(
            "".join(
                item_line({"pk": {"S": f"key-{n:040}"}, "n": {"N": str(n)}})
                for n in range(start, start + 100_000)
            ).encode(),
            compresslevel=1,
        )
        for start in range(0, 400_000, 100_000)
    ]
    base = write_export(root, files, counts=[100_000] * 4, summary={"exportTime": EXPORT_TIME})
    lines = "".join(
        json.dumps(
            {
                "Metadata": {"WriteTimestampMicros": {"N": str(n)}},
                "Keys": {"pk": {"S": f"key-{2 * n:040}"}},
                "NewImage": {
                    "pk": {"S": f"key-{2 * n:040}"},
                    "n": {"N": str(-n)},
                    "t": {"S": f"{n}{text}"},
                },
            }
        )
        + "\n"
        for n in range(300_000)
    )
    changes = write_changes(root, [lines], summary={"exportFromTime": EXPORT_TIME})
    return base.folder, changes.folder


def run(script: str, *args: str | Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), *map(str, args)])


PEAK = """
    import resource, sys, dynarrow
    base, changes, dest, memory = sys.argv[1:]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = dynarrow.merge(base, changes, dest, memory=memory)
    assert (report.updates, report.inserts) == (200_000, 100_000), report
    print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_is_bounded(large: tuple[Path, Path], tmp_path: Path) -> None:
    """Keys and changes come to ten times the budget."""
    base, changes = large
    written: list[bytes] = []
    for memory in ["24MB", "1GB"]:
        dest = tmp_path / f"{memory}.parquet"
        ended = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PEAK), *map(str, [base, changes, dest, memory])],
            capture_output=True,
            text=True,
            check=True,
        )
        before, peak = map(int, ended.stdout.split())
        # The work itself takes up to 128 MB beside the budget, which is for keys: in KiB.
        assert peak - before < (128 << 10) + (24 << 10), (memory, before, peak)
        written.append(dest.read_bytes())
    assert written[0] == written[1]


MERGE = """
    import sys, dynarrow
    base, changes, dest, memory = sys.argv[1:]
    dynarrow.merge(base, changes, dest, memory=memory, overwrite=True)
"""


def test_killed_at_any_moment_nothing_half_written_stands(
    large: tuple[Path, Path], tmp_path: Path
) -> None:
    base, changes = large
    out = tmp_path / "out"
    out.mkdir()
    dest = out / "out.parquet"
    start = time.monotonic()
    assert run(MERGE, base, changes, dest, "24MB").wait() == 0
    usual = time.monotonic() - start
    whole = dest.read_bytes()
    dest.unlink()
    rng = random.Random(1)
    killed = 0
    for n in range(50):
        process = run(MERGE, base, changes, dest, "24MB" if n % 2 else "1GB")
        time.sleep(rng.random() * usual)
        os.kill(process.pid, signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if dest.exists():
            assert dest.read_bytes() == whole
            dest.unlink()
        # What is left is not taken for anything.
        assert all(path.name.endswith(".tmp") for path in out.iterdir())
    assert killed > 25
    assert run(MERGE, base, changes, dest, "24MB").wait() == 0
    assert dest.read_bytes() == whole
