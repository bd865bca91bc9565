# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Packages for EC7xx modules: the .par head, package headers, the payload's segments and their deltas."""

import bz2
import hashlib
import struct

import decoder
from image import Group, Section
from layout import NAMES, Cursor, Refused, SecondForm, demand, unpack_lzma

SEGMENT = 3 * 0x8000
HEADER = 0x70
BLOCK_LIMIT = 27587  # the largest bzip2 block that the device code was seen to take; its own limit is not known
PACKAGES_LIMIT = 8
ARCHIVE_LIMITS = {
    **dict.fromkeys(("ec716s", "ec718s"), 217088),
    **dict.fromkeys(("ec716e", "ec718p", "ec718pv"), 331776),
    "ec718pm": 360448,
    **dict.fromkeys(("ec718um", "ec718hm"), 479232),
    "ec718u": 950272,
}


# ---- Delta -----------------------------------------------------------------------------------------------------------


def signed_length(number, what):
    demand(number < 1 << 31, "%s has a negative length" % what)
    return number


def read_leb128(data, at, what):
    value = shift = 0
    while True:
        demand(at < len(data), "%s: the records are cut off" % what)
        demand(shift < 35, "%s: a number has more than 5 bytes" % what)
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 128:
            demand(value < 1 << 32, "%s: a number does not fit 32 bits" % what)
            return value, at


def read_block_mark(cursor, name):
    """A digit is behind the name. The vendor's packer writes other digits than 1; the device takes 1 everywhere."""
    mark = cursor.take(8, "its mark")
    demand(mark[:6] == name and mark[6:7].isdigit() and mark[7] == 0, "%s: its mark is %s" % (cursor.what, mark.hex()))


class Delta:
    """`records` are (add, copy, seek); `difference` has the bytes of all adds, `extra` those of all copies."""

    def __init__(self, cursor):
        self.what = what = cursor.what
        cursor.mark(b"ECHEADER", "mark of a delta")
        lengths, packed = [], []
        for name in ("control block", "extra block"):
            lengths.append(signed_length(cursor.word("length of the " + name, str), what))
            packed.append(cursor.number(1, "the %s is packed" % name))
            demand(packed[-1] in (0, 1), "%s: the mark of the %s is neither 0 nor 1" % (what, name))
        lengths.append(signed_length(cursor.word("length of the difference block", str), what))
        self.packed = packed
        spare = cursor.rest() - sum(lengths)
        demand(spare in (0, 1), "%s: the three lengths do not add up to the segment" % what)
        self.read_control(self.block(cursor, lengths[0], packed[0], "control block"))
        self.read_extra(self.block(cursor, lengths[1], packed[1], "extra block"))
        self.read_difference(cursor.take(lengths[2], "difference block: one bzip2 stream"))
        if spare:  # as the vendor's packer writes it
            cursor.mark(b"\0", "zero behind the delta")
        self.check_sums()

    def block(self, cursor, length, packed, name):
        data = cursor.take(length, name + (": LZMA" if packed else ""))
        return unpack_lzma(data, "%s: %s" % (self.what, name)) if packed else data

    def read_control(self, data):
        inner = Cursor(data, None, "%s: control block" % self.what)
        read_block_mark(inner, b"CTLBK_")
        self.size = inner.word("new size")
        length = inner.word("length")
        records = inner.take(inner.rest(), "records")
        demand(length == len(records), "%s: it has %d bytes, and says %d" % (inner.what, len(records), length))
        self.records = []
        at = 0
        while at < len(records):
            add, at = read_leb128(records, at, inner.what)
            copy, at = read_leb128(records, at, inner.what)
            seek, at = read_leb128(records, at, inner.what)
            self.records.append((add, copy, seek - (1 << 32) if seek >> 31 else seek))

    def read_extra(self, data):
        inner = Cursor(data, None, "%s: extra block" % self.what)
        read_block_mark(inner, b"EXTBK_")
        length = inner.word("length")
        self.extra = inner.take(inner.rest(), "bytes")
        demand(length == len(self.extra), "%s: it has %d bytes, and says %d" % (inner.what, len(self.extra), length))

    def read_difference(self, stream):
        what = "%s: difference block" % self.what
        try:
            unpacker = bz2.BZ2Decompressor()
            plain = unpacker.decompress(stream)
            rest = unpacker.unused_data
            demand(unpacker.eof and rest in (b"", b"\0"), "the bzip2 stream does not end with it")
            blocks = decoder.check_stream_limits(stream[: len(stream) - len(rest)], BLOCK_LIMIT)
            self.blocks = [size for size, _ in blocks]
        except (OSError, ValueError, Refused) as error:
            raise Refused("%s: %s" % (what, error))
        inner = Cursor(plain, None, what)
        length = inner.word("length")
        self.difference = inner.take(inner.rest(), "bytes")
        demand(
            length == len(self.difference),
            "%s: it has %d bytes, and says %d" % (what, len(self.difference), length),
        )

    def check_sums(self):
        adds = sum(add for add, _, _ in self.records)
        copies = sum(copy for _, copy, _ in self.records)
        demand(
            adds + copies == self.size,
            "%s: the records make %d bytes of %d" % (self.what, adds + copies, self.size),
        )
        demand(copies == len(self.extra), "%s: the records copy %d bytes of %d" % (self.what, copies, len(self.extra)))
        if adds == 0:
            demand(self.difference == b"\0", "%s: an empty difference is not one zero" % self.what)
        else:
            demand(
                adds == len(self.difference),
                "%s: the records add %d bytes of %d" % (self.what, adds, len(self.difference)),
            )

    def apply(self, old):
        made = bytearray()
        old_at = added = copied = 0
        for add, copy, seek in self.records:
            inside = 0 <= old_at and old_at + add <= len(old)
            demand(inside or not add, "%s: it reads old bytes outside of what it may read" % self.what)
            pairs = zip(old[old_at : old_at + add], self.difference[added : added + add])
            made += bytes((one + other) & 255 for one, other in pairs)
            made += self.extra[copied : copied + copy]
            added += add
            copied += copy
            old_at += add + seek
        return bytes(made)


# ---- Payload ---------------------------------------------------------------------------------------------------------


class Segment:
    def __init__(self, is_group, at, length, area):
        self.is_group, self.at, self.length, self.area = is_group, at, length, area
        self.old = self.new = self.delta = None


def read_group_head(cursor):
    """(old group, new group) as the package states them."""
    cursor.mark(b"\xec\x5a\x47\x48", "mark of a group")
    number = cursor.number(1, "group", str)
    cursor.mark(b"\0", "zero")
    cursor.mark(b"\0\0", "zeros")
    sides = [Group(number, 0, []), Group(number, 0, [])]
    names = ("old", "new")
    has_tail = [cursor.number(1, name + " has the tail (bit 0) and the table (bit 1)") for name in names]
    for side, name in zip(sides, names):
        side.tail_size = cursor.number(1, name + " tail length", str)
    for side, name in zip(sides, names):
        side.head_size = cursor.number(2, name + " head length", str)
    counts = [cursor.number(2, name + " number of sections", str) for name in names]
    for side, name in zip(sides, names):
        side.offset = cursor.word(name + " offset")
    for side, name in zip(sides, names):
        side.area = cursor.word(name + " area size")
    sizes = [cursor.word(name + " length unpacked", str) for name in names]
    for place in range(max(counts)):
        for side, count, name in zip(sides, counts, names):
            section = read_pair(cursor, "%s section %d" % (name, place), place < count)
            if section:
                side.sections.append(section)
    for side, size, tail, name in zip(sides, sizes, has_tail, names):
        demand(tail < 4, "%s: the mark of the %s tail is over 3" % (cursor.what, name))
        demand(
            (tail & 1) == (side.tail_size > 0),
            "%s: the mark of the %s tail and its length differ" % (cursor.what, name),
        )
        demand(
            side.size == size,
            "%s: the %s parts unpacked make %d bytes of %d" % (cursor.what, name, side.size, size),
        )
    return sides


def read_pair(cursor, text, present):
    index, flags, zero, offset, packed_size, size = struct.unpack("<BBH3I", cursor.take(16, text))
    if not present:
        demand(
            (index, flags, zero, offset, packed_size, size) == (0,) * 6,
            "%s: %s is not there and not zeros" % (cursor.what, text),
        )
        return None
    demand(zero == 0, "%s: %s: bytes 2 and 3 are not 0" % (cursor.what, text))
    demand(flags & ~1 == 0, "%s: %s: bits of its flags are not known (%#x)" % (cursor.what, text, flags))
    demand(flags or packed_size == size, "%s: %s is not packed and has two sizes" % (cursor.what, text))
    if cursor.spans is not None:
        values = (index, flags, offset, packed_size, size)
        cursor.spans[-1].text += ": index %d, flags %#x, at %#x, %d bytes, unpacked %d" % values
    return Section(index, flags, offset, packed_size, size)


class Package:
    """One header and its payload. `second_form` says why the payload was not read, or is empty."""

    def __init__(self, cursor, capacity):
        self.what = cursor.what
        self.data, self.spans = cursor.data, cursor.spans
        start = cursor.at
        self.second_form = ""
        self.read_header(cursor, start)
        demand(max(self.new_size, self.base_size) <= capacity, "%s: an image is larger than the flash" % self.what)
        self.start = cursor.at
        self.end = start + self.size
        self.read_payload(Cursor(self.data, self.spans, self.what, self.start, self.end))
        cursor.at = self.end

    def read_header(self, cursor, start):
        bits = cursor.word("package header")
        self.index, self.backward, self.part = bits & 15, bits >> 4 & 1, bits >> 5 & 7
        header, self.count = bits >> 8 & 0x3FF, bits >> 24
        demand(bits >> 20 & 1 == 0, "%s: its zip method is 1, which a device refuses" % self.what)
        demand(bits >> 21 & 7 == 0, "%s: bits 21 to 23 are not known" % self.what)
        demand(self.part in NAMES, "%s: it is for part %d, which is not known" % (self.what, self.part))
        if self.spans is not None:
            order = "backward" if self.backward else "forward"
            values = (self.index, order, NAMES[self.part], header, self.count)
            self.spans[-1].text += ": index %d, %s, %s, header %d bytes, %d segments" % values
        self.size = cursor.word("package length with the header", str)
        demand(header >= HEADER, "%s: its header has %d bytes" % (self.what, header))
        demand(header <= self.size <= cursor.end - start, "%s: its lengths do not fit the file" % self.what)
        cursor.word("zero, not used")
        cursor.word("load address, not used")
        self.new_size = cursor.word("size of the new image", str)
        self.base_size = cursor.word("size of the base", str)
        self.base_hash = cursor.take(32, "SHA-256 of the base")
        cursor.mark(bytes((3, 0x24, 0, 0)), "option 3, the hash of the new image")
        self.new_hash = cursor.take(32, "SHA-256 of the new image")
        cursor.mark(bytes((0, 0x14)), "option 0, the name")
        self.name = cursor.take(18, "name").split(b"\0")[0].decode("latin1")
        self.read_options(cursor, start + header)

    def read_options(self, cursor, end):
        while cursor.at < end:
            demand(cursor.at + 2 <= end, "%s: an option does not fit its header" % self.what)
            kind, length = cursor.data[cursor.at], cursor.data[cursor.at + 1]
            demand(2 <= length <= end - cursor.at, "%s: an option does not fit its header" % self.what)
            cursor.take(length, "option %d: not known" % kind, False)
            if kind == 4:
                self.second_form = "%s has option 4 of the vendor's second form" % self.what
            demand(kind in (1, 2, 4), "%s: option %d is not known" % (self.what, kind))

    def read_payload(self, cursor):
        cursor.mark(b"\xec\x50\x53\x48", "mark of the payload (PSH)")
        flags = cursor.number(2, "flags")
        self.packed, self.groups = bool(flags & 2), flags >> 2
        demand(flags & 1 == self.backward, "%s: the order in the payload is not that of the header" % self.what)
        demand(
            cursor.number(2,
            "number of segments", str) == self.count, "%s: the number of segments is wrong" % self.what,
        )
        self.old_unz = cursor.word("old unz")
        self.new_unz = cursor.word("new unz")
        self.old_zof = cursor.word("old zof")
        self.new_zof = cursor.word("new zof")
        demand(self.packed == (self.groups > 0), "%s: the flags do not fit the number of groups" % self.what)
        self.segments = [self.read_entry(cursor, place) for place in range(self.count)]
        if self.second_form:
            cursor.take(cursor.rest(), "segments in the vendor's second form: not known", False)
            return
        self.check_segments()
        for segment in self.segments:
            what = "%s, %s at %d" % (self.what, "group" if segment.is_group else "segment", segment.at)
            demand(self.start + segment.at == cursor.at, "%s: it is not behind the one before" % what)
            demand(segment.length <= cursor.rest(), "%s: it is cut off" % what)
            inner = Cursor(self.data, self.spans, what, cursor.at, cursor.at + segment.length)
            if segment.is_group:
                segment.old, segment.new = read_group_head(inner)
                inner.what = "%s, group %d" % (self.what, segment.new.number)
            segment.delta = Delta(inner)
            self.check_segment(segment, inner.what)
            cursor.at += segment.length
        demand(cursor.rest() == 0, "%s: there are %d bytes behind the last segment" % (self.what, cursor.rest()))

    def read_entry(self, cursor, place):
        position = cursor.word("segment %d, position" % place)
        length = cursor.word("segment %d, length" % place)
        if length & 1:
            self.second_form = "%s has segments in the vendor's second form" % self.what
        area = cursor.word("segment %d, size that it writes" % place)
        demand(
            position & 0xFE == 0 and length & 0xFE == 0,
            "%s: segment %d has bits that are not known" % (self.what, place),
        )
        return Segment(bool(position & 1), position >> 8, length >> 8, area)

    def check_segments(self):
        kinds = [segment.is_group for segment in self.segments]
        demand(kinds == sorted(kinds, reverse=True), "%s: a group is behind a plain segment" % self.what)
        demand(sum(kinds) == self.groups, "%s: the number of groups is wrong" % self.what)
        demand(self.new_unz <= self.new_zof, "%s: new unz is behind new zof" % self.what)
        if not self.packed:
            demand(
                self.old_unz == self.base_size and self.new_unz == self.new_size,
                "%s: unz is not the whole image" % self.what,
            )
        wanted = -(-self.new_unz // SEGMENT)
        demand(len(kinds) - sum(kinds) == wanted, "%s: it has not %d plain segments" % (self.what, wanted))
        offsets = [place * SEGMENT for place in range(wanted)]
        plain = [segment for segment in self.segments if not segment.is_group]
        for segment, offset in zip(plain, reversed(offsets) if self.backward else offsets):
            segment.offset = offset
            demand(segment.area == SEGMENT, "%s: a plain segment writes %#x bytes" % (self.what, segment.area))

    def check_segment(self, segment, what):
        if segment.is_group:
            demand(
                segment.area == segment.new.area,
                "%s: it writes %#x bytes of %#x" % (what, segment.area, segment.new.area),
            )
            wanted = segment.new.size
        else:
            wanted = min(SEGMENT, self.new_unz - segment.offset)
        demand(segment.delta.size == wanted, "%s: its delta makes %d bytes of %d" % (what, segment.delta.size, wanted))

    def window(self, segment):
        """The old bytes that a plain segment may read: (begin, end)."""
        if not self.backward:
            return min(segment.offset, self.old_unz), self.old_unz
        first = next(segment for segment in self.segments if not segment.is_group)
        return 0, self.old_unz if segment is first else min(self.old_unz, segment.offset + SEGMENT)


# ---- Archive ---------------------------------------------------------------------------------------------------------


class Archive:
    def __init__(self, data, spans=None, chip=None):
        cursor = Cursor(data, spans, "the package")
        cursor.mark(b"\xec\xdf", "mark of a .par")
        cursor.number(1, "version, not used")
        count = cursor.number(1, "number of packages less one in bits 0 to 3")
        demand(count & 0xF0 == 0x40, "byte 3 is %#x, and must be 0x40 and the number of packages less one" % count)
        demand(count & 15 < PACKAGES_LIMIT, "byte 3 says %d packages" % ((count & 15) + 1))
        kind = cursor.number(2, "capacity (bit 0: 8 MB) and segment size (bits 3 to 5)")
        demand(kind & ~1 == 0x10, "bytes 4 and 5 are %#x, and must be 0x10 or 0x11" % kind)
        demand(cursor.number(2, "block size") == 0x8000, "bytes 6 and 7 are not 0x8000")
        demand(cursor.word("parLen", str) == len(data), "parLen is not the length of the file, %d" % len(data))
        stated = cursor.take(32, "parHash")
        record_end = 180 if kind & 1 else 84
        cursor.erased(record_end, "the device's record of its progress")
        real = hashlib.sha256(data[:12] + bytes(32) + b"\xff" * (record_end - 44) + data[record_end:]).digest()
        demand(real == stated, "parHash is wrong")
        limit = ARCHIVE_LIMITS.get(chip)
        demand(not chip or limit, "the chip %s is not known" % chip)
        demand(not chip or len(data) <= limit, "the package has %d bytes, and a %s takes %s" % (len(data), chip, limit))
        self.packages = []
        for place in range((count & 15) + 1):
            cursor.what = "package %d" % place
            self.packages.append(Package(cursor, 0x800000 if kind & 1 else 0x400000))
            demand(self.packages[-1].index == place, "package %d has index %d" % (place, self.packages[-1].index))
        demand(cursor.rest() == 0, "there are %d bytes behind the last package" % cursor.rest())
        parts = [package.part for package in self.packages]
        demand(len(set(parts)) == len(parts), "two packages change one part")

    def demand_first_form(self):
        for package in self.packages:
            if package.second_form:
                raise SecondForm(package.second_form)
