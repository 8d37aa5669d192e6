"""The report on speed runs, and what it compares is equal. How fast anything is, is not tested."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SECTIONS = ["convert", "floor", "polars", "items", "ion"]


@pytest.mark.skipif(not shutil.which("cargo"), reason="the report builds what it measures")
@pytest.mark.parametrize("shape", ["orders", "narrow", "wide"])
def test_the_report_on_little_data(shape: str, tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "benches/report/speed.py"
    options = ["--shape", shape, "--items", "2000", "--slow-items", "500", "--runs", "1"]
    options += ["--only", ",".join(SECTIONS), "--data", str(tmp_path)]
    found = tmp_path / "speed.json"
    command = [sys.executable, str(script), *options, "--json", str(found)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(found.read_text())
    assert (report["shape"], report["items"], list(report["sections"])) == (shape, 2000, SECTIONS)
    for section in report["sections"].values():
        assert section["ratios"]
        for ratio in section["ratios"]:
            assert 0 < ratio["least"] <= ratio["median"] <= ratio["greatest"]
            assert ratio["name"] in ended.stdout
