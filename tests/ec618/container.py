#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""A second reader of the files around EC618 payloads (.par, its wrappers, .binpkg), written from the layout's
description alone: it shares no code and no structure with the C code that writes and reads them.

    container.py list FILE                 every field as JSON
    container.py apply OLD PACKAGE OUT     rebuild the new image from a raw image or a .binpkg, and write it
    container.py check OLD PACKAGE NEW     rebuild it and compare what the module's flash would hold with NEW; the
                                           images may be .soc files in the form of a ZIP

Exit status 0, or 1 with one line that says what is wrong. Payloads are left to decoder.py.
"""

import hashlib
import io
import json
import lzma
import re
import struct
import sys
import zipfile
import zlib

CARRIED = {2: "AP", 3: "CP"}
ZONES = {"AP": 3014656, "CP": 524288}
ARCHIVE_LIMIT = 491520
SEGMENTS_LIMIT = 127
BLOCK = 0x40000
LUATOS_MAGICS = {0xEAF18C16: "EC618", 0xEAC37218: "EC7xx"}
AT_MARK = bytes.fromhex("7e000000017d")


class Refused(Exception):
    pass


def demand(truth, text):
    if not truth:
        raise Refused(text)


def text_of(field):
    return field.split(b"\0")[0].decode("latin1")


# ---- .binpkg ---------------------------------------------------------------------------------------------------------


def binpkg_head_size(data):
    return 0x1D8 if data[0x38:0x3F] == b"pkgmode" else 52


def looks_like_binpkg(data):
    at = binpkg_head_size(data)
    if len(data) < at + 364:
        return False
    name, digest = data[at : at + 64], data[at + 80 : at + 336]
    return bool(re.fullmatch(rb"[ -~]+\0*", name) and re.fullmatch(rb"[0-9A-Fa-f]{64}\0*", digest))


def read_binpkg(data):
    """Entries in order; `image` is where the data stands in the file."""
    entries = []
    at = binpkg_head_size(data)
    while at < len(data):
        demand(at + 364 <= len(data), "the last entry of the .binpkg is cut off")
        head = struct.unpack("<64s4I256s16sHHII", data[at : at + 364])
        name, address, flash_size, offset, size, digest, kind = head[:7]
        at += 364
        demand(at + size <= len(data), "the data of entry %s is cut off" % text_of(name))
        image = data[at : at + size]
        demand(hashlib.sha256(image).hexdigest() == text_of(digest).lower(), "entry %s: its hash is wrong" % text_of(name))
        entries.append(
            {
                "name": text_of(name),
                "address": address,
                "flash_size": flash_size,
                "offset": offset,
                "size": size,
                "sha256": text_of(digest).lower(),
                "type": text_of(kind),
                "rest": list(head[7:]),
                "at": at,
                "data": image,
            }
        )
        at += size
    return entries


# ---- .par ------------------------------------------------------------------------------------------------------------


def read_par(data, whole=True):
    """Not whole: a file that is cut off, of which only what is there is told."""
    demand(len(data) >= 84 and data[:2] == b"\xec\xdf", "this is no .par")
    (length,) = struct.unpack("<I", data[8:12])
    stated = data[12:44]
    if whole:
        demand(length == len(data), "parLen is %d and the file has %d bytes" % (length, len(data)))
        real = hashlib.sha256(data[:12] + bytes(32) + b"\xff" * 40 + data[84:]).digest()
        demand(real == stated, "parHash is wrong")
    packages = []
    at = 84
    while at < length and at + 112 <= len(data):
        bits, size, zero, load, new_size, base_size = struct.unpack("<6I", data[at : at + 24])
        head_size = bits >> 8 & 0x3FF
        demand(112 <= head_size <= size and (not whole or at + size <= len(data)), "a package's lengths do not fit")
        packages.append(
            {
                "index": bits & 15,
                "reverse": bits >> 4 & 1,
                "attribute": (bits >> 5 & 7) + 8 * (bits >> 23 & 1),
                "segments": bits >> 24,
                "head_size": head_size,
                "size": size,
                "zero": zero,
                "load_address": load,
                "new_size": new_size,
                "base_size": base_size,
                "base_sha256": data[at + 24 : at + 56].hex(),
                "mark": data[at + 56 : at + 60].hex(),
                "new_sha256": data[at + 60 : at + 92].hex(),
                "name_mark": data[at + 92 : at + 94].hex(),
                "name": text_of(data[at + 94 : at + head_size]),
                "payload": data[at + head_size : at + size],
            }
        )
        at += size
    demand(packages and (not whole or at == len(data)), "the packages do not fill the archive")
    return {"head": data[2:8].hex(), "length": length, "hash": stated.hex(), "rest": data[44:84].hex(), "packages": packages}


def check_rules(data, par):
    """What an EC618 demands of a whole archive, before it looks at any image."""
    import decoder

    packages = par["packages"]
    demand(len(data) <= ARCHIVE_LIMIT, "the archive is too long for a module")
    demand(data[3] & 0x70 == 0x40, "the bits of byte 3 are wrong")
    demand((data[3] & 15) + 1 == len(packages), "the number of packages is wrong")
    demand(data[6:8] == b"\0\x80", "the segment size is not 32768")
    demand(data[44:84] == b"\xff" * 40, "bytes 44 to 83 are not FF")
    demand(sum(package["segments"] for package in packages) <= SEGMENTS_LIMIT, "too many segments")
    for place, package in enumerate(packages):
        part = CARRIED.get(package["attribute"])
        payload = decoder.Payload(package["payload"])
        demand(part, "a package is for neither AP nor CP")
        demand(package["index"] == place, "a package's index is not its place")
        demand(package["reverse"] == (payload.order == "RvsO"), "a package's order bit is wrong")
        demand(package["head_size"] in (112, 120, 128), "a package's head has a wrong length")
        demand(package["segments"] == len(payload.parts), "the number of segments is wrong")
        demand(package["new_size"] == payload.new_size, "the payload makes an image of another size")
        demand(package["base_size"] == payload.old_size, "the payload is for a base of another size")
        demand(max(package["new_size"], package["base_size"]) <= ZONES[part], "an image is beyond its zone")
    demand(len({package["attribute"] for package in packages}) == len(packages), "two packages change one part")


# ---- Wrappers --------------------------------------------------------------------------------------------------------


def read_luatos(data):
    words = struct.unpack("<15I", data[:60])
    magic, crc, common_size, sdk_size = words[0], words[1], words[13], words[14]
    demand(zlib.crc32(data[8:92]) ^ 0xFFFFFFFF == crc, "the head's crc is wrong")
    demand(92 + common_size + sdk_size == len(data), "the head's lengths do not add up to the file")
    common = data[92 : 92 + common_size]
    digest = hashlib.md5(common).digest() if common else bytes(16)
    demand(digest == data[60:76], "the MD5 of the common data is wrong")
    sdk = data[92 + common_size :]
    demand(
        data[76:92] in (bytes(16), hashlib.md5(sdk).digest()), "the MD5 of the core data is neither right nor zeros"
    )
    return {
        "chip": LUATOS_MAGICS[magic],
        "main_version": words[2:7],
        "app_version": words[7],
        "std_version": words[8:13],
        "full": words[6] == 0xFFFFFFFF and magic == 0xEAF18C16,
        "sectors": read_sectors(common, magic),
        "sdk_md5": data[76:92].hex(),
        "sdk": sdk,
    }


def read_sectors(data, magic):
    sectors = []
    while data:
        demand(len(data) >= 36, "the common data is cut off")
        end = 36 + struct.unpack("<I", data[4:8])[0]
        demand(end <= len(data), "the common data's head does not fit")
        sectors.append(read_sector(data[:end], magic))
        data = data[end:]
    return sectors


def read_sector(data, magic):
    """36-byte head, then chunks: a byte of properties' length, properties, u32 length, raw LZMA."""
    own_magic, total, plain_size = struct.unpack("<III", data[:12])
    block, start = struct.unpack("<II", data[28:36])
    demand(own_magic == magic, "the common data's head does not fit")
    demand(block == BLOCK, "the blocks of the common data have %d bytes, and must have %d" % (block, BLOCK))
    demand(plain_size not in (0, total), "a bootloader takes the sector for one that is not compressed")
    plain = b""
    at = 36
    while at < len(data):
        count = data[at]
        properties = data[at + 1 : at + 1 + count]
        (size,) = struct.unpack("<I", data[at + 1 + count : at + 5 + count])
        at += 5 + count
        demand(at + size <= len(data), "a chunk of the common data is cut off")
        plain += unpack_chunk(data[at : at + size], properties, min(block, plain_size - len(plain)))
        at += size
    demand(len(plain) == plain_size, "the common data unpacks to %d bytes" % len(plain))
    demand(hashlib.md5(plain).digest() == data[12:28], "the MD5 of the unpacked common data is wrong")
    return {"block": block, "start_address": start, "packed": total, "size": plain_size, "data": plain}


def unpack_chunk(packed, properties, size):
    demand(len(properties) == 5, "LZMA properties have five bytes")
    code, dictionary = struct.unpack("<BI", properties)
    demand(code and code < 225 and code % 9 + code // 9 % 5 <= 4, "the LZMA properties %d are not supported" % code)
    demand(dictionary <= BLOCK, "a dictionary of %d bytes is larger than a block" % dictionary)
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_ALONE)  # a head with the size, so that the end is checked
    plain = unpacker.decompress(struct.pack("<BIQ", code, max(dictionary, 4096), size) + packed)
    demand(unpacker.eof and len(plain) == size and not unpacker.unused_data, "a chunk does not unpack to its size")
    return plain


def unwrap(data):
    """(name of the wrapper, its own fields, the .par)"""
    if data[:6] == AT_MARK:
        demand(len(data) >= 10 and struct.unpack(">I", data[6:10])[0] == len(data) - 10, "the AT framing's length is wrong")
        return "at", {}, data[10:]
    if len(data) >= 92 and struct.unpack("<I", data[:4])[0] in LUATOS_MAGICS:
        fields = read_luatos(data)
        return "luatos", fields, fields["sdk"]
    return "bare", {}, data


# ---- A release -------------------------------------------------------------------------------------------------------

KEPT_END = 0x304000


def looks_like_soc(data):
    return data[:4] == b"PK\3\4"


def read_soc(data):
    """The parts, and the places of the script in flash."""
    files = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            files[name.split("/")[-1]] = archive.read(name)
    info = json.loads(files["info.json"])
    address, area = int(info["download"]["script_addr"], 16), info["rom"]["fs"]["script"]["size"] * 1024
    demand(address + area == int(info["fota"]["full_addr"], 16), "the script area does not end where packed scripts begin")
    script = files.get(info.get("script", {}).get("file", "script.bin"), b"")
    kept = kept_size(info, address + area, area)
    return {"rom": files[info["rom"]["file"]], "script": script, "address": address, "area": area, "kept": kept}


def kept_size(info, begin, area):
    """The size of the area from `begin` that keeps a packed script."""
    if info["chip"]["type"].lower() == "ec618":
        return KEPT_END - begin
    filesystem = info["rom"]["fs"].get("filesystem", {}).get("offset")
    delta = info["fota"].get("fota_len")
    if delta and filesystem and filesystem == info["download"].get("fs_addr"):
        return int(filesystem, 16) - int(delta, 16) - begin
    return area * 5 // 8


def new_script(release, sectors, size):
    """What a module's script area holds after the package, which says where it is written itself."""
    demand(len(sectors) == 1, "the package writes more than a script")
    common = sectors[0]
    demand(common["start_address"] == release["address"], "the script is written to another place")
    demand(common["size"] <= release["area"], "the script is larger than its area")
    demand(size <= release["kept"], "the packed script is larger than the area that keeps it")
    return common["data"]


# ---- The image -------------------------------------------------------------------------------------------------------


def flash_of(image):
    """What of an image a package can change: type to bytes."""
    if looks_like_soc(image):
        release = read_soc(image)
        return {**flash_of(release["rom"]), **({"script": release["script"]} if release["script"] else {})}
    if looks_like_binpkg(image):
        return {entry["type"]: entry["data"] for entry in read_binpkg(image) if entry["type"] in CARRIED.values()}
    return {"raw": image}


def rebuild(old, package):
    """(the file, its flash)"""
    import decoder

    _, fields, par = unwrap(package)
    flash = flash_of(old)
    demand(not fields.get("full"), "a full package is not applied to an old image")
    if fields.get("sectors"):
        demand(looks_like_soc(old), "the old image does not say where its script is")
        flash["script"] = new_script(read_soc(old), fields["sectors"], len(package) - 92 - len(par))
        if not par:
            return None, flash
    archive = read_par(par)
    check_rules(par, archive)
    for part in archive["packages"]:
        kind = CARRIED[part["attribute"]]
        kind = "raw" if "raw" in flash and kind == "AP" else kind
        demand(kind in flash, "the package changes a part that the old image does not have")
        base = flash[kind]
        demand(len(base) == part["base_size"], "the base image has another size")
        demand(hashlib.sha256(base).hexdigest() == part["base_sha256"], "the base image is another one")
        made = decoder.apply(base, part["payload"])
        demand(len(made) == part["new_size"], "the new image has another size")
        demand(hashlib.sha256(made).hexdigest() == part["new_sha256"], "the new image has another hash")
        flash[kind] = made
    if "raw" in flash:
        return flash["raw"], flash
    if looks_like_soc(old):
        return None, flash
    out = old[: binpkg_head_size(old)]
    for entry in read_binpkg(old):
        image = flash.get(entry["type"], entry["data"])
        head = bytearray(old[entry["at"] - 364 : entry["at"]])
        head[76:80] = struct.pack("<I", len(image))
        if image != entry["data"]:
            digits = hashlib.sha256(image).hexdigest()
            upper = any(65 <= byte <= 70 for byte in head[80:144])
            head[80:144] = (digits.upper() if upper else digits).encode()
        out += bytes(head) + image
    return out, flash


# ---- Command line ----------------------------------------------------------------------------------------------------


def listing(data):
    if looks_like_binpkg(data):
        return {"kind": "binpkg", "head": data[: binpkg_head_size(data)].hex(), "entries": read_binpkg(data)}
    wrapper, fields, par = unwrap(data)
    found = {"kind": wrapper, **fields}
    if par:
        found["par"] = read_par(par, whole=len(par) >= struct.unpack("<I", par[8:12])[0])
    return found


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(arguments):
    verb = arguments[0] if arguments else ""
    if verb == "list" and len(arguments) == 2:
        print(json.dumps(listing(read(arguments[1])), indent=1, default=lambda data: "%d bytes" % len(data)))
    elif verb == "apply" and len(arguments) == 4:
        new, _ = rebuild(read(arguments[1]), read(arguments[2]))
        demand(new is not None, "a .soc is not written, only checked")
        with open(arguments[3], "wb") as file:
            file.write(new)
    elif verb == "check" and len(arguments) == 4:
        _, flash = rebuild(read(arguments[1]), read(arguments[2]))
        demand(flash == flash_of(read(arguments[3])), "the image made is not the new one")
    else:
        raise Refused(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Refused, struct.error, lzma.LZMAError) as refused:
        print(refused, file=sys.stderr)
        sys.exit(1)
    except Exception as refused:
        if type(refused).__name__ != "Refused":  # decoder's own
            raise
        print(refused, file=sys.stderr)
        sys.exit(1)
