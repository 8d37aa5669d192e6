"""Ion beside DynamoDB JSON of the same items, and beside amazon.ion, in one run.

Generates both exports if they are not there, converts each to Parquet in turns, has
amazon.ion (with its C extension) load the first items of the same files, compares what came
out, and only then prints items per second and their ratios.

    .venv/bin/python benches/report/ion.py [--shape shop] [--items 600000] [--runs 3]
"""

import argparse
import gzip
import statistics
import subprocess
import sys
import time
from pathlib import Path

import amazon.ion.simpleion as simpleion
import polars as pl
from convert import DATA, DYNARROW, ROOT, run


def loads(src: Path, count: int) -> tuple[float, int]:
    """Seconds that amazon.ion takes for the first items, and how many it gave."""
    lines: list[bytes] = []
    for file in sorted(src.glob("AWSDynamoDB/*/data/*.ion.gz")):
        lines += gzip.decompress(file.read_bytes()).splitlines(keepends=True)
        if len(lines) >= count:
            break
    text = b"".join(lines[:count])
    start = time.perf_counter()
    values = simpleion.loads(text, single_value=False)
    return time.perf_counter() - start, len(values)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", default="shop", choices=["shop", "narrow", "wide"])
    parser.add_argument("--items", type=int, default=600_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--loads", type=int, default=20_000, help="items that amazon.ion loads")
    args = parser.parse_args()
    if not simpleion.c_ext:
        sys.exit("amazon.ion has no C extension here")

    build = ["cargo", "build", "--release", "--locked", "-p", "dynarrow-cli", "-p", "dynarrow-benches"]
    subprocess.run(build, cwd=ROOT, check=True)
    sources = {
        "json": DATA / f"{args.shape}-{args.items}",
        "ion": DATA / f"{args.shape}-ion-{args.items}",
    }
    for name, src in sources.items():
        if not src.exists():
            generate = [str(ROOT / "target/release/generate"), str(src), "--shape", args.shape]
            generate += ["--items", str(args.items), "--files", "8"]
            subprocess.run([*generate, *(["--format", "ion"] if name == "ion" else [])], check=True)

    rates: dict[str, list[float]] = {"json": [], "ion": [], "amazon.ion": []}
    for _ in range(args.runs):
        for name, src in sources.items():
            command = [str(DYNARROW), "convert", str(src), str(DATA / f"{name}.parquet")]
            seconds, _ = run([*command, "--threads", str(args.threads)])
            rates[name].append(args.items / seconds)
        seconds, count = loads(sources["ion"], args.loads)
        if count != args.loads:
            sys.exit(f"amazon.ion loaded {count} of {args.loads} items")
        rates["amazon.ion"].append(count / seconds)

    json, ion = (pl.read_parquet(DATA / f"{name}.parquet") for name in sources)
    if not json.equals(ion):
        sys.exit("the tables differ")
    print(f"{args.shape}, {args.items} items: the tables are equal")
    for name, found in rates.items():
        print(f"{name:12}{statistics.median(found):10,.0f} items/s  ({min(found):,.0f} - {max(found):,.0f})")
    for peer in ("json", "amazon.ion"):
        ratios = [a / b for a, b in zip(rates["ion"], rates[peer], strict=True)]
        print(f"ion / {peer}: {statistics.median(ratios):.2f}  ({min(ratios):.2f} - {max(ratios):.2f})")


if __name__ == "__main__":
    main()
