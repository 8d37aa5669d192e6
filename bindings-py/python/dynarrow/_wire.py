"""Items as DynamoDB's own clients take them, ``{"pk": {"S": "a"}}``, and their keys."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias, cast

from dynarrow._aws import Table
from dynarrow._errors import DataError

# With bytes in B.
Wire: TypeAlias = dict[str, dict[str, Any]]
# A primary key by value: the types and values of its attributes.
Key: TypeAlias = tuple[tuple[str, object], ...]

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_KEY_BYTES = {"HASH": 2048, "RANGE": 1024}


def to_wire(item: Mapping[str, Any]) -> Wire:
    """An item of `iter_items` as DynamoDB's clients take it; numbers stay the text they are."""
    return {name: _wire(value) for name, value in item.items()}


def _wire(value: Any) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case Decimal():
            return {"N": str(value)}
        case bool():
            return {"BOOL": value}
        case None:
            return {"NULL": True}
        case dict():
            return {"M": to_wire(cast("dict[str, Any]", value))}
        case list():
            return {"L": [_wire(member) for member in cast("list[Any]", value)]}
        case bytes():
            return {"B": value}
        case _:
            members = list(cast("set[Any]", value))
            match members[0]:
                case str():
                    return {"SS": members}
                case bytes():
                    return {"BS": members}
                case _:
                    return {"NS": [str(member) for member in members]}


def base64_text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def key_of(table: Table, item: Wire) -> Key:
    key: list[tuple[str, object]] = []
    for name in table.key:
        ((kind, value),) = item[name].items()
        # Numbers by value: 1 and 1.0 are one key.
        key.append((kind, Decimal(value) if kind == "N" else value))
    return tuple(key)


def fault_of(table: Table, item: Wire) -> tuple[str, str] | None:
    """Why the table cannot take the item: the attribute, and the service's own words."""
    invalid = "One or more parameter values were invalid: "
    not_valid = "One or more parameter values are not valid. "
    empty = "The AttributeValue for a key attribute cannot contain an empty {} value. "
    for name, kind in table.key.items():
        if name not in item:
            return name, f"{invalid}Missing the key {name} in the item"
        ((actual, value),) = item[name].items()
        if actual != kind:
            return name, (
                f"{invalid}Type mismatch for key {name} expected: {kind} actual: {actual}"
            )
        if kind != "N" and not value:
            of = "string" if kind == "S" else "binary"
            return name, f"{not_valid}{empty.format(of)}Key: {name}"
    for role, name in zip(_KEY_BYTES, table.key, strict=False):
        ((kind, value),) = item[name].items()
        size = len(value.encode()) if kind == "S" else len(value)
        if kind != "N" and size > _KEY_BYTES[role]:
            return name, invalid + (
                "Size of hashkey has exceeded the maximum size limit of2048 bytes"
                if role == "HASH"
                else "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
            )
    for index, name, kind in table.index_keys:
        if name not in item:
            continue
        ((actual, value),) = item[name].items()
        if actual != kind:
            return name, (
                f"{invalid}Type mismatch for Index Key {name} Expected: {kind} Actual: {actual}"
                f" IndexName: {index}"
            )
        if kind != "N" and not value:
            of = "string" if kind == "S" else "binary"
            return name, (
                f"{not_valid}A value specified for a secondary index key is not supported. "
                f"{empty.format(of)}IndexName: {index}, IndexKey: {name}"
            )
    return None


def path_text(name: str) -> str:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return name
    return f"[{json.dumps(name, ensure_ascii=False)}]"


def bad_item(
    code: str, message: str, file: str | None, item: int | None, path: str | None
) -> DataError:
    parts: list[str] = []
    if file is not None:
        parts.append(f"file {file}")
    if item is not None:
        parts.append(f"item {item}")
    if path is not None:
        parts.append(f"attribute {path}")
    where = f" ({', '.join(parts)})" if parts else ""
    text = re.sub(r"[\x00-\x1f\x7f]", lambda c: f"\\x{ord(c[0]):02x}", f"{message}{where}")
    return DataError(f"{code}: {text}", code, message, file=file, item=item, path=path)
