# shellcheck shell=bash
# Sourced by the scripts that set things up and build; expects `set -euo pipefail`.

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# apt_install PACKAGE...: Debian packages, as root or by sudo; elsewhere says what is missing.
apt_install() {
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || die "please install $* and run this again (no root here)"
    as_root=(sudo -n)
  fi
  command -v apt-get >/dev/null || die "please install $* and run this again (no apt-get here)"
  "${as_root[@]}" apt-get update -qq </dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends "$@" </dev/null
}

# need COMMAND PACKAGE: the command is there, or its Debian package gets installed.
need() {
  command -v "$1" >/dev/null || apt_install "$2"
}

need_cargo() {
  command -v cargo >/dev/null ||
    die "please install Rust with rustup, including rustfmt and clippy, and run this again"
}

# npm_ci FOLDER: its locked packages, once per version of the lock file.
npm_ci() {
  need node nodejs
  need npm npm
  node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' ||
    die "please install Node.js 20 or later (here: $(node --version))"
  cmp -s "$1/package-lock.json" "$1/node_modules/.installed-lock" && return
  npm --prefix "$1" ci --ignore-scripts --no-audit --no-fund --loglevel error </dev/null
  cp "$1/package-lock.json" "$1/node_modules/.installed-lock"
}
