# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Images of EC7xx modules: the part that is patched in place, the section table, groups of sections and the tail."""

import hashlib
import struct

from layout import Cursor, align, demand, unpack_lzma

TABLE, ENTRY, TABLE_END = (struct.pack("<I", 0xEC718C00 + low) for low in (0xBA, 0xA0, 0xBD))
END = b"CMAR"
SECTIONS_LIMIT = 256


class Section:
    def __init__(self, index, flags, offset, packed_size, size):
        self.index, self.flags = index, flags
        self.offset, self.packed_size, self.size = offset, packed_size, size
        self.address = self.group = self.digest = self.plain = None

    @property
    def packed(self):
        return bool(self.flags & 1)

    @property
    def end(self):
        return self.offset + self.packed_size

    def fields(self):
        return (self.index, self.flags, self.offset, self.packed_size, self.size)

    def unpack(self, data):
        what = "section %d" % self.index
        stored = data[self.offset : self.end]
        if self.packed:
            plain = unpack_lzma(stored, what)
        else:
            plain = bytes(stored)
        demand(len(plain) == self.size, "%s: it has %d bytes, and %d in the table" % (what, len(plain), self.size))
        if self.digest is not None:
            demand(hashlib.sha256(plain).digest() == self.digest, "%s: its SHA-256 is wrong" % what)
        return plain


class Group:
    def __init__(self, number, offset, sections):
        self.number, self.offset, self.sections = number, offset, sections
        self.area = self.head_size = self.tail_size = 0

    @property
    def size(self):
        """Bytes when unpacked."""
        return self.head_size + sum(section.size for section in self.sections) + self.tail_size

    @property
    def end(self):
        return self.offset + self.area

    def unpack(self, data):
        plains = [section.unpack(data) for section in self.sections]
        head = data[self.offset : self.offset + self.head_size]
        return b"".join([head, *plains, data[self.end - self.tail_size : self.end]])


class Image:
    """`groups` is in the order of their offsets; a raw image has none, and `unz` is its size."""

    def __init__(self, data, spans=None):
        self.data, self.spans = data, spans
        self.packed = data[-4:] == END
        self.unz = self.zof = len(data)
        self.sections, self.groups = [], []
        if not self.packed:
            Cursor(data, spans, "the image").take(len(data), "no CMAR at the end: the image is patched as it is")
            return
        self.read_tail()
        self.read_table()
        self.make_groups()
        self.read_groups()

    def read_tail(self):
        data = self.data
        demand(len(data) >= 20, "the image is shorter than a tail")
        count, self.unz, self.zof = struct.unpack("<3I", data[-16:-4])
        self.tail_size = 20 + 12 * (count >> 16 & 255)
        demand(self.unz <= self.zof, "the part that is patched in place goes past the section table")
        demand(self.zof + 12 + self.tail_size <= len(data), "the section table is beyond the image")

    def read_table(self):
        cursor = Cursor(self.data, self.spans, "the image", 0, len(self.data) - self.tail_size)
        cursor.take(self.unz, "the part that is patched in place")
        cursor.erased(self.zof, "the gap before the section table")
        cursor.mark(TABLE, "mark of the section table")
        count = cursor.word("number of sections", str)
        demand(1 <= count <= SECTIONS_LIMIT, "the section table has %d sections" % count)
        self.sections = [self.read_entry(cursor, place) for place in range(count)]
        cursor.mark(TABLE_END, "end of the section table")
        self.table_end = cursor.at
        indexes = [section.index for section in self.sections]
        demand(len(set(indexes)) == count, "two sections have the same index")

    def read_entry(self, cursor, place):
        cursor.mark(ENTRY, "mark of section entry %d" % place)
        at = cursor.at
        fields = struct.unpack("<4IBBBB32s", cursor.take(52, "section entry %d" % place))
        offset, packed_size, address, size, index, flags, group, rest, digest = fields
        section = Section(index, flags, offset, packed_size, size)
        section.address, section.group, section.digest = address, group, digest
        if self.spans is not None:
            self.spans[-1].text = (
                "section %d: at %#x, %d bytes, load address %#x, unpacked %d, flags %#x, group %d, SHA-256 %s; "
                "byte %#x (%#04x) is not known"
                % (index, offset, packed_size, address, size, flags, group, digest.hex(), at + 19, rest)
            )
        demand(flags & ~1 == 0, "section %d: bits of its flags are not known (%#x)" % (index, flags))
        demand(section.packed or packed_size == size, "section %d is not packed and has two sizes" % index)
        demand(offset % 4 == 0, "section %d does not begin at a multiple of 4" % index)
        return section

    def make_groups(self):
        ordered = sorted(self.sections, key=lambda section: section.offset)
        for section in ordered:
            if not self.groups or self.groups[-1].number != section.group:
                self.groups.append(Group(section.group, section.offset if self.groups else self.zof, []))
            self.groups[-1].sections.append(section)
        numbers = [group.number for group in self.groups]
        demand(len(set(numbers)) == len(numbers), "the sections of a group are not one behind the other")
        for group, following in zip(self.groups, [*self.groups[1:], None]):
            group.area = (following.offset if following else len(self.data)) - group.offset
        self.groups[0].head_size = self.table_end - self.zof
        self.groups[-1].tail_size = self.tail_size

    def read_groups(self):
        cursor = Cursor(self.data, self.spans, "the image", self.table_end)
        for group in self.groups:
            what = "group %d" % group.number
            for section in group.sections:
                demand(
                    section.offset == align(cursor.at),
                    "%s: section %d is not behind the one before" % (what, section.index),
                )
                cursor.erased(section.offset, "the padding before section %d" % section.index)
                self.read_section(cursor, section)
            cursor.erased(group.end - group.tail_size, "the rest of %s" % what)
            if group.tail_size:
                self.show_tail(cursor)

    def read_section(self, cursor, section):
        what = "section %d" % section.index
        if section.packed:
            cursor.take(min(13, section.packed_size), "%s: LZMA properties, dictionary, unpacked size" % what)
            cursor.take(section.packed_size - min(13, section.packed_size), "%s: LZMA data" % what)
        else:
            cursor.take(section.size, "%s, not packed" % what)
        section.plain = section.unpack(self.data)

    def show_tail(self, cursor):
        for place in range((self.tail_size - 20) // 12):
            piece = struct.unpack("<3I", cursor.take(12, "", False))
            if self.spans is not None:
                self.spans[-1].text = (
                    "piece %d: %#x, %#x, %#x. Not known; the third without its last 4 bits looks like a length: %d"
                    % (place, *piece, piece[2] >> 4)
                )
        cursor.word("not known", known=False)
        cursor.word("number of pieces in bits 16 to 23, the other bits are not known", known=False)
        cursor.word("unz: length of the part that is patched in place")
        cursor.word("zof: offset of the section table")
        cursor.mark(END, "mark of the end")


def looks_like_package(data):
    return data[:2] == b"\xec\xdf"
