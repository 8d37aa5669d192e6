"""Writes exports as DynamoDB does, and random items: independent of the code under test.

An item is a dict of DynamoDB JSON (``{"pk": {"S": "a"}}``), binary as base64 text.
"""

import base64
import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context
from pathlib import Path
from typing import Any

Item = dict[str, dict[str, Any]]

EXPORT_ID = "01754291340850-fceb8e51"


@dataclass
class WrittenExport:
    """Where an export was written."""

    root: Path
    folder: Path
    files: list[Path]
    keys: list[str]


def item_line(item: Item) -> str:
    return json.dumps({"Item": item}, separators=(",", ":"), ensure_ascii=False) + "\n"


# Amazon Ion as the exporter writes it: what ion-java 1.8.3 was seen to write.

_ION_ESCAPES = {
    "\0": "0",
    "\a": "a",
    "\b": "b",
    "\t": "t",
    "\n": "n",
    "\v": "v",
    "\f": "f",
    "\r": "r",
}


def ion_quoted(text: str, quote: str) -> str:
    """A text in these quotes."""
    parts = [quote]
    for character in text:
        if character in _ION_ESCAPES:
            parts.append("\\" + _ION_ESCAPES[character])
        elif character in (quote, "\\"):
            parts.append("\\" + character)
        elif character < " " or "\x7f" <= character <= "\x9f":
            parts.append(f"\\x{ord(character):02x}")
        else:
            parts.append(character)
    return "".join([*parts, quote])


def ion_name(name: str) -> str:
    bare = re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$]*", name) and not re.fullmatch(r"\$[0-9]+", name)
    keyword = name in ("null", "true", "false", "nan")
    return name if bare and not keyword else ion_quoted(name, "'")


def ion_number(text: str) -> str:
    """A decimal without trailing zeros; as digits, where it ends in none and is no tiny one."""
    exact = Context(prec=400, Emin=-10_000, Emax=10_000)
    value = exact.create_decimal(text).normalize(exact)
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    unscaled = "-" * bool(sign and value) + "".join(map(str, digits))
    if exponent == 0:
        return f"{unscaled}."
    if exponent < 0 and value.adjusted() >= -6:
        return f"{value:f}"
    return f"{unscaled}d{exponent}"


def ion_value(value: dict[str, Any]) -> str:
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return ion_quoted(inner, '"')
        case "N":
            return ion_number(inner)
        case "B":
            return "{{" + inner + "}}"
        case "BOOL":
            return "true" if inner else "false"
        case "NULL":
            return "null"
        case "M":
            return ion_struct(inner)
        case "L":
            return "[" + ",".join(map(ion_value, inner)) + "]"
        case _:
            members = ",".join(ion_value({kind[0]: member}) for member in inner)
            return f"$dynamodb_{kind}::[{members}]"


def ion_struct(item: Item) -> str:
    fields = (f"{ion_name(name)}:{ion_value(value)}" for name, value in item.items())
    return "{" + ",".join(fields) + "}"


def ion_lines(items: Sequence[Item]) -> str:
    """Lines of Ion: a space stands before the marker of all but the first."""
    return " ".join(f"$ion_1_0 {{Item:{ion_struct(item)}}}\n" for item in items)


@dataclass
class Change:
    """What became of an item."""

    micros: int
    keys: Item
    old: Item | None
    new: Item | None

    def op(self, both: bool) -> str:
        if self.new is None:
            return "delete"
        if not both:
            return "upsert"
        return "update" if self.old else "insert"


def change_line(change: Change, *, both: bool = True) -> str:
    """A record of an incremental export, as AWS writes it."""
    metadata = {"WriteTimestampMicros": {"N": str(change.micros)}}
    record: dict[str, Any] = {"Metadata": metadata, "Keys": change.keys}
    if both and change.old is not None:
        record["OldImage"] = dict(sorted(change.old.items()))
    if change.new is not None:
        record["NewImage"] = dict(sorted(change.new.items()))
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"


def ion_changes(changes: Sequence[Change], *, both: bool = True) -> str:
    """The same in Ion, as the AWS guide shows it."""
    lines: list[str] = []
    for change in changes:
        fields = [
            f"Keys:{ion_struct(change.keys)}",
            f"Metadata:{{WriteTimestampMicros:{change.micros}.}}",
        ]
        if both and change.old is not None:
            fields.append(f"OldImage:{ion_struct(change.old)}")
        if change.new is not None:
            fields.append(f"NewImage:{ion_struct(change.new)}")
        lines.append(f"$ion_1_0 {{Record:{{{','.join(fields)}}}}}\n")
    return " ".join(lines)


def write_changes(
    root: Path,
    files: Sequence[Sequence[Change] | str],
    *,
    both: bool = True,
    ion: bool = False,
    export_id: str = "01754294940000-0c0ffee0",
    summary: dict[str, Any] | None = None,
) -> WrittenExport:
    """Writes the incremental export of the hour behind that of `write_export`.

    Args:
        root: A folder, which stands for the bucket and its prefix.
        files: For each data file its changes, or its text.
        both: The records have both images: the view is NEW_AND_OLD_IMAGES, else NEW_IMAGE.
        ion: The data files are Amazon Ion, else DynamoDB JSON.
        export_id: The export's id.
        summary: Members of the summary that are other than usual.
    """
    texts: list[str] = []
    for file in files:
        if isinstance(file, str):
            texts.append(file)
        elif ion:
            texts.append(ion_changes(file, both=both))
        else:
            texts.append("".join(change_line(change, both=both) for change in file))
    incremental: dict[str, Any] = {
        "version": "2023-08-01",
        "startTime": "2025-08-04T08:09:00.000Z",
        "endTime": "2025-08-04T08:14:00.000Z",
        "exportFromTime": "2025-08-04T07:09:00.850Z",
        "exportToTime": "2025-08-04T08:09:00.000Z",
        "billedSizeBytes": 10_000_000,
        "outputView": "NEW_AND_OLD_IMAGES" if both else "NEW_IMAGE",
        "exportType": "INCREMENTAL_EXPORT",
    } | (summary or {})
    return write_export(root, texts, ion=ion, summary=incremental, export_id=export_id)


def write_export(
    root: Path,
    files: Sequence[Sequence[Item] | str | bytes],
    *,
    ion: bool = False,
    counts: Sequence[int] | None = None,
    keys: Sequence[str] | None = None,
    summary: dict[str, Any] | None = None,
    prefix: str = "",
    export_id: str = EXPORT_ID,
) -> WrittenExport:
    """Writes an export with true checksums and etags.

    Args:
        root: A folder, which stands for the bucket and its prefix.
        files: For each data file its items, its text, or the bytes of the file itself.
        ion: The data files are Amazon Ion, else DynamoDB JSON.
        counts: The item counts that the manifest gives; true ones for None.
        keys: The keys that the manifest gives; true ones for None.
        summary: Members of the summary that are other than usual; None removes one. The
            data files of incremental exports stand in a folder that they share.
        prefix: The prefix in the bucket, as the manifest has it.
        export_id: The export's id, whose end is in the names of its files.
    """
    shared = (summary or {}).get("exportType") == "INCREMENTAL_EXPORT"
    folder = root / "AWSDynamoDB" / export_id
    folder.mkdir(parents=True)
    own = "" if shared else f"{export_id}/"
    data = root / f"AWSDynamoDB/{own}data"
    data.mkdir(exist_ok=True)
    paths: list[Path] = []
    names: list[str] = []
    lines: list[dict[str, Any]] = []
    start = f"{prefix}/" if prefix else ""
    as_lines = ion_lines if ion else lambda items: "".join(map(item_line, items))
    for n, content in enumerate(files):
        if isinstance(content, bytes):
            stored, count = content, 0
        else:
            text = content if isinstance(content, str) else as_lines(content)
            stored = gzip.compress(text.encode(), mtime=0)
            count = sum(1 for line in text.split("\n") if line.strip())
        number = f"{int(export_id[-8:], 16) if shared else 0}{n:014}"
        letter = "abcdefghijklmnopqrstuvwxyz"[n % 26]
        path = data / f"{letter}{number:0>25}.{'ion' if ion else 'json'}.gz"
        path.write_bytes(stored)
        key = f"{start}AWSDynamoDB/{own}data/{path.name}"
        key = keys[n] if keys else key
        md5 = hashlib.md5(stored).digest()
        lines.append(
            {
                "itemCount": counts[n] if counts else count,
                "md5Checksum": base64.b64encode(md5).decode(),
                "etag": hashlib.md5(md5).hexdigest() + "-1",
                "dataFileS3Key": key,
            }
        )
        paths.append(path)
        names.append(key)
    account = "arn:aws:dynamodb:eu-west-1:123456789012:table/T"
    document: dict[str, Any] = {
        "version": "2020-06-30",
        "exportArn": f"{account}/export/{export_id}",
        "startTime": "2025-08-04T07:09:00.850Z",
        "endTime": "2025-08-04T07:14:50.568Z",
        "tableArn": account,
        "tableId": "4cc53dcc-5e1a-4409-bb25-a441a1e4da98",
        "exportTime": "2025-08-04T07:09:00.850Z",
        "s3Bucket": "example-exports",
        "s3Prefix": prefix or None,
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{start}AWSDynamoDB/{export_id}/manifest-files.json",
        "billedSizeBytes": 1000,
        "itemCount": sum(line["itemCount"] for line in lines),
        "outputFormat": "ION" if ion else "DYNAMODB_JSON",
    } | (summary or {})
    if shared:
        # It is of a time between two others.
        del document["exportTime"]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    manifests = {"manifest-summary": json.dumps(document), "manifest-files": text}
    for name, text in manifests.items():
        (folder / f"{name}.json").write_text(text)
        md5 = base64.b64encode(hashlib.md5(text.encode()).digest())
        (folder / f"{name}.md5").write_bytes(md5)
    (folder / "_started").write_bytes(b"")
    return WrittenExport(root, folder, paths, names)


# Random items.

_TEXT = [
    "a",
    "Z",
    "0",
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "\x1f",
    "\x7f",
    "\x85",
    "\a",
    "\b",
    "\v",
    "\f",
    "'",
    '"',
    "\\",
    "/",
    ",",
    "{",
    "}",
    "é",
    "ß",
    "\u00a0",
    "\u2028",
    "\ufeff",
    "日",
    "本",
    "\uffff",
    "😀",
    "🇪🇺",
    "\U0010ffff",
    "e\u0301",
]

ODD_NAMES = [
    "a.b",
    "a b",
    " lead",
    "trail ",
    "Ünïcode",
    "日本",
    "😀",
    'quo"te',
    "back\\slash",
    "new\nline",
    "tab\t",
    "Item",
    "S",
    "N",
    "M",
    "L",
    "_op",
    "$x",
    "a[0]",
    "PK",
    "item",
    "null",
    "select",
    "\u202e",
    "#",
    "-",
    "x" * 300,
]


def random_text(rng: random.Random, longest: int = 12) -> str:
    return "".join(rng.choice(_TEXT) for _ in range(rng.randrange(longest)))


def random_bytes(rng: random.Random) -> str:
    return base64.b64encode(rng.randbytes(rng.randrange(40))).decode()


def random_integer(rng: random.Random) -> str:
    value = rng.choice(
        [
            rng.randrange(-10, 10),
            rng.randrange(-(10**9), 10**9),
            rng.randrange(-(2**63), 2**63),
            rng.choice([2**63 - 1, -(2**63), 2**53 + 1, 0]),
        ]
    )
    return rng.choice([str(value), f"{value}.0", f"{value}e0", f"{value}00E-2", f"{value:+}"])


def random_price(rng: random.Random) -> str:
    cents = rng.randrange(-(10**6), 10**6)
    return f"{cents / 100:.2f}"


def random_huge_integer(rng: random.Random) -> str:
    value = rng.randrange(10**38)
    return rng.choice(["", "-"]) + rng.choice([str(value), f"{value // 10**10}E+10"])


def random_number(rng: random.Random) -> str:
    """A number of any class: 38 digits, exponents of both signs, every way of writing."""
    digits = rng.choice([1, 2, 5, 17, 18, 19, 20, 37, 38])
    mantissa = str(rng.randrange(10 ** (digits - 1), 10**digits))
    sign = rng.choice(["", "", "-"])
    form = rng.randrange(9)
    if form == 0:
        return sign + mantissa
    if form == 1:
        point = rng.randrange(len(mantissa) + 1)
        return f"{sign}{mantissa[:point]}.{mantissa[point:]}" if digits > 1 else sign + mantissa
    if form == 2:
        # From 1E-130 to 9.9…E+125.
        exponent = rng.randrange(-130, 126 - len(mantissa) + 1)
        return f"{sign}{mantissa}{rng.choice('eE')}{exponent:{rng.choice(['', '+'])}}"
    if form == 3:
        rest = mantissa[1:] or "0"
        return f"{sign}{mantissa[0]}.{rest}E{rng.randrange(-130, 126)}"
    if form == 4:
        return rng.choice(["0", "-0", "0.0", "0e5", "0E-130", "1E125", "-1E-130", ".5", "5.", "+5"])
    if form == 5:
        return rng.choice(["9" * 38 + "E87", "-" + "9" * 38, "1" + "0" * 60, "0." + "0" * 40 + "1"])
    if form == 6:
        return "000" + mantissa + ".5000" if digits < 37 else mantissa
    return random_integer(rng)


def random_set(rng: random.Random, member: Callable[[random.Random], str], value: Any) -> list[str]:
    """Members that differ by value: DynamoDB has no others."""
    members = {value(text): text for text in (member(rng) for _ in range(rng.randrange(1, 5)))}
    return list(members.values())


def random_value(rng: random.Random, depth: int = 3) -> dict[str, Any]:
    """A value of any of the ten types."""
    from reference import exact  # the only thing asked there: which numbers are equal

    kind = rng.choice(["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "M", "L"])
    if kind in "ML" and depth == 0:
        kind = "S"
    match kind:
        case "S":
            return {"S": random_text(rng)}
        case "N":
            return {"N": random_number(rng)}
        case "B":
            return {"B": random_bytes(rng)}
        case "BOOL":
            return {"BOOL": rng.random() < 0.5}
        case "NULL":
            return {"NULL": True}
        case "SS":
            return {"SS": random_set(rng, random_text, str)}
        case "NS":
            return {"NS": random_set(rng, random_number, exact)}
        case "BS":
            return {"BS": random_set(rng, random_bytes, str)}
        case "M":
            names = rng.sample(["a", "b", "c", "S", "N", "é", "x.y", "", '"'], rng.randrange(5))
            return {"M": {name: random_value(rng, depth - 1) for name in names}}
        case _:
            return {"L": [random_value(rng, depth - 1) for _ in range(rng.randrange(4))]}


def _nest(rng: random.Random, depth: int) -> dict[str, Any]:
    if depth == 0:
        return {"N": random_price(rng)}
    inner = _nest(rng, depth - 1)
    return {"L": [inner, inner]} if depth % 5 == 0 else {"M": {f"d{depth}": inner}}


# An attribute each: what its column becomes depends on all its values.
_ATTRIBUTES: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "text": lambda rng: {"S": random_text(rng)},
    "integer": lambda rng: {"N": random_integer(rng)},
    "price": lambda rng: {"N": random_price(rng)},
    "huge": lambda rng: {"N": random_huge_integer(rng)},
    "number": lambda rng: {"N": random_number(rng)},
    "flag": lambda rng: {"BOOL": rng.random() < 0.5},
    "binary": lambda rng: {"B": random_bytes(rng)},
    "nothing": lambda _: {"NULL": True},
    "maybe": lambda rng: rng.choice([{"NULL": True}, {"S": random_text(rng)}]),
    "empty map": lambda _: {"M": {}},
    "empty list": lambda _: {"L": []},
    "empty text": lambda _: {"S": ""},
    "list of null": lambda rng: {"L": [{"NULL": True}] * rng.randrange(3)},
    "map": lambda rng: {
        "M": {
            name: make(rng)
            for name, make in rng.sample(
                [
                    ("n", lambda rng: {"N": random_integer(rng)}),
                    ("s", lambda rng: {"S": random_text(rng)}),
                    ("null", lambda _: {"NULL": True}),
                    ("m", lambda rng: {"M": {"x": {"N": random_price(rng)}}}),
                ],
                rng.randrange(5),
            )
        }
    },
    "list": lambda rng: {"L": [{"N": random_integer(rng)} for _ in range(rng.randrange(4))]},
    "list of maps": lambda rng: {
        "L": [
            rng.choice([{"M": {"q": {"N": random_price(rng)}}}, {"NULL": True}])
            for _ in range(rng.randrange(4))
        ]
    },
    "strings": lambda rng: {"SS": random_set(rng, random_text, str)},
    "integers": lambda rng: {"NS": random_set(rng, lambda rng: str(rng.randrange(1000)), int)},
    "binaries": lambda rng: {"BS": random_set(rng, random_bytes, str)},
    "text or number": lambda rng: rng.choice([{"S": random_text(rng)}, {"N": random_integer(rng)}]),
    "map or list": lambda rng: rng.choice(
        [{"M": {"a": {"S": "x"}}}, {"L": [{"S": "x"}]}, {"NULL": True}]
    ),
    "many members": lambda rng: {
        "M": {f"m{rng.randrange(1000)}": {"N": random_price(rng)} for _ in range(rng.randrange(4))}
    },
    "anything": random_value,
    "deep": lambda rng: _nest(rng, 12),
}


def random_item(rng: random.Random) -> Item:
    """An item with attributes in random order; their columns are of every type."""
    names = [name for name in _ATTRIBUTES if rng.random() < 0.35]
    item = {name: _ATTRIBUTES[name](rng) for name in names}
    for name in rng.sample(ODD_NAMES, rng.randrange(3)):
        item[name] = {"S": name}
    entries = list(item.items())
    rng.shuffle(entries)
    return {"pk": {"S": f"{rng.getrandbits(64):x}"}} | dict(entries)


def random_items(seed: int, count: int) -> list[Item]:
    rng = random.Random(seed)
    return [random_item(rng) for _ in range(count)]


def random_json(rng: random.Random, value: Any) -> str:
    """The value as JSON in one of its many ways: escapes or none, spaces or none."""
    if isinstance(value, str):
        return '"' + "".join(_random_character(rng, c) for c in value) + '"'
    space = rng.choice(["", "", "", " ", "\t "])
    if isinstance(value, dict):
        parts = [
            f"{random_json(rng, name)}{space}:{space}{random_json(rng, member)}"
            for name, member in value.items()
        ]
        return "{" + space + f"{space},".join(parts) + "}"
    if isinstance(value, list):
        return "[" + f",{space}".join(random_json(rng, member) for member in value) + space + "]"
    return json.dumps(value)


_SHORT = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", '"': '"', "\\": "\\", "/": "/"}


def _random_character(rng: random.Random, character: str) -> str:
    must = character < " " or character in '"\\'
    if not must and rng.random() < 0.8:
        return character
    if character in _SHORT and rng.random() < 0.7:
        return "\\" + _SHORT[character]
    units = character.encode("utf-16-be")
    form = rng.choice(["\\u{:04x}", "\\u{:04X}"])
    return "".join(form.format(int.from_bytes(units[n : n + 2])) for n in range(0, len(units), 2))


def random_lines(rng: random.Random, items: Sequence[Item]) -> str:
    return "".join(random_json(rng, {"Item": item}) + "\n" for item in items)
