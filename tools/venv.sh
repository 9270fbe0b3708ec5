#!/bin/sh
# Make or reuse the project's virtual environment: tools/venv.sh plain|test
#   plain  whalereid alone, from this folder          test  also what the test suite needs
# Says what it does, does nothing that is already done, and fails with one readable line.
set -eu
cd "$(dirname "$0")/.."
kind=${1:?plain or test}
venv=${VENV:-.venv}
stamp=$venv/.whalereid-$kind
log=$venv/install.log

say() { printf '%s\n' "whalereid: $*" >&2; }
fail() { say "$*"; exit 2; }

find_python() {
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    found=$(${PYTHON:-python3} -V 2>&1 || true)
    fail "needs Python 3.11 or newer, found ${found:-none}; install one, or name it: make demo PYTHON=/path/to/python3.11"
}

# What is installed depends on pyproject.toml alone; the code itself is used from this folder.
wanted=$(cksum pyproject.toml)
if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi

python=$(find_python) || exit 2
mkdir -p "$venv" 2>/dev/null || fail "can't make the folder $venv here; is the disk full, or the folder read-only?"
if [ ! -x "$venv/bin/whalereid" ]; then
    # PyTorch's wheels are most of this on Linux; measured: 7 GB installed, and as much again while unpacking.
    need=${WHALEREID_DISK_KB:-9000000}
    free=$(df -Pk "$venv" | awk 'NR == 2 {print $4}')
    if [ "${free:-$need}" -lt "$need" ]; then
        fail "the disk is full: $((free / 1000)) MB free where $venv wants $((need / 1000)) MB; free some space and run it again"
    fi
fi

run() { # run WHAT COMMAND...: quiet unless it fails
    what=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        if grep -qiE 'no space left|ENOSPC|disk quota' "$log"; then
            fail "the disk is full: $what stopped; free some space and run it again (details: $log)"
        fi
        tail -n 5 "$log" >&2
        fail "$what failed; the last lines are above, the rest is in $log"
    fi
}

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    say "making a virtual environment in $venv with $("$python" -V 2>&1) ..."
    run "making the virtual environment" "$python" -m venv --clear "$venv"
    run "updating pip" "$venv/bin/python" -m pip install --upgrade pip
fi
if [ ! -f "$venv/.whalereid-plain" ] || [ "$(cat "$venv/.whalereid-plain")" != "$wanted" ]; then
    say "installing whalereid and what it stands on (PyTorch is large: minutes the first time) ..."
    run "installing whalereid" "$venv/bin/python" -m pip install -e .
    echo "$wanted" >"$venv/.whalereid-plain"
fi
if [ "$kind" = test ]; then
    if [ ! -f "$stamp" ]; then
        # Before anything else joins it, the plain environment must hold every module's needs.
        say "importing every module of the plain wheel, without any extra ..."
        run "building the wheel" "$venv/bin/python" -m pip wheel --no-deps --wheel-dir "$venv/wheel" .
        "$venv/bin/python" -P tools/check_wheel.py "$venv"/wheel/whalereid-*.whl || exit 2
    fi
    say "installing what the tests need ..."
    run "installing the test extras" "$venv/bin/python" -m pip install -e '.[test]'
    echo "$wanted" >"$stamp"
fi
