#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Packs every packed section of EC7xx images again and compares the bytes.

    sections.py FOLDER [BUILD]

FOLDER    a folder of images; files of other kinds are left out
BUILD     where the programs were built (default: build)

A module packs a section again after it has patched it, so our encoder must give the bytes that the vendor's tools
wrote. This script reads the images by itself and unpacks with Python's lzma. It prints one line per section, and
the speed. The exit status is 0 only if the folder has a packed section and all are identical.
"""

import hashlib
import lzma
import os
import struct
import subprocess
import sys
import tempfile

TAIL = struct.Struct("<III4s")
TABLE = struct.Struct("<II")
TABLE_MAGIC = 0xEC718CBA
ENTRY = struct.Struct("<IIIIIBBH32s")
ENTRY_MAGIC = 0xEC718CA0
PACKED = 1


def read_sections(image):
    """(index, packed bytes, unpacked length, SHA-256) for each packed section of an image; None for other files."""
    if len(image) < TAIL.size:
        return None
    _, _, table, magic = TAIL.unpack_from(image, len(image) - TAIL.size)
    if magic != b"CMAR" or table + TABLE.size > len(image):
        return None
    magic, count = TABLE.unpack_from(image, table)
    if magic != TABLE_MAGIC or table + TABLE.size + count * ENTRY.size > len(image):
        return None
    found = []
    for number in range(count):
        at = table + TABLE.size + number * ENTRY.size
        magic, offset, length, _, unpacked, index, flags, _, sha256 = ENTRY.unpack_from(image, at)
        if magic != ENTRY_MAGIC or offset + length > len(image):
            sys.exit(f"entry {number} of the section table is damaged")
        if flags & PACKED:
            found.append((index, image[offset : offset + length], unpacked, sha256))
    return found


def pack(tool, plain, work):
    """The bytes of our encoder, and its processor time."""
    source, target = os.path.join(work, "plain"), os.path.join(work, "packed")
    with open(source, "wb") as file:
        file.write(plain)
    seconds = float(subprocess.run([tool, source, target], check=True, capture_output=True).stdout)
    with open(target, "rb") as file:
        return file.read(), seconds


def compare(packed, unpacked, sha256, tool, work):
    """What is wrong with a section ("" for nothing), and the seconds to pack it."""
    plain = lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(packed)
    if len(plain) != unpacked or hashlib.sha256(plain).digest() != sha256:
        return "unpacks to other bytes than the section table says", 0.0
    ours, seconds = pack(tool, plain, work)
    if ours == packed:
        return "", seconds
    same = next((at for at, (a, b) in enumerate(zip(ours, packed)) if a != b), min(len(ours), len(packed)))
    return f"differs from byte {same} on: {len(packed)} bytes, ours {len(ours)}", seconds


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder, tool = sys.argv[1], os.path.join(sys.argv[2] if len(sys.argv) == 3 else "build", "ec7xx-lzma")
    seen = failed = size = 0
    seconds = 0.0
    with tempfile.TemporaryDirectory() as work:
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                sections = read_sections(file.read())
            for index, packed, unpacked, sha256 in sections or []:
                wrong, spent = compare(packed, unpacked, sha256, tool, work)
                seen, size, seconds = seen + 1, size + unpacked, seconds + spent
                failed += wrong != ""
                print(f"{name} section {index}: {wrong or 'identical'}, {unpacked} bytes unpacked")
    speed = size / seconds / 1e6 if seconds else 0
    print(f"{seen - failed} of {seen} packed sections are identical; {speed:.1f} MB/s")
    return 0 if seen and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
