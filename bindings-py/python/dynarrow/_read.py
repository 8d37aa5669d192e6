"""Reading as record batches, and into dataframes."""

# pyarrow brings no types.
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from dynarrow import _dynarrow
from dynarrow._dynarrow import ReadReport, Schema
from dynarrow._errors import DynarrowError, UsageError
from dynarrow._options import (
    Check,
    Extra,
    Layout,
    Maps,
    Mixed,
    Names,
    Numbers,
    OnError,
    SchemaLike,
    SourceFormat,
    StrPath,
)
from dynarrow._progress import Progress, reporting

if TYPE_CHECKING:
    import duckdb
    import pandas
    import polars
    import pyarrow


class Reader:
    """Reads an export as record batches, as often as wanted.

    Made by `read_export` and `Export.read`. Any library that takes Arrow streams takes a
    reader as it is: ``polars.DataFrame(reader)``, ``pyarrow.table(reader)``,
    ``duckdb.from_arrow(reader)``, ``pandas.DataFrame.from_arrow(reader)``. Each of them reads
    the export again, in bounded memory; all batches of a reader share one schema.

    The schema is learnt over all items when it is first needed: when it is asked for, or for
    the first of several batches. The methods that take all items at once, `to_arrow`,
    `to_polars` and `to_pandas`, guess it from a part of a large export and read once; only where an
    item does not fit the guess do they learn it and start over. The result is the same.

    Through such a stream the class of an exception is lost: the text has its code and
    position, and `last_error` is the exception itself. Ctrl-C is seen when the library
    returns. The methods ``to_*`` and iteration raise the exceptions themselves, and can be
    interrupted.
    """

    __slots__ = ("_native", "_progress")

    def __init__(self, native: _dynarrow.Reader, progress: Progress = None) -> None:
        self._native = native
        self._progress = progress

    @property
    def schema(self) -> Schema:
        """The schema of all batches; learnt here where it was not yet."""
        return self._learnt().schema

    @property
    def report(self) -> ReadReport | None:
        """What the latest reading came to, so far; None before the first."""
        return self._native.report

    @property
    def last_error(self) -> DynarrowError | None:
        """What the latest reading failed in; None if it did not."""
        return self._native.last_error

    def __arrow_c_schema__(self) -> object:
        return self._learnt().__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._learnt().__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Iterator[pyarrow.RecordBatch]:
        """The batches as pyarrow's, one by one."""
        import_module("pyarrow")  # an error now, not at the first batch
        return self._learnt().batches()

    def to_arrow(self) -> pyarrow.Table:
        """All items as a `pyarrow.Table`.

        Raises:
            DynarrowError: Bad data, with its position, or a wrong option.
            ImportError: pyarrow is not installed.
        """
        import pyarrow

        return pyarrow.table(self._collect())

    def to_polars(self) -> polars.DataFrame:
        """All items as a `polars.DataFrame`.

        Maps become lists of structs with ``key`` and ``value``: polars has no map type.

        Raises:
            DynarrowError: Bad data, with its position, or a wrong option.
            ImportError: polars is not installed.
        """
        import polars

        return polars.DataFrame(self._collect())

    def to_pandas(
        self, dtype_backend: Literal["pyarrow", "numpy_nullable"] | None = "pyarrow"
    ) -> pandas.DataFrame:
        """All items as a `pandas.DataFrame`. Needs pyarrow too.

        Args:
            dtype_backend: ``"pyarrow"`` keeps every value as it is. ``"numpy_nullable"``
                has pandas' nullable types for integers, floats, booleans and strings. None
                has numpy's: an integer column with nulls becomes float64 and loses what
                stands past 2**53.

        Raises:
            DynarrowError: Bad data, with its position, or a wrong option.
            UsageError: An unknown ``dtype_backend``.
            ImportError: pandas or pyarrow is not installed.
        """
        import pandas
        import pyarrow

        pa: Any = pyarrow
        mappers: dict[Any, Any] = {
            "pyarrow": pandas.ArrowDtype,
            "numpy_nullable": {
                pa.int64(): pandas.Int64Dtype(),
                pa.float64(): pandas.Float64Dtype(),
                pa.bool_(): pandas.BooleanDtype(),
                pa.string(): pandas.StringDtype(),
            }.get,
            None: None,
        }
        if dtype_backend not in mappers:
            message = (
                "dtype_backend must be one of 'pyarrow', 'numpy_nullable', None, "
                f"not {dtype_backend!r}"
            )
            raise UsageError(f"E_USAGE: {message}", "E_USAGE", message)
        table: Any = self.to_arrow()
        return table.to_pandas(types_mapper=mappers[dtype_backend])

    def to_duckdb(
        self, connection: duckdb.DuckDBPyConnection | None = None
    ) -> duckdb.DuckDBPyRelation:
        """A DuckDB relation over the items. Nothing is copied: each query reads the export.

        Args:
            connection: DuckDB's default connection for None.

        Raises:
            ImportError: duckdb is not installed.
        """
        import duckdb

        return (connection or duckdb.default_connection()).from_arrow(self)

    def __repr__(self) -> str:
        # To look at a reader is not to read.
        known = f"\n{self._native.schema!r}" if self._native.is_learnt else ""
        return f"Reader of {self._native.name}{known}"

    def _learnt(self) -> _dynarrow.Reader:
        if not self._native.is_learnt:
            with reporting(self._progress, "schema") as callback:
                self._native.learn(callback)
        return self._native

    def _collect(self) -> _dynarrow.Batches:
        with reporting(self._progress, "read") as callback:
            return self._native.collect(callback)


def read_export(
    src: StrPath,
    *,
    columns: Sequence[str] | None = None,
    schema: SchemaLike | None = None,
    numbers: Numbers = "auto",
    mixed: Mixed = "struct",
    maps: Maps = "auto",
    layout: Layout = "plain",
    names: Names = "exact",
    overrides: Mapping[str, str] | None = None,
    max_fields: int | None = None,
    max_columns: int | None = None,
    max_paths: int | None = None,
    sample: int | None = None,
    extra: Extra = "column",
    batch_size: int | None = None,
    threads: int | None = None,
    on_error: OnError = "raise",
    check: Check = "count",
    format: SourceFormat | None = None,
    progress: Progress = None,
) -> Reader:
    """A reader of record batches: one column for each top-level attribute.

    Nothing of the data is read here: the reader reads as often as it is asked.

    Args:
        src: See `open_export`.
        columns: The attributes to read, in this order; all, as first seen, for None.
        schema: A `Schema` or the path of its document: nothing is learnt, and the options
            from ``numbers`` to ``sample`` cannot be given with it, but ``max_paths``.
        numbers: What N becomes. ``"auto"``: int64 if all values of a path are integers that
            fit, else decimal128(38, s) if all fit, else text in canonical plain form: never
            rounded. ``"float64"`` rounds to the nearest, ``"decimal(p,s)"`` half to even, and
            what overflows it is null; the report counts both. ``"string"`` is text
            everywhere.
        mixed: What a path with several types becomes. ``"struct"``: a struct with a child
            per type, named ``S``, ``N``, …. ``"json"``: DynamoDB JSON as text. ``"string"``:
            plain text. ``"error"``: an error, `E_MIXED`.
        maps: What M becomes. ``"auto"``: a struct of the members seen, a map column where
            they are more than ``max_fields``. ``"struct"``, ``"map"``: always. ``"json"``:
            DynamoDB JSON as text.
        layout: ``"typed"`` makes each value a struct of the types seen at its path, NULL
            too: nothing is lost.
        names: ``"athena"`` names columns and members of structs so that Athena can resolve
            them: lower case, ``[a-z0-9_]``, at most 255 bytes, ``_2``, ``_3`` where that is
            taken; the attribute's own name is in the field's metadata ``dynamodb.name``, and
            `write_items` goes by it.
        overrides: Types of single paths, such as ``{"price": "decimal(18,2)", "meta": "json",
            "lines[].qty": "int64", "created": "timestamp(s)"}``: ``int64``, ``float64``,
            ``decimal(p,s)``, ``string``, ``json``, ``struct``, ``map``, ``timestamp(s)``,
            ``(ms)``, ``(us)``, ``(iso)`` or ``(iso:PATTERN)`` of ``YYYY MM DD hh mm ss S``.
        max_fields: Members of a struct, at most, with ``maps="auto"``; 256 for None.
        max_columns: Columns, at most; 2,000 for None. Attributes past it go to ``_extra``.
        max_paths: Attribute paths that are learnt, at most; 100,000 for None.
        sample: Learn from the first items only, so many; all for None.
        extra: What becomes of values that a schema has no place for, where ``schema``,
            ``overrides`` or ``sample`` is given or ``max_columns`` was passed. ``"column"``:
            they stand in ``_extra``, a JSON object of DynamoDB JSON by path. ``"drop"``: they
            are counted. ``"error"``: an error, `E_EXTRA`.
        batch_size: Rows of a batch, at most; 8,192 for None. Batches are also cut at 32 MiB
            of records.
        threads: As many as the machine has cores for None. The result is the same.
        on_error: ``"skip"`` passes over bad records and counts them; a truncated or corrupt
            file always fails.
        check: ``"count"`` compares the number of items of each file with the manifest's,
            ``"md5"`` its MD5 too, ``"none"`` nothing.
        format: The source's format; told by its bytes and name for None.
        progress: True and False switch tqdm's bar; None shows it on a terminal or in a
            notebook, if tqdm is installed. A callable is called about ten times a second
            with compressed bytes read, compressed bytes to read and items read.

    Returns:
        The reader.

    Raises:
        NotFoundError: There is nothing at ``src``.
        UsageError: A wrong option, or an incremental export (``E_INCREMENTAL``). The reader
            raises it for ``columns`` that no item has.
        StorageError: The source cannot be read; raised by the reader, too.
        DataError: A manifest cannot be understood. The reader raises it for bad data, with
            its position.
    """
    from dynarrow._open import open_export

    return open_export(src, format=format).read(
        columns=columns,
        schema=schema,
        numbers=numbers,
        mixed=mixed,
        maps=maps,
        layout=layout,
        names=names,
        overrides=overrides,
        max_fields=max_fields,
        max_columns=max_columns,
        max_paths=max_paths,
        sample=sample,
        extra=extra,
        batch_size=batch_size,
        threads=threads,
        on_error=on_error,
        check=check,
        progress=progress,
    )
