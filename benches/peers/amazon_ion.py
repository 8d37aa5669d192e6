"""The first items of an Ion export as Ion values, by amazon.ion with its C extension.

python benches/peers/amazon_ion.py SRC COUNT
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import amazon.ion.simpleion as simpleion
from files import first_lines, tell


def items(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for value in simpleion.loads(b"".join(lines), single_value=False):
        yield value["Item"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("src", type=Path)
    parser.add_argument("count", type=int)
    args = parser.parse_args()
    if not simpleion.c_ext:
        sys.exit("amazon.ion has no C extension here")
    start = time.perf_counter()
    tell(start, sum(1 for _ in items(first_lines(args.src, args.count))))
