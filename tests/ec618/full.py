#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated module that takes full packages of CSDK, written from the layout's description alone.

    full.py PACKAGE NEW     download the package in small parts, restart, and compare the flash with NEW (.binpkg);
                            then again with the power cut after each block

Exit status 0, or 1 with one line that says what is wrong.
"""

import hashlib
import struct
import sys
import zlib

from container import Refused, binpkg_head_size, demand, read_binpkg, unpack_chunk

MAGIC = 0xEAF18C16
HEAD = 92
AP_START = 0x24000
KEPT, KEPT_END = 0x214000, 0x384000
AP_FLASH, CP_FLASH = 0x400000, 0x80000
PART = 4096


class PowerCut(Exception):
    pass


class Module:
    def __init__(self):
        self.ap, self.cp = bytearray(b"\xa5" * AP_FLASH), bytearray(b"\x5a" * CP_FLASH)
        self.info = None
        self.blocks_left = None

    # The application

    def download(self, package):
        head = package[:HEAD]
        demand(len(head) == HEAD, "the head is cut off")
        magic, crc = struct.unpack("<II", head[:8])
        common, sdk = struct.unpack("<II", head[52:60])
        demand(magic == MAGIC and zlib.crc32(head[8:]) ^ 0xFFFFFFFF == crc, "the head is wrong")
        demand(common and not sdk and len(package) == HEAD + common, "the lengths in the head are wrong")
        at = KEPT
        for start in range(HEAD, len(package), PART):
            part = package[start : start + PART]
            self.ap[at : at + len(part)] = part
            at += len(part)
        demand(at <= KEPT_END, "the package is larger than its flash")
        demand(hashlib.md5(self.ap[KEPT:at]).digest() == head[60:76], "the MD5 of the package is wrong")
        self.info = {"end": at, "main": struct.unpack("<5I", head[8:28])}

    # The bootloader

    def boot(self):
        demand(self.info and self.info["main"][4] == 0xFFFFFFFF, "the bootloader looks for a core delta first")
        at = KEPT
        while at < self.info["end"]:
            at = self.program(at)
        self.info = None

    def program(self, at):
        magic, total, size = struct.unpack("<III", self.ap[at : at + 12])
        digest = bytes(self.ap[at + 12 : at + 28])
        block, address = struct.unpack("<II", self.ap[at + 28 : at + 36])
        demand(magic == MAGIC and size not in (0, total) and block == 0x40000, "the head of a sector is wrong")
        flash, start = (self.cp, address & 0x7FFFFFFF) if address & 0x80000000 else (self.ap, address)
        end, done = at + 36 + total, 0
        at += 36
        while done < size:
            count = self.ap[at]
            demand(count == 5 and self.ap[at + 1] != 0, "a block is not LZMA")
            (packed,) = struct.unpack("<I", self.ap[at + 6 : at + 10])
            wanted = min(block, size - done)
            plain = unpack_chunk(bytes(self.ap[at + 10 : at + 10 + packed]), bytes(self.ap[at + 1 : at + 6]), wanted)
            self.write(flash, start + done, plain)
            done += len(plain)
            at += 10 + packed
        demand(at == end, "the blocks do not fill the sector")
        demand(hashlib.md5(flash[start : start + size]).digest() == digest, "the flash has another MD5: the module loops")
        return at

    def write(self, flash, start, plain):
        end = start + len(plain)
        demand(end <= len(flash), "a block is beyond the flash")
        demand(flash is self.cp or AP_START <= start and end <= KEPT, "a block is written over the package or the bootloader")
        if self.blocks_left == 0:
            flash[start:end] = b"\xff" * len(plain)
            raise PowerCut
        if self.blocks_left:
            self.blocks_left -= 1
        flash[start:end] = plain


def check_flash(module, images):
    demand(module.ap[AP_START : AP_START + len(images["AP"])] == images["AP"], "the AP is not the new one")
    demand(module.cp[: len(images["CP"])] == images["CP"], "the CP is not the new one")


def check(package, new):
    images = {entry["type"]: entry["data"] for entry in read_binpkg(new) if entry["type"] != "BL"}
    demand(set(images) == {"AP", "CP"} and binpkg_head_size(new), "the image does not have exactly AP and CP")
    demand(len(package) <= KEPT_END - KEPT, "the package is too large")
    blocks, cut = 0, True
    while cut:
        module = Module()
        module.download(package)
        module.blocks_left = blocks
        try:
            module.boot()
            cut = False
        except PowerCut:
            module.blocks_left = None
            module.boot()
        check_flash(module, images)
        blocks += 1
    return blocks - 1


def main(arguments):
    demand(len(arguments) == 2, __doc__)
    with open(arguments[0], "rb") as package, open(arguments[1], "rb") as new:
        print(check(package.read(), new.read()))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Refused, struct.error) as refused:
        print(refused, file=sys.stderr)
        sys.exit(1)
