#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Finds dead includes: a C file uses no name of the included header, and compiles without it.

    includes.py [--remove] [--folder FOLDER]... BUILD

BUILD is a configured build folder: its Makefile has the flags. include-what-you-use (Debian: iwyu) judges which names a
file uses. A file that uses a name keeps the include, also where another header would bring the name. With --remove the
dead lines are deleted. The last line is the number of dead includes; the exit status is 1 when there are any."""
import argparse
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import tempfile

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror"]


def read_flags(build):
    """The compiler flags of the build, without those for warnings and code generation."""
    makefile = "include Makefile\nshow-flags:\n\t@echo $(DEFS) $(AM_CPPFLAGS) $(AM_CFLAGS)\n"
    shown = subprocess.run(["make", "-s", "-C", build, "-f", "-", "show-flags"], input=makefile, check=True,
                           capture_output=True, text=True)
    kept = [flag for flag in shlex.split(shown.stdout) if re.match(r"-(D|I|std=)", flag)]
    source = os.getcwd()
    flags = [f"-I{os.path.join(build, flag[2:])}" if flag[:2] == "-I" and not flag.startswith("-I/") else flag
             for flag in kept if not flag.startswith("-D_FORTIFY_SOURCE")]
    folders = [f'-D{name}="{source}"' for name in ("DFOTA_SOURCE", "FIXTURES", "FUZZ_CORPORA")]
    return flags + [f"-I{build}", f"-I{source}", *folders]


def list_unused(name, flags):
    """Line numbers of the includes of which the file uses no name."""
    run = subprocess.run(["iwyu", "-Xiwyu", "--no_fwd_decls", *flags, name],
                         capture_output=True, text=True)
    found, inside = [], False
    for line in run.stderr.splitlines():
        if line.endswith("should remove these lines:"):
            inside = line.startswith(name)
        elif not line.startswith("- "):
            inside = False
        elif inside and (match := re.match(r"- #include .*// lines (\d+)-\d+$", line)):
            found.append(int(match.group(1)))
    return found


def compiles(name, lines, flags):
    """Whether these lines are a file that compiles in the place of the named one."""
    with tempfile.NamedTemporaryFile("w", suffix=".c", encoding="utf-8") as file:
        file.write(f'#line 1 "{name}"\n' + "".join(lines))
        file.flush()
        here = ["-iquote", os.path.dirname(os.path.abspath(name))]
        return subprocess.run(["gcc", "-fsyntax-only", *WARNINGS, *flags, *here, file.name],
                              capture_output=True).returncode == 0


# cmocka.h asks each file that includes it to include these first.
# The compiler ignores an `#ifdef` whose name it does not know: without config.h a file compiles, and means another build.
NEEDED_BY_CONDITIONS = ('"config.h"', "<config.h>")
NEEDED_BY_CMOCKA = ("<setjmp.h>", "<stdarg.h>", "<stddef.h>", "<stdint.h>")


def find_dead(name, flags):
    """(line number, text) of each dead include of a file."""
    with open(name, encoding="utf-8") as file:
        lines = file.readlines()
    needed = (*NEEDED_BY_CONDITIONS, *(NEEDED_BY_CMOCKA if "#include <cmocka.h>\n" in lines else ()))
    if not compiles(name, lines, flags):
        return [(0, "does not compile with these flags")]
    dead = []
    for number in list_unused(name, flags):
        if lines[number - 1].split()[1] not in needed and compiles(name, lines[: number - 1] + ["\n"] + lines[number:], flags):
            lines[number - 1], text = "\n", lines[number - 1].strip()
            dead.append((number, text))
    return dead


def remove(name, dead):
    with open(name, encoding="utf-8") as file:
        lines = file.readlines()
    numbers = {number for number, _ in dead}
    kept = "".join(line for number, line in enumerate(lines, 1) if number not in numbers)
    with open(name, "w", encoding="utf-8") as file:
        file.write(re.sub(r"\n{3,}", "\n\n", kept))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--remove", action="store_true")
    parser.add_argument("--folder", action="append")
    parser.add_argument("build")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    listed = subprocess.run(["git", "ls-files", "*.c"], check=True, capture_output=True, text=True).stdout.split()
    listed = [name for name in listed if not name.startswith("tests/e2e/")]  # built by the tests themselves
    names = [name for name in listed if not options.folder or name.startswith(tuple(options.folder))]
    flags = read_flags(build)
    count = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, dead in zip(names, pool.map(lambda name: find_dead(name, flags), names)):
            for number, text in dead:
                print(f"{name}:{number}: {text}")
            count += sum(1 for number, _ in dead if number)
            if options.remove and all(number for number, _ in dead):
                remove(name, dead)
    print(f"{count} dead includes in {len(names)} files")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
