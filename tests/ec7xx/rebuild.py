# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Applies a package of an EC7xx module to its old image in the order in which the device works, in place: groups are
unpacked, patched and packed again, then the plain segments are patched. Each read sees what was written before."""

import hashlib
import subprocess

from image import Image
from layout import Refused, align, demand, is_erased, unpack_lzma


class ProgramPacker:
    """Packs with a filter: a plain section on its input, the whole packed section on its output."""

    def __init__(self, program):
        self.program = program
        self.taken = []

    def pack(self, section, plain, what):
        try:
            done = subprocess.run([self.program], input=plain, capture_output=True, check=False)
        except OSError as error:
            raise Refused("the packer does not start: %s" % error.strerror)
        demand(done.returncode == 0, "%s: the packer ended with status %d" % (what, done.returncode))
        demand(
            unpack_lzma(done.stdout, what + ", packed again") == plain,
            "%s: the packer changes what it packs" % what,
        )
        return done.stdout


class KnownPacker:
    """Takes packed sections from images instead of packing. `taken` says which, because they are not proven."""

    def __init__(self, *images):
        self.known = {}
        self.taken = []
        for image in images:
            for section in image.sections:
                self.known[section.plain] = image.data[section.offset : section.end]

    def pack(self, section, plain, what):
        demand(
            plain in self.known,
            "%s: the given images have no packed section with the patched bytes; only a packer (--packer) can pack them"
            % what,
        )
        self.taken.append(what)
        return self.known[plain]


def compare_sides(stated, real, what):
    """What the package says of a group of the old or the new image, against the image."""
    for field in ("offset", "area", "head_size", "tail_size"):
        one, other = getattr(stated, field), getattr(real, field)
        demand(
            one == other,
            "%s: its %s is %d in the package, and %d in the image" % (what, field.replace("_", " "), one, other),
        )
    one, other = ([section.fields() for section in side.sections] for side in (stated, real))
    demand(one == other, "%s: its sections in the package are not those of the image" % what)


class Rebuild:
    def __init__(self, old, package, packer):
        self.package, self.packer = package, packer
        self.what = package.what
        self.notes = []
        demand(
            len(old) == package.base_size,
            "%s: the base has %d bytes, and the old image %d" % (self.what, package.base_size, len(old)),
        )
        demand(hashlib.sha256(old).digest() == package.base_hash, "%s: the old image is not its base" % self.what)
        self.old = Image(old)
        self.flash = bytearray(old) + b"\xff" * max(0, package.new_size - len(old))
        self.check_old()
        segments = package.segments
        for segment in segments:
            if segment.is_group:
                self.write_group(segment)
        for segment in segments:
            if not segment.is_group:
                self.write_plain(segment)
        self.erase_gap()
        self.check_new(bytes(self.flash[: package.new_size]))

    def check_old(self):
        package, old = self.package, self.old
        demand(
            package.packed == old.packed,
            "%s: the old image has packed sections and the package not, or the reverse" % self.what,
        )
        demand(
            package.old_unz == old.unz,
            "%s: old unz is %d, and %d in the old image" % (self.what, package.old_unz, old.unz),
        )
        if not package.packed:
            return
        demand(
            package.old_zof == old.zof,
            "%s: old zof is %d, and %d in the old image" % (self.what, package.old_zof, old.zof),
        )
        real = {group.number: group for group in old.groups}
        stated = {segment.old.number: segment.old for segment in package.segments if segment.is_group}
        demand(len(stated) == package.groups, "%s: two segments change one group" % self.what)
        demand(set(stated) == set(real), "%s: its groups are not those of the old image" % self.what)
        for number, group in stated.items():
            compare_sides(group, real[number], "%s, old group %d" % (self.what, number))
            for section, known in zip(group.sections, real[number].sections):
                section.digest = known.digest
        self.check_places()

    def check_places(self):
        """The new groups fill the image from the section table to its end."""
        at = self.package.new_zof
        groups = [segment.new for segment in self.package.segments if segment.is_group]
        for group in sorted(groups, key=lambda group: group.offset):
            demand(
                group.offset == at,
                "%s: new group %d is at %#x, and must be at %#x" % (self.what, group.number, group.offset, at),
            )
            at = group.end
        demand(
            at == self.package.new_size,
            "%s: the new groups end at %#x, and the image at %#x" % (self.what, at, self.package.new_size),
        )

    def write_group(self, segment):
        what = "%s, group %d" % (self.what, segment.new.number)
        try:
            plain = segment.old.unpack(self.flash)
        except Refused as refused:
            raise Refused("%s: the old group cannot be unpacked any more: %s" % (what, refused))
        made = segment.delta.apply(plain)
        new = segment.new
        area = bytearray(b"\xff" * new.area)
        at = new.head_size
        end = new.offset + new.head_size
        demand(new.head_size + new.tail_size <= new.area, "%s: head and tail do not fit its area" % what)
        area[:at] = made[:at]
        for section in new.sections:
            place = "%s, section %d" % (what, section.index)
            demand(section.offset == align(end), "%s: it is not behind the one before" % place)
            body = made[at : at + section.size]
            stored = self.packer.pack(section, body, place) if section.packed else body
            demand(
                len(stored) == section.packed_size,
                "%s: it has %d bytes packed again, and %d in the package" % (place, len(stored), section.packed_size),
            )
            demand(section.end <= new.end - new.tail_size, "%s: it goes past the group's area" % place)
            area[section.offset - new.offset : section.end - new.offset] = stored
            at += section.size
            end = section.end
        if new.tail_size:
            area[-new.tail_size :] = made[at:]
        demand(new.end <= len(self.flash), "%s: its area is outside of the image" % what)
        self.flash[new.offset : new.end] = area

    def write_plain(self, segment):
        begin, end = self.package.window(segment)
        made = segment.delta.apply(self.flash[begin:end])
        # The bytes that it writes, as its entry states, but nothing of the groups.
        area = min(segment.area, max(len(made), self.gap_end() - segment.offset))
        self.flash[segment.offset : segment.offset + area] = made + b"\xff" * (area - len(made))

    def gap_end(self):
        return self.package.new_zof if self.package.packed else self.package.new_unz

    def erase_gap(self):
        """No segment writes the gap between the last plain segment and zof."""
        begin, end = self.package.new_unz, self.package.new_zof
        if not self.package.packed or is_erased(self.flash[begin:end]):
            return
        self.notes.append(
            "%s: %d bytes from %#x to %#x are not all FF after the last write; they were taken as erased, and the "
            "layout does not say when the device erases them" % (self.what, end - begin, begin, end)
        )
        self.flash[begin:end] = b"\xff" * (end - begin)

    def check_new(self, new):
        self.new = new
        package = self.package
        demand(hashlib.sha256(new).digest() == package.new_hash, "%s: the new image has another SHA-256" % self.what)
        image = Image(new)
        demand(
            image.packed == package.packed,
            "%s: the new image has packed sections and the package not, or the reverse" % self.what,
        )
        demand(
            image.unz == package.new_unz,
            "%s: new unz is %d, and %d in the new image" % (self.what, package.new_unz, image.unz),
        )
        if not package.packed:
            return
        demand(
            image.zof == package.new_zof,
            "%s: new zof is %d, and %d in the new image" % (self.what, package.new_zof, image.zof),
        )
        real = {group.number: group for group in image.groups}
        for segment in package.segments:
            if segment.is_group:
                what = "%s, new group %d" % (self.what, segment.new.number)
                demand(segment.new.number in real, "%s: the new image does not have it" % what)
                compare_sides(segment.new, real[segment.new.number], what)
