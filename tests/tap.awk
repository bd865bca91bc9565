# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# Reads TAP, as cmocka and node write it, and counts tests: leaves, not the groups around them.
#
#   awk -v suite=NAME -v status=EXIT-STATUS -f tap.awk OUTPUT
#
# Prints a line for each failed or skipped test, with what stands behind it, and last "counts PASSED FAILED SKIPPED".
# A program that ends before its plan is fulfilled, or with another status than its tests explain, has failed.

function leaf(line, kind) {
    if (match(line, /[^\\]# *[Ss][Kk][Ii][Pp]/)) {
        skipped++
        print "skipped: " suite ": " title(line)
    } else if (kind == "ok") {
        passed++
    } else {
        complain(title(line))
        showing = 1
    }
}

function complain(what) {
    failed++
    print "FAILED: " suite ": " what
}

function title(line) {
    sub(/^ *(not )?ok *[0-9]* *-? */, "", line)
    return line
}

function depth_of(line) {
    match(line, /^ */)
    return int(RLENGTH / 4)
}

{
    last = $0
}
in_details {
    if (showing)
        print
    if ($0 ~ /^ *\.\.\.$/)
        in_details = showing = 0
    next
}
/^ *---$/ {
    in_details = 1
    if (showing)
        print
    next
}
/^[0-9]+\.\.[0-9]+/ {
    split($1, ends, /\.\./)
    planned += ends[2]
    has_plan = 1
    showing = 0
    next
}
/^ *(not )?ok [0-9]+/ {
    showing = 0
    depth = depth_of($0)
    kind = $1 == "not" ? "not ok" : "ok"
    if (depth == 0)
        seen++
    if (depth < last_depth) { # a group, behind its members
        if (kind == "not ok" && failed == failed_before[depth])
            leaf($0, kind)
    } else {
        leaf($0, kind)
    }
    last_depth = depth
    # what follows at this depth or deeper starts from here
    for (i = depth; i < 20; i++)
        failed_before[i] = failed
    next
}
showing && /^ *#/ {
    print
}

END {
    if (!has_plan)
        complain("no plan, it did not come so far (exit status " status "); its last words: " last)
    else if (seen < planned)
        complain("ended after " seen " of " planned " tests (exit status " status "); its last words: " last)
    else if (status != 0 && failed == 0)
        complain("exit status " status " though no test failed")
    print "counts", passed + 0, failed + 0, skipped + 0
}
