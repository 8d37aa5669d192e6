"""The README says what is true: its blocks are run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def blocks(language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the repository's test data, to be written to."""
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    return tmp_path


@pytest.mark.parametrize("block", blocks("python"))
def test_python(block: str, place: Path) -> None:
    done = subprocess.run([sys.executable, "-c", block], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


# The first block and the last build and test the repository itself: tests/run.sh runs the first.
@pytest.mark.parametrize(
    "block", [block for block in blocks("sh") if block.startswith("dynarrow ")]
)
def test_commands(block: str, place: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=place,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_every_kind_of_block_is_there() -> None:
    assert blocks("python")
    assert blocks("js")
    assert any(block.startswith("dynarrow ") for block in blocks("sh"))
    assert any(block.startswith("cargo run --release") for block in blocks("sh"))
