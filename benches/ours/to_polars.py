"""An export → a polars dataframe.

python benches/ours/to_polars.py SRC THREADS [--out FILE.parquet]
"""

import argparse
import json
import time
from pathlib import Path

import polars as pl

import dynarrow

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("src", type=Path)
    parser.add_argument("threads", type=int)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    start = time.perf_counter()
    frame: pl.DataFrame = dynarrow.read_export(args.src, threads=args.threads).to_polars()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "items": frame.height}))
    if args.out:
        frame.write_parquet(args.out)
