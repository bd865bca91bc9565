/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/module.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/bzip2/decode.h"

struct ec618_module {
    struct ec618_payload payload;
    struct buffer flash; /* the old image in the beginning, the new image at the end */
    uint8_t backup[EC618_BLOCK_BYTES];
    struct {
        unsigned int place; /* index of the current part */
        bool backed_up;     /* the block is in the backup, and may be half written in the flash */
    } progress;
    struct ec618_supply supply; /* used while the module runs */
    bool power_failed;
};

bool ec618_module_new(struct bytes old, struct bytes payload, size_t max_bytes, struct ec618_module **ret,
                      struct error *err)
{
    struct ec618_module *m = calloc(1, sizeof *m);
    if (!m)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    bool ok = ec618_payload_open(payload, &m->payload, err);
    if (ok && m->payload.old_bytes != old.len)
        ok = error_set(err, ERROR_CORRUPT, "the payload is for an old image of %" PRIu32 " bytes, not of %zu",
                       m->payload.old_bytes, old.len);
    if (ok && m->payload.new_bytes > max_bytes)
        ok = error_set(err, ERROR_TOO_LARGE, "the new image would have %" PRIu32 " bytes; the limit is %zu",
                       m->payload.new_bytes, max_bytes);
    /* Flash has whole blocks, so the last block of an image can be backed up too. */
    size_t size = old.len > m->payload.new_bytes ? old.len : m->payload.new_bytes;
    size += EC618_BLOCK_BYTES;
    ok = ok && buffer_add(&m->flash, old.ptr, old.len, err) && buffer_reserve(&m->flash, size - old.len, err);
    if (!ok) {
        ec618_module_free(m);
        return false;
    }
    memset(m->flash.ptr + old.len, 0xFF, size - old.len);
    m->flash.len = size;
    *ret = m;
    return true;
}

void ec618_module_free(struct ec618_module *module)
{
    if (!module)
        return;
    buffer_free(&module->flash);
    free(module);
}

struct bytes ec618_module_image(const struct ec618_module *module)
{
    return (struct bytes){module->flash.ptr, module->payload.new_bytes};
}

struct block { /* the block that is built, in RAM */
    struct bytes plain;
    size_t at;      /* read position in `plain` */
    int64_t old_at; /* may be outside of old; 64 bits are enough for all records of a part */
    uint8_t *made;
    size_t len, size;
};

/* Numbers have 31 bits of magnitude. The top bit is the sign. */
static int64_t get_number(const uint8_t *from)
{
    int64_t magnitude = from[0] | from[1] << 8 | from[2] << 16 | (from[3] & 0x7F) << 24;
    return from[3] & 0x80 ? -magnitude : magnitude;
}

/* Diff bytes outside of the window are used unchanged. */
static void add_diff(struct block *b, const uint8_t *flash, struct ec618_window window, size_t len)
{
    for (; len > 0; len--, b->old_at++) {
        uint8_t byte = b->plain.ptr[b->at++];
        if (b->old_at >= (int64_t)window.from && b->old_at < (int64_t)window.to)
            byte = (uint8_t)(byte + flash[b->old_at]);
        b->made[b->len++] = byte;
    }
}

static bool add_record(struct block *b, const uint8_t *flash, struct ec618_window window, struct error *err)
{
    if (b->plain.len - b->at < EC618_RECORD_BYTES)
        return error_set(err, ERROR_CORRUPT, "its stream ends before the block is complete");
    const uint8_t *record = b->plain.ptr + b->at;
    int64_t diff = get_number(record), extra = get_number(record + 4), seek = get_number(record + 8);
    b->at += EC618_RECORD_BYTES;
    if (diff < 0 || extra < 0)
        return error_set(err, ERROR_CORRUPT, "a record has a negative length");
    if ((size_t)diff + (size_t)extra > b->size - b->len)
        return error_set(err, ERROR_CORRUPT, "a record goes past the end of the block");
    if ((size_t)diff + (size_t)extra > b->plain.len - b->at)
        return error_set(err, ERROR_CORRUPT, "its stream ends inside a record");
    add_diff(b, flash, window, (size_t)diff);
    memcpy(b->made + b->len, b->plain.ptr + b->at, (size_t)extra);
    b->len += (size_t)extra;
    b->at += (size_t)extra;
    b->old_at += seek;
    return true;
}

static bool build_records(const struct ec618_module *m, const struct ec618_part *part, uint8_t *made,
                          struct error *err)
{
    static const struct bzip_limits limits = {EC618_BZIP_BLOCK, EC618_PLAIN_MAX};
    _cleanup_(buffer_free) struct buffer plain = {0};
    if (!bzip_decode(part->stream, limits, &plain, NULL, err))
        return false;
    enum ec618_order order = m->payload.order;
    struct ec618_window window = ec618_payload_window(order, part->block, m->payload.old_bytes);
    struct block block = {
        .plain = buffer_bytes(&plain),
        .old_at = ec618_payload_start(order, part->block),
        .made = made,
        .size = part->new_bytes,
    };
    while (block.len < block.size)
        if (!add_record(&block, m->flash.ptr, window, err))
            return false;
    if (block.at < plain.len)
        return error_set(err, ERROR_CORRUPT, "its stream continues after its last record");
    return true;
}

static bool build_block(const struct ec618_module *m, const struct ec618_part *part, uint8_t *made,
                        struct error *err)
{
    struct error why;
    if (build_records(m, part, made, &why))
        return true;
    return error_set(err, why.code, "part %u: %s", part->block, why.text);
}

/* Whether the operation starts; it may fail half way. Without power nothing starts. */
static bool powered(struct ec618_module *m, enum ec618_flash operation, enum ec618_power *ret)
{
    if (m->power_failed)
        return false;
    *ret = m->supply.ask ? m->supply.ask(m->supply.context, operation, m->progress.place) : EC618_POWER_STAYS;
    m->power_failed = *ret != EC618_POWER_STAYS;
    return true;
}

static void write_block(struct ec618_module *m, enum ec618_flash operation, uint8_t *to, const uint8_t *from,
                        size_t len)
{
    enum ec618_power power;
    if (!powered(m, operation, &power))
        return;
    memset(to, 0xFF, len); /* flash is erased before it is written */
    memcpy(to, from, power == EC618_POWER_FAILS_IN ? len / 2 : len);
}

static void note(struct ec618_module *m, enum ec618_flash operation, unsigned int place, bool backed_up)
{
    enum ec618_power power;
    if (!powered(m, operation, &power) || power == EC618_POWER_FAILS_IN)
        return;
    m->progress.place = place;
    m->progress.backed_up = backed_up;
}

static bool take_part(struct ec618_module *m, struct error *err)
{
    unsigned int place = m->progress.place;
    const struct ec618_part *part = &m->payload.part[place];
    uint8_t *block = m->flash.ptr + (size_t)part->block * EC618_BLOCK_BYTES;
    uint8_t made[EC618_BLOCK_BYTES];
    if (part->flag != EC618_UNCHANGED) {
        if (m->progress.backed_up)
            write_block(m, EC618_FLASH_RESTORE, block, m->backup, EC618_BLOCK_BYTES);
        if (m->power_failed)
            return true;
        if (!build_block(m, part, made, err))
            return false;
        if (!m->progress.backed_up) {
            write_block(m, EC618_FLASH_BACKUP, m->backup, block, EC618_BLOCK_BYTES);
            note(m, EC618_FLASH_NOTE, place, true);
        }
        write_block(m, EC618_FLASH_WRITE, block, made, part->new_bytes);
    }
    note(m, EC618_FLASH_ADVANCE, place + 1, false);
    return true;
}

bool ec618_module_run(struct ec618_module *module, struct ec618_supply supply, bool *ret_done,
                      struct error *err)
{
    module->supply = supply;
    module->power_failed = false;
    while (module->progress.place < module->payload.parts && !module->power_failed)
        if (!take_part(module, err))
            return false;
    *ret_done = module->progress.place == module->payload.parts;
    return true;
}

bool ec618_module_apply(struct bytes old, struct bytes payload, size_t max_bytes, struct buffer *ret,
                        struct error *err)
{
    struct ec618_module *module;
    if (!ec618_module_new(old, payload, max_bytes, &module, err))
        return false;
    struct buffer image = {0};
    bool done;
    bool ok = ec618_module_run(module, (struct ec618_supply){0}, &done, err);
    if (ok) {
        struct bytes made = ec618_module_image(module);
        ok = buffer_add(&image, made.ptr, made.len, err);
    }
    ec618_module_free(module);
    if (ok)
        *ret = image;
    return ok;
}
