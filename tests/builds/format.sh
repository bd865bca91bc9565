#!/usr/bin/env bash
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# The layout of the source: formatter, licence lines, file names in the build files. Run in the source folder; prints TAP.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
# shellcheck source=tests/builds/tap.sh
. tests/builds/tap.sh

# The files that clang-format would change.
find_unformatted() {
    git ls-files -z '*.c' '*.h' | xargs -0 clang-format --dry-run -Werror
}

# Source files whose first five lines have no licence line.
find_unlicensed() {
    local file found=0
    while read -r file; do
        head -n 5 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || { echo "$file" && found=1; }
    done < <(git ls-files '*.c' '*.h' '*.lua' '*.mjs' '*.py' '*.sh' '*.awk' '*.ts' '*.tsx' '*.css' 'www/*.html' '*.svg' '*.inc' Makefile.am configure.ac run check .ci/run tests/clean)
    return "$found"
}

# C files that no build file names.
find_unlisted() {
    local file found=0
    while read -r file; do
        grep -rqF --include='*.inc' --include=Makefile.am "$file" . || { echo "$file" && found=1; }
    done < <(git ls-files '*.c' '*.h' | grep -v '^tests/e2e/')
    return "$found"
}

# Lines of build files that name more than one source file.
find_crowded() {
    ! git ls-files '*.inc' Makefile.am | xargs grep -nE '(\.[ch]\b.*){2,}'
}

# Migrations that are not in storage/Makefile.inc once, in the order of their names; and numbers that are not 1, 2, 3, ...
find_migrations_unlisted() {
    local folder=storage/schema/sqlite
    diff <(git ls-files "$folder/*.sql") <(sed -n "s,^MIGRATIONS += [$](srcdir)/,,p" storage/Makefile.inc) &&
        diff <(git ls-files "$folder/*.sql" | sed "s|^$folder/\([0-9]*\)-.*|\1|") \
            <(seq -f %03g "$(git ls-files "$folder/*.sql" | wc -l)")
}

check "clang-format changes no file" find_unformatted
check "each source file names the licence" find_unlicensed
check "each C file is in a build file" find_unlisted
check "each migration is in the build file, once and in order" find_migrations_unlisted
check "a build file names one source file a line" find_crowded
finish
