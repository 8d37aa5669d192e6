"""The command ``dynarrow``, as ``pip install`` puts it on the path and ``python -m`` runs it."""

import sys

from dynarrow import _cli
from dynarrow._dynarrow import _run_cli  # pyright: ignore[reportPrivateUsage]


def main() -> int:
    """Runs the command with the arguments of this process.

    Returns:
        The exit code: 0 done, 1 findings, 2 usage, 3 source or destination, 4 bad data,
        130 after Ctrl-C.
    """
    arguments = sys.argv[1:]
    if arguments and arguments[0] in _cli.VERBS:
        return _cli.run(arguments)
    return _run_cli(["dynarrow", *arguments])


if __name__ == "__main__":
    sys.exit(main())
