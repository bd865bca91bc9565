#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Reads which folder includes which, and prints one TAP line per rule.

1. A folder of the top level includes only the folders that doc/architecture.md allows it.
2. No two folders include each other, directly or through others.

With --graph the script prints the include graph and the circles, and tests nothing."""
import collections
import os
import re
import subprocess
import sys

ALLOWED = {
    "base": set(),
    "upgrade": {"base"},
    "delta": {"base"},
    "storage": {"upgrade", "base"},
    "server": {"upgrade", "storage", "base"},
    "ctl": {"base", "upgrade"},
    "sim": {"base", "upgrade", "delta"},
}


def read_includes():
    """(file, included file) for each include of a file of the project by a file that is no test."""
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], check=True, capture_output=True, text=True)
    files = [name for name in listed.stdout.split() if name.split("/")[0] in ALLOWED]
    for name in files:
        with open(name, encoding="utf-8") as file:
            for included in re.findall(r'^#include "([^"]+)"', file.read(), re.M):
                if included in files:
                    yield name, included


def find_circles(graph):
    """Groups of folders that reach each other (Tarjan's algorithm)."""
    index, low, stack, circles = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                circles.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return circles


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    graph, reasons = collections.defaultdict(set), {}
    for name, included in read_includes():
        one, other = os.path.dirname(name), os.path.dirname(included)
        graph[one]  # a folder without an arrow is a folder, too
        graph[other]
        if one != other:
            graph[one].add(other)
            reasons.setdefault((one, other), f"{name} includes {included}")
    circles = find_circles(graph)
    if "--graph" in sys.argv:
        for one in sorted(graph):
            print(one, "->", " ".join(sorted(graph[one])))
        for circle in circles:
            print("circle:", " ".join(circle))
            for one in circle:
                for other in sorted(graph[one] & set(circle)):
                    print("   ", reasons[one, other])
        return 0
    faults = [
        reason
        for (one, other), reason in sorted(reasons.items())
        if one.split("/")[0] != other.split("/")[0] and other.split("/")[0] not in ALLOWED[one.split("/")[0]]
    ]
    print("TAP version 13")
    print("1..3")
    print(("ok" if len(graph) > 10 else "not ok") + " 1 - the folders are found")
    print(("not ok" if faults else "ok") + " 2 - each folder includes only what it may include")
    for fault in faults:
        print("#", fault)
    print(("not ok" if circles else "ok") + " 3 - no folders include each other in a circle")
    for circle in circles:
        for one in circle:
            for other in sorted(graph[one] & set(circle)):
                print("#", reasons[one, other])
    return 1 if faults or circles else 0


if __name__ == "__main__":
    sys.exit(main())
