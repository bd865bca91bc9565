#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Reads every image and package in a folder of real files, which stay out of the project.

    samples.py FOLDER [--packer PROGRAM]

Explains each file. Finds the old and the new images of each package in the folder by their SHA-256, and applies the
package to them. With a packer, packs every section of every image too, and compares the bytes. One line for each file;
exit status 0 when all are right. A package in the vendor's second form is right when it is recognised as one.
"""

import contextlib
import hashlib
import io
import os
import sys

import reader
from image import Image, looks_like_package
from layout import Refused, SecondForm, demand
from package import Archive
from rebuild import KnownPacker, ProgramPacker, Rebuild


def judge_image(data, packer):
    image = Image(data)
    packed = [section for section in image.sections if section.packed]
    if not packer:
        return "%d sections in %d groups" % (len(image.sections), len(image.groups))
    for section in packed:
        what = "section %d" % section.index
        stored = data[section.offset : section.end]
        demand(packer.pack(section, section.plain, what) == stored, "%s is packed to other bytes" % what)
    return "%d packed sections packed to the same bytes" % len(packed)


def judge_package(data, images, packer):
    archive = Archive(reader.unwrap(data)[1])
    archive.demand_first_form()
    said = []
    for package in archive.packages:
        demand(
            package.base_hash in images and package.new_hash in images,
            "%s: its images are not in the folder" % package.what,
        )
        old, new = images[package.base_hash], images[package.new_hash]
        taker = packer or KnownPacker(Image(old), Image(new))
        done = Rebuild(old, package, taker)
        demand(done.new == new, "%s: the image made is not the new one" % package.what)
        taken = ", %d packed sections taken from the images" % len(taker.taken) if taker.taken else ""
        said.append("%s makes its image%s" % (package.what, taken))
        said += done.notes
    return "; ".join(said)


def judge(path, data, images, packer):
    """(whether it is right, what to say)"""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            reader.show(path)
        if looks_like_package(data):
            return True, judge_package(data, images, packer)
        return True, judge_image(data, packer)
    except SecondForm as found:
        return True, "%s; left" % found
    except Refused as refused:
        return False, "WRONG: %s" % refused


def main(arguments):
    if len(arguments) not in (1, 3) or (len(arguments) == 3 and arguments[1] != "--packer"):
        print(__doc__, file=sys.stderr)
        return 2
    packer = ProgramPacker(arguments[2]) if len(arguments) == 3 else None
    files = {}
    for name in sorted(os.listdir(arguments[0])):
        files[name] = reader.read(os.path.join(arguments[0], name))
    images = {hashlib.sha256(data).digest(): data for data in files.values()}
    good = 0
    for name, data in files.items():
        right, said = judge(os.path.join(arguments[0], name), data, images, packer)
        good += right
        print("%s: %s" % (name, said))
    print("%d of %d files are right" % (good, len(files)))
    return 0 if files and good == len(files) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
