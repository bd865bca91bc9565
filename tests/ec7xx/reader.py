#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""A second reader of images and packages of EC716 and EC718, written from the layout's description alone: it shares no
code and no structure with the C code that makes, reads and applies them.

    reader.py show FILE                  every field of an image or package: offset, length, meaning, what is not known
    reader.py apply OLD PACKAGE NEW      rebuild the new image, in place as the device does, and write it
    reader.py check OLD PACKAGE NEW      rebuild it and compare it with the file NEW

OLD and NEW are images, a .binpkg, a .soc in the form of a ZIP, or several images with commas between them. A package may
be in a wrapper, with a script.

    --packer PROGRAM    packs a section: plain bytes on its input, the packed section on its output. Without one,
                        `check` takes packed sections from OLD and NEW, `apply` from OLD; both say what is not proven
    --chip NAME         the package must fit this chip, such as ec718p

Exit status: 0, 1 with a sentence that says what is wrong, 2 for a wrong command line, 3 for the vendor's second payload
form, which is not understood.
"""

import hashlib
import os
import struct
import sys

import layout  # first: it says where the shared modules are
import container
from image import Image, looks_like_package
from layout import NAMES, Refused, SecondForm, demand
from package import Archive
from rebuild import KnownPacker, ProgramPacker, Rebuild

# ---- Files -----------------------------------------------------------------------------------------------------------


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Refused("%s: %s" % (os.path.basename(path), error.strerror))


def unwrap(data):
    """(name of the wrapper, the scripts in it, the .par or nothing)"""
    if looks_like_package(data):
        return "bare", [], data
    wrapper, fields, par = container.unwrap(data)
    if wrapper != "luatos":
        return wrapper, [], par
    demand(fields["chip"] == "EC7xx", "the wrapper is for an %s" % fields["chip"])
    demand(par or fields["sectors"], "the wrapper has neither a script nor a .par")
    return wrapper, fields["sectors"], par


class Flash:
    """The images that a package may change: `parts` is a list of [part or None, bytes]. `release` is a .soc, or None."""

    def __init__(self, paths):
        self.parts = []
        self.binpkg = False
        self.release = None
        for path in paths.split(","):
            data = read(path)
            if container.looks_like_soc(data):
                self.release = container.read_soc(data)
                data = self.release["rom"]
            if container.looks_like_binpkg(data):
                self.binpkg = True
                self.parts += [[entry["type"], entry["data"]] for entry in container.read_binpkg(data)]
            else:
                self.parts.append([None, data])

    def images(self):
        """Of the parts that are no image of this layout, such as the bootloader, nothing is packed."""
        return [Image(data) for kind, data in self.parts if kind in (None, "AP", "CP")]

    def place_of(self, package):
        fits = [place for place, (kind, _) in enumerate(self.parts) if kind in (None, NAMES[package.part])]
        demand(fits, "%s is for %s, which the old image does not have" % (package.what, NAMES[package.part]))
        same = [place for place in fits if hashlib.sha256(self.parts[place][1]).digest() == package.base_hash]
        return (same or fits)[0]


# ---- Commands --------------------------------------------------------------------------------------------------------


def print_spans(spans, size):
    at = unknown = 0
    for span in sorted(spans, key=lambda span: span.at):
        demand(span.at == at, "the reader does not explain the bytes from %#x to %#x" % (at, span.at))
        print("%#010x %8d  %s" % (span.at, span.size, span.text))
        at += span.size
        unknown += 0 if span.known else span.size
    demand(at == size, "the reader does not explain the bytes from %#x on" % at)
    print("%d bytes, of %d of them the meaning is not known" % (size, unknown))


def show(path, chip=None):
    data = read(path)
    wrapped = data[:6] == container.AT_MARK or (len(data) >= 92 and data[:4] == struct.pack("<I", 0xEAC37218))
    spans = []
    if not wrapped and not looks_like_package(data):
        Image(data, spans)
        print_spans(spans, len(data))
        return
    wrapper, sectors, par = unwrap(data)
    if wrapper != "bare":
        print("wrapper: %s, %d bytes before the .par" % (wrapper, len(data) - len(par)))
    for sector in sectors:
        print("script: %(size)d bytes, packed %(packed)d, to %(start_address)#x" % sector)
    if not par:
        return
    archive = Archive(par, spans, chip)
    print_spans(spans, len(par))
    for package in archive.packages:
        show_package(package)
    archive.demand_first_form()


def show_package(package):
    values = (package.what, NAMES[package.part], package.name, package.base_size, package.new_size)
    line = "%s: %s, %s, base %d bytes, new %d bytes" % values
    if package.second_form:
        print(line + ", the vendor's second payload form")
        return
    blocks = [size for segment in package.segments for size in segment.delta.blocks]
    print("%s, largest bzip2 block %d" % (line, max(blocks, default=0)))


def rebuild(flash, data, packer, chip):
    """The parts of the flash after the package, its script, and what was not proven."""
    _, sectors, par = unwrap(data)
    script = flash.release and flash.release["script"]
    if sectors:
        demand(flash.release, "the old image does not say where its script is")
        script = container.new_script(flash.release, sectors, len(data) - 92 - len(par))
    parts = [list(part) for part in flash.parts]
    notes = []
    packages = []
    if par:
        archive = Archive(par, None, chip)
        archive.demand_first_form()
        packages = archive.packages
    for package in packages:
        place = flash.place_of(package)
        done = Rebuild(flash.parts[place][1], package, packer)
        parts[place][1] = done.new
        notes += done.notes
    notes += ["%s: that the device packs it to the bytes of the given image" % what for what in packer.taken]
    return parts, script, notes


def apply(old_path, package_path, new_path, packer, chip):
    flash = Flash(old_path)
    demand(not flash.binpkg, "a .binpkg is not written, only checked")
    outs = new_path.split(",")
    demand(len(outs) == len(flash.parts), "OLD and NEW name a different number of images")
    parts, _, notes = rebuild(flash, read(package_path), packer or KnownPacker(*flash.images()), chip)
    for path, (_, data) in zip(outs, parts):
        with open(path, "wb") as file:
            file.write(data)
    print_notes(notes)


def check(old_path, package_path, new_path, packer, chip):
    old, new = Flash(old_path), Flash(new_path)
    demand(len(old.parts) == len(new.parts), "OLD and NEW have a different number of images")
    parts, script, notes = rebuild(old, read(package_path), packer or KnownPacker(*old.images(), *new.images()), chip)
    for (kind, made), (new_kind, wanted) in zip(parts, new.parts):
        demand(kind == new_kind, "OLD and NEW do not have the same parts in the same order")
        demand(made == wanted, "the image made is not the new one")
    if new.release and new.release["script"]:
        demand(script == new.release["script"], "the script made is not the new one")
    print("the new image is made, byte for byte")
    print_notes(notes)


def print_notes(notes):
    for note in notes:
        print("not proven: " + note)


def main(arguments):
    options = {}
    words = []
    while arguments:
        word = arguments.pop(0)
        if word in ("--packer", "--chip") and arguments:
            options[word] = arguments.pop(0)
        else:
            words.append(word)
    packer = ProgramPacker(options["--packer"]) if "--packer" in options else None
    chip = options.get("--chip")
    if words[:1] == ["show"] and len(words) == 2 and not packer:
        show(words[1], chip)
    elif words[:1] in (["apply"], ["check"]) and len(words) == 4:
        (apply if words[0] == "apply" else check)(*words[1:], packer, chip)
    else:
        print(__doc__, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Refused, container.Refused) as refused:
        print(refused, file=sys.stderr)
        sys.exit(1)
    except SecondForm as found:
        print("%s, which is not understood" % found, file=sys.stderr)
        sys.exit(3)
