"""The first items of an export as dicts, by json and boto3's TypeDeserializer.

python benches/peers/boto3_items.py SRC COUNT
"""

import argparse
import base64
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer
from files import first_lines, tell


class Deserializer(TypeDeserializer):
    """Takes binary as JSON has it; otherwise botocore decodes it before."""

    def _deserialize_b(self, value: str) -> Binary:
        return Binary(base64.b64decode(value))


def items(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    deserialize = Deserializer().deserialize
    for line in lines:
        yield {name: deserialize(value) for name, value in json.loads(line)["Item"].items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("src", type=Path)
    parser.add_argument("count", type=int)
    args = parser.parse_args()
    start = time.perf_counter()
    tell(start, sum(1 for _ in items(first_lines(args.src, args.count))))
