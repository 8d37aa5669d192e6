"""Comparing tables: against dicts of Python, and back through merge."""

import json
import random
from pathlib import Path

import polars as pl
import pytest
from test_cli import run

import dynarrow

from exports import Item, item_line, random_items, write_export
from reference import alike, identical, plain


def tables(seed: int) -> tuple[list[Item], list[Item]]:
    rng = random.Random(seed)
    before = random_items(seed, 60)
    for n, item in enumerate(before):
        item["pk"], item["sk"] = {"S": f"p{n % 7}"}, {"N": str(n)}
    after = [dict(item) for item in before if rng.random() < 0.8]
    for item in after:
        item["sk"] = {"N": item["sk"]["N"] + ".0"}
        if rng.random() < 0.3:
            item["changed"] = {"BOOL": True}
    for n, item in enumerate(random_items(seed + 1, 15)):
        after.append(item | {"pk": {"S": "new"}, "sk": {"N": str(n)}})
    rng.shuffle(after)
    return before, after


def by_key(items: list[Item]) -> dict[tuple[object, object], dict[str, object]]:
    return {(item["pk"], item["sk"]): item for item in map(plain, items)}


@pytest.mark.parametrize("memory", [None, 1], ids=["usual", "little"])
def test_differences_are_those_of_dicts(tmp_path: Path, memory: int | None) -> None:
    before, after = tables(5)
    a = write_export(tmp_path / "a", [before[:20], before[20:]]).folder
    later = {"exportTime": "2025-08-05T07:09:00.850Z"}
    b = write_export(tmp_path / "b", [after], ion=True, summary=later).folder
    report = dynarrow.diff(a, b, tmp_path / "out", key=["pk", "sk"], to="export", memory=memory)
    old, new = by_key(before), by_key(after)
    both = old.keys() & new.keys()
    changed = {key for key in both if not identical(old[key], new[key])}
    assert (report.inserts, report.updates) == (len(new.keys() - both), len(changed))
    assert (report.deletes, report.same) == (len(old.keys() - both), len(both - changed))
    assert not report.ok
    found = list(dynarrow.iter_changes(tmp_path / "out"))
    assert len(found) == report.inserts + report.updates + report.deletes
    for change in found:
        key = (change["keys"]["pk"], change["keys"]["sk"])
        assert change["op"] == (
            "insert" if key not in old else "update" if key in new else "delete"
        )
        assert alike(change["old"], old.get(key)), key
        assert alike(change["new"], new.get(key)), key


def test_rows_and_frames(tmp_path: Path) -> None:
    before, after = tables(6)
    a = write_export(tmp_path / "a", [before]).folder
    (tmp_path / "b.json").write_text("".join(map(item_line, after)))
    report = dynarrow.diff(a, tmp_path / "b.json", tmp_path / "out.parquet", key=["pk", "sk"])
    frame = pl.read_parquet(tmp_path / "out.parquet")
    # Random items have attributes of these names, too.
    op, old = frame.columns[0], frame.columns[-1]
    assert (op, old) == ("_op_", "_old")
    counts = dict(frame[op].value_counts().iter_rows())
    assert counts == {
        "insert": report.inserts,
        "update": report.updates,
        "delete": report.deletes,
    }
    assert frame.filter(pl.col(op) == "insert")[old].is_null().all()
    assert report.convert is not None
    assert report.convert.files[0].rows == len(frame)


def test_the_same_in_another_form(tmp_path: Path) -> None:
    """Numbers are equal by value, maps and sets without order."""
    lines = {
        "a": '{"Item":{"pk":{"S":"x"},"n":{"N":"100"},"s":{"NS":["1","2.50"]},'
        '"m":{"M":{"a":{"NULL":true},"b":{"B":"AA=="}}}}}',
        "b": '{"m":{"M":{"b":{"B":"AA=="},"a":{"NULL":true}}},"s":{"NS":["2.5","1.0"]},'
        '"n":{"N":"1E2"},"pk":{"S":"x"}}',
    }
    for name, line in lines.items():
        (tmp_path / name).write_text(line)
    assert dynarrow.diff(tmp_path / "a", tmp_path / "b", key="pk").ok
    (tmp_path / "b").write_text(lines["b"].replace("2.5", "2.51"))
    assert dynarrow.diff(tmp_path / "a", tmp_path / "b", key="pk").updates == 1


def test_what_is_refused(tmp_path: Path) -> None:
    before, _ = tables(7)
    a = write_export(tmp_path / "a", [before]).folder
    for key in [None, [], ["pk", "sk", "x"], ["pk", "pk"]]:
        with pytest.raises(dynarrow.UsageError):
            dynarrow.diff(a, a, key=key)
    with pytest.raises(dynarrow.DataError, match="E_KEYS"):
        dynarrow.diff(a, a, key="nothing")
    with pytest.raises(dynarrow.DataError, match="two items"):
        dynarrow.diff(a, a, key="pk")


def test_the_command(shop: Path, tmp_path: Path) -> None:
    hour = shop.with_name("shop-hour")
    merged = run("merge", shop, hour, tmp_path / "now", "--to", "export", "--json")
    assert merged.returncode == 0, merged.stderr
    report = json.loads(merged.stdout)
    assert report["items"] == 3_000 + report["merge"]["inserts"] - report["merge"]["deletes"]
    same = run("diff", shop, shop, "--key", "PK,SK")
    assert (same.returncode, same.stdout) == (0, "")
    other = run("diff", shop, tmp_path / "now", "--key", "PK,SK")
    assert other.returncode == 1
    rows = [json.loads(line) for line in other.stdout.splitlines()]
    hours = sorted(
        (change["keys"]["PK"], change["keys"]["SK"]) for change in dynarrow.iter_changes(hour)
    )
    assert sorted((row["PK"], row["SK"]) for row in rows) == hours
    counts = json.loads(run("diff", shop, tmp_path / "now", "--key", "PK,SK", "--json").stdout)[
        "diff"
    ]
    assert counts["inserts"] == report["merge"]["inserts"]
    assert counts["key"] == ["PK", "SK"]
    # Back in time goes no incremental export.
    back = run(
        "diff", tmp_path / "now", shop, tmp_path / "back", "--key", "PK,SK", "--to", "export"
    )
    assert back.returncode == 2
    assert "later" in back.stderr
    keyless = run("diff", shop, shop)
    assert keyless.returncode == 2
    assert "--key" in keyless.stderr
    late = run("merge", hour, shop, tmp_path / "x.parquet")
    assert (late.returncode, (tmp_path / "x.parquet").exists()) == (2, False)
    assert "E_INCREMENTAL" in late.stderr
