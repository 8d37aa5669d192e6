"""What is right: values by boto3, columns by the rules of the design, written a second time."""

import base64
from decimal import Context, Decimal
from functools import cached_property
from typing import Any

import pyarrow as pa
from boto3.dynamodb.types import Binary, TypeDeserializer

from exports import Item

MAX_FIELDS = 256
KINDS = ["S", "N", "B", "BOOL", "M", "L", "SS", "NS", "BS"]


def exact(text: str) -> Decimal:
    """A number with all its digits, whatever the context of this thread says."""
    return Context(prec=400, Emin=-10_000, Emax=10_000).create_decimal(text)


class _Deserializer(TypeDeserializer):
    def _deserialize_n(self, value: str) -> Decimal:
        # boto3 refuses more than 38 digits as written, though trailing zeros be among them.
        return exact(value) if len(value) > 38 else super()._deserialize_n(value)

    def _deserialize_b(self, value: str) -> Any:
        # The AWS client decodes base64 before boto3 sees the value.
        return super()._deserialize_b(base64.b64decode(value))


_DESERIALIZER = _Deserializer()


def plain(item: Item) -> dict[str, Any]:
    """An item as boto3 gives it."""
    return {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}


def same(ours: Any, boto3s: Any) -> bool:
    """Equal, of equal types and in equal order: Python says that True == 1."""
    if isinstance(boto3s, Binary):
        return type(ours) is bytes and ours == boto3s.value
    if type(ours) is not type(boto3s):
        return False
    if isinstance(ours, dict):
        return list(ours) == list(boto3s) and all(same(ours[k], boto3s[k]) for k in ours)
    if isinstance(ours, list):
        return len(ours) == len(boto3s) and all(map(same, ours, boto3s))
    if isinstance(ours, set):
        raw = {m.value if isinstance(m, Binary) else m for m in boto3s}
        return ours == raw and {type(m) for m in ours} == {type(m) for m in raw}
    return bool(ours == boto3s)


def alike(ours: Any, boto3s: Any) -> bool:
    """The same, but for the order of attributes."""
    if isinstance(ours, dict) and isinstance(boto3s, dict):
        return ours.keys() == boto3s.keys() and all(alike(ours[k], boto3s[k]) for k in ours)
    if isinstance(ours, list) and isinstance(boto3s, list):
        return len(ours) == len(boto3s) and all(map(alike, ours, boto3s))
    return same(ours, boto3s)


def identical(left: Any, right: Any) -> bool:
    """Equal and of equal types: Python says that True == 1."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(identical(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(identical, left, right))
    if isinstance(left, set):
        return left == right and {type(m) for m in left} == {type(m) for m in right}
    return bool(left == right)


def assert_items(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert len(found) == len(expected)
    for left, right in zip(found, expected, strict=True):
        assert identical(left, right), (left, right)


def canonical(text: str) -> str:
    """The plain form that DynamoDB itself returns."""
    value = exact(text)
    return f"{value.normalize(Context(prec=60)):f}" if value else "0"


class Path:
    """What stands at one path of all items."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.numbers = Numbers()
        self.set_numbers = Numbers()
        self.members: dict[str, Path] = {}
        self.element: Path | None = None

    def add(self, typed: dict[str, Any]) -> None:
        ((kind, value),) = typed.items()
        if kind == "NULL":
            return
        self.kinds.add(kind)
        if kind == "N":
            self.numbers.add(value)
        elif kind == "NS":
            for member in value:
                self.set_numbers.add(member)
        elif kind == "M":
            for name, member in value.items():
                self.members.setdefault(name, Path()).add(member)
        elif kind == "L":
            for member in value:
                self.element = self.element or Path()
                self.element.add(member)

    def merge(self, other: "Path") -> None:
        self.kinds |= other.kinds
        self.numbers.merge(other.numbers)
        self.set_numbers.merge(other.set_numbers)
        for name, path in other.members.items():
            self.members.setdefault(name, Path()).merge(path)
        if other.element:
            self.element = self.element or Path()
            self.element.merge(other.element)

    def ordered(self) -> list[str]:
        return [kind for kind in KINDS if kind in self.kinds]

    def type(self) -> pa.DataType:
        match self.ordered():
            case []:
                return pa.string()
            case [kind]:
                return self.type_of(kind)
            case kinds:
                return pa.struct([(kind, self.type_of(kind)) for kind in kinds])

    def type_of(self, kind: str) -> pa.DataType:
        match kind:
            case "S":
                return pa.string()
            case "N":
                return self.numbers.type()
            case "B":
                return pa.binary()
            case "BOOL":
                return pa.bool_()
            case "SS":
                return _list(pa.string())
            case "BS":
                return _list(pa.binary())
            case "NS":
                return _list(self.set_numbers.type())
            case "L":
                return _list(self.element.type() if self.element else pa.string())
            case _ if not self.members:
                return pa.map_(pa.string(), pa.string())
            case _ if len(self.members) > MAX_FIELDS:
                return pa.map_(pa.string(), self.joined.type())
            case _:
                return pa.struct([(name, path.type()) for name, path in self.members.items()])

    @cached_property
    def joined(self) -> "Path":
        """All members as one path; asked for when all is learnt."""
        joined = Path()
        for path in self.members.values():
            joined.merge(path)
        return joined

    def value(self, typed: dict[str, Any] | None) -> Any:
        """A value as pyarrow gives it back from the column."""
        if typed is None or "NULL" in typed:
            return None
        ((kind, value),) = typed.items()
        kinds = self.ordered()
        if len(kinds) == 1:
            return self.value_of(kind, value)
        return {k: self.value_of(k, value) if k == kind else None for k in kinds}

    def value_of(self, kind: str, value: Any) -> Any:
        match kind:
            case "S" | "BOOL":
                return value
            case "N":
                return self.numbers.value(value)
            case "B":
                return base64.b64decode(value)
            case "SS":
                return sorted(value)
            case "BS":
                return sorted(base64.b64decode(member) for member in value)
            case "NS":
                return sorted(self.set_numbers.value(member) for member in value)
            case "L":
                return [self.element.value(member) if self.element else None for member in value]
            case _ if not self.members:
                return []
            case _ if len(self.members) > MAX_FIELDS:
                joined = self.joined
                return sorted((name, joined.value(member)) for name, member in value.items())
            case _:
                return {name: path.value(value.get(name)) for name, path in self.members.items()}

    def normal(self, read: Any) -> Any:
        """What pyarrow read, with maps and sets, which have no order, in one order."""
        if read is None or not self.kinds:
            return read
        kinds = self.ordered()
        if len(kinds) == 1:
            return self.normal_of(kinds[0], read)
        return {k: None if v is None else self.normal_of(k, v) for k, v in read.items()}

    def normal_of(self, kind: str, read: Any) -> Any:
        if kind in ("SS", "NS", "BS"):
            return sorted(read)
        if kind == "L" and self.element:
            return [self.element.normal(member) for member in read]
        if kind == "M" and isinstance(read, list):
            joined = self.joined
            return sorted((name, joined.normal(member)) for name, member in read)
        if kind == "M":
            return {name: self.members[name].normal(member) for name, member in read.items()}
        return read


class Numbers:
    """What the numbers of one path need."""

    def __init__(self) -> None:
        self.int64 = True
        self.integer = 0
        self.scale = 0

    def add(self, text: str) -> None:
        value = exact(text).normalize(Context(prec=60))
        if value:
            digits, exponent = len(value.as_tuple().digits), int(value.as_tuple().exponent)
            self.integer = max(self.integer, digits + exponent)
            self.scale = max(self.scale, -exponent)
        self.int64 &= value == int(value) and -(2**63) <= value < 2**63

    def merge(self, other: "Numbers") -> None:
        self.int64 &= other.int64
        self.integer = max(self.integer, other.integer)
        self.scale = max(self.scale, other.scale)

    def type(self) -> pa.DataType:
        if self.int64:
            return pa.int64()
        if self.integer + self.scale <= 38:
            return pa.decimal128(38, self.scale)
        return pa.string()

    def value(self, text: str) -> int | Decimal | str:
        if self.int64:
            return int(exact(text))
        return exact(text) if self.integer + self.scale <= 38 else canonical(text)


def _list(element: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", element))


def learn(items: list[Item]) -> dict[str, Path]:
    """The columns of these items, in the order in which they were first seen."""
    columns: dict[str, Path] = {}
    for item in items:
        for name, value in item.items():
            columns.setdefault(name, Path()).add(value)
    return columns


def assert_table(table: pa.Table, items: list[Item]) -> None:
    """The table has the columns of the rules, with the values of the items."""
    columns = learn(items)
    assert table.column_names == list(columns)
    assert table.num_rows == len(items)
    for name, path in columns.items():
        assert table.schema.field(name).type == path.type(), name
        column = table.column(name)
        column.validate(full=True)
        for row, (read, item) in enumerate(zip(column.to_pylist(), items, strict=True)):
            expected = path.value(item.get(name))
            assert path.normal(read) == expected, (name, row, item.get(name))
