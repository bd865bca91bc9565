#!/usr/bin/env bash
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# Prints figures about the shape of the source, each with the command that counted it. With --list, the lines that were
# counted follow. It tests nothing.
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
list=no
case ${1-} in
'') ;;
--list) list=yes ;;
*) echo "figures.sh [--list]" >&2 && exit 2 ;;
esac

# figure NAME COMMAND: the number of lines that the command prints.
figure() {
    local lines
    lines=$(eval "$2" || true)
    printf '%-50s %5d\n    %s\n' "$1" "$(printf '%s' "$lines" | grep -c '' || true)" "$2"
    [ "$list" = no ] || [ -z "$lines" ] || printf '%s\n' "$lines" | sed 's/^/        /'
}

programs="git ls-files '*.c' '*.h' | grep -v '^tests/'"
tests="git ls-files 'tests/*.c' 'tests/*.h'"
long="xargs wc -l | awk '\$1 > 400 && \$2 != \"total\"'"

figure "files in the root of server/" "git ls-files server | grep '^server/[^/]*\.[ch]\$'"
figure "circles of folders that include each other" "tests/builds/folders.py --graph | grep '^circle:'"
figure "files over 400 lines, programs" "$programs | $long"
figure "files over 400 lines, C tests" "$tests | $long"
figure "functions over 40 lines, programs" "$programs | xargs awk -v most=40 -f tests/builds/functions.awk | sort -rn"
figure "functions over 40 lines, C tests" "$tests | xargs awk -v most=40 -f tests/builds/functions.awk | sort -rn"
figure "places that clang-format would change" \
    "git ls-files '*.c' '*.h' | xargs clang-format --dry-run 2>&1 | grep 'warning:'"
