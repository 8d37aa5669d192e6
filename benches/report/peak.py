"""Runs a command and prints its peak resident memory in bytes.

A process of its own that imports next to nothing: on Linux a child's peak begins with the size
of the process that started it, so that no child of the report would seem smaller than the
report with its dataframes.

    python -I -S benches/report/peak.py COMMAND...
"""

import os
import sys

if __name__ == "__main__":
    command = sys.argv[1:]
    _, status, usage = os.wait4(os.posix_spawn(command[0], command, os.environ), 0)
    print(usage.ru_maxrss * 1024)
    sys.exit(os.waitstatus_to_exitcode(status))
