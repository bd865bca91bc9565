#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Tests that dfota and the second reader agree on generated images, releases and packages.

    DFOTA_BUILD=build agree.py [TEST]...

dfota makes packages of all formats for EC7xx, and both readers apply them. Single bytes of the packages are changed: both
must refuse the package, or both must make the same image.
"""

import contextlib
import functools
import hashlib
import io
import json
import lzma
import os
import random
import struct
import subprocess
import tempfile
import unittest
import zipfile
import zlib

import layout  # first: it says where the shared modules are
import container
import reader
from generate import make_binpkg, make_image, seal
from layout import Refused, SecondForm
from package import Archive
from rebuild import ProgramPacker

BUILD = os.environ.get("DFOTA_BUILD", "build")
FORMATS = ("ec7xx-at", "ec7xx-csdk", "ec7xx-luatos")
SCRIPTS = (b"print('one') -- " * 40, b"print('two') -- " * 41)
CP = {"seed": 2, "unz": 110000, "groups": "1=5000,u380,436/0=3000,2000"}
AP = {"seed": 3, "unz": 3000, "groups": "1=4000,901/2=u555/0=700"}


class Device(ProgramPacker):
    """Packs as a device does, and remembers."""

    def __init__(self):
        super().__init__(os.path.join(BUILD, "ec7xx-lzma"))
        self.known = {}

    def pack(self, section, plain, what):
        if plain not in self.known:
            self.known[plain] = super().pack(section, plain, what)
        return self.known[plain]


DEVICE = Device()


def make(**shape):
    return make_image(**shape, packing=lambda plain: DEVICE.pack(None, plain, "a section"))


@functools.lru_cache(maxsize=None)
def image(part, revision):
    return make(**{"AP": AP, "CP": CP}[part], revision=revision)


def binpkg(ap, cp, product=""):
    """Of the revisions of AP and CP."""
    return make_binpkg([("AP", image("AP", ap)), ("CP", image("CP", cp))], product)


def soc(core, script, chip="ec7xx", magic="eac37218", address=0x46E000, knows_kept=True):
    """A release whose script area has 512 KB; a module keeps 384 KB."""
    info = {
        "chip": {"type": chip},
        "rom": {"file": "core.binpkg", "fs": {"script": {"size": 512}, "filesystem": {"offset": "654000"}}},
        "script": {"file": "script.bin", "bitw": 64},
        "download": {"script_addr": "%x" % address, "fs_addr": "654000"},
        "fota": {"magic_num": magic, "full_addr": "%x" % (address + 512 * 1024)},
    }
    if knows_kept:
        info["fota"]["fota_len"] = "106000"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("info.json", json.dumps(info)), ("core.binpkg", core), ("script.bin", script)):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def reseal(package):
    """The package with the lengths and hashes that follow from its other bytes."""
    if package[:6] == container.AT_MARK:
        return package[:10] + seal(package[10:])
    common, core = struct.unpack("<2I", package[52:60])
    if 92 + common + core != len(package):
        return package
    script, par = package[92 : 92 + common], package[92 + common :]
    par = seal(par) if par else par
    digests = [hashlib.md5(data).digest() if data else bytes(16) for data in (script, par)]
    fields = package[8:60] + b"".join(digests)
    return package[:4] + struct.pack("<I", zlib.crc32(fields) ^ 0xFFFFFFFF) + fields + script + par


class Agreement(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def store(self, name, data):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def dfota(self, *words):
        """(exit status, output, errors)"""
        done = subprocess.run([os.path.join(BUILD, "dfota"), *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def run_diff(self, format, old, new, *options):
        out = os.path.join(self.folder.name, "made")
        status, _, said = self.dfota(
            "diff", "--format", format, "--effort", "quick", *options, self.store("old", old), self.store("new", new), out
        )
        return status, said, out

    def diff(self, *arguments):
        status, said, out = self.run_diff(*arguments)
        self.assertEqual(status, 0, said)
        return reader.read(out)

    def assert_not_made(self, sentence, *arguments):
        status, said, _ = self.run_diff(*arguments)
        self.assertEqual((status, sentence in said), (1, True), said)

    def patch(self, old, package):
        """The flash after dfota has applied the package, or a sentence."""
        out = os.path.join(self.folder.name, "patched")
        words = ("--any-size", self.store("old", old), self.store("package", package), out)
        status, _, said = self.dfota("patch", *words)
        self.assertIn(status, (0, 1, 5), said)
        return said if status else self.flash(out)

    def flash(self, path):
        flash = reader.Flash(path)
        return [data for _, data in flash.parts], flash.release and flash.release["script"]

    def rebuild(self, old, package):
        """The same by the second reader."""
        try:
            parts, script, _ = reader.rebuild(reader.Flash(self.store("old", old)), package, DEVICE, None)
            return [data for _, data in parts], script
        except (Refused, SecondForm, container.Refused, struct.error, lzma.LZMAError) as refused:
            return str(refused) or "refused"

    def assert_agreed(self, old, package, new=None):
        """Both make `new`, or both refuse. Returns whether they make it."""
        one, other = self.patch(old, package), self.rebuild(old, package)
        said = [made if isinstance(made, str) else "makes an image" for made in (one, other)]
        self.assertEqual(isinstance(one, str), isinstance(other, str), said)
        if isinstance(one, str):
            self.assertIsNone(new, said)
            return False
        self.assertTrue(one == other, "the images differ")
        self.assertTrue(new in (None, one), "both make another image")
        return True

    def assert_makes(self, format, old, new, *options):
        package = self.diff(format, old, new, *options)
        self.assert_agreed(old, package, self.flash(self.store("new", new)))
        return package

    def archive(self, package):
        return Archive(reader.unwrap(package)[2])


class Making(Agreement):
    def recognised(self, package):
        return json.loads(self.dfota("inspect", "--brief", self.store("package", package))[1])["format"]

    def test_each_format_from_each_kind_of_image(self):
        pairs = {
            "raw": (image("AP", 0), image("AP", 1)),
            "binpkg": (binpkg(0, 0), binpkg(1, 1)),
            "with a product": (binpkg(0, 0, "EC718P_PRD"), binpkg(1, 1, "EC718P_PRD")),
            "soc": (soc(binpkg(0, 0), SCRIPTS[0]), soc(binpkg(1, 1), SCRIPTS[0])),
            "soc of a model": (soc(binpkg(0, 0, "EC718PM_PRD"), b"", "air780epm"), soc(binpkg(1, 1), b"")),
        }
        for format in FORMATS:
            for kind, (old, new) in pairs.items():
                with self.subTest(format=format, kind=kind):
                    package = self.assert_makes(format, old, new)
                    self.assertEqual(reader.unwrap(package)[0], "at" if format == "ec7xx-at" else "luatos")
                    self.assertEqual(self.recognised(package), "ec7xx-at" if format == "ec7xx-at" else "ec7xx-csdk")
                    self.assertEqual(len(self.archive(package).packages), 1 if kind == "raw" else 2)

    def test_only_the_part_that_differs(self):
        for revisions, part in (((1, 0), 2), ((0, 1), 3)):
            package = self.assert_makes("ec7xx-at", binpkg(0, 0), binpkg(*revisions))
            self.assertEqual([found.part for found in self.archive(package).packages], [part])

    def test_both_directions_and_efforts(self):
        for old, new in ((0, 1), (1, 2), (2, 0)):
            for effort in ("quick", "good", "best"):
                self.assert_makes("ec7xx-csdk", image("CP", old), image("CP", new), "--part", "cp", "--effort", effort)

    def test_script_and_core(self):
        rows = {"both": ((0, 0), (1, 1)), "script": ((0, 0), (0, 1)), "core": ((0, 0), (1, 0))}
        for name, (old, new) in rows.items():
            for knows in (True, False):
                with self.subTest(name=name, knows=knows):
                    one, other = (
                        soc(binpkg(core, 0), SCRIPTS[script], knows_kept=knows) for core, script in (old, new)
                    )
                    package = self.assert_makes("ec7xx-luatos", one, other)
                    _, sectors, par = reader.unwrap(package)
                    self.assertEqual((bool(sectors), bool(par)), (name != "core", name != "script"))
                    self.assertEqual(self.recognised(package), "ec7xx-luatos" if sectors else "ec7xx-csdk")

    def test_images_of_any_shape(self):
        """The group of the table is that of the tail, too, when it is the only one."""
        source = random.Random(7)
        for zof, numbers in ((0x1000, (1,)), (0x1000, (0,)), (0x18000, (4, 1)), (0x19000, (1, 0, 8))):
            for pieces in (0, 1, 19):
                shapes = []
                for revision in (0, 1):
                    sizes = [
                        ",".join(source.choice(("", "u")) + str(source.randrange(1, 800)) for _ in range(source.randrange(1, 5)))
                        for _ in numbers
                    ]
                    groups = "/".join("%d=%s" % pair for pair in zip(numbers, sizes))
                    shapes.append(make(seed=9, revision=revision, unz=zof - revision, zof=zof, groups=groups, pieces=pieces))
                with self.subTest(zof=zof, numbers=numbers, pieces=pieces):
                    self.assert_makes(source.choice(FORMATS), *shapes, "--part", source.choice(("ap", "cp")))

    def test_8_mb_of_flash(self):
        for options, product in ((("--chip", "ec718um"), ""), ((), "EC718UM_PRD"), (("--chip", "ec718u"), "EC718U_PRD")):
            package = self.assert_makes("ec7xx-at", binpkg(0, 0, product), binpkg(1, 1, product), *options)
            self.assertEqual(package[14] & 1, 1)
            with contextlib.redirect_stdout(io.StringIO()):
                reader.show(self.store("package", package), "ec718um")
        self.assertEqual(self.assert_makes("ec7xx-at", binpkg(0, 0), binpkg(1, 1))[14] & 1, 0)
        pair = binpkg(0, 0, "EC718U_PRD"), binpkg(1, 1, "EC718U_PRD")
        self.assert_not_made("do not tell which: name the chip", "ec7xx-at", *pair)


class Refusing(Agreement):
    def test_another_script_area(self):
        old, moved = soc(binpkg(0, 0), SCRIPTS[0]), soc(binpkg(1, 0), SCRIPTS[1], address=0x48E000, knows_kept=False)
        self.assert_not_made("the releases have different script areas", "ec7xx-luatos", old, moved)
        other = soc(binpkg(1, 0), SCRIPTS[0], address=0x48E000, knows_kept=False)
        package = self.diff("ec7xx-luatos", other, soc(binpkg(1, 0), SCRIPTS[1], address=0x48E000, knows_kept=False))
        self.assertFalse(self.assert_agreed(old, package))
        self.assertFalse(self.assert_agreed(binpkg(0, 0), package))

    def test_a_script_in_a_format_without_scripts(self):
        for format in FORMATS[:2]:
            pair = soc(binpkg(0, 0), SCRIPTS[0]), soc(binpkg(1, 0), SCRIPTS[1])
            self.assert_not_made("only a package for LuatOS can change a script", format, *pair)

    def test_another_family_of_chips(self):
        old, new = binpkg(0, 0), binpkg(1, 1)
        plain = [make_binpkg([("AP", bytes([revision]) * 5000)]) for revision in (0, 1)]
        for format in ("ec618-at", "ec618-csdk", "ec618-luatos"):
            package = self.diff(format, *plain)
            self.assertIsInstance(self.rebuild(old, package), str)
            for product in ("EC718P_PRD", ""):  # without a name, the packed sections tell
                pair = binpkg(0, 0, product), binpkg(1, 1, product)
                self.assert_not_made("for the chip ec7xx, not for an EC618", format, *pair)
        package = bytearray(self.diff("ec7xx-csdk", old, new))
        package[:4] = struct.pack("<I", 0xEAF18C16)
        self.assertFalse(self.assert_agreed(old, reseal(bytes(package))))
        for chip, magic in (("ec618", "eaf18c16"), ("ec7xx", "eaf18c16"), ("ec618", "eac37218")):
            pair = (soc(binpkg(revision, 0), SCRIPTS[revision], chip, magic, 0x236000) for revision in (0, 1))
            self.assertEqual(self.run_diff("ec7xx-luatos", *pair)[0], 1)

    def test_another_chip_of_the_family(self):
        old, new = binpkg(0, 0, "EC718UM_PRD"), binpkg(1, 1, "EC718UM_PRD")
        self.assert_not_made("the images are for the chip ec718um, not for ec718p", "ec7xx-at", old, new, "--chip", "ec718p")

    def test_the_wrong_part(self):
        for part, right in (("ap", "CP"), ("cp", "AP")):
            package = self.diff("ec7xx-at", image(right, 0), image(right, 1), "--part", part)
            self.assertFalse(self.assert_agreed(binpkg(0, 0), package))
        package = self.diff("ec7xx-at", image("CP", 0), image("CP", 1), "--part", "cp")
        self.assertTrue(self.assert_agreed(binpkg(0, 0), package, self.flash(self.store("new", binpkg(0, 1)))))
        self.assertEqual(self.run_diff("ec7xx-at", image("CP", 0), image("CP", 1), "--part", "bl")[0], 2)

    def test_another_old_image(self):
        package = self.diff("ec7xx-csdk", binpkg(0, 0), binpkg(1, 1))
        for old in (binpkg(1, 1), binpkg(0, 1), image("AP", 0)):
            self.assertFalse(self.assert_agreed(old, package))


class Damage(Agreement):
    """Single bytes, with the lengths and hashes as they were and corrected. `places` gets the offsets of all fields, and
    some in the deltas."""

    def places(self, package):
        source = random.Random(len(package))
        start = len(package) - len(reader.unwrap(package)[2])
        spans = []
        if start < len(package):
            Archive(package[start:], spans)
        heads = list(range(0, min(start, 92)))
        fields = [start + span.at + source.randrange(span.size) for span in spans]
        deltas = [source.randrange(start, len(package)) for _ in range(20)] if spans else []
        scripts = [source.randrange(92, start) for _ in range(20)] if start > 92 else []
        chosen = source.sample(heads, len(heads) // 5 + 2) + source.sample(fields, min(60, len(fields)))
        return chosen + deltas + scripts, source

    def check(self, old, package):
        places, source = self.places(package)
        taken = 0
        for at in places:
            damaged = bytearray(package)
            damaged[at] ^= source.choice((1, 2, 4, 0x10, 0x80, 0xFF))
            for name, bytes_ in (("as it is", bytes(damaged)), ("resealed", reseal(bytes(damaged)))):
                if bytes_ != package and (name == "resealed" or at % 4 == 0):
                    with self.subTest(at=at, how=name, change=damaged[at] ^ package[at]):
                        taken += self.assert_agreed(old, bytes_)
        self.assertLess(taken, len(places) // 2)

    def test_at(self):
        old = binpkg(0, 0)
        self.check(old, self.diff("ec7xx-at", old, binpkg(1, 1)))

    def test_csdk(self):
        old = binpkg(0, 0, "EC718UM_PRD")
        self.check(old, self.diff("ec7xx-csdk", old, binpkg(1, 1)))

    def test_luatos(self):
        old = soc(binpkg(0, 0), SCRIPTS[0])
        self.check(old, self.diff("ec7xx-luatos", old, soc(binpkg(1, 0), SCRIPTS[1])))


if __name__ == "__main__":
    unittest.main()
