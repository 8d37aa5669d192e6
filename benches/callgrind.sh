#!/usr/bin/env bash
# Counts the instructions of each stage of reading, per item and byte: exact where times are noise.
#   benches/callgrind.sh [SHAPE...]     orders, narrow, wide
# Profiles for callgrind_annotate or KCachegrind stay in target/callgrind.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || {
  echo "error: please install valgrind and run this again" >&2
  exit 1
}
# Together with the command-line tool, as everything else is built: alone, its dependencies
# would have other features and be compiled again.
cargo build --release --locked -p dynarrow-cli -p dynarrow-benches --bin stages
mkdir -p target/callgrind

# instructions SHAPE FORMAT STAGE ROUNDS: of the whole program.
instructions() {
  valgrind --tool=callgrind --callgrind-out-file="target/callgrind/$1-$2-$3.out" \
    target/release/stages "$@" 2>&1 >/dev/null | awk '/Collected/ { print $4 }'
}

printf '%-8s %-14s %-8s %18s %18s\n' shape format stage 'instructions/item' 'instructions/byte'
[ $# -gt 0 ] || set -- orders narrow wide
for shape in "$@"; do
  for format in dynamodb-json ion; do
    read -r items bytes < <(target/release/stages "$shape" $format decode 0)
    for stage in decode learn columns; do
      # Two rounds less one: without what comes before the stage.
      one=$(instructions "$shape" $format $stage 1)
      two=$(instructions "$shape" $format $stage 2)
      printf '%-8s %-14s %-8s %18d %18s\n' "$shape" $format $stage \
        $(((two - one) / items)) "$(awk "BEGIN { printf \"%.2f\", ($two - $one) / $bytes }")"
    done
  done
done
