"""Whole exports, end to end: the repository's own, and a real one where it is at hand."""

import os
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dynarrow

from reference import assert_table, plain, same

SAMPLES = Path(os.environ.get("DYNARROW_SAMPLES", "/work/shared/samples"))
REAL = SAMPLES / "scylla-migrator/AWSDynamoDB/01715685260608-c488b4e1"


def read_by_hand(folder: Path) -> list[dict[str, dict[str, object]]]:
    """The items of an export, by nothing but gzip and json."""
    import gzip
    import json

    lines = (folder / "manifest-files.json").read_text().splitlines()
    names = [json.loads(line)["dataFileS3Key"].rpartition("/")[2] for line in lines]
    items: list[dict[str, dict[str, object]]] = []
    for name in names:
        text = gzip.decompress((folder / "data" / name).read_bytes()).decode()
        items += [json.loads(line)["Item"] for line in text.split("\n") if line]
    return items


def check_everything(src: Path, folder: Path, out: Path) -> None:
    items = read_by_hand(folder)
    read = list(dynarrow.iter_items(src))
    assert len(read) == len(items)
    assert all(map(same, read, map(plain, items)))
    reader = dynarrow.read_export(src)
    table = reader.to_arrow()
    assert_table(table, items)
    assert reader.to_polars().height == len(items)
    assert len(reader.to_pandas()) == len(items)
    assert len(reader.to_duckdb().fetchall()) == len(items)
    dynarrow.convert(src, out / "out.parquet")
    assert_table(pq.read_table(out / "out.parquet"), items)


def test_the_shop(shop: Path, tmp_path: Path) -> None:
    (folder,) = (shop / "AWSDynamoDB").iterdir()
    check_everything(shop, folder, tmp_path)
    assert dynarrow.verify(shop).ok


@pytest.mark.skipif(not REAL.exists(), reason="no samples here")
def test_a_real_export(tmp_path: Path) -> None:
    check_everything(REAL, REAL, tmp_path)
    report = dynarrow.verify(REAL)
    assert report.ok
    assert {finding.severity for finding in report.findings} == {"note"}  # no .md5 files
    table = dynarrow.read_export(REAL).to_arrow()
    assert table.column_names == ["id", "baz", *"abcdefjk", "bar"]
    row = table.to_pylist()[1]
    assert row["c"] == ["8gfX8dh0xa", "fRjHZJ2Ce9"]
    assert row["k"] == [b"is fast", b"scylladb"]
    assert row["f"] == {"h": None, "i": True, "g": 9}
    assert table["bar"].to_pylist() == [None, None, 42]
    assert table.schema.field("bar").type == pa.int64()
    second = list(dynarrow.iter_items(REAL))[1]
    assert second["d"] == {Decimal(3), Decimal(2)}
