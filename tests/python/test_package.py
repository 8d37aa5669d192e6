"""The installed wheel as a package: what `pip install dynarrow` brings."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import dynarrow


def test_version_is_the_distributions() -> None:
    assert dynarrow.__version__ == metadata.version("dynarrow")


def test_nothing_is_required() -> None:
    requirements = metadata.requires("dynarrow") or []
    assert [r for r in requirements if "extra ==" not in r] == []


def test_everything_public_is_named_and_documented() -> None:
    for name in dynarrow.__all__:
        value = getattr(dynarrow, name)
        assert name == "__version__" or value.__doc__, name
    assert set(dynarrow.__all__) <= set(dir(dynarrow))


def test_importing_imports_no_library() -> None:
    script = "import sys, dynarrow; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    loaded = set(ended.stdout.split())
    assert "dynarrow" in loaded
    assert not loaded & {
        "polars",
        "pandas",
        "pyarrow",
        "duckdb",
        "tqdm",
        "numpy",
        "IPython",
        "boto3",
    }


def test_reading_without_pyarrow() -> None:
    """polars takes a reader where pyarrow is not installed."""
    shop = Path(__file__).parents[1] / "data/exports/shop"
    script = f"""
import sys
sys.modules["pyarrow"] = None
import dynarrow
reader = dynarrow.read_export({str(shop)!r})
assert reader.to_polars().height == 3000
try:
    reader.to_arrow()
except ImportError:
    print("no pyarrow")
try:
    iter(reader)
except ImportError:
    print("no pyarrow")
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "no pyarrow\n" * 2), ended.stderr
