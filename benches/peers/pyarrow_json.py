"""DynamoDB JSON → Parquet by pyarrow.json: values stay wrapped in their type descriptors.

One Parquet file for each data file, as their schemas differ.

    python benches/peers/pyarrow_json.py SRC OUT [--threads N]
"""

import argparse
from pathlib import Path

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq
from files import data_files

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("src", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    pa.set_cpu_count(args.threads)
    args.out.mkdir(exist_ok=True)
    # An item of 400 KB must fit into a block.
    options = pyarrow.json.ReadOptions(block_size=8 << 20)
    for path in data_files(args.src):
        with pa.input_stream(path, compression="gzip") as stream:
            if not stream.read(1):
                continue  # the file of an empty partition, which pyarrow refuses
        with pa.input_stream(path, compression="gzip") as stream:
            table = pyarrow.json.read_json(stream, read_options=options)
        pq.write_table(table, args.out / f"{path.name}.parquet")
