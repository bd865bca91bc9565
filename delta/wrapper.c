#include "delta/wrapper.h"

#include <openssl/evp.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/little.h"

/* ---- AT ---- */

static const uint8_t at_mark[] = {0x7E, 0x00, 0x00, 0x00, 0x01, 0x7D};

bool wrapper_at_owns(struct bytes bytes)
{
    return bytes.len >= sizeof at_mark && memcmp(bytes.ptr, at_mark, sizeof at_mark) == 0;
}

bool wrapper_at_add(struct buffer *out, struct bytes par, struct error *err)
{
    uint8_t length[4];
    if (par.len > UINT32_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the AT framing holds less than 4 GiB");
    big_put_u32(length, (uint32_t)par.len);
    return buffer_add(out, at_mark, sizeof at_mark, err) && buffer_add(out, length, sizeof length, err) &&
           buffer_add(out, par.ptr, par.len, err);
}

bool wrapper_at_read(struct bytes bytes, struct bytes *ret_par, uint32_t *ret_stated, struct error *err)
{
    if (!wrapper_at_owns(bytes) || bytes.len < WRAPPER_AT_BYTES)
        return error_set(err, ERROR_CORRUPT, "this is no package with AT framing");
    *ret_stated = big_u32(bytes.ptr + sizeof at_mark);
    *ret_par = (struct bytes){bytes.ptr + WRAPPER_AT_BYTES, bytes.len - WRAPPER_AT_BYTES};
    return true;
}

bool wrapper_at_open(struct bytes bytes, struct bytes *ret_par, struct error *err)
{
    uint32_t stated = 0;
    struct bytes par = {0};
    if (!wrapper_at_read(bytes, &par, &stated, err))
        return false;
    if (stated != par.len)
        return error_set(err, ERROR_CORRUPT, "the AT framing is for %u bytes, and %zu follow", stated,
                         par.len);
    *ret_par = par;
    return true;
}

/* ---- The 92-byte head ---- */

#define HEAD_CRC        4
#define HEAD_MAIN       8
#define HEAD_APP        28
#define HEAD_BASE       32
#define HEAD_COMMON     52
#define HEAD_SDK        56
#define HEAD_COMMON_MD5 60
#define HEAD_SDK_MD5    76

/* zlib's crc32 over the head behind this field, but without the final inversion. */
static uint32_t head_crc(const uint8_t *head)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = HEAD_MAIN; i < WRAPPER_LUATOS_BYTES; i++) {
        crc ^= head[i];
        for (unsigned int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
    }
    return crc;
}

/* Of nothing it is all zero, as the vendor's tool writes it. */
static bool md5_of(struct bytes bytes, uint8_t ret[WRAPPER_MD5_BYTES], struct error *err)
{
    memset(ret, 0, WRAPPER_MD5_BYTES);
    if (bytes.len > 0 && EVP_Q_digest(NULL, "MD5", NULL, bytes.ptr, bytes.len, ret, NULL) != 1)
        return error_set(err, ERROR_INTERNAL, "libcrypto cannot compute MD5");
    return true;
}

bool wrapper_luatos_owns(struct bytes bytes)
{
    if (bytes.len < 4)
        return false;
    uint32_t magic = little_u32(bytes.ptr);
    return magic == WRAPPER_EC618 || magic == WRAPPER_EC7XX;
}

bool wrapper_luatos_add(struct buffer *out, uint32_t magic, const struct wrapper_versions *versions,
                        struct bytes common, struct bytes par, struct error *err)
{
    uint8_t head[WRAPPER_LUATOS_BYTES] = {0};
    if (common.len > UINT32_MAX || par.len > UINT32_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the head of 92 bytes holds less than 4 GiB");
    little_put_u32(head, magic);
    for (size_t i = 0; i < 5; i++) {
        little_put_u32(head + HEAD_MAIN + 4 * i, versions->main[i]);
        little_put_u32(head + HEAD_BASE + 4 * i, versions->base[i]);
    }
    little_put_u32(head + HEAD_APP, versions->app);
    little_put_u32(head + HEAD_COMMON, (uint32_t)common.len);
    little_put_u32(head + HEAD_SDK, (uint32_t)par.len);
    if (!md5_of(common, head + HEAD_COMMON_MD5, err)) /* the other MD5 is zero in every file seen */
        return false;
    little_put_u32(head + HEAD_CRC, head_crc(head));
    return buffer_add(out, head, sizeof head, err) && buffer_add(out, common.ptr, common.len, err) &&
           buffer_add(out, par.ptr, par.len, err);
}

/* At most `wanted` bytes off the front of *rest. */
static struct bytes take(struct bytes *rest, size_t wanted)
{
    struct bytes taken = {rest->ptr, wanted < rest->len ? wanted : rest->len};
    *rest = (struct bytes){rest->ptr + taken.len, rest->len - taken.len};
    return taken;
}

bool wrapper_luatos_read(struct bytes bytes, struct wrapper_luatos *ret, struct error *err)
{
    if (!wrapper_luatos_owns(bytes) || bytes.len < WRAPPER_LUATOS_BYTES)
        return error_set(err, ERROR_CORRUPT, "this is no file with a head of 92 bytes");
    const uint8_t *head = bytes.ptr;
    *ret = (struct wrapper_luatos){
        .magic = little_u32(head),
        .crc = little_u32(head + HEAD_CRC),
        .real_crc = head_crc(head),
        .versions.app = little_u32(head + HEAD_APP),
        .common_bytes = little_u32(head + HEAD_COMMON),
        .sdk_bytes = little_u32(head + HEAD_SDK),
        .rest = {head + WRAPPER_LUATOS_BYTES, bytes.len - WRAPPER_LUATOS_BYTES},
    };
    for (size_t i = 0; i < 5; i++) {
        ret->versions.main[i] = little_u32(head + HEAD_MAIN + 4 * i);
        ret->versions.base[i] = little_u32(head + HEAD_BASE + 4 * i);
    }
    memcpy(ret->common_md5, head + HEAD_COMMON_MD5, WRAPPER_MD5_BYTES);
    memcpy(ret->sdk_md5, head + HEAD_SDK_MD5, WRAPPER_MD5_BYTES);
    ret->common = take(&ret->rest, ret->common_bytes);
    ret->sdk = take(&ret->rest, ret->sdk_bytes);
    return true;
}

static bool check_sector(struct bytes common, struct error *err)
{
    struct wrapper_sector sector;
    if (!wrapper_sector_read(common, &sector, err))
        return false;
    if (sector.packed_bytes != sector.blocks.len)
        return error_set(err, ERROR_CORRUPT, "the common data should have %u packed bytes and has %zu",
                         sector.packed_bytes, sector.blocks.len);
    struct wrapper_block block;
    while (wrapper_block_next(&sector.blocks, &block))
        ;
    if (sector.blocks.len > 0)
        return error_set(err, ERROR_CORRUPT, "the blocks of the common data do not fill it");
    return true;
}

bool wrapper_luatos_check(const struct wrapper_luatos *head, struct error *err)
{
    uint8_t md5[WRAPPER_MD5_BYTES];
    if (head->crc != head->real_crc)
        return error_set(err, ERROR_CORRUPT, "the head is damaged: its checksum is %08x, and %08x is stated",
                         head->real_crc, head->crc);
    if (head->common.len != head->common_bytes || head->sdk.len != head->sdk_bytes)
        return error_set(err, ERROR_CORRUPT, "the file is cut off: %u + %u bytes should follow its head",
                         head->common_bytes, head->sdk_bytes);
    if (head->rest.len > 0)
        return error_set(err, ERROR_CORRUPT, "%zu bytes stand behind what the head tells of", head->rest.len);
    if (!md5_of(head->common, md5, err))
        return false;
    if (memcmp(md5, head->common_md5, sizeof md5) != 0)
        return error_set(err, ERROR_CORRUPT, "the common data is damaged: its MD5 is not the one stated");
    return head->common.len == 0 || check_sector(head->common, err);
}

/* ---- The common data ---- */

bool wrapper_sector_read(struct bytes common, struct wrapper_sector *ret, struct error *err)
{
    if (!wrapper_luatos_owns(common) || common.len < WRAPPER_SECTOR_BYTES)
        return error_set(err, ERROR_CORRUPT, "the common data has no head of 36 bytes");
    const uint8_t *head = common.ptr;
    *ret = (struct wrapper_sector){
        .magic = little_u32(head),
        .packed_bytes = little_u32(head + 4),
        .plain_bytes = little_u32(head + 8),
        .block_bytes = little_u32(head + 28),
        .address = little_u32(head + 32),
        .blocks = {head + WRAPPER_SECTOR_BYTES, common.len - WRAPPER_SECTOR_BYTES},
    };
    memcpy(ret->md5, head + 12, WRAPPER_MD5_BYTES);
    return true;
}

bool wrapper_block_next(struct bytes *rest, struct wrapper_block *ret)
{
    if (rest->len < 1)
        return false;
    size_t properties = rest->ptr[0], head = 1 + properties + 4;
    if (rest->len < head)
        return false;
    size_t packed = little_u32(rest->ptr + 1 + properties);
    if (packed > rest->len - head)
        return false;
    *ret = (struct wrapper_block){
        .head = {rest->ptr, head},
        .properties = {rest->ptr + 1, properties},
        .packed = {rest->ptr + head, packed},
    };
    take(rest, head + packed);
    return true;
}
