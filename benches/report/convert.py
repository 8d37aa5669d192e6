"""`dynarrow convert` beside DuckDB's hand-written unwrapping, in one run.

Generates the export if it is not there, converts it with both in turns, compares the
contents of the outputs (rows, exact sums of the number columns, counts and hashes of the
text columns), and only then prints times, their ratio and peak memory.

    .venv/bin/python benches/report/convert.py [--shape shop] [--items 600000] [--runs 3]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from decimal import Decimal, localcontext
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "benches" / "data"
DYNARROW = ROOT / "target" / "release" / "dynarrow"


def run(command: list[str]) -> tuple[float, int]:
    """Seconds on the wall, and peak resident memory in bytes."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024


def contents(parquet: Path) -> dict[str, tuple]:
    """What is compared of each column: exact, and whatever the order of the rows."""
    frame = pl.read_parquet(parquet)
    found: dict[str, tuple] = {"": (frame.height,)}
    for column in frame.get_columns():
        if column.dtype.is_decimal():
            with localcontext(prec=100):  # exact: Python rounds to 28 digits otherwise
                found[column.name] = (column.count(), sum(column.drop_nulls().to_list(), Decimal(0)).normalize())
        elif column.dtype.is_integer():
            found[column.name] = (column.count(), sum(column.drop_nulls().to_list()))
        elif column.dtype in (pl.String, pl.Binary, pl.Boolean):
            found[column.name] = (column.count(), column.drop_nulls().hash(seed=1).sum())
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", default="shop", choices=["shop", "narrow", "wide"])
    parser.add_argument("--items", type=int, default=600_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    build = ["cargo", "build", "--release", "--locked", "-p", "dynarrow-cli", "-p", "dynarrow-benches"]
    subprocess.run(build, cwd=ROOT, check=True)
    src = DATA / f"{args.shape}-{args.items}"
    if not src.exists():
        generate = [str(ROOT / "target/release/generate"), str(src), "--shape", args.shape]
        subprocess.run([*generate, "--items", str(args.items), "--files", "8"], check=True)
    schema, ours, theirs = DATA / "schema.json", DATA / "ours.parquet", DATA / "duckdb.parquet"
    subprocess.run([DYNARROW, "schema", src, "-o", schema, "--quiet"], check=True, stdout=subprocess.DEVNULL)

    threads = ["--threads", str(args.threads)]
    commands = {
        "dynarrow": [str(DYNARROW), "convert", str(src), str(ours), *threads],
        "duckdb": [sys.executable, str(ROOT / "benches/peers/duckdb_unwrap.py"), str(src), str(schema), str(theirs), *threads],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    peaks = dict.fromkeys(commands, 0)
    for _ in range(args.runs):
        for name, command in commands.items():
            seconds, peak = run(command)
            times[name].append(seconds)
            peaks[name] = max(peaks[name], peak)

    mine, other = contents(ours), contents(theirs)
    # DuckDB's output leaves nested and mixed columns as JSON: they have no counterpart.
    common = [name for name in mine if name in other and (name == "" or not is_json(schema, name))]
    different = [name for name in common if mine[name] != other[name]]
    if different:
        sys.exit(f"the outputs differ: {[(name, mine[name], other[name]) for name in different]}")
    print(f"{args.shape}, {args.items} items: {len(common) - 1} columns compared, equal")
    for name in commands:
        best, median, worst = min(times[name]), statistics.median(times[name]), max(times[name])
        print(f"{name:10} {median:6.2f} s  ({best:.2f} - {worst:.2f})  peak {peaks[name] / 2**20:6.0f} MiB")
    ratios = [b / a for a, b in zip(times["dynarrow"], times["duckdb"], strict=True)]
    print(f"duckdb / dynarrow: {statistics.median(ratios):.2f}  ({min(ratios):.2f} - {max(ratios):.2f})")


def is_json(schema: Path, name: str) -> bool:
    field = next(f for f in json.loads(schema.read_text())["fields"] if f["name"] == name)
    kinds = set(field["seen"]) - {"NULL"}
    return len(kinds) != 1 or not kinds <= {"S", "N", "B", "BOOL"}


if __name__ == "__main__":
    main()
