"""DynamoDB JSON → Parquet by DuckDB, with the SQL that one would write by hand.

The top level is unwrapped into typed columns; what is nested stays JSON text. The types
come from a schema document (`dynarrow schema SRC -o FILE`), as a person would know them.

    python benches/peers/duckdb_unwrap.py SRC SCHEMA.json OUT.parquet [--threads N]
"""

import argparse
import glob
import json
from pathlib import Path

import duckdb


def name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def sql(src: str, schema: dict, out: str) -> str:
    """One COPY from the data files to Parquet."""
    members, columns = [], []
    for field in schema["fields"]:
        column, arrow, kinds = name(field["name"]), field["arrow"], set(field["seen"]) - {"NULL"}
        kind = next(iter(kinds)) if len(kinds) == 1 else None
        inner = {
            "S": "S VARCHAR",
            "N": "N VARCHAR",
            "B": "B VARCHAR",
            "BOOL": '"BOOL" BOOLEAN',
        }.get(kind)
        if inner is None:
            members.append(f"{column} JSON")
            columns.append(f"Item.{column} AS {column}")
            continue
        members.append(f"{column} STRUCT({inner})")
        value = f"Item.{column}.{kind}"
        if kind == "N" and arrow == "int64":
            value = f"CAST({value} AS BIGINT)"
        elif kind == "N" and arrow.startswith("decimal128"):
            value = f"CAST({value} AS DECIMAL{arrow.removeprefix('decimal128')})"
        elif kind == "B":
            value = f"from_base64({value})"
        columns.append(f"{value} AS {column}")
    files = sorted(glob.glob(f"{src}/**/data/*", recursive=True))
    files = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    struct = ", ".join(members)
    return (
        f"COPY (SELECT {', '.join(columns)} FROM read_json([{files}], format='newline_delimited', "
        f"columns={{Item: 'STRUCT({struct})'}})) TO '{out}' (FORMAT parquet, COMPRESSION snappy)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("src")
    parser.add_argument("schema", type=Path)
    parser.add_argument("out")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    connection = duckdb.connect(config={"threads": args.threads})
    connection.execute(sql(args.src, json.loads(args.schema.read_text()), args.out))
