#!/usr/bin/env bash
# Make .venv-train from its lock and train the models: `make train`, or `make train ARGS=--small`. Needs what tools/setup.sh
# needs; x86-64 only, because nobody trains on the appliance. With --environment it stops when .venv-train is there: the
# bench of the models is set beside LightGBM, which lives in it.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly STAMP=.venv-train/setup-stamp LOCK=requirements/train-x86_64.txt
readonly SPEAKER=train
. tools/apt.sh

stamp_now() { { cat "$0" "$LOCK" pyproject.toml; pwd; } | sha256sum; }

if [ "$(uname -m)" != x86_64 ] && [ "${1:-}" = --environment ]; then
    say "LightGBM is locked for x86-64 only; the bench of the models says so"
    exit 0
fi
[ "$(uname -m)" = x86_64 ] || { say "training runs on x86-64; this is $(uname -m)"; exit 1; }
if [ "$(cat "$STAMP" 2>/dev/null)" != "$(stamp_now)" ]; then
    say "making .venv-train (a few minutes; torch is large)"
    rm -rf .venv-train
    .venv/bin/python -m venv .venv-train
    install() { .venv-train/bin/python -m pip install -qq --disable-pip-version-check --no-input --no-deps "$@"; }
    install --require-hashes --only-binary :all: -r "$LOCK"
    # TORCH_INDEX names an index that holds builds without a graphics card, where the usual one does not.
    # shellcheck disable=SC2086
    install --only-binary :all: ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} \
        "$(grep -o '"torch==[0-9.]*"' pyproject.toml | tr -d '"')"
    .venv-train/bin/python -c 'import torch, lightgbm, hmmlearn, onnx' || {
        say "torch cannot be imported; name an index with its CPU builds: make train TORCH_INDEX=..."
        exit 1
    }
    stamp_now >"$STAMP"
fi
[ "${1:-}" != --environment ] || exit 0
# One thread: results must not depend on how sums were split, and the machine may have other work.
export OMP_NUM_THREADS=1 PYTHONPATH="$PWD"
exec nice -n 15 .venv-train/bin/python -m models.training "$@"
