"""What outputs are compared by: exact, and whatever the order of their rows."""

import base64
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from itertools import zip_longest
from pathlib import Path
from typing import Any

import polars as pl
from amazon.ion.simple_types import IonPyNull

Contents = dict[str, tuple[Any, ...]]


def scalars(schema: Path) -> list[str]:
    """The columns of one scalar type: those that peers have too. The rest they leave as JSON,
    or wrapped."""
    fields = json.loads(schema.read_text())["fields"]
    kinds = {field["name"]: set(field["seen"]) - {"NULL"} for field in fields}
    return [
        name for name, seen in kinds.items() if len(seen) == 1 and seen <= {"S", "N", "B", "BOOL"}
    ]


def contents(frame: pl.DataFrame, names: Iterable[str]) -> Contents:
    """The number of rows, and of each column the number of its values with the exact sum of
    numbers or the sum of hashes of anything else."""
    found: Contents = {"": (frame.height,)}
    for name in names:
        column = frame[name].drop_nulls()
        if column.dtype.is_decimal():
            with localcontext(prec=100):  # exact: Python rounds to 28 digits otherwise
                found[name] = (len(column), sum(column.to_list(), Decimal(0)).normalize())
        elif column.dtype.is_integer():
            found[name] = (len(column), sum(column.to_list()))
        else:
            found[name] = (len(column), column.hash(seed=1).sum())
    return found


def unwrapped(frame: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Columns of these types out of a column `Item` whose values are wrapped."""
    items = frame["Item"].struct.unnest()
    columns = {}
    for name, dtype in types.items():
        wrapped = items[name].struct.unnest() if name in items.columns else pl.DataFrame()
        column = next((c for c in wrapped.get_columns() if c.name != "NULL"), None)
        if column is None:  # none, or nothing but NULL, in the items of this file
            column = pl.Series([None], dtype=dtype).new_from_index(0, frame.height)
        elif dtype.is_numeric():
            column = column.cast(dtype)
        elif dtype == pl.Binary:
            column = column.str.decode("base64")
        elif isinstance(column.dtype, pl.Datetime):  # pyarrow takes texts for times
            column = column.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        columns[name] = column
    return pl.DataFrame(columns)


def alike(ours: Any, theirs: Any) -> bool:
    """Whether a peer that knows no decimals, sets or binary says the same."""
    match ours:
        case dict():
            return ours.keys() == theirs.keys() and all(alike(ours[k], theirs[k]) for k in ours)
        case list():
            return len(ours) == len(theirs) and all(map(alike, ours, theirs))
        case set() if any(isinstance(member, Decimal) for member in ours):
            return ours == {Decimal(member) for member in theirs}
        case set():
            return {text(member) for member in ours} == {text(member) for member in theirs}
        case Decimal():
            return ours == theirs or float(ours) == theirs
        case bytes():
            return text(ours) == text(theirs)
        case None:
            return theirs is None or isinstance(theirs, IonPyNull)
        case _:
            return bool(ours == theirs)


def text(value: bytes | str) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def same_items(
    ours: Iterable[dict[str, Any]], theirs: Iterable[dict[str, Any]], exact: bool
) -> bool:
    """Whether items are equal, one by one."""
    pairs = zip_longest(ours, theirs)
    return all(a == b if exact else b is not None and alike(a, b) for a, b in pairs)
