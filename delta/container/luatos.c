/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/container/luatos.h"

#include <openssl/evp.h>
#include <string.h>
#include "base/chip.h"
#include "base/little.h"
#include "delta/container/sector.h"

uint32_t luatos_head_crc(const uint8_t head[LUATOS_HEAD_BYTES])
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = LUATOS_MAIN; i < LUATOS_HEAD_BYTES; i++) {
        crc ^= head[i];
        for (unsigned int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
    }
    return crc;
}

bool luatos_md5(struct bytes bytes, uint8_t ret[LUATOS_MD5_BYTES], struct error *err)
{
    memset(ret, 0, LUATOS_MD5_BYTES);
    if (bytes.len > 0 && EVP_Q_digest(NULL, "MD5", NULL, bytes.ptr, bytes.len, ret, NULL) != 1)
        return error_set(err, ERROR_INTERNAL, "libcrypto cannot compute MD5");
    return true;
}

uint32_t luatos_magic_of(const char *name)
{
    const char *chip = chip_of_name(name);
    if (!chip)
        return 0;
    return strcmp(chip, CHIP_EC618) == 0 ? LUATOS_EC618 : LUATOS_EC7XX;
}

bool luatos_owns(struct bytes bytes)
{
    if (bytes.len < 4)
        return false;
    uint32_t magic = little_u32(bytes.ptr);
    return magic == LUATOS_EC618 || magic == LUATOS_EC7XX;
}

bool luatos_has_script(struct bytes bytes)
{
    return bytes.len >= LUATOS_HEAD_BYTES && little_u32(bytes.ptr + LUATOS_COMMON) > 0;
}

bool luatos_owns_full(struct bytes bytes)
{
    return luatos_owns(bytes) && bytes.len >= LUATOS_HEAD_BYTES &&
           little_u32(bytes.ptr + LUATOS_APP - 4) == LUATOS_MAIN_FULL;
}

/* Takes at most `wanted` bytes from *rest. */
static struct bytes take(struct bytes *rest, size_t wanted)
{
    struct bytes taken = {rest->ptr, wanted < rest->len ? wanted : rest->len};
    *rest = (struct bytes){rest->ptr + taken.len, rest->len - taken.len};
    return taken;
}

bool luatos_read(struct bytes bytes, struct luatos_file *ret, struct error *err)
{
    if (!luatos_owns(bytes) || bytes.len < LUATOS_HEAD_BYTES)
        return error_set(err, ERROR_CORRUPT, "this is not a file with a head of 92 bytes");
    const uint8_t *head = bytes.ptr;
    *ret = (struct luatos_file){
        .magic = little_u32(head),
        .crc = little_u32(head + LUATOS_CRC),
        .real_crc = luatos_head_crc(head),
        .versions.app = little_u32(head + LUATOS_APP),
        .common_bytes = little_u32(head + LUATOS_COMMON),
        .sdk_bytes = little_u32(head + LUATOS_SDK),
        .rest = {head + LUATOS_HEAD_BYTES, bytes.len - LUATOS_HEAD_BYTES},
    };
    for (size_t i = 0; i < 5; i++) {
        ret->versions.main[i] = little_u32(head + LUATOS_MAIN + 4 * i);
        ret->versions.base[i] = little_u32(head + LUATOS_BASE + 4 * i);
    }
    memcpy(ret->common_md5, head + LUATOS_COMMON_MD5, LUATOS_MD5_BYTES);
    memcpy(ret->sdk_md5, head + LUATOS_SDK_MD5, LUATOS_MD5_BYTES);
    ret->common = take(&ret->rest, ret->common_bytes);
    ret->sdk = take(&ret->rest, ret->sdk_bytes);
    return true;
}

/* No module reads this MD5, and older files have zeros. */
static bool check_sdk(const struct luatos_file *head, struct error *err)
{
    static const uint8_t not_stated[LUATOS_MD5_BYTES];
    uint8_t md5[LUATOS_MD5_BYTES];
    if (memcmp(head->sdk_md5, not_stated, sizeof md5) == 0)
        return true;
    if (!luatos_md5(head->sdk, md5, err))
        return false;
    return memcmp(md5, head->sdk_md5, sizeof md5) == 0 ||
           error_set(err, ERROR_CORRUPT, "the core data is damaged: it does not have the stated MD5");
}

bool luatos_check(const struct luatos_file *head, struct error *err)
{
    uint8_t md5[LUATOS_MD5_BYTES];
    if (head->crc != head->real_crc)
        return error_set(err, ERROR_CORRUPT, "the head is damaged: its checksum is %08x, not %08x as stated",
                         head->real_crc, head->crc);
    if (head->common.len != head->common_bytes || head->sdk.len != head->sdk_bytes)
        return error_set(err, ERROR_CORRUPT, "the file is cut off: its head states %u + %u bytes",
                         head->common_bytes, head->sdk_bytes);
    if (head->rest.len > 0)
        return error_set(err, ERROR_CORRUPT, "%zu bytes follow after the data that the head states",
                         head->rest.len);
    if (!luatos_md5(head->common, md5, err))
        return false;
    if (memcmp(md5, head->common_md5, sizeof md5) != 0)
        return error_set(err, ERROR_CORRUPT, "the common data is damaged: it does not have the stated MD5");
    return check_sdk(head, err) && sector_check_all(head->common, head->magic, err);
}

/* ---- The common data ---- */

bool luatos_sector_read(struct bytes common, struct luatos_sector *ret, struct error *err)
{
    if (!luatos_owns(common) || common.len < LUATOS_SECTOR_BYTES)
        return error_set(err, ERROR_CORRUPT, "the common data has no head of 36 bytes");
    const uint8_t *head = common.ptr;
    *ret = (struct luatos_sector){
        .magic = little_u32(head),
        .packed_bytes = little_u32(head + 4),
        .plain_bytes = little_u32(head + 8),
        .block_bytes = little_u32(head + 28),
        .address = little_u32(head + 32),
        .blocks = {head + LUATOS_SECTOR_BYTES, common.len - LUATOS_SECTOR_BYTES},
    };
    memcpy(ret->md5, head + 12, LUATOS_MD5_BYTES);
    return true;
}

bool luatos_block_next(struct bytes *rest, struct luatos_block *ret)
{
    if (rest->len < 1)
        return false;
    size_t properties = rest->ptr[0], head = 1 + properties + 4;
    if (rest->len < head)
        return false;
    size_t packed = little_u32(rest->ptr + 1 + properties);
    if (packed > rest->len - head)
        return false;
    *ret = (struct luatos_block){
        .head = {rest->ptr, head},
        .properties = {rest->ptr + 1, properties},
        .packed = {rest->ptr + head, packed},
    };
    take(rest, head + packed);
    return true;
}
