#!/usr/bin/env bash
# The packages that the JavaScript tests need, as tests/js/package-lock.json names them.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

npm_ci tests/js
