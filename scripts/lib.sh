# shellcheck shell=bash
# What the scripts in this folder share. Sourced, never run.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Folders that a user's PATH may lack: that of `cargo install`, and that of Debian's servers.
PATH="$PATH:${CARGO_INSTALL_ROOT:+$CARGO_INSTALL_ROOT/bin:}${CARGO_HOME:-$HOME/.cargo}/bin:/usr/sbin"
TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# spawn LOG COMMAND…: runs a command in the background with its output in LOG, and sets `spawned` to its process id. LOG exists when
# this returns: the background process opens it only when it gets to run, and a reader of the log may be faster.
spawn() {
  local log=$1
  shift
  : >>"$log"
  "$@" </dev/null >>"$log" 2>&1 &
  spawned=$!
}

# True when something accepts connections on this port of 127.0.0.1.
port_in_use() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# True when a GET of the address returns 2xx.
responds() { node -e 'fetch(process.argv[1]).then(response => process.exit(response.ok ? 0 : 1), () => process.exit(1))' "$1"; }

# The browser that the browser tests drive.
find_chromium() {
  local name
  for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return
  done
  name='/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
  [[ -x $name ]] && printf '%s\n' "$name"
}

# The folder of PostgreSQL's server programs, which is not on PATH on Debian.
find_postgres() {
  local folder
  for folder in "$(pg_config --bindir 2>/dev/null)" /usr/lib/postgresql/*/bin "$(dirname "$(command -v initdb || echo /)")"; do
    [[ -x $folder/initdb && -x $folder/postgres ]] && printf '%s\n' "$folder" && return
  done
  return 1
}

# The version of wasm-bindgen that Cargo.lock names; its command-line tool must be the same.
wasm_bindgen_version() { awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print }' Cargo.lock 2>/dev/null || true; }

# The binaryen release that Trunk.toml names.
wasm_opt_version() { sed -n 's/^wasm_opt *= *"version_\([0-9]*\)".*/\1/p' Trunk.toml 2>/dev/null || true; }

# Where trunk keeps the tools that it downloads. It uses them where PATH has no tool of the right version.
trunk_cache() {
  case "$(uname -s)" in
    Darwin) printf '%s\n' "$HOME/Library/Caches/dev.trunkrs.trunk" ;;
    *) printf '%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}/trunk" ;;
  esac
}

has_wasm_std() { compgen -G "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)/libstd-*.rlib" >/dev/null; }

# Lets cargo and trunk build for the browser. Where the toolchain lacks the target, Debian's compiler builds std from Debian's
# source, and the lld of rustup's toolchain links it.
use_wasm() {
  has_wasm_std && return
  local front="$TARGET_DIR/debian-rust" lld
  [[ -x /usr/bin/rustc && -x /usr/bin/cargo ]] || fail "no WASM target; run scripts/setup"
  lld=$(find "$(rustc --print sysroot)" -name rust-lld -print -quit)
  mkdir -p "$front"
  ln -sf /usr/bin/{rustc,cargo,cargo-clippy,clippy-driver} "$front/"
  export PATH="$front:$PATH" RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_abort
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="${lld:-/usr/bin/wasm-ld}"
}

# rustfmt does not find the modules that the table of pages declares, because the table is a macro.
format_sources() {
  cargo fmt --all -- "$@"
  rustfmt --edition 2024 "$@" crates/client/src/pages/*.rs crates/client/src/pages/*/mod.rs examples/notes/page.rs \
    crates/api/tests/fixture_polls/page.rs
}

# Builds the program that the browser tests start: Cargo builds a package's programs for its tests. The selection of packages decides
# the features of their dependencies; with another one everything is compiled a second time.
build_test_api() { cargo test --quiet --workspace --locked --no-run --test api; }

# The client that the browser tests serve; it sends its requests to the API that they start.
build_e2e_client() (
  use_wasm
  API_BASE_URL=https://api.latchkey.test trunk build --release --dist "$TARGET_DIR/e2e-client"
)

# Runs Playwright with the API and the client that were just built, or those that API_BINARY and CLIENT_FILES name. Write options as
# `--name=value`: an option such as --project takes every argument after it for a further value.
run_playwright() {
  CHROMIUM=$(find_chromium) API_BINARY="${API_BINARY:-$TARGET_DIR/debug/api}" CLIENT_FILES="${CLIENT_FILES:-$TARGET_DIR/e2e-client}" \
    npm exec --prefix crates/client/e2e -- playwright test --config crates/client/e2e "$@"
}
