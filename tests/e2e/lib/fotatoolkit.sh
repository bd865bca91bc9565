#!/bin/sh
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# Replaces the vendor's FotaToolkit, which cannot be distributed. Called like the original,
#   fotatoolkit.sh -d CONFIG.json BINPKG OUT OLD NEW
# it writes a package that dfota cannot apply, prints a lot, and misbehaves as CONFIG says: {"mode": …}.
#   fotatoolkit.sh --verify OLD PACKAGE NEW
# applies such a package and compares.

if [ "$1" = --verify ]; then
    printf 'FKIT' | cmp -s -n 4 - "$3" || { echo "no package of this tool"; exit 1; }
    tail -c +5 "$3" | gzip -dc | cmp - "$4" && echo "the package gives the new image"
    exit
fi

config=$2 out=$4 old=$5 new=$6
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$config"; }
make() { { printf FKIT; gzip -nc "$new"; } >"$out"; }

echo "FotaToolkit stand-in: $old -> $new"
case $(field mode) in
good) make ;;
known) "$(field dfota)" diff --format ec618-csdk "$old" "$new" "$out" ;;
wrong) "$(field dfota)" diff --format bsdiff "$new" "$old" "$out" ;;
oversize) make && head -c 600000 /dev/zero >>"$out" ;;
huge) head -c 400000000 /dev/zero >"$out" ;;
hang)
    setsid sleep 1000 &
    echo "daemon $!"
    sleep 1000 &
    echo "grandchild $!"
    sleep 1000
    ;;
daemon)
    make
    # shellcheck disable=SC2016 # the inner shell expands it
    setsid sh -c 'sleep 1000 & echo "daemon $!"; : >"$TMPDIR/up"; wait' &
    while [ ! -e "$TMPDIR/up" ]; do :; done
    ;;
nothing) ;;
empty) : >"$out" ;;
link) ln -s /etc/passwd "$out" ;;
outside) make && echo overwritten >"$(field target)" ;;
signal) make && kill -KILL "$(field target)" && echo killed ;;
old) make && chmod 600 "$old" "$new"; echo overwritten >"$old"; echo overwritten >"$new" ;;
flood)
    echo "the first line"
    yes 'some progress, and 100% of it' | head -c 3000000
    printf '\377\033[31m\r\n\345\233\272\n'
    echo "the last line"
    make
    ;;
deep) make && mkdir -p "$TMPDIR/a/b/c" && chmod 0 "$TMPDIR/a/b" "$TMPDIR/a" ;;
place)
    env | sort
    ls -A
    ls -A "$HOME" "$TMPDIR"
    pwd
    stat -c %a "$old"
    make
    ;;
words) echo "[$3]" && make ;;
crash) kill -SEGV $$ ;;
fails)
    echo "packing ..."
    echo "error: the packet is 530112 bytes, the partition holds 491520" >&2
    exit 3
    ;;
*) exit 9 ;;
esac
# Its exit status says nothing about the package, like that of the original.
exit 0
