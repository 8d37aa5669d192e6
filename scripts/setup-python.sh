#!/usr/bin/env bash
# The virtual environment .venv with everything the Python tests and tools need, and npm's
# dynalite, a DynamoDB that they talk to.
# Idempotent: does nothing while the lists of packages stay the same.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

npm_ci tests/dynalite

requirements=tests/python/requirements.txt
cmp -s "$requirements" .venv/installed-requirements.txt && exit

need python3 python3
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  die "please install Python 3.11 or later as python3 (here: $(python3 --version))"
python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
need npm npm # pyright runs on Node.js

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$requirements" </dev/null
cp "$requirements" .venv/installed-requirements.txt
