"""What the peers share: the data files of an export, and how a peer tells its time."""

import gzip
import json
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path


def data_files(src: Path) -> list[Path]:
    """The data files as the manifest names them, which stand as they stood in the bucket."""
    [manifest] = src.rglob("manifest-files.json")
    lines = manifest.read_text().splitlines()
    return [src / json.loads(line)["dataFileS3Key"] for line in lines]


def first_lines(src: Path, count: int) -> list[bytes]:
    """The first lines of all data files together."""

    def lines() -> Iterator[bytes]:
        for path in data_files(src):
            with gzip.open(path) as file:
                yield from file

    return list(islice(lines(), count))


def tell(start: float, items: int) -> None:
    """Prints the seconds since the start, and how many items they were for."""
    print(json.dumps({"seconds": time.perf_counter() - start, "items": items}))
