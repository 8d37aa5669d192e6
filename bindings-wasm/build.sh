#!/usr/bin/env bash
# Builds the npm package: Rust to WebAssembly, its JavaScript glue, then the TypeScript around it.
# Everything lands in bindings-wasm/npm/dist; nothing is rebuilt that has not changed.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

target=wasm32-unknown-unknown
npm=bindings-wasm/npm
built=target-wasm/$target/wasm/dynarrow_wasm.wasm
optimised=$npm/dist/wasm/dynarrow_wasm_bg.wasm

# The target for the Rust at hand, or, where it cannot be had, Debian's own Rust, which carries the
# source of the standard library and builds it along. Sets `cargo_build`.
choose_toolchain() {
  if [ -d "$(rustc --print target-libdir --target $target)" ] ||
    RUST_BACKTRACE=0 timeout 120 rustup target add $target </dev/null; then
    cargo_build=(cargo build)
    return
  fi
  echo "no $target by rustup: using Debian's rustc-web"
  dpkg -s rustc-web cargo-web rust-web-src >/dev/null 2>&1 ||
    apt_install rustc-web cargo-web rust-web-src
  local host
  host=$(rustc --print host-tuple)
  export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld"
  cargo_build=(/usr/bin/cargo build -Z 'build-std=std,panic_abort')
}

need_cargo
npm_ci $npm
# With the features of the whole workspace, as everything else is built: nothing is compiled twice.
cargo build --locked --workspace --bin dynarrow-bindgen
choose_toolchain

CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C target-feature=+simd128" \
  "${cargo_build[@]}" --locked --package dynarrow-wasm --profile wasm --target $target --target-dir target-wasm

if [ ! -f $optimised ] || [ $built -nt $optimised ]; then
  rm -rf $npm/dist
  "${CARGO_TARGET_DIR:-target}"/debug/dynarrow-bindgen $built $npm/dist/wasm
  $npm/node_modules/.bin/wasm-opt -O3 $optimised -o $optimised.tmp
  mv $optimised.tmp $optimised
fi

npm --prefix $npm run --silent build
printf '%s: %d bytes, %d gzipped\n' $optimised "$(wc -c <$optimised)" "$(gzip -9c $optimised | wc -c)"
