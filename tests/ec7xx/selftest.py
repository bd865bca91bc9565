#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the second reader of EC7xx files and of the writer of generated ones: python3 selftest.py"""

import bz2
import hashlib
import lzma
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

from layout import Cursor, Refused, SecondForm, unpack_lzma  # first: it says where the shared modules are
import container
from generate import leb128, make_image, make_package, seal
from image import Image
from package import SEGMENT, Archive, Delta, read_leb128
from packer import pack
from rebuild import KnownPacker, ProgramPacker, Rebuild

HERE = os.path.dirname(os.path.abspath(__file__))
GROUPS = "1=3000,u380,436/0=2000,5000"


def build(old, new, data, packer=None):
    """The new images that the package makes of the old ones."""
    archive = Archive(data)
    archive.demand_first_form()
    made = []
    for package, base, wanted in zip(archive.packages, old, new):
        made.append(Rebuild(base, package, packer or KnownPacker(Image(base), Image(wanted))).new)
    return made


def patched(data, at, piece):
    return data[:at] + piece + data[at + len(piece) :]


def put(data, at, number):
    return patched(data, at, struct.pack("<I", number))


class Shapes(unittest.TestCase):
    """Round trips: what the writer makes, the reader rebuilds."""

    def round_trip(self, old, new, **options):
        for backward in (False, True):
            data = make_package([(old, new)], backward=backward, **options)
            self.assertEqual(build([old], [new], data), [new])

    def test_sizes_of_the_plain_part(self):
        sizes = (0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 5)
        images = [make_image(revision=place, unz=size, zof=0x40000, groups="1=900") for place, size in enumerate(sizes)]
        for old, new in zip(images, images[1:] + images[:1]):
            self.round_trip(old, new)

    def test_groups_and_sections(self):
        shapes = (
            "1=3000,u380,436/0=2000,5000",
            "1=3001,u384,u0,437/0=2003,5002",
            "1=u380/0=1,0,2",
            "1=3000,436,77,78,79/0=5000",
        )
        images = [make_image(unz=3000, groups=groups, page=0x4000) for groups in shapes]
        for old, new in zip(images, images[1:] + images[:1]):
            self.round_trip(old, new)

    def test_one_group_has_head_and_tail(self):
        self.round_trip(*(make_image(revision=revision, unz=500, groups="7=500,u8") for revision in (0, 1)))

    def test_three_groups_and_other_tails(self):
        old = make_image(unz=500, groups="2=500/0=u40/1=800", pieces=0)
        new = make_image(unz=500, groups="2=700/0=u44/1=800", pieces=19)
        self.round_trip(old, new)

    def test_the_gap_and_the_area_may_be_empty(self):
        old, new = (make_image(revision=revision, unz=512, groups="1=u100/0=u100", page=4) for revision in (0, 1))
        self.assertEqual(Image(old).unz, Image(old).zof)
        self.round_trip(old, new)

    def test_raw_images(self):
        self.round_trip(make_image(groups="none"), make_image(revision=1, unz=SEGMENT + 9, groups="none"))

    def test_same_images(self):
        image = make_image(groups=GROUPS)
        self.round_trip(image, image)

    def test_packed_blocks_and_both_capacities(self):
        old, new = (make_image(revision=revision, groups=GROUPS) for revision in (0, 1))
        self.round_trip(old, new, packed=True)
        self.round_trip(old, new, capacity=True)

    def test_two_parts(self):
        pairs = [[make_image(seed=seed, revision=revision, groups=GROUPS) for revision in (0, 1)] for seed in (1, 2)]
        old, new = zip(*pairs)
        self.assertEqual(build(old, new, make_package(pairs)), list(new))

    def test_wrong_places_are_refused_because_writing_destroys_what_is_read(self):
        old = make_image(unz=3000, zof=0x4000, groups=GROUPS)
        new = make_image(unz=3000, zof=0x3000, groups=GROUPS)
        with self.assertRaisesRegex(Refused, "cannot be unpacked any more"):
            build([old], [new], make_package([(old, new)]))

    def test_plain_segments_see_what_groups_wrote(self):
        """The new group is where the plain part reads, so the package is right only when it is not applied in place."""
        old = make_image(unz=0x5000, groups="1=u9000")
        new = make_image(unz=0x2000, groups="1=u9000")
        new = old[0x3000:0x5000] + new[0x2000:]
        for backward in (False, True):
            with self.assertRaisesRegex(Refused, "new image has another SHA-256"):
                build([old], [new], make_package([(old, new)], backward=backward))


class Packing(unittest.TestCase):
    def test_the_packer_is_undone_by_the_decoder(self):
        source = random.Random(5)
        for size in [*range(12), 300, 3000]:
            for letters in (b"\xff", b"ab", bytes(range(256))):
                data = bytes(source.choices(letters, k=size))
                self.assertEqual(unpack_lzma(pack(data), "it"), data)

    def test_wrong_sections_are_refused(self):
        packed = pack(b"some text, some text")
        filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 0x10000, "lc": 3, "lp": 0, "pb": 2}]
        marked = packed[:13] + lzma.compress(b"some text, some text", lzma.FORMAT_RAW, filters=filters)
        wrong = {
            "end marker": marked,
            "LZMA properties": b"\x5e" + packed[1:],
            "LZMA properties ": put(packed, 1, 0x20000),
            "behind": packed + b"\0",
            "ends too early|LZMA": packed[:-1],
            "cut off": packed[:12],
            "bytes": patched(packed, 12, b"\1"),
        }
        for why, data in wrong.items():
            with self.assertRaisesRegex(Refused, why.strip()):
                unpack_lzma(data, "it")


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.old, cls.new = (make_image(revision=revision, unz=3000, groups=GROUPS) for revision in (0, 1))
        cls.data = make_package([(cls.old, cls.new)])

    def refuses(self, data, why=""):
        with self.assertRaisesRegex(Refused, why):
            build([self.old], [self.new], data)

    def test_each_field_of_an_image(self):
        image = self.old
        zof = Image(image).zof
        self.assertEqual(zof, 0x1000)
        entry = zof + 8
        end = len(image)
        faults = {
            "shorter than a tail": b"CMAR",
            "goes past the section table": put(image, end - 12, zof + 1),
            "beyond the image": put(image, end - 8, end - 20),
            "gap": patched(image, zof - 1, b"\0"),
            "mark of the section table": patched(image, zof, b"\0"),
            "has 0 sections": put(image, zof + 4, 0),
            "has 300 sections": put(image, zof + 4, 300),
            "mark of section entry 1": patched(image, entry + 56, b"\0"),
            "end of the section table": patched(image, entry + 5 * 56, b"\0"),
            "two sections have the same index": patched(image, entry + 20, b"\2"),
            "bits of its flags": patched(image, entry + 21, b"\3"),
            "has two sizes": patched(image, entry + 21, b"\0"),
            "does not begin at a multiple of 4": put(image, entry + 4, zof + 302),
            "is not behind the one before": put(image, entry + 4, zof + 8),
            "not one behind the other": patched(image, entry + 22, b"\0"),
            "packed data ends too early|LZMA|behind the packed data": put(image, entry + 8, 900),
            "and 3001 in the table": put(image, entry + 16, 3001),
            "SHA-256 is wrong": patched(image, entry + 24, bytes(32)),
            "the rest of group 0 is not all FF": patched(image, end - 57, b"\0"),
        }
        for why, data in faults.items():
            with self.subTest(why), self.assertRaisesRegex(Refused, why):
                Image(data)

    def test_padding_and_order(self):
        image = make_image(unz=100, groups="1=u5,u6")
        with self.assertRaisesRegex(Refused, "padding before section 2"):
            Image(patched(image, Image(image).sections[0].end, b"\0"))

    def test_each_field_of_a_package_matters(self):
        """The top bit is changed in every field in turn, with right parLen and parHash."""
        spans = []
        Archive(self.data, spans)
        free = ("load address", "name", "version", "zero, not used")  # nothing can be compared with them
        seen = 0
        for span in spans:
            name = span.text.split(":")[0]
            if name.startswith(free) or name in ("parLen", "parHash"):
                continue
            for at in {span.at, span.at + span.size - 1}:
                with self.subTest(span.text, at=at):
                    bad = bytearray(self.data)
                    bad[at] ^= 0x80
                    self.assertRaises((Refused, SecondForm), build, [self.old], [self.new], seal(bytes(bad)))
                    seen += 1
        self.assertGreater(seen, 100)

    def test_the_archive(self):
        self.refuses(patched(self.data, 50, b"\0"), "progress is not all FF")
        self.refuses(patched(self.data, 84 + 96, b"x"), "parHash is wrong")
        self.refuses(self.data + b"\0", "parLen")
        self.refuses(self.data[:-1], "parLen")
        self.refuses(seal(self.data[:-1]), "do not fit")
        self.refuses(seal(self.data + b"\0"), "behind the last package")
        self.refuses(seal(patched(self.data, 84 + 2, b"\x1c")), "zip method")
        twice = seal(self.data[:3] + b"\x41" + self.data[4:] + patched(self.data[84:], 0, bytes([self.data[84] + 1])))
        self.refuses(twice, "two packages change one part")
        self.refuses(seal(self.data[:3] + b"\x41" + self.data[4:] + self.data[84:]), "package 1 has index 0")

    def test_the_package_header(self):
        payload = 84 + 0x70
        (bits,) = struct.unpack("<I", self.data[84:88])
        faults = {
            "bits 21 to 23": put(self.data, 84, bits | 1 << 23),
            "its header has 104 bytes": put(self.data, 84, bits - (8 << 8)),
            "an option does not fit": put(self.data, 84, bits + (1 << 8)),
            "option 236 is not known|does not fit": put(self.data, 84, bits + (8 << 8)),
            "is larger than the flash": put(self.data, 84 + 16, 0x400001),
            "order in the payload": patched(self.data, 84, bytes([self.data[84] ^ 16])),
            "the flags do not fit": patched(self.data, payload + 4, b"\2"),
            "number of groups": patched(self.data, payload + 4, b"\6"),
            "not 2 plain segments": put(put(self.data, payload + 12, SEGMENT + 1), payload + 20, 0x20000),
            "is behind new zof": put(self.data, payload + 12, 0x1001),
            "old unz is 1": put(self.data, payload + 8, 1),
            "old zof is 1": put(self.data, payload + 16, 1),
            "new group 1 is at": put(self.data, payload + 20, 0x2000),
            "behind a plain segment": patched(self.data, payload + 24, b"\0"),
            "writes 0x8000 bytes": put(self.data, payload + 24 + 2 * 12 + 8, 0x8000),
        }
        for why, data in faults.items():
            with self.subTest(why):
                self.refuses(seal(data), why)

    def test_chips(self):
        large = make_package([(b"", random.Random(1).randbytes(220000))])
        Archive(large, chip="ec718p")
        for chip, why in (("ec999", "the chip ec999 is not known"), ("ec716s", "takes 217088")):
            with self.assertRaisesRegex(Refused, why):
                Archive(large, chip=chip)

    def test_another_base_and_another_new_image(self):
        with self.assertRaisesRegex(Refused, "is not its base"):
            build([self.new], [self.new], self.data)
        with self.assertRaisesRegex(Refused, "no packed section with the patched bytes"):
            build([self.old], [self.old], self.data)

    def test_the_second_form_is_named(self):
        count = len(Archive(self.data).packages[0].segments)
        at = 84 + 0x70 + 24 + 12 * (count - 1) + 4
        data = seal(patched(self.data, at, b"\1"))
        with self.assertRaisesRegex(SecondForm, "second form"):
            build([self.old], [self.new], data)

    def test_zeros_of_the_vendors_packer(self):
        """One zero behind the bzip2 stream, and one behind the delta."""
        old, new = (make_image(revision=revision, unz=3000, groups="none") for revision in (0, 1))
        data = make_package([(old, new)])
        at, start = 84 + 0x70 + 24, 84 + 0x70
        (position, length) = struct.unpack("<2I", data[at : at + 8])
        stream_length = start + (position >> 8) + 18
        (stream,) = struct.unpack("<I", data[stream_length : stream_length + 4])
        for zeros, extra in ((b"\0", 0), (b"\0\0", 1)):
            longer = put(put(data + zeros, at + 4, length + (len(zeros) << 8)), stream_length, stream + extra)
            longer = seal(put(longer, 88, len(longer) - 84))
            self.assertEqual(build([old], [new], longer), [new])
            with self.assertRaises(Refused):
                build([old], [new], seal(longer[:-1] + b"\1"))


def hand_made(records, extra=b"", difference=b"", size=None, sizes=(0, 0, 0), tail=b""):
    """A delta with a chosen content; `sizes` is added to the lengths of records, extra bytes and difference."""
    numbers = b"".join(leb128(number) for record in records for number in record)
    size = sum(add + copy for add, copy, _ in records) if size is None else size
    control = b"CTLBK_1\0" + struct.pack("<2I", size, len(numbers) + sizes[0]) + numbers
    extras = b"EXTBK_1\0" + struct.pack("<I", len(extra) + sizes[1]) + extra
    stream = bz2.compress(struct.pack("<I", len(difference) + sizes[2]) + difference, 1) + tail
    lengths = struct.pack("<IBIBI", len(control), 0, len(extras), 0, len(stream))
    return b"ECHEADER" + lengths + control + extras + stream


class Deltas(unittest.TestCase):
    def read(self, data):
        return Delta(Cursor(data, None, "it"))

    def test_records(self):
        delta = self.read(hand_made([(2, 1, -2), (1, 0, 5), (0, 1, -90)], b"xy", b"\1\0\xff"))
        self.assertEqual(delta.apply(b"abcd"), b"bbx" + b"`" + b"y")
        self.assertEqual(self.read(hand_made([(0, 1, 0)], b"x", b"\0")).apply(b""), b"x")
        self.assertEqual(self.read(hand_made([], b"", b"\0")).apply(b""), b"")

    def test_faults(self):
        faults = {
            "make 2 bytes of 3": hand_made([(1, 1, 0)], b"x", b"\0", size=3),
            "copy 1 bytes of 2": hand_made([(1, 1, 0)], b"xy", b"\0"),
            "add 1 bytes of 2": hand_made([(1, 1, 0)], b"x", b"\0\0"),
            "not one zero": hand_made([(0, 1, 0)], b"x", b"\0\0"),
            "not one zero ": hand_made([(0, 1, 0)], b"x", b"\1"),
            "control block: it has 3 bytes, and says 4": hand_made([(1, 1, 0)], b"x", b"\0", sizes=(1, 0, 0)),
            "extra block: it has 1 bytes, and says 2": hand_made([(1, 1, 0)], b"x", b"\0", sizes=(0, 1, 0)),
            "difference block: it has 1 bytes, and says 2": hand_made([(1, 1, 0)], b"x", b"\0", sizes=(0, 0, 1)),
            "does not end with it": hand_made([(1, 1, 0)], b"x", b"\0", tail=b"\0\0"),
            "does not end with it ": hand_made([(1, 1, 0)], b"x", b"\0", tail=b"\1"),
            "holds more than 27587": hand_made([(30000, 0, 0)], b"", random.Random(1).randbytes(30000)),
        }
        for why, data in faults.items():
            with self.subTest(why), self.assertRaisesRegex(Refused, why.strip()):
                self.read(data)

    def test_numbers(self):
        self.assertEqual(read_leb128(b"\xff\xff\xff\xff\x0f", 0, "it"), (0xFFFFFFFF, 5))
        for data, why in ((b"\x80", "cut off"), (b"\xff" * 4 + b"\x1f", "32 bits"), (b"\x80" * 5 + b"\0", "5 bytes")):
            with self.assertRaisesRegex(Refused, why):
                read_leb128(data, 0, "it")

    def test_reads_outside_are_refused(self):
        for record in ([(0, 0, -1), (1, 0, 0)], [(0, 0, 4), (1, 0, 0)], [(5, 0, 0)]):
            size = sum(add for add, _, _ in record)
            with self.assertRaisesRegex(Refused, "outside"):
                self.read(hand_made(record, b"", bytes(size))).apply(b"abcd")

    def test_windows(self):
        """Which old bytes each plain segment may read, in the order in which they are written."""
        old = make_image(unz=2 * SEGMENT + 900, groups="none")
        for new_size in (2 * SEGMENT + 5, SEGMENT + 5):
            new = make_image(revision=1, unz=new_size, groups="none")
            offsets = list(range(0, new_size, SEGMENT))
            forward, backward = (
                Archive(make_package([(old, new)], backward=backward)).packages[0] for backward in (False, True)
            )
            self.assertEqual([forward.window(one) for one in forward.segments], [(at, len(old)) for at in offsets])
            ends = [len(old), *(at + SEGMENT for at in reversed(offsets[:-1]))]
            self.assertEqual([backward.window(one) for one in backward.segments], [(0, end) for end in ends])


class Programs(unittest.TestCase):
    """The command line."""

    @classmethod
    def setUpClass(cls):
        cls.old, cls.new = (make_image(revision=revision, unz=3000, groups=GROUPS) for revision in (0, 1))
        cls.package = make_package([(cls.old, cls.new)])

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("old", self.old)
        self.write("new", self.new)
        self.write("package", self.package)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)

    def run_reader(self, *words):
        names = ("old", "new", "package", "out")
        words = [self.path(word) if word in names else word for word in words]
        command = [sys.executable, os.path.join(HERE, "reader.py"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_commands(self):
        done = self.run_reader("check", "old", "package", "new")
        self.assertEqual((done.returncode, done.stdout.count("not proven: ")), (0, 4), done.stderr)
        done = self.run_reader("apply", "old", "package", "out")
        self.assertEqual(done.returncode, 1)
        self.assertIn("only a packer (--packer) can pack them", done.stderr)
        done = self.run_reader("show", "package")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("of 0 of them the meaning is not known", done.stdout)
        self.assertEqual(self.run_reader("show").returncode, 2)

    def test_a_packer_makes_it_complete(self):
        packer = os.path.join(HERE, "packer.py")
        done = self.run_reader("apply", "old", "package", "out", "--packer", packer)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        with open(self.path("out"), "rb") as file:
            self.assertEqual(file.read(), self.new)

    def test_wrong_packers_are_named(self):
        for program, why in (("/bin/cat", "LZMA properties"), ("/bin/false", "status 1"), ("/none", "does not start")):
            with self.assertRaisesRegex(Refused, why):
                ProgramPacker(program).pack(None, b"a section that is long enough", "section 1")

    def test_a_damaged_package_has_a_sentence_and_status_1(self):
        data = self.package
        self.write("package", patched(data, len(data) - 1, bytes([data[-1] ^ 1])))
        done = self.run_reader("show", "package")
        self.assertEqual((done.returncode, done.stderr), (1, "parHash is wrong\n"))

    def test_wrappers(self):
        par = self.package
        luatos = bytes(44) + struct.pack("<2I", 0, len(par)) + bytes(32)
        for magic, status in ((0xEAC37218, 0), (0xEAF18C16, 1)):
            self.write("package", struct.pack("<2I", magic, zlib.crc32(luatos) ^ 0xFFFFFFFF) + luatos + par)
            self.assertEqual(self.run_reader("check", "old", "package", "new").returncode, status)
        self.write("package", container.AT_MARK + struct.pack(">I", len(par)) + par)
        self.assertEqual(self.run_reader("check", "old", "package", "new").returncode, 0)
        self.assertIn("wrapper: at, 10 bytes", self.run_reader("show", "package").stdout)

    def test_binpkg(self):
        for name, image in (("old", self.old), ("new", self.new)):
            file = bytes(52)
            for part, data in (("BL", b"boot"), ("AP", image), ("CP", b"no change")):
                digest = hashlib.sha256(data).hexdigest().encode()
                kind = part.encode()
                file += struct.pack("<64s4I256s16sHHII", kind, 0, 0, 0, len(data), digest, kind, 0, 0, 0, 0) + data
            self.write(name, file)
        done = self.run_reader("check", "old", "package", "new")
        self.assertEqual((done.returncode, done.stdout.count("not proven: ")), (0, 4), done.stderr)
        self.write("new", file[:-1] + b"!")
        self.assertEqual(self.run_reader("check", "old", "package", "new").returncode, 1)


if __name__ == "__main__":
    unittest.main()
