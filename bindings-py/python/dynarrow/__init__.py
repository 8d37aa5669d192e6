"""Reads, checks and converts DynamoDB table exports to Arrow and Parquet, and back.

    import dynarrow

    frame = dynarrow.read_export("tests/data/exports/shop").to_polars()
    dynarrow.convert("tests/data/exports/shop", "shop.parquet")

Everything that takes a source takes a folder with manifests, a manifest, a folder with one
export below it, a folder of data files, a data file, or ``-`` for standard input. Data files are
DynamoDB JSON, Amazon Ion, plain JSON, Parquet or Arrow IPC, or those of a legacy dump (AWS Data
Pipeline, the EMR connector).
"""

from dynarrow._changes import Change, changes, iter_changes, read_changes
from dynarrow._convert import convert
from dynarrow._ddl import ddl
from dynarrow._dump import DumpReport, dump
from dynarrow._dynarrow import (
    ChangeIterator,
    ConvertReport,
    DataFile,
    DiffReport,
    Field,
    Finding,
    ItemIterator,
    Loss,
    Losses,
    MergeReport,
    PrepareReport,
    ReadReport,
    Schema,
    SplitTable,
    VerifyReport,
    Window,
    WrittenFile,
    __version__,
)
from dynarrow._errors import (
    DataError,
    DynarrowError,
    NotFoundError,
    ServiceError,
    StorageError,
    UsageError,
)
from dynarrow._items import iter_items
from dynarrow._merge import diff, merge
from dynarrow._open import Export, open_export
from dynarrow._prepare import prepare_import
from dynarrow._read import Reader, read_export
from dynarrow._request import ExportDescription, request_export, request_import
from dynarrow._schema import infer_schema
from dynarrow._upload import UploadReport, upload
from dynarrow._validate import ImportFinding, ImportReport, validate_import
from dynarrow._verify import verify
from dynarrow._write import dumps, loads, relocate, write_export, write_items

__all__ = [
    "Change",
    "ChangeIterator",
    "ConvertReport",
    "DataError",
    "DataFile",
    "DiffReport",
    "DumpReport",
    "DynarrowError",
    "Export",
    "ExportDescription",
    "Field",
    "Finding",
    "ImportFinding",
    "ImportReport",
    "ItemIterator",
    "Loss",
    "Losses",
    "MergeReport",
    "NotFoundError",
    "PrepareReport",
    "ReadReport",
    "Reader",
    "Schema",
    "ServiceError",
    "SplitTable",
    "StorageError",
    "UploadReport",
    "UsageError",
    "VerifyReport",
    "Window",
    "WrittenFile",
    "__version__",
    "changes",
    "convert",
    "ddl",
    "diff",
    "dump",
    "dumps",
    "infer_schema",
    "iter_changes",
    "iter_items",
    "loads",
    "merge",
    "open_export",
    "prepare_import",
    "read_changes",
    "read_export",
    "relocate",
    "request_export",
    "request_import",
    "upload",
    "validate_import",
    "verify",
    "write_export",
    "write_items",
]
