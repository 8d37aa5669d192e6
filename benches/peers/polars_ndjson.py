"""The unzipped data files → a polars dataframe by `scan_ndjson`: values stay wrapped.

The schema is taken from all items: from the first hundred it would lack attributes.

    python benches/peers/polars_ndjson.py FOLDER [--out FILE.parquet]
"""

import argparse
import time
from pathlib import Path

import polars as pl
from files import tell

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    paths = sorted(args.folder.iterdir())
    start = time.perf_counter()
    frame = pl.scan_ndjson(paths, infer_schema_length=None).collect()
    tell(start, frame.height)
    if args.out:
        frame.write_parquet(args.out)
