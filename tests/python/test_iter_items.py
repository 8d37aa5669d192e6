"""`iter_items` against json and boto3's TypeDeserializer."""

import base64
import json
import random
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynarrow

from exports import item_line, random_items, random_json, random_lines, write_export
from reference import assert_table, exact, plain, same


def test_random_items_are_those_of_boto3(tmp_path: Path) -> None:
    items = random_items(seed=1, count=24_000)
    rng = random.Random(2)
    parts = [items[:9_000], items[9_000:9_001], items[9_001:9_001], items[9_001:]]
    export = write_export(tmp_path, [random_lines(rng, part) for part in parts])
    read = 0
    for ours, item in zip(dynarrow.iter_items(export.folder), items, strict=True):
        assert same(ours, plain(item)), (item, ours)
        read += 1
    assert read == 24_000


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_nothing(tmp_path: Path, threads: int) -> None:
    items = random_items(seed=3, count=3_000)
    export = write_export(tmp_path, [items[:10], items[10:2_000], items[2_000:]])
    read = list(dynarrow.iter_items(export.folder, threads=threads))
    assert all(map(same, read, map(plain, items)))
    assert len(read) == 3_000


def test_types() -> None:
    lines = Path(__file__).parents[1] / "data/dynamodb_json/valid/types.json"
    (item,) = dynarrow.iter_items(lines)
    assert item == {
        "id": "K3TXQk84Si",
        "a": False,
        "b": None,
        "c": {"8g", "fR"},
        "d": {Decimal(3), Decimal(2)},
        "e": [Decimal(1), "x"],
        "f": {"h": None, "g": Decimal(9)},
        "j": b"hello",
        "k": {b"is fast", b""},
        "l": [],
        "m": {},
        "s": "",
    }


def test_numbers_keep_all_digits_and_go_back_to_boto3(tmp_path: Path) -> None:
    from boto3.dynamodb.types import TypeSerializer

    texts = [
        "12345678901234567890123456789012345678",
        "0.12345678901234567890123456789012345678",
        "9.9999999999999999999999999999999999999E+125",
        "-1E-130",
        "1" + "0" * 125,
        "1E+38",
        "123E+40",
    ]
    export = write_export(tmp_path, [[{"n": {"N": text}} for text in texts]])
    values = [item["n"] for item in dynarrow.iter_items(export.folder)]
    assert values == [Decimal(text) for text in texts]
    for value in values:
        assert Decimal(TypeSerializer().serialize(value)["N"]) == value


def test_columns(tmp_path: Path) -> None:
    export = write_export(
        tmp_path, [[{"b": {"S": "x"}, "a": {"M": {"b": {"N": "1"}}}, "c": {"S": "y"}}]]
    )
    (item,) = dynarrow.iter_items(export.folder, columns=["a", "b"])
    assert item == {"b": "x", "a": {"b": Decimal(1)}}
    assert list(dynarrow.iter_items(export.folder, columns=[])) == [{}]


def test_more_names_and_numbers_than_are_kept(tmp_path: Path) -> None:
    items = [
        {f"n{n}": {"N": str(n)}, "m": {"M": {f"k{n}": {"N": f"{n}.5"}}}} for n in range(20_000)
    ]
    export = write_export(tmp_path, [items])
    read = dynarrow.iter_items(export.folder)
    assert all(same(ours, plain(item)) for ours, item in zip(read, items, strict=True))


def test_an_error_ends_the_items(tmp_path: Path) -> None:
    lines = [item_line({"n": {"N": str(n)}, "s": {"S": "x" * 1_000}}) for n in range(5_000)]
    lines[4_000] = '{"Item":{"n":{"N":"x"}}}\n'
    export = write_export(tmp_path, ["".join(lines)])
    items = dynarrow.iter_items(export.folder)
    with pytest.raises(dynarrow.DataError) as caught:
        list(items)
    assert caught.value.code == "E_NUMBER"
    assert (caught.value.line, caught.value.item, caught.value.path) == (4_001, 4_000, "n")
    with pytest.raises(StopIteration):
        next(items)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_stands_before_an_error_comes_before_it(tmp_path: Path, threads: int) -> None:
    good = [item_line({"n": {"N": str(n)}, "s": {"S": "x" * 1_000}}) for n in range(5_000)]
    before = '{"Item":{"first":{"S":"y"},"m":{"M":{"b":{"B":"eA=="},"n":{"N":"x"}}}}}\n'
    export = write_export(tmp_path, ["".join([*good[:4_000], before, *good[4_000:]]), good[0]])
    items = dynarrow.iter_items(export.folder, threads=threads)
    assert [int(next(items)["n"]) for _ in range(4_000)] == list(range(4_000))
    with pytest.raises(dynarrow.DataError):
        next(items)
    assert list(items) == []


def test_skipping_is_counted(tmp_path: Path) -> None:
    good = "".join(item_line({"n": {"N": str(n)}}) for n in range(5))
    export = write_export(tmp_path, [good + '{"Item":{"n":{"N":"x"}}}\nnonsense\n' + good])
    items = dynarrow.iter_items(export.folder, on_error="skip")
    assert [int(item["n"]) for item in items] == [*range(5), *range(5)]
    assert items.skipped == 2


def test_any_json_writing_is_read(tmp_path: Path) -> None:
    rng = random.Random(4)
    (item,) = random_items(seed=5, count=1)
    item["t"] = {"S": '\0\x1f"\\/é日😀\u2028' * 3}
    export = write_export(
        tmp_path, ["".join(random_json(rng, {"Item": item}) + "\n" for _ in range(500))]
    )
    assert all(same(ours, plain(item)) for ours in dynarrow.iter_items(export.folder))


# No stream carries a name with a NUL; test_read.py has those.
_CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
_NAMES = st.text(_CHARACTERS, max_size=8)
_NUMBERS = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1).map(str),
    st.builds("{}e{}".format, st.integers(-(10**38) + 1, 10**38 - 1), st.integers(-130, 87)),
)
_BINARY = st.binary(max_size=9).map(lambda value: base64.b64encode(value).decode())


def _sets(members: st.SearchStrategy[str], equal: Any = str) -> st.SearchStrategy[list[str]]:
    return st.lists(members, min_size=1, max_size=4, unique_by=equal)


_SCALARS = st.one_of(
    st.fixed_dictionaries({"S": st.text()}),
    st.fixed_dictionaries({"N": _NUMBERS}),
    st.fixed_dictionaries({"B": _BINARY}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.just({"NULL": True}),
    st.fixed_dictionaries({"SS": _sets(st.text())}),
    st.fixed_dictionaries({"NS": _sets(_NUMBERS, exact)}),
    st.fixed_dictionaries({"BS": _sets(_BINARY)}),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda values: st.one_of(
        st.fixed_dictionaries({"M": st.dictionaries(_NAMES, values, max_size=4)}),
        st.fixed_dictionaries({"L": st.lists(values, max_size=4)}),
    ),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.dictionaries(_NAMES, _VALUES, max_size=6), max_size=4), st.booleans())
def test_any_items(items: list[Any], ascii_only: bool) -> None:
    lines = [json.dumps({"Item": item}, ensure_ascii=ascii_only) + "\n" for item in items]
    with tempfile.TemporaryDirectory() as folder:
        export = write_export(Path(folder), ["".join(lines)])
        read = list(dynarrow.iter_items(export.folder))
        assert_table(dynarrow.read_export(export.folder).to_arrow(), items)
    assert len(read) == len(items)
    assert all(map(same, read, map(plain, items)))
