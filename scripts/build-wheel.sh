#!/usr/bin/env bash
# Builds the wheel into target/wheels and installs it in .venv.
# Release profile and the workspace's target folder: what the command-line tool's release
# build compiled is not compiled again.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_cargo
need cc gcc
scripts/setup-python.sh
rm -f target/wheels/dynarrow-*.whl
.venv/bin/maturin build --release --locked --interpreter .venv/bin/python \
  --manifest-path bindings-py/Cargo.toml --out target/wheels </dev/null
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
  --no-deps --force-reinstall target/wheels/dynarrow-*.whl
