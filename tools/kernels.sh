#!/usr/bin/env bash
# Compile the kernels once after their sources changed, so that nothing that is started after this waits for a compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SPEAKER=kernels STAMP=.venv/kernels-stamp
. tools/apt.sh

stamp_now() { { cat .venv/setup-stamp; find appliance/kernels -name '*.py' -print0 | sort -z | xargs -0 sha256sum; } | sha256sum; }

# Every other one from a starting place: two processes share the work.
compile() {
    .venv/bin/python - "$1" <<'PYTHON'
import sys

from appliance.kernels.warm_up import ALL_KERNELS, warm_up

for name, _, _ in warm_up(ALL_KERNELS[int(sys.argv[1]) :: 2]):
    print(f"kernels: {name}", file=sys.stderr)
PYTHON
}

[ "$(cat "$STAMP" 2>/dev/null)" = "$(stamp_now)" ] && exit 0
say "compiling (a minute or less, once)"
compile 0 &
compile 1
wait $!
stamp_now >"$STAMP"
