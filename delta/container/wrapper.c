/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/container/wrapper.h"

#include <string.h>
#include "base/little.h"

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
        return error_set(err, ERROR_TOO_LARGE, "a package for AT firmware must be smaller than 4 GiB");
    big_put_u32(length, (uint32_t)par.len);
    return buffer_add(out, at_mark, sizeof at_mark, err) && buffer_add(out, length, sizeof length, err) &&
           buffer_add(out, par.ptr, par.len, err);
}

bool wrapper_at_read(struct bytes bytes, struct bytes *ret_par, uint32_t *ret_stated, struct error *err)
{
    if (!wrapper_at_owns(bytes) || bytes.len < WRAPPER_AT_BYTES)
        return error_set(err, ERROR_CORRUPT, "this is not a package for AT firmware");
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
        return error_set(err, ERROR_CORRUPT, "the head of AT firmware states %u bytes, and %zu follow",
                         stated, par.len);
    *ret_par = par;
    return true;
}

/* ---- The 92-byte head ---- */

bool wrapper_luatos_add(struct buffer *out, uint32_t magic, const struct luatos_versions *versions,
                        struct bytes common, struct bytes par, struct error *err)
{
    uint8_t head[LUATOS_HEAD_BYTES] = {0};
    if (common.len > UINT32_MAX || par.len > UINT32_MAX)
        return error_set(err, ERROR_TOO_LARGE, "a package with the 92-byte head must be smaller than 4 GiB");
    little_put_u32(head, magic);
    for (size_t i = 0; i < 5; i++) {
        little_put_u32(head + LUATOS_MAIN + 4 * i, versions->main[i]);
        little_put_u32(head + LUATOS_BASE + 4 * i, versions->base[i]);
    }
    little_put_u32(head + LUATOS_APP, versions->app);
    little_put_u32(head + LUATOS_COMMON, (uint32_t)common.len);
    little_put_u32(head + LUATOS_SDK, (uint32_t)par.len);
    if (!luatos_md5(common, head + LUATOS_COMMON_MD5, err) || !luatos_md5(par, head + LUATOS_SDK_MD5, err))
        return false;
    little_put_u32(head + LUATOS_CRC, luatos_head_crc(head));
    return buffer_add(out, head, sizeof head, err) && buffer_add(out, common.ptr, common.len, err) &&
           buffer_add(out, par.ptr, par.len, err);
}

/* ---- Any ---- */

bool wrapper_add(struct buffer *out, enum wrapper wrapper, uint32_t magic, struct bytes script,
                 struct bytes par, struct error *err)
{
    static const struct luatos_versions any;
    switch (wrapper) {
    case WRAPPER_AT:
        return wrapper_at_add(out, par, err);
    case WRAPPER_HEAD:
    case WRAPPER_LUATOS:
        return wrapper_luatos_add(out, magic, &any, script, par, err);
    case WRAPPER_NONE:
        break;
    }
    return buffer_add(out, par.ptr, par.len, err);
}
