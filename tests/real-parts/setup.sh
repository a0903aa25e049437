#!/usr/bin/env bash
# Installs what the tests against real parts need, in target/real-parts (or $KEYMUSTER_REAL_PARTS):
# a Python environment with moto and the AWS command line, and Prism with npm. Safe to repeat; done
# at once when what is listed has not changed since.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
parts=${KEYMUSTER_REAL_PARTS:-$root/target/real-parts}
venv=$parts/venv
stamp=$venv/.requirements

fail() { printf 'tests/real-parts/setup.sh: %s\n' "$*" >&2; exit 1; }

prism=$parts/prism
if ! cmp -s "$here/prism/package-lock.json" "$prism/.lock" || [ ! -f "$prism/node_modules/.bin/prism" ]; then
    command -v npm >/dev/null || fail "no npm; install Node.js 20 or newer"
    printf 'installing Prism into %s\n' "$prism" >&2
    rm -rf "$prism"
    mkdir -p "$prism"
    cp "$here/prism/package.json" "$here/prism/package-lock.json" "$prism/"
    npm ci --prefix "$prism" --ignore-scripts --no-audit --no-fund --loglevel=error >&2 \
        || fail "cannot install Prism; is the registry of npm reachable?"
    # Last, so that an interrupted run is repeated.
    cp "$here/prism/package-lock.json" "$prism/.lock"
fi

if cmp -s "$here/requirements.txt" "$stamp" && [ -x "$venv/bin/aws" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "no $python; install Python 3.10 or newer, or name it in \$PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "$("$python" --version) is too old; Python 3.10 or newer is needed"

printf 'installing moto and the AWS command line into %s\n' "$venv" >&2
rm -rf "$venv"
mkdir -p "$parts"
"$python" -m venv "$venv" || fail "cannot make a virtual environment; on Debian install python3-venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" \
    || fail "cannot install the requirements; is the package index reachable?"
"$venv/bin/aws" --version >/dev/null || fail "the AWS command line does not start"
"$venv/bin/python" -c 'import moto.server' || fail "moto does not start"
# Last, so that an interrupted run is repeated.
cp "$here/requirements.txt" "$stamp"
