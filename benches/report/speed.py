"""How fast Dynarrow is beside other tools and beside the floor, in one run.

Each section runs its sides in turns, compares what they made (rows, exact sums of numbers,
counts and hashes of texts; items dict for dict), and only then gives ratios: the median over
the runs, with the least and the greatest. Exports are generated where they are missing.

    .venv/bin/python benches/report/speed.py [--shape orders] [--items 600000] [--runs 3]
        [--only convert,threads,…] [--json FILE]

Python and Node sides have a fresh process for each run and time themselves in it; everything
else is timed as a whole process. Python uses the dynarrow that is installed, Node the package
that bindings-wasm/build.sh built. The section `node` needs `npm ci` in benches/peers.
"""

import argparse
import gzip
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
from contents import Contents, contents, same_items, scalars, unwrapped

ROOT = Path(__file__).resolve().parents[2]
BENCHES = ROOT / "benches"
RELEASE = ROOT / "target" / "release"
sys.path.append(str(BENCHES / "peers"))

SHAPES = ("orders", "narrow", "wide")
# Of each shape a text that every item has and a number.
PAIR = {"orders": ("PK", "total"), "narrow": ("pk", "value"), "wide": ("id", "attr_007")}
# The targets are meant for so many items.
ITEMS = 600_000
# The export's data files; one of them is empty.
FILES = 9


@dataclass
class Ratio:
    """A ratio in each run, against its target."""

    name: str
    median: float
    least: float
    greatest: float
    at_least: float | None = None
    at_most: float | None = None
    judged: bool = True

    @property
    def met(self) -> bool | None:
        if not self.judged or (self.at_least is None and self.at_most is None):
            return None
        low = self.at_least is None or self.median >= self.at_least
        return low and (self.at_most is None or self.median <= self.at_most)


@dataclass
class Section:
    """What a section measured: what was compared, seconds (or bytes) by side, the ratios."""

    compared: str
    sides: dict[str, list[float]]
    ratios: list[Ratio] = field(default_factory=list)

    def ratio(self, name: str, above: str, below: str, **target: float | None) -> None:
        """The ratio of two sides, run by run."""
        found = [a / b for a, b in zip(self.sides[above], self.sides[below], strict=True)]
        spread = (statistics.median(found), min(found), max(found))
        self.ratios.append(Ratio(name, *spread, **target))


class Differs(Exception):
    """Two sides made different things, or did not do all their work."""


@dataclass
class Ended:
    """How a process ended."""

    seconds: float
    told: str


def run(command: Sequence[str | Path]) -> Ended:
    """Runs a command to its end."""
    start = time.perf_counter()
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - start
    if ended.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return Ended(seconds, ended.stdout)


def peak(command: Sequence[str | Path]) -> float:
    """The peak resident memory of a command, in bytes."""
    launcher = [sys.executable, "-I", "-S", BENCHES / "report/peak.py"]
    return float(run([*launcher, *command]).told)


def told(command: Sequence[str | Path]) -> dict[str, Any]:
    """What a side says of itself in its last line, as JSON."""
    return json.loads(run(command).told.splitlines()[-1])


def seconds_per_item(command: Sequence[str | Path]) -> float:
    """By what a side says of itself."""
    found = told(command)
    return found["seconds"] / found["items"]


def require(what: str, *sides: object) -> None:
    """All sides are equal."""
    if any(side != sides[0] for side in sides):
        raise Differs(f"{what}: {sides}")


def require_same(what: str, ours: Contents, theirs: Contents) -> None:
    different = [
        (name, ours[name], theirs.get(name)) for name in ours if ours[name] != theirs.get(name)
    ]
    if different:
        raise Differs(f"{what} differs: {different}")


class Report:
    """The sections, over the exports of one shape."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.shape: str = args.shape
        self.items: int = args.items
        self.slow_items: int = min(args.slow_items, args.items)
        self.runs: int = args.runs
        self.data: Path = args.data / args.shape
        self.data.mkdir(parents=True, exist_ok=True)
        self.threads = 2

    # What is measured, and how often.

    def alternate(self, sides: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
        """Runs all sides in turns, as often as is asked for."""
        found: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(self.runs):
            for name, side in sides.items():
                found[name].append(side())
        return found

    def out(self, name: str) -> Path:
        return self.data / name

    def export(
        self, format: str = "dynamodb-json", items: int | None = None, files: int = FILES
    ) -> Path:
        items = items or self.items
        dest = self.out(f"{format}-{items}-in-{files}")
        if not dest.exists():
            # Under another name until it is whole.
            partial = dest.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            count = ["--items", str(items), "--files", str(files)]
            run([RELEASE / "generate", partial, "--shape", self.shape, "--format", format, *count])
            partial.rename(dest)
        return dest

    def converting(self, src: Path, out: str, *more: str, threads: int = 2) -> list[str | Path]:
        command = [RELEASE / "dynarrow", "convert", src, self.out(out), "--threads", str(threads)]
        return [*command, "--quiet", *more]

    def convert(self, src: Path, out: str, *more: str, threads: int = 2) -> float:
        """Seconds."""
        return run(self.converting(src, out, *more, threads=threads)).seconds

    def schema(self, src: Path) -> Path:
        schema = self.out("schema.json")
        run([RELEASE / "dynarrow", "schema", src, "-o", schema, "--quiet"])
        return schema

    def floor(self, src: Path, *more: str | Path) -> dict[str, float]:
        return told([RELEASE / "floor", src, "--threads", str(self.threads), *more])

    def python(self, script: str, *args: str | Path) -> float:
        return seconds_per_item([sys.executable, BENCHES / script, *args])

    def wrapped_like(self, ours: pl.DataFrame, names: list[str], theirs: list[Path]) -> Contents:
        """The contents of files of wrapped values, as if they had our columns."""
        types = {name: ours.schema[name] for name in names}
        frames = [unwrapped(pl.read_parquet(path), types) for path in theirs]
        return contents(pl.concat(frames), names)

    # The sections.

    def section_convert(self) -> Section:
        src = self.export()
        schema = self.schema(src)
        names = scalars(schema)
        peers, threads = BENCHES / "peers", ["--threads", str(self.threads)]
        ours, duckdb, pyarrow = map(self.out, ("ours.parquet", "duckdb.parquet", "pyarrow"))
        shutil.rmtree(pyarrow, ignore_errors=True)

        def peer(script: str, *args: str | Path) -> Callable[[], float]:
            return lambda: run([sys.executable, peers / script, *args, *threads]).seconds

        sides = {
            "dynarrow": lambda: self.convert(src, ours.name),
            "duckdb": peer("duckdb_unwrap.py", src, schema, duckdb),
            "pyarrow.json": peer("pyarrow_json.py", src, pyarrow),
        }
        found = self.alternate(sides)
        frame = pl.read_parquet(ours, columns=names)
        mine = contents(frame, names)
        require("rows", mine[""], (self.items,))
        require_same("DuckDB", mine, contents(pl.read_parquet(duckdb, columns=names), names))
        wrapped = self.wrapped_like(frame, names, sorted(pyarrow.iterdir()))
        require_same("pyarrow.json", mine, wrapped)
        section = Section(f"{len(names)} columns", found)
        duckdb_target = {"orders": 8.0, "narrow": 3.5, "wide": 6.5}[self.shape]
        pyarrow_target = {"orders": 4.5, "narrow": 5.0, "wide": 3.5}[self.shape]
        section.ratio("to Parquet: DuckDB / dynarrow", "duckdb", "dynarrow", at_least=duckdb_target)
        name = "to Parquet: pyarrow.json (wrapped) / dynarrow"
        section.ratio(name, "pyarrow.json", "dynarrow", at_least=pyarrow_target)
        return section

    def section_floor(self) -> Section:
        src = self.export()
        ours, again = self.out("ours.parquet"), self.out("floor.parquet")
        found: dict[str, list[float]] = {"dynarrow": [], "inflate": [], "parquet": [], "sum": []}
        for _ in range(self.runs):
            found["dynarrow"].append(self.convert(src, ours.name))
            floor = self.floor(src, "--parquet", ours, "--out", again)
            for part in ("inflate", "parquet", "sum"):
                found[part].append(floor[part])
        if not pl.read_parquet(ours).equals(pl.read_parquet(again)):
            raise Differs("the floor wrote another table")
        section = Section("the tables", found)
        section.ratio("to Parquet: dynarrow / floor", "dynarrow", "sum", at_most=1.4)
        return section

    def on_threads(self, src: Path, name: str, at_least: float) -> Section:
        def side(threads: int) -> Callable[[], float]:
            return lambda: self.convert(src, f"on-{threads}.parquet", threads=threads)

        found = self.alternate({"1 thread": side(1), "2 threads": side(2)})
        one, two = (self.out(f"on-{threads}.parquet").read_bytes() for threads in (1, 2))
        if one != two:
            raise Differs("the files of 1 and 2 threads")
        section = Section("the bytes of the files", found)
        section.ratio(name, "1 thread", "2 threads", at_least=at_least)
        return section

    def section_threads(self) -> Section:
        return self.on_threads(self.export(), "to Parquet: 1 thread / 2 threads", 1.7)

    def section_single(self) -> Section:
        return self.on_threads(self.export(files=1), "one file: 1 thread / 2 threads", 1.4)

    def section_polars(self) -> Section:
        src, names = self.export(), scalars(self.schema(self.export()))
        unzipped = self.out("unzipped")
        shutil.rmtree(unzipped, ignore_errors=True)
        unzipped.mkdir()
        for path in src.rglob("data/*.gz"):
            with gzip.open(path) as packed, (unzipped / path.stem).open("wb") as plain:
                shutil.copyfileobj(packed, plain, 1 << 20)
        for path in unzipped.iterdir():
            if path.stat().st_size == 0:
                path.unlink()
        ours, theirs = self.out("to_polars.parquet"), self.out("polars.parquet")
        our_side: list[str | Path] = ["ours/to_polars.py", src, str(self.threads)]
        their_side: list[str | Path] = ["peers/polars_ndjson.py", unzipped]
        found = self.alternate(
            {
                "dynarrow": lambda: self.python(*map(str, our_side), "--out", ours),
                "polars": lambda: self.python(*map(str, their_side), "--out", theirs),
            }
        )
        frame = pl.read_parquet(ours)
        mine = contents(frame, names)
        require("rows", mine[""], (self.items,))
        require_same("polars", mine, self.wrapped_like(frame, names, [theirs]))
        section = Section(f"{len(names)} columns", found)
        name = "dataframe: polars scan_ndjson (unzipped, wrapped) / dynarrow"
        section.ratio(name, "polars", "dynarrow", at_least=12.0)
        return section

    def section_items(self) -> Section:
        import boto3_items
        import dynamodb_json_items
        from files import first_lines

        import dynarrow

        src, count = self.export(), self.slow_items
        found = self.alternate(
            {
                "dynarrow": lambda: self.python("ours/iter_items.py", src, str(self.threads)),
                "boto3": lambda: self.python("peers/boto3_items.py", src, str(count)),
                "dynamodb_json": lambda: self.python(
                    "peers/dynamodb_json_items.py", src, str(count)
                ),
            }
        )
        lines = first_lines(src, count)
        for peer, exact in ((boto3_items, True), (dynamodb_json_items, False)):
            ours = islice(dynarrow.iter_items(src), count)
            if not same_items(ours, peer.items(lines), exact):
                raise Differs(f"the items of {peer.__name__}")
        section = Section(f"{count} items, dict for dict", found)
        section.ratio("items: json + boto3 / dynarrow", "boto3", "dynarrow", at_least=4.0)
        section.ratio("items: dynamodb_json / dynarrow", "dynamodb_json", "dynarrow")
        return section

    def section_columns(self) -> Section:
        src, pair = self.export(), PAIR[self.shape]
        found = self.alternate(
            {
                "2 columns": lambda: self.convert(src, "pair.parquet", "--columns", ",".join(pair)),
                "inflate + tokenise": lambda: self.floor(src, "--tokenise")["tokenise"],
            }
        )
        self.convert(src, "ours.parquet")
        both = [
            pl.read_parquet(self.out(name), columns=list(pair))
            for name in ("pair.parquet", "ours.parquet")
        ]
        if not both[0].equals(both[1]):
            raise Differs("the two columns")
        section = Section("the columns", found)
        name = "2 columns to Parquet / inflating and tokenising alone"
        section.ratio(name, "2 columns", "inflate + tokenise", at_most=1.15)
        return section

    def section_node(self) -> Section:
        import pyarrow as pa
        import pyarrow.ipc

        src, out = self.export(), self.out("node")
        ours: list[str | Path] = ["node", BENCHES / "ours/node_arrow.mjs", src]
        theirs: list[str | Path] = ["node", BENCHES / "peers/node_unmarshall.mjs", src]

        found = self.alternate(
            {
                "dynarrow": lambda: seconds_per_item(ours),
                "unmarshall": lambda: seconds_per_item(theirs),
            }
        )
        shutil.rmtree(out, ignore_errors=True)
        told([*ours, out])
        digest = told([*theirs, "--digest"])
        tables = [pa.ipc.open_stream(path).read_all() for path in sorted(out.iterdir())]
        frame = pl.from_arrow(pa.concat_tables(tables))
        assert isinstance(frame, pl.DataFrame)
        require("rows", frame.height, self.items)
        names = [name for name in scalars(self.schema(src)) if not frame[name].dtype.is_decimal()]
        for name in names:
            column = frame[name].drop_nulls()
            if column.dtype == pl.String:
                units = sum(len(text.encode("utf-16-le")) // 2 for text in column.to_list())
                require(name, [len(column), units], digest["texts"].get(name))
            elif column.dtype.is_integer():
                require(
                    name, [len(column), str(sum(column.to_list()))], digest["integers"].get(name)
                )
        section = Section(f"{len(names)} columns", found)
        name = "Node: gunzip + JSON.parse + unmarshall / dynarrow to Arrow IPC"
        section.ratio(name, "unmarshall", "dynarrow", at_least=4.0)
        return section

    def section_learn(self) -> Section:
        src = self.export()
        learn = [
            RELEASE / "dynarrow",
            "schema",
            src,
            "--threads",
            str(self.threads),
            "--json",
            "--quiet",
        ]
        found = self.alternate(
            {
                "learn": lambda: run(learn).seconds,
                "inflate": lambda: self.floor(src)["inflate"],
            }
        )
        require("items", json.loads(run(learn).told)["items"], self.items)
        section = Section("the number of items", found)
        section.ratio("learning a schema / inflating alone", "learn", "inflate", at_most=1.5)
        return section

    def section_memory(self) -> Section:
        small, large = self.export(), self.export(items=4 * self.items)
        found = self.alternate(
            {
                "peak": lambda: peak(self.converting(small, "ours.parquet")),
                "peak of 4 times the items": lambda: peak(self.converting(large, "large.parquet")),
            }
        )
        rows = [
            pl.scan_parquet(self.out(name)).select(pl.len()).collect().item()
            for name in ("ours.parquet", "large.parquet")
        ]
        require("rows", rows, [self.items, 4 * self.items])
        found["MB"] = [1e6] * self.runs
        section = Section("the number of rows", found)
        section.ratio("peak memory, MB", "peak", "MB", at_most=300.0)
        section.ratio(
            "peak memory, 4 times the items, MB", "peak of 4 times the items", "MB", at_most=300.0
        )
        name = "peak memory, 4 times the items / the items"
        section.ratio(name, "peak of 4 times the items", "peak", at_least=0.85, at_most=1.15)
        return section

    def section_ion(self) -> Section:
        import amazon_ion
        from files import first_lines

        import dynarrow

        sources = {"json": self.export(), "ion": self.export(format="ion")}
        count = self.slow_items

        def side(name: str) -> Callable[[], float]:
            return lambda: self.convert(sources[name], f"{name}.parquet") / self.items

        found = self.alternate(
            {
                "json": side("json"),
                "ion": side("ion"),
                "amazon.ion": lambda: self.python(
                    "peers/amazon_ion.py", sources["ion"], str(count)
                ),
            }
        )
        json_table, ion_table = (pl.read_parquet(self.out(f"{name}.parquet")) for name in sources)
        if not json_table.equals(ion_table):
            raise Differs("the tables of JSON and Ion")
        ours = islice(dynarrow.iter_items(sources["ion"]), count)
        if not same_items(ours, amazon_ion.items(first_lines(sources["ion"], count)), False):
            raise Differs("the items of amazon.ion")
        section = Section(f"the tables; {count} items with amazon.ion", found)
        section.ratio("to Parquet: from JSON / from Ion", "json", "ion")
        section.ratio("amazon.ion, loading alone / Ion to Parquet", "amazon.ion", "ion")
        return section


SECTIONS = [name.removeprefix("section_") for name in vars(Report) if name.startswith("section_")]


def table(section: Section) -> None:
    """Prints the ratios of a section."""
    for ratio in section.ratios:
        at_least = "" if ratio.at_least is None else f"≥ {ratio.at_least:g}"
        at_most = "" if ratio.at_most is None else f"≤ {ratio.at_most:g}"
        met = {True: "yes", False: "NO", None: ""}[ratio.met]
        spread = f"{ratio.median:8.2f}  ({ratio.least:.2f} - {ratio.greatest:.2f})"
        target = ", ".join(filter(None, (at_least, at_most)))
        print(f"{ratio.name:64}{target:16}{spread:28}{met}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast Dynarrow is beside others.")
    parser.add_argument("--shape", default="orders", choices=SHAPES)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument(
        "--slow-items", type=int, default=50_000, help="items for peers that give dicts"
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--only", default=",".join(SECTIONS), help="sections, with commas between them"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    parser.add_argument(
        "--data", type=Path, default=BENCHES / "data", help="folder for exports and outputs"
    )
    args = parser.parse_args()
    wanted = args.only.split(",")
    if unknown := set(wanted) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}: {', '.join(SECTIONS)}")

    build = ["cargo", "build", "--release", "--locked"]
    build += ["-p", "dynarrow-cli", "-p", "dynarrow-benches"]
    build += ["--bin", "dynarrow", "--bin", "generate", "--bin", "floor"]
    subprocess.run(build, cwd=ROOT, check=True)
    report = Report(args)
    print(f"{args.shape}, {args.items} items, {args.runs} runs, {os.cpu_count()} cores")
    if args.items < ITEMS:
        print("little data: what is measured is start-up for a good part, and no target is judged")
    print(f"{'':64}{'target':16}{'measured':28}met")
    sections: dict[str, Section] = {}
    for name in wanted:
        try:
            sections[name] = getattr(report, f"section_{name}")()
        except Differs as differs:
            sys.exit(f"{name}: the outputs differ: {differs}")
        if args.items < ITEMS:
            for ratio in sections[name].ratios:
                ratio.judged = False
        table(sections[name])
    if args.json:
        found = {
            "shape": args.shape,
            "items": args.items,
            "runs": args.runs,
            "machine": {"cores": os.cpu_count(), "processor": platform.machine()},
            "sections": {
                name: {
                    **asdict(section),
                    "ratios": [{**asdict(r), "met": r.met} for r in section.ratios],
                }
                for name, section in sections.items()
            },
        }
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
