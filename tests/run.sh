#!/usr/bin/env bash
# Sets up all it needs, then builds and tests everything, or one part of it:
#   tests/run.sh [all | rust | python | js]...
# A failing step does not hide the later ones; the exit code is 0 only if all passed.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# Everything is built once: what incremental builds write would never be read.
export CARGO_INCREMENTAL=0

summary=()
failed=0

# step NAME COMMAND...: runs a program, times it and remembers how it ended.
step() {
  local name=$1 start=$SECONDS result=ok
  shift
  printf '\n=== %s\n' "$name"
  "$@" </dev/null || result=FAILED
  summary+=("$(printf '%-24s %6ds  %s' "$name" $((SECONDS - start)) "$result")")
  [ "$result" = ok ] || failed=1
  [ "$result" = ok ]
}

rust() {
  need_cargo
  need cc gcc
  step "rust: format" cargo fmt --all --check
  step "rust: clippy" cargo clippy --locked --workspace --all-targets -- -D warnings
  if cargo nextest --version >/dev/null 2>&1; then
    step "rust: tests" cargo nextest run --locked --workspace --no-fail-fast
  else
    step "rust: tests" cargo test --locked --workspace --all-targets
  fi
  step "rust: doc tests" cargo test --locked --workspace --doc
  step "rust: README command" scripts/readme-command.sh
}

python() {
  step "python: set-up" scripts/setup-python.sh || return
  step "python: ruff" .venv/bin/ruff check --config bindings-py/pyproject.toml bindings-py/python tests/python
  step "python: ruff format" .venv/bin/ruff format --check --config bindings-py/pyproject.toml bindings-py/python tests/python
  step "python: wheel" scripts/build-wheel.sh || return
  step "python: pyright" .venv/bin/pyright --project bindings-py
  step "python: tests" .venv/bin/python -m pytest --config-file bindings-py/pyproject.toml --rootdir . tests/python
}

js() {
  step "js: wasm package" bindings-wasm/build.sh || return
  step "js: set-up" scripts/setup-js.sh || return
  step "js: tsc" npm --prefix tests/js run --silent check
  step "js: tests" npm --prefix tests/js run --silent test
}

for part in "${@:-all}"; do
  case $part in
    all) rust || true; python || true; js || true ;;
    rust | python | js) "$part" || true ;;
    *) die "no part '$part': all, rust, python or js" ;;
  esac
done

printf '\n=== summary\n'
printf '%s\n' "${summary[@]}"
printf '%-24s %6ds  %s\n' total "$SECONDS" "$([ "$failed" = 0 ] && echo ok || echo FAILED)"
exit "$failed"
