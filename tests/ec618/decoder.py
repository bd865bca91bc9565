#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""A second reader of EC618 payloads, written from the layout's description alone: it shares no code and no
structure with the C code that makes and applies them, so that one misreading cannot hide in both.

    decoder.py apply OLD PAYLOAD NEW      rebuild the new image, in place as the module does, and write it
    decoder.py check OLD PAYLOAD NEW      rebuild it and compare it with the file NEW
    decoder.py describe PAYLOAD           a line per part

Exit status 0, or 1 with one line that says what is wrong.
"""

import bz2
import struct
import sys

BLOCK = 32768
UNCHANGED = 0x43424571
BLOCK_LIMIT = 8192  # bytes of a bzip2 block after bzip2's first run-length stage
PARTS_LIMIT = 127


class Refused(Exception):
    pass


def demand(truth, text):
    if not truth:
        raise Refused(text)


# ---- bzip2, only as far as its limits are concerned; what it contains is left to Python's own bz2 --------------------


class Bits:
    """Bits as a text of 0 and 1: slow, and as plain as can be."""

    def __init__(self, data):
        self.text = "".join(format(byte, "08b") for byte in data)
        self.at = 0

    def take(self, count):
        demand(self.at + count <= len(self.text), "a bzip2 stream is cut off")
        piece = self.text[self.at : self.at + count]
        self.at += count
        return int(piece, 2) if piece else 0


def read_code_lengths(bits, alphabet):
    lengths = []
    length = bits.take(5)
    for _ in range(alphabet):
        while bits.take(1):
            length += -1 if bits.take(1) else 1
            demand(1 <= length <= 20, "a code length is not within 1 to 20")
        demand(1 <= length <= 20, "a code length is not within 1 to 20")
        lengths.append(length)
    return lengths


def make_codes(lengths):
    """Canonical codes: text of bits to symbol."""
    codes = {}
    code = 0
    for length in range(1, 21):
        for symbol, wanted in enumerate(lengths):
            if wanted == length:
                demand(code < 1 << length, "a Huffman table has too many codes")
                codes[format(code, "0%db" % length)] = symbol
                code += 1
        code <<= 1
    return codes


def read_block_size(bits, limit):
    """Bytes of one block before the Burrows-Wheeler transform is undone, and its number of tables."""
    bits.take(32)
    demand(bits.take(1) == 0, "a block is randomised")
    origin = bits.take(24)
    groups = [bits.take(1) for _ in range(16)]
    used = sum(bits.take(1) for group in groups if group for _ in range(16))
    alphabet = used + 2
    tables = bits.take(3)
    demand(2 <= tables <= 6, "a block has %d Huffman tables" % tables)
    order = list(range(tables))
    selectors = []
    for _ in range(bits.take(15)):
        place = 0
        while bits.take(1):
            place += 1
            demand(place < tables, "a selector is out of range")
        order.insert(0, order.pop(place))
        selectors.append(order[0])
    codes = [make_codes(read_code_lengths(bits, alphabet)) for _ in range(tables)]
    size = 0
    weight = 1
    count = 0
    while True:
        demand(count // 50 < len(selectors), "a block has too few selectors")
        table = codes[selectors[count // 50]]
        count += 1
        end = bits.at + 1
        while bits.text[bits.at : end] not in table:
            end += 1
            demand(end - bits.at <= 20 and end <= len(bits.text), "a code is in no table")
        symbol = table[bits.text[bits.at : end]]
        bits.at = end
        if symbol <= 1:
            size += weight << symbol
            weight <<= 1
        else:
            weight = 1
            if symbol == alphabet - 1:
                break
            size += 1
        demand(size <= limit, "a bzip2 block holds more than %d bytes" % limit)
    demand(origin < size, "a block's origin is outside of it")
    return size, tables


def check_stream_limits(stream, limit=BLOCK_LIMIT):
    """(size, tables) of every block."""
    demand(stream[:4] == b"BZh1", "a stream does not begin with BZh1")
    bits = Bits(stream[4:])
    blocks = []
    while True:
        magic = bits.take(48)
        if magic == 0x177245385090:
            bits.take(32)
            demand(len(bits.text) - bits.at < 8, "bytes stand behind the bzip2 stream of a part")
            return blocks
        demand(magic == 0x314159265359, "a bzip2 block does not begin as one does")
        blocks.append(read_block_size(bits, limit))


def unpack_stream(stream):
    blocks = check_stream_limits(stream)
    unpacker = bz2.BZ2Decompressor()
    try:
        plain = unpacker.decompress(stream)
    except (OSError, ValueError) as error:
        raise Refused("bzip2: %s" % error)
    demand(unpacker.eof and not unpacker.unused_data, "a bzip2 stream does not end where its part does")
    return plain, blocks


# ---- The payload -----------------------------------------------------------------------------------------------------


class Part:
    def __init__(self, index, data):
        demand(len(data) >= 20 and data[:8] == b"BSDIFF40", "part %d has no BSDIFF40 head" % index)
        self.index = index  # of the block that it makes
        self.flag, self.stated, self.size = struct.unpack("<III", data[8:20])
        demand(self.flag < 1 << 31 and self.stated < 1 << 31, "part %d has a negative flag or length" % index)
        self.stream = data[20:]
        self.unchanged = self.flag == UNCHANGED


class Payload:
    def __init__(self, data):
        demand(len(data) >= 16 and data[:4] == b"BPHD", "the payload does not begin with BPHD")
        count, self.old_size = struct.unpack("<II", data[4:12])
        self.order = data[12:16].decode("latin1")
        demand(self.order in ("NorO", "RvsO"), "the order is neither NorO nor RvsO")
        demand(1 <= count <= PARTS_LIMIT, "the payload has %d parts" % count)
        demand(len(data) >= 16 + 4 * count, "the payload is cut off in its table")
        lengths = struct.unpack("<%dI" % count, data[16 : 16 + 4 * count])
        demand(16 + 4 * count + sum(lengths) == len(data), "the lengths do not add up to the payload")
        at = 16 + 4 * count
        self.parts = []
        # The table goes up by block in both orders; RvsO stores the parts themselves last first.
        places = range(count) if self.order == "NorO" else reversed(range(count))
        for index in places:
            length = lengths[index]
            part = Part(index, data[at : at + length])
            full = index < count - 1
            demand(part.size == BLOCK if full else 1 <= part.size <= BLOCK, "part %d has a wrong size" % index)
            self.parts.append(part)
            at += length
        self.new_size = sum(part.size for part in self.parts)

    def window(self, index):
        """The bytes of the old image that the part may read."""
        if self.order == "NorO":
            return range(index * BLOCK, self.old_size)
        return range(0, min((index + 1) * BLOCK, self.old_size))


def signed(number):
    return -(number & 0x7FFFFFFF) if number & 0x80000000 else number


def build_block(flash, window, part, order):
    plain, _ = unpack_stream(part.stream)
    made = bytearray()
    old_at = part.index * BLOCK if order == "NorO" else 0
    at = 0

    def take(count):
        nonlocal at
        demand(at + count <= len(plain), "part %d: its stream ends in a record" % part.index)
        piece = plain[at : at + count]
        at += count
        return piece

    while len(made) < part.size:
        diff, extra, seek = (signed(n) for n in struct.unpack("<III", take(12)))
        demand(diff >= 0 and extra >= 0, "part %d: a negative length" % part.index)
        demand(len(made) + diff + extra <= part.size, "part %d: a record goes past its end" % part.index)
        for byte in take(diff):
            made.append((byte + flash[old_at]) & 0xFF if old_at in window else byte)
            old_at += 1
        made += take(extra)
        old_at += seek
    demand(at == len(plain), "part %d: its stream goes on behind the block" % part.index)
    return bytes(made)


def apply(old, data):
    payload = Payload(data)
    demand(payload.old_size == len(old), "the payload is for an old image of %d bytes" % payload.old_size)
    flash = bytearray(old) + b"\xff" * max(0, payload.new_size - len(old))
    for part in payload.parts:
        at = part.index * BLOCK
        if part.unchanged:
            demand(at + part.size <= len(old), "part %d is unchanged where there was nothing" % part.index)
        else:
            flash[at : at + part.size] = build_block(flash, payload.window(part.index), part, payload.order)
    return bytes(flash[: payload.new_size])


def describe(data):
    payload = Payload(data)
    print("%s parts=%d old=%d new=%d" % (payload.order, len(payload.parts), payload.old_size, payload.new_size))
    for part in payload.parts:
        blocks = [] if part.unchanged else unpack_stream(part.stream)[1]
        print(
            "part %d flag=%#x stated=%d size=%d stream=%d blocks=%s"
            % (part.index, part.flag, part.stated, part.size, len(part.stream), blocks)
        )


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(arguments):
    verb = arguments[0] if arguments else ""
    if verb == "describe" and len(arguments) == 2:
        describe(read(arguments[1]))
    elif verb == "apply" and len(arguments) == 4:
        new = apply(read(arguments[1]), read(arguments[2]))
        with open(arguments[3], "wb") as file:
            file.write(new)
    elif verb == "check" and len(arguments) == 4:
        demand(apply(read(arguments[1]), read(arguments[2])) == read(arguments[3]), "the image made is not the new one")
    else:
        raise Refused(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refused as refused:
        print(refused, file=sys.stderr)
        sys.exit(1)
