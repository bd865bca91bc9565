#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Prints ten random comments, ten log lines and ten help texts of the project, for a reader who does not know it.

    sample-texts.py SEED [BUILD]

The same seed prints the same sample. BUILD is the folder with the programs, build/ without it. A text that the reader
does not understand at once is a fault of the text."""
import os
import random
import re
import subprocess
import sys

COUNT = 10
PROGRAMS = ["dfotad", "dfotactl", "dfota", "dfota-sim"]


def read_sources():
    """(name, text) of each C file that is no test."""
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], check=True, capture_output=True, text=True)
    for name in listed.stdout.split():
        if not name.startswith("tests/"):
            with open(name, encoding="utf-8") as file:
                yield name, file.read()


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def list_comments():
    for name, text in read_sources():
        for match in re.finditer(r"/\*(.*?)\*/", text, re.S):
            comment = " ".join(re.sub(r"\n \*", "\n", match.group(1)).split())
            if "SPDX" not in comment and "clang-format" not in comment and comment.count(" ") >= 3:
                yield f"{name}:{line_of(text, match.start())}: {comment}"


def show_value(argument):
    """An argument of log_line() as a reader of the log sees it: the text of a literal, else … ."""
    literals = re.findall(r'"((?:[^"\\]|\\.)*)"', argument)
    return "".join(literals) if re.fullmatch(r'(\s*"(?:[^"\\]|\\.)*")+\s*', argument) else "…"


def split_arguments(text):
    """The arguments of a call: commas within quotes and brackets do not count."""
    found, depth, part = [], 0, ""
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|[^"]', text):
        depth += (token in ("(", "{")) - (token in (")", "}"))
        if token == "," and depth == 0:
            found.append(part)
            part = ""
        else:
            part += token
    return [*found, part]


def list_log_lines():
    call = re.compile(r'\blog_line\(((?:[^()"]|"(?:[^"\\]|\\.)*"|\((?:[^()]|\([^()]*\))*\))*)\);')
    for name, text in read_sources():
        for match in call.finditer(text):
            level, event, *rest = (argument.strip() for argument in split_arguments(match.group(1)))
            pairs = [f"{show_value(key)}={show_value(value)}" for key, value in zip(rest[::2], rest[1::2])]
            level = level.replace("LOG_LEVEL_", "").lower() if level.startswith("LOG_") else "…"
            yield f"{name}:{line_of(text, match.start())}: level={level} event={show_value(event)} {' '.join(pairs)}"


def list_commands(build):
    yield ["./run", "--help"]
    yield ["./check", "--help"]
    for program in PROGRAMS:
        yield [os.path.join(build, program), "--help"]
    listed = subprocess.run([os.path.join(build, "dfotactl"), "--help"], capture_output=True, text=True).stdout
    for group in sorted(set(re.findall(r"^  ([a-z]+) [a-z<A-Z]", listed, re.M))):
        yield [os.path.join(build, "dfotactl"), group, "--help"]


def indent_of(line):
    return len(line) - len(line.lstrip())


def list_help(build):
    """Each entry of each help: an indented line with the text below it that is indented more."""
    found = set()
    for command in list_commands(build):
        lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        name = f"{os.path.basename(command[0])} {' '.join(command[1:])}"
        entry, indent = "", 0
        for line in [*lines, ""]:
            text = line.strip()
            if entry and text and indent_of(line) > indent and not text.startswith("-"):
                entry += ("  " if "  " not in entry else " ") + text
                continue
            if "  " in entry and entry not in found:  # a name and its text
                found.add(entry)
                yield f"{name}: {entry}"
            entry, indent = text if line.startswith(" ") else "", indent_of(line)


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    build = os.path.abspath(sys.argv[2] if len(sys.argv) == 3 else "build")
    chooser = random.Random(sys.argv[1])
    for title, texts in (("Comments", list_comments()), ("Log lines", list_log_lines()), ("Help", list_help(build))):
        print(f"\n{title}\n")
        every = list(texts)
        for text in chooser.sample(every, min(COUNT, len(every))):
            print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
