# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# Prints the functions of C files that are longer than `most` lines: LINES FILE:LINE NAME. A function is counted from the
# line with its name to its closing brace. The layout is that of clang-format: both braces are in the first column.
FNR == 1 { name = "" }
/^[A-Za-z_].*\(/ && !/;$/ {
    begin = FNR
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
}
/^}/ {
    if (name != "" && FNR - begin + 1 > most)
        printf "%d %s:%d %s\n", FNR - begin + 1, FILENAME, begin, name
    name = ""
}
