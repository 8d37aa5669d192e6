"""Readers that fail while C pulls them: Python lives, and knows why.

Each runs in a process of its own: what is tested here is that it does not abort.
"""

import subprocess
import sys

import pytest

CONSUMERS = {
    "pyarrow": "import pyarrow; pyarrow.table(reader)",
    "polars": "import polars; polars.DataFrame(reader)",
    "duckdb": "import duckdb; duckdb.from_arrow(reader).fetchall()",
    "pandas": "import pandas; pandas.DataFrame.from_arrow(reader)",
}

SCRIPT = """
from dynarrow import _dynarrow
reader = _dynarrow._failing_reader({panics}, "bad \\0 \\x1b[31m data")
try:
    {consume}
except BaseException as error:
    text = str(error)
else:
    raise SystemExit("no exception")
assert "bad \\\\u{{0}} \\\\u{{1b}}[31m data" in text, text
assert {code!r} in text, text
error = reader.last_error
assert error.code == {code!r}, error.code
print("alive")
"""


@pytest.mark.parametrize("consumer", CONSUMERS)
@pytest.mark.parametrize("panics", [False, True])
def test_python_lives(consumer: str, panics: bool) -> None:
    code = "E_INTERNAL" if panics else "E_JSON"
    script = SCRIPT.format(panics=panics, consume=CONSUMERS[consumer], code=code)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr
