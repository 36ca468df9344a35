#!/usr/bin/env bash
# Make .venv-peers: the programs that benches are set beside, at locked versions, apart from everything of ours.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SPEAKER=peers LOCK=requirements/bench-x86_64.txt STAMP=.venv-peers/setup-stamp
. tools/apt.sh

[ "$(uname -m)" = x86_64 ] || { say "the peers are locked for x86-64 only; the benches that need them say so"; exit 0; }
.venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
    { say "the peers are locked for Python 3.11 only; the benches that need them say so"; exit 0; }
stamp_now() { { cat "$0" "$LOCK"; pwd; } | sha256sum; }
[ "$(cat "$STAMP" 2>/dev/null)" = "$(stamp_now)" ] && exit 0
say "installing $(grep -c '==' "$LOCK") locked wheels (a minute or two)"
rm -rf .venv-peers
.venv/bin/python -m venv .venv-peers
.venv-peers/bin/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --require-hashes --only-binary :all: -r "$LOCK"
stamp_now >"$STAMP"
