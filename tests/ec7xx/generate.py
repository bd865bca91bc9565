#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Makes images and packages in the layout of EC7xx modules, for tests of readers that have no real files.

    generate.py image OUT [--seed N] [--revision N] [--unz N] [--zof N] [--pieces N] [--page N] [--groups GROUPS] [--packer PROGRAM]
    generate.py package OLD NEW OUT [--backward] [--capacity] [--part AP|CP]
    generate.py pack                          a packed section on the output, the plain one on the input

GROUPS has the groups in the order of the image, such as 1=5000,u380,436/0=9000,20000: the number of the group, then the
unpacked sizes of its sections; u: not packed. `none` makes an image without sections. Each group's area ends at a
multiple of --page. Images of one seed and two revisions are alike.

OLD and NEW are images, or several with commas between them, in the order AP, CP. Sections are packed by packer.py, whose bytes are not those of a
module, or by a program that reads the plain bytes and writes the packed ones, such as ec7xx-lzma.
"""

import bz2
import hashlib
import random
import struct
import subprocess
import sys

from image import Image
from layout import align
from packer import pack

SEGMENT = 0x18000
PARTS = {"BL": 1, "AP": 2, "CP": 3}

# ---- Images ----------------------------------------------------------------------------------------------------------


def firmware(seed, size, revision=0):
    """Bytes that look like code: words that repeat. A revision changes a word in about 500 bytes, and moves a part."""
    source = random.Random(seed)
    words = [source.randbytes(source.choice((2, 4, 4, 8))) for _ in range(300)]
    out = bytearray()
    while len(out) < size:
        out += words[min(int(source.expovariate(0.02)), 299)]
    change = random.Random("%s/%s" % (seed, revision))
    if revision and size > 64:
        place = change.randrange(size // 2)
        out[place:place] = change.randbytes(8)
        for _ in range(size // 500):
            at = change.randrange(size - 4)
            out[at : at + 4] = change.randbytes(4)
    return bytes(out[:size])


def parse_groups(text):
    groups = []
    for group in [] if text == "none" else text.split("/"):
        number, sizes = group.split("=")
        groups.append((int(number), [(int(size.lstrip("u")), not size.startswith("u")) for size in sizes.split(",")]))
    return groups


def make_tail(pieces, unz, zof):
    addresses = [0x800000 + 16 * place for place in range(pieces)]
    words = b"".join(struct.pack("<3I", address, address, unz << 4 | 1) for address in addresses)
    return words + struct.pack("<4I", 0, 0x01000000 | pieces << 16, unz, zof) + b"CMAR"


def run_packer(program, plain):
    return subprocess.run([program], input=plain, check=True, stdout=subprocess.PIPE).stdout


def make_image(seed=1, revision=0, unz=40000, groups="1=5000,u380,436/0=9000,20000", zof=None, pieces=3, page=0x1000, packing=pack):
    """`packing` packs a section."""
    plain = firmware(seed, unz, revision)
    groups = parse_groups(groups)
    if not groups:
        return plain
    zof = -(-unz // page) * page if zof is None else zof
    count = sum(len(sections) for _, sections in groups)
    tail = make_tail(pieces, unz, zof)
    entries = {}
    body = bytearray(b"\xff" * (8 + 56 * count + 4))
    index = 0
    for place, (number, sections) in enumerate(groups):
        for size, packed in sections:
            index += 1
            content = firmware(seed + 1000 * index, size, revision)
            stored = packing(content) if packed else content
            body += b"\xff" * (align(len(body)) - len(body))
            fields = (0xEC718CA0, zof + len(body), len(stored), 0x400000 + 0x10000 * index, size)
            marks = (index, int(packed), number, int(packed), hashlib.sha256(content).digest())
            entries[index] = struct.pack("<5IBBBB32s", *fields, *marks)
            body += stored
        last = place == len(groups) - 1
        end = len(body) + (len(tail) if last else 0)
        body += b"\xff" * (-(-(zof + end) // page) * page - zof - len(body) - (len(tail) if last else 0))
    table = struct.pack("<2I", 0xEC718CBA, count) + b"".join(entries.values()) + struct.pack("<I", 0xEC718CBD)
    body[: len(table)] = table
    return plain + b"\xff" * (zof - unz) + bytes(body) + tail


# ---- Deltas ----------------------------------------------------------------------------------------------------------


def leb128(value):
    out = bytearray()
    value &= 0xFFFFFFFF
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def find_matches(old, new):
    """(place in new, place in old, length), with single changed words inside of a match."""
    index = {old[at : at + 8]: at for at in reversed(range(0, len(old) - 7, 4))}
    matches = []
    at = shift = 0
    while at < len(new) - 7:
        key = new[at : at + 8]
        place = at + shift if 0 <= at + shift and old[at + shift : at + shift + 8] == key else index.get(key)
        if place is None:
            at += 1
            continue
        length = 8
        while at + length < len(new) and place + length < len(old) and old[place + length] == new[at + length]:
            length += 1
        shift = place - at
        before = matches[-1] if matches else None
        if before and before[1] - before[0] == shift and at - before[0] - before[2] <= 16:
            matches[-1] = (before[0], before[1], at + length - before[0])
        else:
            matches.append((at, place, length))
        at += length
    return matches


def make_records(old, new):
    """(records, difference, extra)"""
    records, difference, extra = [], bytearray(), bytearray()
    at = old_at = add = 0
    for start, place, length in [*find_matches(old, new), (len(new), 0, 0)]:
        if start > at or add or place != old_at:
            records.append((add, start - at, place - old_at))
        extra += new[at:start]
        add, at, old_at = length, start + length, place + length
        difference += bytes((one - other) & 255 for one, other in zip(new[start:at], old[place:old_at]))
    return records, bytes(difference), bytes(extra)


def make_delta(old, new, packed=False):
    records, difference, extra = make_records(old, new)
    numbers = b"".join(leb128(number) for record in records for number in record)
    control = b"CTLBK_1\0" + struct.pack("<2I", len(new), len(numbers)) + numbers
    extras = b"EXTBK_1\0" + struct.pack("<I", len(extra)) + extra
    difference = difference or b"\0"
    if packed:
        control, extras = pack(control), pack(extras)
    stream = bz2.compress(struct.pack("<I", len(difference)) + difference, 1)
    head = struct.pack("<IBIBI", len(control), packed, len(extras), packed, len(stream))
    return b"ECHEADER" + head + control + extras + stream


# ---- Packages --------------------------------------------------------------------------------------------------------


def group_data(old, new, packed):
    """`old` and `new` are pairs of a group and its image."""
    sides = [old, new]
    tails = [group.tail_size for group, _ in sides]
    counts = [len(group.sections) for group, _ in sides]
    head = b"\xec\x5a\x47\x48" + struct.pack("<BBH", old[0].number, 0, 0)
    head += bytes([*(int(tail > 0) for tail in tails), *tails])
    head += struct.pack("<2H", *(group.head_size for group, _ in sides)) + struct.pack("<2H", *counts)
    for field in ("offset", "area", "size"):
        head += struct.pack("<2I", *(getattr(group, field) for group, _ in sides))
    for place in range(max(counts)):
        for group, _ in sides:
            fields = group.sections[place].fields() if place < len(group.sections) else (0,) * 5
            head += struct.pack("<BBH3I", fields[0], fields[1], 0, *fields[2:])
    return head + make_delta(*(group.unpack(image.data) for group, image in sides), packed)


def plain_pieces(old, new, backward, packed):
    """The deltas of [0, unz), in the order in which they are written."""
    offsets = list(range(0, new.unz, SEGMENT))
    pieces = []
    for offset in reversed(offsets) if backward else offsets:
        begin, end = (0, offset + SEGMENT) if backward else (offset, old.unz)
        end = old.unz if not pieces else min(end, old.unz)
        pieces.append(make_delta(old.data[begin:end], new.data[offset : min(offset + SEGMENT, new.unz)], packed))
    return pieces


def make_payload(old, new, backward=False, packed=False):
    """(payload, number of segments)"""
    by_number = {group.number: group for group in new.groups}
    pieces = []
    for group in sorted(old.groups, key=lambda group: group.number):
        other = by_number[group.number]
        pieces.append((1, group_data((group, old), (other, new), packed), other.area))
    pieces += [(0, piece, SEGMENT) for piece in plain_pieces(old, new, backward, packed)]
    flags = int(backward) | 2 * new.packed | len(new.groups) << 2
    out = struct.pack("<4sHH4I", b"\xec\x50\x53\x48", flags, len(pieces), old.unz, new.unz, old.zof, new.zof)
    at = len(out) + 12 * len(pieces)
    for is_group, data, area in pieces:
        out += struct.pack("<3I", at << 8 | is_group, len(data) << 8, area)
        at += len(data)
    return out + b"".join(data for _, data, _ in pieces), len(pieces)


def seal(data):
    """Sets parLen and parHash."""
    end = 180 if data[4] & 1 else 84
    data = data[:8] + struct.pack("<I", len(data)) + data[12:]
    digest = hashlib.sha256(data[:12] + bytes(32) + b"\xff" * (end - 44) + data[end:]).digest()
    return data[:12] + digest + data[44:]


def make_package(pairs, backward=False, capacity=False, parts=("AP", "CP"), packed=False):
    """`pairs`: (old, new) of each part."""
    out = b"\xec\xdf\x45" + bytes([0x40 | len(pairs) - 1])
    out += struct.pack("<2H", 0x10 | capacity, 0x8000) + bytes(36) + b"\xff" * (136 if capacity else 40)
    for index, ((old, new), part) in enumerate(zip(pairs, parts)):
        payload, count = make_payload(Image(old), Image(new), backward, packed)
        bits = index | backward << 4 | PARTS[part] << 5 | 0x70 << 8 | 3 << 18 | count << 24
        out += struct.pack("<6I", bits, 0x70 + len(payload), 0, 0x10000, len(new), len(old))
        out += hashlib.sha256(old).digest()
        out += bytes((3, 0x24, 0, 0)) + hashlib.sha256(new).digest()
        out += bytes((0, 0x14)) + b"EC718P_%s.par".replace(b"%s", part.encode()).ljust(18, b"\0") + payload
    return seal(out)


# ---- .binpkg ---------------------------------------------------------------------------------------------------------

ZONES = {"BL": (0x804000, 0x20000), "AP": (0x87E000, 0x300000), "CP": (0x81A000, 0x64000)}


def make_binpkg(parts, product=""):
    """`parts`: (type, image). With a product the head is the long one, which names it."""
    out = bytearray(0x1D8 if product else 52)
    if product:
        out[0x38:0x3F] = b"pkgmode"
        out[0x190 : 0x190 + len(product)] = product.encode()
    for kind, image in [("BL", b"the bootloader"), *parts]:
        digest = hashlib.sha256(image).hexdigest().encode()
        name = b"ap_bootloader" if kind == "BL" else b"%s_image" % kind.lower().encode()
        out += struct.pack("<64s4I256s16s12x", name, *ZONES[kind], 0, len(image), digest, kind.encode()) + image
    return bytes(out)


# ---- Command line ----------------------------------------------------------------------------------------------------


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(arguments):
    words, options = [], {}
    while arguments:
        word = arguments.pop(0)
        if word in ("--backward", "--capacity"):
            options[word[2:]] = True
        elif word.startswith("--") and arguments:
            value = arguments.pop(0)
            options[word[2:]] = value if word in ("--groups", "--part", "--packer") else int(value, 0)
        else:
            words.append(word)
    if words == ["pack"]:
        sys.stdout.buffer.write(pack(sys.stdin.buffer.read()))
        return 0
    if words[:1] == ["image"] and len(words) == 2:
        packer = options.pop("packer", None)
        out = make_image(**options, packing=(lambda plain: run_packer(packer, plain)) if packer else pack)
    elif words[:1] == ["package"] and len(words) == 4:
        pairs = [tuple(map(read, pair)) for pair in zip(words[1].split(","), words[2].split(","))]
        parts = [options.pop("part")] if "part" in options else ["AP", "CP"]
        out = make_package(pairs, parts=parts, **options)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    with open(words[-1], "wb") as file:
        file.write(out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
