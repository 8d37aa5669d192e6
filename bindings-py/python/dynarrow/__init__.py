"""Reads, checks and converts DynamoDB table exports to Arrow and Parquet, and back.

    import dynarrow

    frame = dynarrow.read_export("tests/data/exports/shop").to_polars()
    dynarrow.convert("tests/data/exports/shop", "shop.parquet")

Everything that takes a source takes a folder with manifests, a manifest, a folder with one
export below it, a folder of data files, a data file, or ``-`` for standard input.
"""

from dynarrow._convert import convert
from dynarrow._dynarrow import (
    ConvertReport,
    DataFile,
    Field,
    Finding,
    ItemIterator,
    ReadReport,
    Schema,
    VerifyReport,
    __version__,
)
from dynarrow._errors import DataError, DynarrowError, NotFoundError, StorageError, UsageError
from dynarrow._items import iter_items
from dynarrow._open import Export, open_export
from dynarrow._read import Reader, read_export
from dynarrow._schema import infer_schema
from dynarrow._verify import verify

__all__ = [
    "ConvertReport",
    "DataError",
    "DataFile",
    "DynarrowError",
    "Export",
    "Field",
    "Finding",
    "ItemIterator",
    "NotFoundError",
    "ReadReport",
    "Reader",
    "Schema",
    "StorageError",
    "UsageError",
    "VerifyReport",
    "__version__",
    "convert",
    "infer_schema",
    "iter_items",
    "open_export",
    "read_export",
    "verify",
]
