# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""What the readers of EC7xx images and packages share: a cursor that remembers what each byte means."""

import lzma
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "ec618"))

from decoder import Refused, demand  # noqa: E402

DICTIONARY = 0x10000
LZMA_HEAD = struct.pack("<BI", 0x5D, DICTIONARY)
NAMES = {1: "BL", 2: "AP", 3: "CP"}


class SecondForm(Exception):
    """The vendor's second payload form, which is not understood."""


class Span:
    def __init__(self, at, size, text, known):
        self.at, self.size, self.text, self.known = at, size, text, known


class Cursor:
    """Reads a part of a file from front to back. `spans` gets an entry for each field."""

    def __init__(self, data, spans, what, at=0, end=None):
        self.data, self.spans, self.what = data, spans, what
        self.at = at
        self.end = len(data) if end is None else end

    def take(self, count, text, known=True):
        demand(0 <= count <= self.end - self.at, "%s: it is cut off at %s" % (self.what, text.split(":")[0]))
        piece = self.data[self.at : self.at + count]
        if self.spans is not None and count:
            self.spans.append(Span(self.at, count, text, known))
        self.at += count
        return piece

    def number(self, size, text, explain=hex, known=True):
        """A little-endian number. `explain` makes the text of its value."""
        place = len(self.spans) if self.spans is not None else 0
        value = int.from_bytes(self.take(size, text, known), "little")
        if self.spans is not None:
            self.spans[place].text = "%s: %s" % (text, explain(value))
        return value

    def word(self, text, explain=hex, known=True):
        return self.number(4, text, explain, known)

    def mark(self, wanted, text):
        found = self.take(len(wanted), text)
        demand(found == wanted, "%s: %s is %s, and must be %s" % (self.what, text, found.hex(), wanted.hex()))

    def erased(self, end, text):
        demand(self.at <= end <= self.end, "%s: %s overlaps something else" % (self.what, text))
        demand(is_erased(self.take(end - self.at, text + ": FF")), "%s: %s is not all FF" % (self.what, text))

    def rest(self):
        return self.end - self.at


def is_erased(data):
    return data.count(0xFF) == len(data)


def align(offset):
    return (offset + 3) & ~3


def unpack_lzma(data, what):
    """The .lzma form of a device: fixed properties, the size is known, no end marker, nothing behind."""
    demand(len(data) >= 13 + 5, "%s: the packed data is cut off" % what)
    demand(
        data[:5] == LZMA_HEAD,
        "%s: the LZMA properties are %s, and must be %s" % (what, data[:5].hex(), LZMA_HEAD.hex()),
    )
    (size,) = struct.unpack("<Q", data[5:13])
    demand(size < 1 << 26, "%s: it unpacks to %d bytes" % (what, size))
    try:
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=1 << 28)
        plain = unpacker.decompress(data)
    except (lzma.LZMAError, EOFError) as error:
        raise Refused("%s: LZMA: %s" % (what, error))
    demand(unpacker.eof and len(plain) == size, "%s: the packed data ends too early" % what)
    demand(not unpacker.unused_data, "%s: there are bytes behind the packed data" % what)
    demand(not has_end_marker(data[13:]), "%s: the packed data has an end marker" % what)
    return plain


def has_end_marker(stream):
    """A decoder that is not told the size stops only at a marker."""
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": DICTIONARY, "lc": 3, "lp": 0, "pb": 2}]
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    try:
        unpacker.decompress(stream)
    except (lzma.LZMAError, EOFError):
        return False  # it read past the last symbol
    return unpacker.eof
