# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# Debian packages and builds, for run and check, which source this file. The caller has set -eu and works in the source folder.
# shellcheck shell=bash

# shellcheck disable=SC2034 # run and check use it
build_packages=(gcc make autoconf automake pkg-config libc6-dev libmicrohttpd-dev libjansson-dev libsqlite3-dev libssl-dev
    libcurl4-openssl-dev libinih-dev libdivsufsort-dev libarchive-dev libbz2-dev liblzma-dev libcsv-dev libmagic-dev libsystemd-dev libseccomp-dev)
# The console is built with Node, which may be there from elsewhere.
command -v node >/dev/null || build_packages+=(nodejs)
command -v npm >/dev/null || build_packages+=(npm)

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

say() {
    printf '\n== %s\n' "$*"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "packages are missing, and sudo is not installed. As root: apt-get install ${missing[*]}"
    fi
}

# Installs the named Debian packages that are missing.
install_packages() {
    command -v dpkg-query >/dev/null || die "this system is not Debian: dpkg-query is missing"
    missing=()
    local name
    for name; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Installing ${missing[*]}"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    as_root "${apt[@]}" update </dev/null
    as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null
}

# Runs a command, and shows its output only when it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        echo "failed: $*" >&2
        return 1
    fi
    rm -f "$log"
}

# The inputs of autoconf and automake that are newer than configure.
news() {
    find . \( -name .git -o -name build -o -name 'build-*' -o -name node_modules -o -name var \) -prune -o \
        \( -name '*.inc' -o -name Makefile.am -o -name configure.ac \) -newer configure -print
}

# build_in DIR TARGETS [CONFIGURE-ARGUMENT...]: configures and builds. After other arguments than last time, everything is rebuilt.
build_in() {
    local dir=$1 targets=$2 source=$PWD before
    shift 2
    if [ ! -x configure ] || [ -n "$(news)" ]; then
        quietly autoreconf -fi || return 1
    fi
    mkdir -p "$dir"
    before=$(cat "$dir/.arguments" 2>/dev/null || echo none)
    if [ "$before" != "$*" ] || [ ! -f "$dir/Makefile" ] || [ configure -nt "$dir/Makefile" ]; then
        quietly in_folder "$dir" "$source/configure" -q "$@" || return 1
        [ "$before" = "$*" ] || quietly make -C "$dir" clean || return 1
        printf '%s' "$*" >"$dir/.arguments"
    fi
    # shellcheck disable=SC2086 # the targets are words
    make -C "$dir" -s -j"$(nproc)" $targets </dev/null
}

in_folder() (
    cd "$1" || exit 1
    shift
    "$@"
)
