"""Progress: the native half counts and calls back about ten times a second."""

import sys
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeAlias

Callback: TypeAlias = Callable[[int, int, int], object]
"""Called with compressed bytes read, compressed bytes to read (0: unknown) and items read."""

Progress: TypeAlias = bool | Callback | None
"""``True`` and ``False`` switch tqdm's bar, ``None`` shows it where a person watches."""

# Seconds: a bar that nobody asked for does not flash up for less.
_PATIENCE = 0.5


@contextmanager
def reporting(progress: Progress, what: str) -> Generator[Callback | None]:
    """What the native half is to call."""
    if callable(progress):
        yield progress
        return
    if progress is False or (progress is None and not _is_watched()):
        yield None
        return
    try:
        with warnings.catch_warnings():
            # In a notebook without ipywidgets tqdm says so and goes on as text.
            warnings.simplefilter("ignore")
            make_bar: Any = import_module("tqdm.auto").tqdm
    except ImportError:
        if progress is None:
            yield None
            return
        raise
    begun = time.monotonic()
    bar: Any = None

    def show(done: int, total: int, items: int) -> None:
        nonlocal bar
        if bar is None:
            if progress is None and time.monotonic() - begun < _PATIENCE:
                return
            bar = make_bar(desc=what, unit="B", unit_scale=True, leave=False)
        bar.total = total or None
        bar.n = done
        bar.set_postfix_str(f"{items:,} items", refresh=False)
        bar.refresh()

    try:
        yield show
    finally:
        if bar is not None:
            bar.close()


def _is_watched() -> bool:
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    if shell is not None and "IPKernelApp" in shell.config:
        return True
    # A process without a console has no stderr at all.
    return sys.stderr is not None and sys.stderr.isatty()  # pyright: ignore[reportUnnecessaryComparison]
