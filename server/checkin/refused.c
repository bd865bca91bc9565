/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/refused.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/http/request.h"
#include "server/core/log.h"

#define ROOM            256
#define ROOM_OF_NOBODY  64 /* requests whose product is unknown */
#define ROOM_OF_PRODUCT 32
#define FLUSH_MS        30000
#define VALUE_MAX       255 /* bytes of a parameter; a longer one is malformed */

struct refused {
    pthread_mutex_t lock;
    struct unknown row[ROOM];
    unsigned used, storing; /* the first `storing` rows are being stored */
    uint64_t left_out;
    int64_t flushed_ms; /* boot clock */
    bool hurry;
};

bool refused_open(struct refused **ret, struct error *err)
{
    struct refused *refused = calloc(1, sizeof *refused);
    if (!refused)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    pthread_mutex_init(&refused->lock, NULL);
    refused->flushed_ms = clock_boot_ms();
    *ret = refused;
    return true;
}

/* Text */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static unsigned char next_byte(struct slice *raw)
{
    unsigned char c = (unsigned char)raw->ptr[0];
    size_t taken = 1;
    if (c == '%' && raw->len >= 3 && hex_value(raw->ptr[1]) >= 0 && hex_value(raw->ptr[2]) >= 0) {
        c = (unsigned char)(hex_value(raw->ptr[1]) << 4 | hex_value(raw->ptr[2]));
        taken = 3;
    }
    *raw = (struct slice){raw->ptr + taken, raw->len - taken};
    return c;
}

/* A whole character of UTF-8 at the front, or one byte as \xNN. *ret_used: bytes in `out`. */
static size_t show_one(const char *bytes, size_t len, char out[8], size_t *ret_used)
{
    unsigned char first = (unsigned char)bytes[0];
    size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first != '\\' && size <= len && slice_is_clean_utf8((struct slice){bytes, size})) {
        memcpy(out, bytes, size);
        *ret_used = size;
        return size;
    }
    *ret_used = (size_t)snprintf(out, 8, "\\x%02X", first);
    return 1;
}

void refused_show(struct slice raw, char *out, size_t out_size)
{
    char bytes[512];
    size_t len = 0, used = 0, at = 0;
    while (raw.len && len < sizeof bytes)
        bytes[len++] = (char)next_byte(&raw);
    out[0] = '\0';
    while (at < len) {
        char one[8];
        size_t size, taken = show_one(bytes + at, len - at, one, &size);
        if (used + size + sizeof "…" > out_size) {
            snprintf(out + used, out_size - used, "…");
            return;
        }
        memcpy(out + used, one, size);
        used += size;
        out[used] = '\0';
        at += taken;
    }
}

/* The refusal as a row */

static void name_device(const struct client_identity *client, const struct facts *facts, struct unknown *row)
{
    char device[UNKNOWN_DEVICE_SIZE] = "";
    if (facts->device.id)
        snprintf(device, sizeof device, "%s:%s", identity_kind_name(facts->device.id_kind),
                 facts->device.device);
    else if (client->id_usable)
        snprintf(device, sizeof device, "%s:%s", identity_kind_name(client->identity.kind),
                 client->identity.id);
    else
        snprintf(device, sizeof device, "%.*s", (int)sizeof device - 1, client->said.id);
    for (char *c = device; *c; c++)
        if (*c == ' ') /* a blank separates devices */
            *c = '_';
    if (device[0])
        unknown_put_device(row, device);
}

static void name_version(const struct client_identity *client, const struct facts *facts, struct unknown *row)
{
    snprintf(row->firmware, sizeof row->firmware, "%s", facts->firmware.name);
    if (facts->snapshot.base.count)
        version_format(&facts->snapshot.base, row->text);
    else
        snprintf(row->text, sizeof row->text, "%s", client->said.version);
}

/* A known product is refused with this code when the secret of the device is missing or wrong. */
static void name_product(const struct client_identity *client, const struct facts *facts, struct unknown *row)
{
    bool known = facts->product.id;
    row->kind = known ? UNKNOWN_ID : UNKNOWN_PRODUCT;
    if (!known)
        row->product[0] = '\0';
    snprintf(row->text, sizeof row->text, "%s", known ? client->said.id : client->said.product_key);
}

bool refused_read(const struct client_identity *client, const struct facts *facts,
                  const struct decision *decision, struct unknown *ret)
{
    *ret = (struct unknown){.code = answer_code(decision->answer),
                            .count = 1,
                            .first_ms = facts->checkin.now_ms,
                            .last_ms = facts->checkin.now_ms};
    snprintf(ret->product, sizeof ret->product, "%s", facts->product.product_key);
    switch (decision->answer) {
    case ANSWER_BAD_PRODUCT:
        name_product(client, facts, ret);
        break;
    case ANSWER_BAD_FIRMWARE:
    case ANSWER_NOT_TOGETHER:
        ret->kind = UNKNOWN_FIRMWARE;
        snprintf(ret->text, sizeof ret->text, "%s",
                 client->firmware[0] ? client->firmware : client->said.firmware);
        break;
    case ANSWER_NO_BASE:
        ret->kind = UNKNOWN_VERSION;
        name_version(client, facts, ret);
        break;
    case ANSWER_BAD_DEVICE:
        if (!facts->product.id) /* an unknown link */
            return false;
        ret->kind = UNKNOWN_ID;
        snprintf(ret->text, sizeof ret->text, "%s", client->said.id);
        break;
    default:
        return false;
    }
    if (ret->kind != UNKNOWN_ID)
        name_device(client, facts, ret);
    return true;
}

static bool is_malformed(struct slice raw)
{
    char text[VALUE_MAX + 1];
    size_t len;
    return !slice_percent_decode(raw, text, sizeof text, &len) ||
           !slice_is_clean_utf8((struct slice){text, len});
}

bool refused_read_malformed(struct slice query, int64_t now_ms, struct unknown *ret)
{
    static const struct {
        const char *parameter;
        enum unknown_kind kind;
    } table[] = {{"project_key", UNKNOWN_PRODUCT},
                 {"imei", UNKNOWN_ID},
                 {"mac", UNKNOWN_ID},
                 {"uid", UNKNOWN_ID},
                 {"firmware_name", UNKNOWN_FIRMWARE},
                 {"script_name", UNKNOWN_FIRMWARE},
                 {"model", UNKNOWN_FIRMWARE},
                 {"core_name", UNKNOWN_FIRMWARE},
                 {"version", UNKNOWN_VERSION},
                 {"core_version", UNKNOWN_VERSION},
                 {"script_version", UNKNOWN_VERSION}};
    struct slice raw;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!query_raw(query, table[i].parameter, &raw) || !is_malformed(raw))
            continue;
        *ret = (struct unknown){
            .kind = table[i].kind, .code = 400, .count = 1, .first_ms = now_ms, .last_ms = now_ms};
        refused_show(raw, ret->text, sizeof ret->text);
        return true;
    }
    return false;
}

/* Counting */

static struct unknown *find_room(struct refused *refused, const struct unknown *row)
{
    unsigned of_product = 0;
    for (unsigned i = 0; i < refused->used; i++) {
        if (i >= refused->storing && unknown_is_same(&refused->row[i], row))
            return &refused->row[i];
        of_product += strcmp(refused->row[i].product, row->product) == 0;
    }
    if (refused->used == ROOM || of_product >= (row->product[0] ? ROOM_OF_PRODUCT : ROOM_OF_NOBODY))
        return NULL;
    struct unknown *made = &refused->row[refused->used++];
    *made = *row;
    made->count = 0;
    return made;
}

void refused_add(struct refused *refused, const struct unknown *row)
{
    pthread_mutex_lock(&refused->lock);
    struct unknown *there = find_room(refused, row);
    if (there) {
        struct slice device = slice_of(row->devices);
        there->count++;
        there->code = row->code;
        there->last_ms = row->last_ms;
        if (device.len)
            unknown_put_device(there, row->devices);
    } else {
        refused->left_out++;
    }
    pthread_mutex_unlock(&refused->lock);
}

void refused_hurry(struct refused *refused)
{
    pthread_mutex_lock(&refused->lock);
    refused->hurry = true;
    pthread_mutex_unlock(&refused->lock);
}

bool refused_store(struct refused *refused, struct db *db, struct error *err)
{
    pthread_mutex_lock(&refused->lock);
    bool due = refused->hurry || clock_boot_ms() - refused->flushed_ms >= FLUSH_MS;
    refused->storing = due ? refused->used : 0;
    unsigned count = refused->storing;
    pthread_mutex_unlock(&refused->lock);
    /* Rows below `storing` do not change until refused_flushed(). */
    for (unsigned i = 0; i < count; i++)
        if (!unknown_add(db, &refused->row[i], err) || !unknown_trim(db, refused->row[i].product, err))
            return false;
    return true;
}

void refused_flushed(struct refused *refused, bool committed)
{
    struct log_number number;
    uint64_t left_out = 0;
    pthread_mutex_lock(&refused->lock);
    if (committed && refused->storing) {
        refused->used -= refused->storing;
        memmove(refused->row, refused->row + refused->storing, refused->used * sizeof *refused->row);
        refused->flushed_ms = clock_boot_ms();
        refused->hurry = false;
        left_out = refused->left_out;
        refused->left_out = 0;
    }
    refused->storing = 0;
    pthread_mutex_unlock(&refused->lock);
    if (left_out)
        log_line(LOG_LEVEL_WARN, "unknown-left-out", "count", log_i64(&number, (long long)left_out), NULL);
}

void refused_close(struct refused *refused)
{
    if (!refused)
        return;
    pthread_mutex_destroy(&refused->lock);
    free(refused);
}
