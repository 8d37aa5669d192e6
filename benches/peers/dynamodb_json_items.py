"""The first items of an export as dicts, by the package dynamodb-json.

python benches/peers/dynamodb_json_items.py SRC COUNT
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dynamodb_json import json_util
from files import first_lines, tell


def items(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        yield json_util.loads(line.decode())["Item"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("src", type=Path)
    parser.add_argument("count", type=int)
    args = parser.parse_args()
    start = time.perf_counter()
    tell(start, sum(1 for _ in items(first_lines(args.src, args.count))))
