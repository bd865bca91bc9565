#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Packs a section of a generated image: plain bytes on the input, the .lzma form without an end marker on the output.

Python's own lzma always writes an end marker when it writes LZMA1, so this is a small encoder of its own: greedy,
without repeated distances. A device's encoder makes other bytes, so this one is only for images of generate.py.
"""

import struct
import sys
from collections import defaultdict

DICTIONARY = 0x10000
LONGEST = 273
SHORTEST = 4


class RangeCoder:
    def __init__(self):
        self.low, self.range = 0, 0xFFFFFFFF
        self.out = bytearray(1)
        self.odds = defaultdict(lambda: 1024)

    def shift(self):
        if self.low >> 32:
            at = len(self.out) - 1
            while self.out[at] == 0xFF:
                self.out[at] = 0
                at -= 1
            self.out[at] += 1
        self.out.append(self.low >> 24 & 0xFF)
        self.low = (self.low & 0xFFFFFF) << 8

    def normalise(self):
        while self.range < 1 << 24:
            self.range = self.range << 8 & 0xFFFFFFFF
            self.shift()

    def bit(self, key, value):
        odds = self.odds[key]
        bound = (self.range >> 11) * odds
        if value:
            self.low += bound
            self.range -= bound
            self.odds[key] = odds - (odds >> 5)
        else:
            self.range = bound
            self.odds[key] = odds + ((2048 - odds) >> 5)
        self.normalise()

    def even(self, value, count):
        for place in reversed(range(count)):
            self.range >>= 1
            if value >> place & 1:
                self.low += self.range
            self.normalise()

    def tree(self, key, value, count):
        node = 1
        for place in reversed(range(count)):
            self.bit((key, node), value >> place & 1)
            node = node << 1 | value >> place & 1

    def reverse_tree(self, key, value, count):
        node = 1
        for place in range(count):
            self.bit((key, node), value >> place & 1)
            node = node << 1 | value >> place & 1

    def finish(self):
        for _ in range(4):
            self.shift()
        return bytes(self.out)


class Encoder:
    def __init__(self, data):
        self.data = data
        self.coder = RangeCoder()
        self.state = 0
        self.distance = 1

    def literal(self, at):
        coder, byte = self.coder, self.data[at]
        coder.bit(("match", self.state, at & 3), 0)
        key = ("literal", self.data[at - 1] >> 5 if at else 0)
        if self.state < 7:
            coder.tree(key, byte, 8)
        else:
            other, offset, symbol = self.data[at - self.distance], 0x100, byte | 0x100
            while symbol < 0x10000:
                other <<= 1
                coder.bit((key, offset + (other & offset) + (symbol >> 8)), symbol >> 7 & 1)
                symbol <<= 1
                offset &= ~(other ^ symbol)
        self.state = 0 if self.state < 4 else self.state - 3 if self.state < 10 else self.state - 6

    def match(self, at, length, distance):
        coder = self.coder
        coder.bit(("match", self.state, at & 3), 1)
        coder.bit(("repeated", self.state), 0)
        rest = length - 2
        if rest < 8:
            coder.bit("long", 0)
            coder.tree(("short", at & 3), rest, 3)
        elif rest < 16:
            coder.bit("long", 1)
            coder.bit("longer", 0)
            coder.tree(("middle", at & 3), rest - 8, 3)
        else:
            coder.bit("long", 1)
            coder.bit("longer", 1)
            coder.tree("high", rest - 16, 8)
        self.put_distance(distance - 1, min(rest, 3))
        self.distance = distance
        self.state = 7 if self.state < 7 else 10

    def put_distance(self, value, kind):
        coder = self.coder
        slot = value if value < 4 else 2 * (value.bit_length() - 1) + (value >> (value.bit_length() - 2) & 1)
        coder.tree(("slot", kind), slot, 6)
        if slot < 4:
            return
        bits = (slot >> 1) - 1
        rest = value - ((2 | slot & 1) << bits)
        if slot < 14:
            coder.reverse_tree(("near", slot), rest, bits)
        else:
            coder.even(rest >> 4, bits - 4)
            coder.reverse_tree("align", rest & 15, 4)

    def encode(self):
        data, at, seen = self.data, 0, {}
        while at < len(data):
            key = data[at : at + SHORTEST]
            before = seen.get(key, -1) if len(key) == SHORTEST else -1
            if before < 0 or at - before > DICTIONARY:
                self.literal(at)
                length = 1
            else:
                length = SHORTEST
                while length < LONGEST and at + length < len(data) and data[at + length] == data[before + length]:
                    length += 1
                self.match(at, length, at - before)
            for place in range(at, at + length):
                seen[data[place : place + SHORTEST]] = place
            at += length
        return self.coder.finish()


def pack(data):
    return struct.pack("<BIQ", 0x5D, DICTIONARY, len(data)) + Encoder(data).encode()


if __name__ == "__main__":
    sys.stdout.buffer.write(pack(sys.stdin.buffer.read()))
