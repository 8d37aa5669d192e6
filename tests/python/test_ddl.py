"""`ddl`: a parser of Athena's SQL takes every statement, and an engine that runs them has the
table that the items say."""

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot
from sqlglot import exp

import dynarrow

from exports import Item, random_items, random_lines, write_export

PLACE = {"table": "lake.t", "location": "s3://bucket/t/"}
NAME = b"dynamodb.name"
T0, T1, T2, T3 = (f"2026-01-14T{hour}:00:00.000Z" for hour in (10, 11, 12, 13))
ODD: list[Item] = [
    {
        name: {"S": "x"}
        for name in ("date", "order", "_id", "userId", "USERID", "it's", 'q"`', "é", "\n", "", "1a")
    },
    {
        "table": {"M": {"select": {"S": "x"}, "Date": {"N": "1"}, "_x": {"L": [{"N": "1.5"}]}}},
        "deep": {"L": [{"M": {"Group": {"M": {"By;": {"BS": ["AA=="]}}}}}]},
        "\\'; DROP TABLE x; --": {"BOOL": True},
        "x" * 300: {"S": "x"},
    },
]


def parse(text: str) -> Iterator[exp.Expr]:
    """The statements, each understood as what it is."""
    # Athena runs one at a time, and its two grammars are told apart by the first words.
    for one in text.split(";\n\n"):
        statement = sqlglot.parse_one(one, dialect="athena")
        # sqlglot has no grammar for this one.
        repair = statement.sql("athena").startswith("MSCK REPAIR TABLE `")
        assert repair or not isinstance(statement, exp.Command), statement
        yield statement


def athena_type(ty: pa.DataType) -> str:
    """What the column of a type must be, without spaces and quotes."""
    if pa.types.is_struct(ty):
        return "struct<" + ",".join(f"{f.name}:{athena_type(f.type)}" for f in ty) + ">"
    if pa.types.is_map(ty):
        return f"map<{athena_type(ty.key_type)},{athena_type(ty.item_type)}>"
    if pa.types.is_list(ty):
        return f"array<{athena_type(ty.value_type)}>"
    if pa.types.is_decimal(ty):
        return f"decimal({ty.precision},{ty.scale})"
    if pa.types.is_timestamp(ty):
        return "timestamp"
    if isinstance(ty, pa.BaseExtensionType):  # JSON
        return athena_type(ty.storage_type)
    names = {"int64": "bigint", "bool": "boolean"}
    return names.get(str(ty), str(ty))


def check_columns(create: exp.Expr, schema: pa.Schema) -> None:
    """Names, types and comments are those of the file."""
    columns = list(create.this.find_all(exp.ColumnDef, bfs=False))
    columns = [column for column in columns if column.parent is create.this]
    assert [column.name for column in columns] == schema.names
    for column, field in zip(columns, schema, strict=True):
        found = column.kind.sql("hive").lower().replace("`", "").replace(" ", "")
        assert found == athena_type(field.type)
        comment = column.find(exp.CommentColumnConstraint)
        original = (field.metadata or {}).get(NAME)
        assert (comment is None) == (original is None)
        if comment is not None and original.decode().isprintable() and len(original) < 200:
            assert comment.this.name == original.decode()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layout": "typed"},
        {"maps": "map"},
        {"mixed": "json", "maps": "json"},
        {"numbers": "float64"},
        {"overrides": {"integer": "timestamp(s)"}},
    ],
)
def test_every_statement_is_athenas(tmp_path: Path, options: dict[str, Any]) -> None:
    items = ODD + random_items(seed=71, count=300)
    if "overrides" in options:
        items = [{**item, "integer": {"N": "1700000000"}} for item in items]
    src = write_export(tmp_path / "src", [items]).folder
    file = tmp_path / "t.parquet"
    dynarrow.convert(src, file, names="athena", **options)
    schema = pq.read_schema(file)
    [external] = parse(dynarrow.ddl(file, **PLACE))
    check_columns(external, schema)
    iceberg, drop, staging, insert = parse(dynarrow.ddl(file, **PLACE, iceberg=True))
    check_columns(iceberg, schema)
    check_columns(staging, schema)
    assert isinstance(drop, exp.Drop)
    assert isinstance(insert, exp.Insert)
    # Another reader that knows no case finds the same columns.
    found = duckdb.sql(f"FROM '{file}'").columns
    assert found == schema.names
    assert len({name.lower() for name in found}) == len(found)
    # And the items are the same again.
    back = tmp_path / "back.json"
    if options == {"layout": "typed"}:
        dynarrow.convert(file, back)
        assert list(dynarrow.iter_items(back)) == list(dynarrow.iter_items(src))
    # A source that is no Parquet is the table that it would be.
    if not options:
        assert dynarrow.ddl(src, **PLACE) == dynarrow.ddl(file, **PLACE)
    else:
        learnt = dynarrow.infer_schema(src, names="athena", **options)
        assert [field.column for field in learnt.fields] == [
            name for name in schema.names if not name.startswith("_extra")
        ]


def test_folders_are_partitions(tmp_path: Path) -> None:
    for part in ("order=a", "order=b"):
        (tmp_path / "t" / part).mkdir(parents=True)
        pq.write_table(pa.table({"x": [1]}), tmp_path / "t" / part / "part-00000.parquet")
    create, repair = parse(dynarrow.ddl(tmp_path / "t", **PLACE))
    partitions = create.find(exp.PartitionedByProperty)
    assert partitions is not None
    assert [column.name for column in partitions.find_all(exp.ColumnDef)] == ["order"]
    assert repair.sql("athena") == "MSCK REPAIR TABLE `lake`.`t`"
    found = duckdb.sql(f"FROM read_parquet('{tmp_path}/t/*/*.parquet', hive_partitioning=true)")
    assert found.columns == ["x", "order"]


def test_names_that_athena_cannot_resolve(shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    dynarrow.convert(shop, file)
    with pytest.raises(dynarrow.UsageError, match='names="athena"') as caught:
        dynarrow.ddl(file, **PLACE)
    assert (caught.value.code, caught.value.path) == ("E_ATHENA_NAME", "ref.S")


# What MERGE INTO does: DuckDB runs the statements that sqlglot translates.


def write_changes(path: Path, changes: list[tuple[str, Item]], *times: str, **said: str) -> Path:
    """A file as `changes` writes it: operations and new images (of deletions the keys)."""
    images = path.with_suffix(".json")
    images.write_text(random_lines(random.Random(1), [image for _, image in changes]))
    dynarrow.convert(images, path, names="athena")
    table = pq.read_table(path)
    stamps = pa.array([0] * len(changes), pa.timestamp("us", "UTC"))
    table = table.add_column(0, "_ts", stamps)
    table = table.add_column(0, "_op", pa.array([op for op, _ in changes]))
    window = dict(zip(("export_from_time", "export_to_time"), times, strict=True))
    metadata = {"keys": '["PK"]', **window, **said}
    named = {f"dynarrow.{name}": text for name, text in metadata.items()}
    pq.write_table(table.replace_schema_metadata(named), path)
    return path


class Engine:
    """DuckDB, with files in the place of those on S3."""

    def __init__(self, **files: Path) -> None:
        self.db = duckdb.connect()
        self.db.execute("CREATE SCHEMA lake")
        self.files = files

    def run(self, text: str) -> None:
        for statement in parse(text):
            for one in self.translated(statement):
                self.db.execute(one)

    def translated(self, statement: exp.Expr) -> Iterator[str]:
        table = statement.find(exp.Table)
        assert table is not None
        if isinstance(statement, exp.Create) and statement.find(exp.ExternalProperty):
            yield f"CREATE TABLE lake.{table.name} AS FROM '{self.files[table.name]}'"
        elif isinstance(statement, exp.Alter):
            for action in statement.args["actions"]:
                # Members of structs are such, too.
                for column in [action] if isinstance(action, exp.ColumnDef) else action.expressions:
                    yield f"ALTER TABLE lake.t ADD COLUMN {column.sql('duckdb')}"
        else:
            statement.set("properties", None)
            for comment in list(statement.find_all(exp.ColumnConstraint)):
                comment.pop()
            yield statement.sql("duckdb")

    def rows(self) -> list[dict[str, Any]]:
        found = self.db.sql("FROM lake.t ORDER BY pk")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


BASE: list[Item] = [
    {
        "PK": {"S": key},
        "userId": {"S": f"user {key}"},
        "price": {"N": "1.50"},
        "address": {"M": {"Street": {"S": "x"}, "zip": {"N": "1"}}},
        "lines": {"L": [{"M": {"Sku": {"S": "a"}, "qty": {"N": "1"}}}]},
        "either": {"S": "x"} if key == "a" else {"N": "7"},
        "digits": {"N": "1E100"},
        "gone": {"S": "kept"},
        "maybe": {"M": {"x": {"S": "y"}}},
        "tags": {"SS": ["a"]},
    }
    for key in "abc"
]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    src = write_export(tmp_path / "src", [BASE]).folder
    dynarrow.convert(src, tmp_path / "t.parquet", names="athena")
    return tmp_path / "t.parquet"


def test_changes_come_into_the_table(base: Path, tmp_path: Path) -> None:
    first = write_changes(
        tmp_path / "inc-1.parquet",
        [
            (
                "update",
                {
                    "PK": {"S": "a"},
                    "price": {"N": "7"},
                    "address": {"M": {"Street": {"S": "new"}}},
                    "lines": {"L": [{"M": {"qty": {"N": "2"}}}, {"NULL": True}]},
                    "either": {"N": "8"},
                    "digits": {"N": "1.50"},
                    "userId": {"NULL": True},
                    "maybe": {"M": {}},
                },
            ),
            ("delete", {"PK": {"S": "b"}}),
            ("insert", {"PK": {"S": "d"}, "userId": {"NULL": True}, "price": {"N": "8"}}),
            ("delete", {"PK": {"S": "never"}}),
        ],
        T0,
        T1,
    )
    second = write_changes(
        tmp_path / "inc-2.parquet",
        [
            ("upsert", {"PK": {"S": "c"}, "NewName": {"M": {"In": {"N": "1"}}}}),
            ("upsert", {"PK": {"S": "e"}, "tags": {"SS": ["z"]}}),
            ("delete", {"PK": {"S": "d"}}),
        ],
        T1,
        T2,
    )
    engine = Engine(t__load=base, **{"t__changes_inc_1": first, "t__changes_inc_2": second})
    load = dynarrow.ddl(base, **PLACE, iceberg=True)
    engine.run(load)
    assert [row["pk"] for row in engine.rows()] == ["a", "b", "c"]
    loaded = engine.rows()
    engine.run(load)
    assert engine.rows() == loaded

    engine.run(dynarrow.ddl(base, **PLACE, iceberg=True, changes=[first, second]))
    updated, replaced, inserted = engine.rows()
    assert updated == {
        "pk": "a",
        "userid": None,
        "price": Decimal("7.0"),
        "address": {"street": "new", "zip": None},
        "lines": [{"sku": None, "qty": 2}, None],
        "either": {"s": None, "n": 8},
        "digits": "1.5",
        "gone": None,
        "maybe": {"x": None},
        "tags": None,
        "newname": None,
    }
    assert (replaced["pk"], replaced["newname"], replaced["gone"]) == ("c", {"in": 1}, None)
    assert (inserted["pk"], inserted["tags"]) == ("e", ["z"])
    before = engine.rows()
    # All again, in order, is the same; the columns are there now.
    text = dynarrow.ddl(base, **PLACE, iceberg=True, changes=[first, second])
    again = [one for one in parse(text) if not isinstance(one, exp.Alter)]
    engine.run(";\n\n".join(one.sql("athena") for one in again))
    assert engine.rows() == before


def test_random_tables(tmp_path: Path) -> None:
    """By one schema: the rows are those of the table that the items say."""
    rng = random.Random(72)
    items = random_items(seed=73, count=120)
    keys = [str(n) for n in range(40)]
    items = [{**item, "PK": {"S": rng.choice(keys)}} for item in items]
    schema_of = tmp_path / "all.json"
    schema_of.write_text(random_lines(rng, items))
    schema = dynarrow.infer_schema(schema_of, names="athena")
    state = {item["PK"]["S"]: item for item in items[:40]}
    file, frozen = tmp_path / "t.parquet", json.loads(schema.to_json())

    def write(path: Path, ops: list[str], rows: list[Item]) -> None:
        lines = path.with_suffix(".json")
        lines.write_text(random_lines(rng, rows))
        dynarrow.convert(lines, path, schema=frozen)
        if ops:
            table = pq.read_table(path)
            metadata = {**(table.schema.metadata or {}), b"dynarrow.keys": b'["PK"]'}
            stamps = pa.array([0] * len(ops), pa.timestamp("us", "UTC"))
            table = table.add_column(0, "_ts", stamps).add_column(0, "_op", pa.array(ops))
            pq.write_table(table.replace_schema_metadata(metadata), path)

    write(file, [], list(state.values()))
    engine = Engine(t__load=file)
    engine.run(dynarrow.ddl(file, **PLACE, iceberg=True))
    paths: list[Path] = []
    for n in range(2):
        changes = {item["PK"]["S"]: ("upsert", item) for item in items[40 + 40 * n :][:40]}
        for key in rng.sample(keys, 8):
            changes[key] = ("delete", {"PK": {"S": key}})
        path = tmp_path / f"c{n}.parquet"
        write(path, [op for op, _ in changes.values()], [item for _, item in changes.values()])
        paths.append(path)
        engine.files[f"t__changes_c{n}"] = path
        for key, (op, item) in changes.items():
            state.pop(key, None)
            if op != "delete":
                state[key] = item
    engine.run(dynarrow.ddl(file, **PLACE, iceberg=True, changes=paths))
    write(tmp_path / "expected.parquet", [], list(state.values()))
    expected = duckdb.sql(f"FROM '{tmp_path}/expected.parquet' ORDER BY pk").fetchall()
    assert [tuple(row.values()) for row in engine.rows()] == expected


def test_changes_that_are_refused(base: Path, tmp_path: Path) -> None:
    def refused(match: str, image: Item, code: str = "E_USAGE", **said: str) -> None:
        path = write_changes(tmp_path / "c.parquet", [("update", image)], T2, T3, **said)
        with pytest.raises(dynarrow.UsageError, match=match) as caught:
            dynarrow.ddl(base, **PLACE, iceberg=True, changes=[first, path])
        assert caught.value.code == code

    key: Item = {"PK": {"S": "a"}}
    first = write_changes(tmp_path / "first.parquet", [("update", key)], T0, T1)
    refused(r"11:00.*12:00", key, "E_GAP")
    first = write_changes(tmp_path / "first.parquet", [("update", key)], T0, T2)
    refused("old images", key, images="old")
    refused("key", key, keys="[]")
    refused("E_SCHEMA", key, "E_SCHEMA", keys="[")
    refused("no column", key, keys='["SK"]')
    refused("userId", key | {"userId": {"N": "1"}})
    refused("price", key | {"price": {"N": "1.555"}})
    refused('"City" is new', key | {"address": {"M": {"City": {"S": "x"}}}})
    refused("gone", key | {"gone": {"L": [{"S": "x"}]}})
    refused("tags", key | {"tags": {"L": [{"S": "x"}]}})
    refused("either", key | {"either": {"BOOL": True}})
    bare = tmp_path / "bare.parquet"
    pq.write_table(pq.read_table(first).replace_schema_metadata(None), bare)
    with pytest.raises(dynarrow.UsageError, match="--key"):
        dynarrow.ddl(base, **PLACE, iceberg=True, changes=bare)
    assert "MERGE INTO" in dynarrow.ddl(base, **PLACE, iceberg=True, changes=bare, key=["PK"])
