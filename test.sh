#!/usr/bin/env bash
# The test command: format, lints, build, and every test of the workspace. Its last line sums them up.
# From any directory; further arguments go to `cargo test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export RUST_BACKTRACE="${RUST_BACKTRACE:-0}" CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
# The end-to-end tests mostly wait; four of them at once keep two cores busy.
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-4}"

output=$(mktemp)
trap 'rm -f "$output"' EXIT
failures=0

step() {
	echo "== $*"
	"$@" </dev/null || { failures=$((failures + 1)); echo "== failed: $*"; }
}

step tests/install-peers.sh
step cargo fmt --all --check
# The example is built by CI alone; its lock file goes stale wherever a dependency of its crates changes.
step cargo fetch --locked --quiet --manifest-path examples/rsipstack/Cargo.toml
step cargo clippy --workspace --all-targets --quiet -- -D warnings
step cargo build --workspace --bins --quiet

echo "== cargo test --workspace"
cargo test --workspace --no-fail-fast --quiet "$@" </dev/null 2>&1 | tee "$output" || failures=$((failures + 1))

# What a call costs the core, for whoever reads the output. It needs an optimised build, so only CI makes it.
if [ -n "${CI:-}" ]; then
	echo "== figures"
	for figure in instructions allocations; do
		timeout 900 cargo run --release --quiet -p tandem-bench --bin "$figure" -- --brief </dev/null || echo "$figure: none"
	done
fi

sum() { awk -v word="$1" '/^test result:/ { for (i = 2; i < NF; i++) if ($(i + 1) ~ "^" word) n += $i } END { print n + 0 }' "$output"; }
passed=$(sum passed)
failed=$(sum failed)
# A step that failed without a failed test (format, lints, a crate that does not compile) counts as one.
if [ "$failures" -gt 0 ] && [ "$failed" -eq 0 ]; then failed=$failures; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
