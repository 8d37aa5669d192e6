#!/usr/bin/env bash
# Runs the README's first command: the build and the conversion of the sample export.
set -euo pipefail
cd "$(dirname "$0")/.."
command=$(awk '/^```sh$/ { inside = 1; next } /^```$/ && inside { exit } inside' README.md)
echo "\$ $command"
rm -f shop.parquet
bash -euo pipefail -c "$command"
test -s shop.parquet
rm -f shop.parquet
