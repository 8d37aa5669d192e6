"""The items of an export as dicts.

python benches/ours/iter_items.py SRC THREADS
"""

import json
import sys
import time

import dynarrow

if __name__ == "__main__":
    src, threads = sys.argv[1:]
    start = time.perf_counter()
    items = sum(1 for _ in dynarrow.iter_items(src, threads=int(threads)))
    print(json.dumps({"seconds": time.perf_counter() - start, "items": items}))
