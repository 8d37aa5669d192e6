"""Writes `tests/data/exports/shop-hour`: an hour of changes behind the sample export `shop`.

Run it as `python tests/python/sample_changes.py`; what it writes is always the same.
"""

import gzip
import json
import random
import shutil
from pathlib import Path

from exports import Change, Item, write_changes

EXPORTS = Path(__file__).parents[1] / "data/exports"
# The microsecond of shop's export.
BEGIN = 1_754_291_340_850_000


def sample() -> list[Change]:
    """Orders that come, go on and are deleted, and products that are sold."""
    rng = random.Random(1)
    items: list[Item] = []
    for path in sorted((EXPORTS / "shop").glob("AWSDynamoDB/*/data/*.gz")):
        items += [
            json.loads(line)["Item"] for line in gzip.decompress(path.read_bytes()).splitlines()
        ]
    changes: list[Change] = []
    for old in rng.sample(items, 60):
        new: Item | None = dict(old)
        draw = rng.random()
        if draw < 0.2:
            new = None
        elif "stock" in old:
            new["stock"] = {"N": str(int(old["stock"]["N"]) - 1)}
        elif "status" in old:
            new["status"] = {"S": "RETURNED"}
            new["note"] = {"S": "as agreed"}
        else:
            new["visits"] = {"N": str(rng.randrange(100))}
        changes.append(_change(rng, old, new))
    for old in rng.sample([item for item in items if item["EntityType"]["S"] == "order"], 20):
        new = old | {
            "SK": {"S": f"ORDER#2025-08-04T07:{rng.randrange(10, 60)}:{rng.randrange(60):02}Z"},
            "orderId": {"S": f"{rng.getrandbits(64):016x}"},
            "status": {"S": "NEW"},
        }
        changes.append(_change(rng, None, new))
    rng.shuffle(changes)
    return changes


def _change(rng: random.Random, old: Item | None, new: Item | None) -> Change:
    keys = {name: (old or new or {})[name] for name in ("PK", "SK")}
    return Change(BEGIN + rng.randrange(3_599_000_000), keys, old, new)


if __name__ == "__main__":
    shutil.rmtree(EXPORTS / "shop-hour", ignore_errors=True)
    changes = sample()
    shop = json.loads(
        next((EXPORTS / "shop").glob("AWSDynamoDB/*/manifest-summary.json")).read_text()
    )
    same = {name: shop[name] for name in ("tableArn", "tableId", "s3Bucket")}
    arn = f"{shop['tableArn']}/export/01754294940000-0c0ffee0"
    write_changes(
        EXPORTS / "shop-hour",
        [changes[:31], [], changes[31:50], changes[50:]],
        summary={**same, "exportArn": arn},
    )
