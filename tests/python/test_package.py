"""The installed wheel as a package: what `pip install dynarrow` brings."""

from importlib import metadata

import dynarrow


def test_version_is_the_distributions() -> None:
    assert dynarrow.__version__ == metadata.version("dynarrow")


def test_nothing_is_required() -> None:
    requirements = metadata.requires("dynarrow") or []
    assert [r for r in requirements if "extra ==" not in r] == []
