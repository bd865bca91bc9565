#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Reads which folder includes which, and prints one TAP line per rule. The rules are those of doc/architecture.md.

1. A folder of the top level includes only the folders that it may include; a folder of server/ only folders of its own
   level and of lower levels.
2. No two folders include each other, directly or through others.
3. In server/http the same holds for files: NAME.c and NAME.h count as one.

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

# server/, from below. server/context.h counts as a folder of its own: it names the parts of the server, which the
# folders above use. "server" is its root, with main.c and daemon.c.
LEVELS = [
    {"server/core"},
    {"server/config", "server/db", "server/http", "server/process"},
    {"server/context.h"},
    {"server/access", "server/build", "server/console", "server/delivery", "server/ledger", "server/webhook"},
    {"server/campaign"},
    {"server/backup", "server/checkin", "server/planning"},
    {"server/admin", "server/device"},
    {"server"},
]
LEVEL = {folder: number for number, level in enumerate(LEVELS) for folder in level}

FILES = {"server/http"}  # folders whose files are looked at one by one


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


def folder_of(name):
    return name if name in LEVEL else os.path.dirname(name)


def file_of(name):
    return os.path.splitext(name)[0]


def read_graph(includes, node_of):
    """Which node includes which, and for each arrow one include that is the reason for it."""
    graph, reasons = collections.defaultdict(set), {}
    for name, included in includes:
        one, other = node_of(name), node_of(included)
        graph[one]  # a node without an arrow is a node, too
        graph[other]
        if one != other:
            graph[one].add(other)
            reasons.setdefault((one, other), f"{name} includes {included}")
    return graph, reasons


def is_allowed(one, other):
    top, other_top = one.split("/")[0], other.split("/")[0]
    if top != other_top:
        return other_top in ALLOWED[top]
    return top != "server" or (one in LEVEL and other in LEVEL and LEVEL[other] <= LEVEL[one])


def explain(circle, graph, reasons):
    return [reasons[one, other] for one in circle for other in sorted(graph[one] & set(circle))]


def print_graph(graph, reasons):
    for one in sorted(graph):
        print(one, "->", " ".join(sorted(graph[one])))
    for circle in find_circles(graph):
        print("circle:", " ".join(circle))
        for reason in explain(circle, graph, reasons):
            print("   ", reason)


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    includes = list(read_includes())
    graph, reasons = read_graph(includes, folder_of)
    if "--graph" in sys.argv:
        print_graph(graph, reasons)
        return 0
    forbidden = [reason for (one, other), reason in sorted(reasons.items()) if not is_allowed(one, other)]
    circles = [
        reason
        for circle in find_circles(graph)
        for reason in explain(circle, graph, reasons)
    ]
    inside = [
        (name, included)
        for name, included in includes
        if folder_of(name) == folder_of(included) and folder_of(name) in FILES
    ]
    files, file_reasons = read_graph(inside, file_of)
    file_circles = [
        reason for circle in find_circles(files) for reason in explain(circle, files, file_reasons)
    ]
    tests = [
        ("each folder includes only what it may include", forbidden),
        ("no folders include each other in a circle", circles),
        ("no files of " + ", ".join(sorted(FILES)) + " include each other in a circle", file_circles),
        ("folders and files are found", [] if len(graph) > 20 and len(files) > 10 else ["too few"]),
    ]
    print("TAP version 13")
    print(f"1..{len(tests)}")
    for number, (name, faults) in enumerate(tests, 1):
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults:
            print("#", fault)
    return 1 if any(faults for _, faults in tests) else 0


if __name__ == "__main__":
    sys.exit(main())
