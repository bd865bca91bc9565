/* What stands around an EC618's `.par`, by who takes it: AT firmware wants ten bytes in front of it, CSDK
   nothing, LuatOS a head of 92 bytes that can carry a script beside it. Layout: doc/package-formats.md. */
#ifndef DFOTA_DELTA_WRAPPER_H
#define DFOTA_DELTA_WRAPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "delta/bytes.h"

#define WRAPPER_AT_BYTES     10
#define WRAPPER_LUATOS_BYTES 92
#define WRAPPER_SECTOR_BYTES 36
#define WRAPPER_EC618        0xEAF18C16U /* magic of the 92-byte head, by chip */
#define WRAPPER_EC7XX        0xEAC37218U
#define WRAPPER_MD5_BYTES    16

/* ---- AT ---- */

bool wrapper_at_owns(struct bytes bytes); /* does it begin as the framing does? */

/* Appends the framing and `par`. ERROR_TOO_LARGE from 4 GiB on; ERROR_INTERNAL: no memory. */
bool wrapper_at_add(struct buffer *out, struct bytes par, struct error *err)
    __attribute__((warn_unused_result));

/* *ret_par becomes what stands in it, a view, as much as is there; *ret_stated its length as it is stated.
   ERROR_CORRUPT: no framing. */
bool wrapper_at_read(struct bytes bytes, struct bytes *ret_par, uint32_t *ret_stated, struct error *err)
    __attribute__((warn_unused_result));

/* The same, and nothing may be missing or too much. */
bool wrapper_at_open(struct bytes bytes, struct bytes *ret_par, struct error *err)
    __attribute__((warn_unused_result));

/* ---- The 92-byte head of LuatOS, and of CSDK on EC7xx ---- */

struct wrapper_versions { /* zero asks for nothing: the vendor's scripts leave all of it zero */
    uint32_t main[5];     /* of the core that it leads to */
    uint32_t app;
    uint32_t base[5]; /* of the core that it may be applied to */
};

struct wrapper_luatos { /* views; cut short where the file is */
    uint32_t magic, crc, real_crc;
    struct wrapper_versions versions;
    uint32_t common_bytes, sdk_bytes; /* as stated */
    uint8_t common_md5[WRAPPER_MD5_BYTES], sdk_md5[WRAPPER_MD5_BYTES];
    struct bytes common; /* a sector, for scripts; empty without one */
    struct bytes sdk;    /* the `.par`; empty: only the script changes, and any core may take it */
    struct bytes rest;
};

bool wrapper_luatos_owns(struct bytes bytes); /* either chip's */

/* Appends head, common data and `.par`, either of which may be empty. ERROR_TOO_LARGE, ERROR_INTERNAL. */
bool wrapper_luatos_add(struct buffer *out, uint32_t magic, const struct wrapper_versions *versions,
                        struct bytes common, struct bytes par, struct error *err)
    __attribute__((warn_unused_result));

/* Reads what is there and checks nothing but the magic. ERROR_CORRUPT: no such head. */
bool wrapper_luatos_read(struct bytes bytes, struct wrapper_luatos *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Whether it is whole and sound: crc, lengths, MD5 of the common data, the common data's own head. Packed
   data is not unpacked. ERROR_CORRUPT says what is wrong; ERROR_INTERNAL: libcrypto has no MD5. */
bool wrapper_luatos_check(const struct wrapper_luatos *head, struct error *err)
    __attribute__((warn_unused_result));

/* ---- The common data of such a file: a head of 36 bytes and blocks, each packed by itself ---- */

struct wrapper_sector { /* a view */
    uint32_t magic, packed_bytes, plain_bytes, block_bytes, address;
    uint8_t md5[WRAPPER_MD5_BYTES]; /* of the unpacked data */
    struct bytes blocks;
};

struct wrapper_block { /* a view */
    struct bytes head, properties, packed;
};

/* ERROR_CORRUPT: not even the head is there. */
bool wrapper_sector_read(struct bytes common, struct wrapper_sector *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Takes the next block off the front of *rest. False at the end or where none stands, then *rest is what was
   not understood. */
bool wrapper_block_next(struct bytes *rest, struct wrapper_block *ret);

#endif
