/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/lzma/lzma.h"

#include <lzma.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "delta/lzma/model.h"
#include "delta/lzma/optimum.h"
#include "delta/lzma/prices.h"

#define PROPERTIES     0x5D /* lc 3, lp 0, pb 2 */
#define DICTIONARY     CHAIN_DISTANCE_MAX
#define DICTIONARY_AT  1
#define PLAIN_BYTES_AT 5

/* ---- Packing ---- */

struct packer {
    struct range_coder coder;
    struct model model;
    struct prices prices;
    struct optimum optimum;
};

static void pack_step(struct packer *packer, struct bytes plain, size_t position, struct step step)
{
    model_encode(&packer->model, &packer->coder, plain, position, step);
    prices_count(&packer->prices, step);
    packer->optimum.ahead -= step.len;
    if (packer->optimum.ahead == 0)
        prices_update(&packer->prices);
}

static bool pack(struct packer *packer, struct buffer *out, struct bytes plain, struct error *err)
{
    range_coder_init(&packer->coder, out);
    model_init(&packer->model);
    prices_init(&packer->prices, &packer->model.p);
    optimum_init(&packer->optimum, &packer->model, &packer->prices, plain);
    size_t position = 0;
    if (plain.len > 0) {
        optimum_search(&packer->optimum);
        pack_step(packer, plain, position++, (struct step){1, STEP_LITERAL});
    }
    while (position < plain.len) {
        struct step step = optimum_next(&packer->optimum, position);
        pack_step(packer, plain, position, step);
        position += step.len;
    }
    return range_coder_finish(&packer->coder, err);
}

bool lzma_device_pack(struct buffer *out, struct bytes plain, struct error *err)
{
    uint8_t head[LZMA_HEAD_BYTES] = {PROPERTIES};
    size_t before = out->len;
    if (plain.len > LZMA_PLAIN_MAX)
        return error_set(err, ERROR_TOO_LARGE, "a section of %zu bytes cannot be packed: the limit is %d",
                         plain.len, LZMA_PLAIN_MAX);
    little_put_u32(head + DICTIONARY_AT, DICTIONARY);
    little_put_u32(head + PLAIN_BYTES_AT, (uint32_t)plain.len);
    _cleanup_(cleanup_free) struct packer *packer = malloc(sizeof *packer);
    if (!packer)
        return error_set(err, ERROR_INTERNAL, "no memory to pack a section");
    if (buffer_reserve(out, sizeof head + plain.len, err) && buffer_add(out, head, sizeof head, err) &&
        pack(packer, out, plain, err))
        return true;
    out->len = before;
    return false;
}

/* ---- Unpacking ---- */

static bool read_head(struct bytes packed, size_t limit, size_t *plain_bytes, struct error *err)
{
    if (packed.len < LZMA_HEAD_BYTES)
        return error_set(err, ERROR_CORRUPT, "a packed section is cut off: it has %zu bytes", packed.len);
    uint32_t dictionary = little_u32(packed.ptr + DICTIONARY_AT);
    uint64_t size =
        little_u32(packed.ptr + PLAIN_BYTES_AT) | (uint64_t)little_u32(packed.ptr + PLAIN_BYTES_AT + 4) << 32;
    if (packed.ptr[0] != PROPERTIES || dictionary != DICTIONARY)
        return error_set(err, ERROR_CORRUPT,
                         "a packed section has other LZMA settings than a module: %02x %08x", packed.ptr[0],
                         dictionary);
    if (limit > LZMA_PLAIN_MAX)
        limit = LZMA_PLAIN_MAX;
    *plain_bytes = (size_t)size;
    return size <= limit ||
           error_set(err, ERROR_CORRUPT, "a packed section states %ju unpacked bytes; the limit is %zu",
                     (uintmax_t)size, limit);
}

bool lzma_device_unpack(struct buffer *out, struct bytes packed, size_t limit, struct error *err)
{
    size_t bytes, from = LZMA_HEAD_BYTES, used = 0;
    if (!read_head(packed, limit, &bytes, err) ||
        !buffer_reserve(out, bytes + 1, err)) /* liblzma needs a pointer, also for no bytes */
        return false;
    lzma_options_lzma options = {.dict_size = DICTIONARY, .lc = 3, .lp = 0, .pb = 2};
    lzma_set_ext_size(options, bytes); /* the size is known, so there is no end marker */
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    lzma_ret result = lzma_raw_buffer_decode(filters, NULL, packed.ptr, &from, packed.len,
                                             out->ptr + out->len, &used, bytes);
    if (result == LZMA_MEM_ERROR)
        return error_set(err, ERROR_INTERNAL, "no memory to unpack a section");
    if (result != LZMA_OK || used != bytes || from != packed.len)
        return error_set(err, ERROR_CORRUPT, "a packed section does not unpack to exactly %zu bytes", bytes);
    out->len += bytes;
    return true;
}
