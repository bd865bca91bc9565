/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/dialect.h"

#include <stdio.h>
#include <string.h>
#include "base/slice.h"

#define VENDOR_PATH "/api/site/firmware_upgrade?"

const struct dialect dialect_table[] = {
    {"luatos", "project_key={key}&firmware_name={firmware}&version={version}&imei={imei}", false, 2000},
    {"luatos-2024", "project_key={key}&imei={imei}&device_key=&firmware_name={firmware}&version={version}",
     false, 2000},
    {"fota2", "imei={imei}&project_key={key}&firmware_name={firmware}&version={version}", false, 2000},
    {"air724",
     "project_key={key}&imei={imei}&firmware_name={firmware}&core_version={core}&dfota=1&version={script}",
     true, 30000},
    {"csdk", "project_key={key}&imei={imei}&device_key=&firmware_name={version}_{firmware}&version={version}",
     false, 2000},
    {"fota2-mac", "mac={imei}&project_key={key}&firmware_name={firmware}&version={version}", false, 2000},
    {"uid-bytes", "project_key={key}&firmware_name={firmware}&version={version}&uid={bytes}", false, 2000},
    {"at",
     "project_key={key}&imei={imei}&firmware_name={firmware}&core_version={version}&dfota=1&version=0.0.0",
     false, 2000},
};

const size_t dialect_count = sizeof dialect_table / sizeof dialect_table[0];

const struct dialect *dialect_find(const char *name)
{
    for (size_t i = 0; i < dialect_count; i++)
        if (strcmp(dialect_table[i].name, name) == 0)
            return &dialect_table[i];
    return NULL;
}

/* "4030.1.0.1" is core 4030 with script 1.0.1; "4030" is core 4030 with script 1.0.0. */
static struct slice part_of(const char *version, bool core)
{
    struct slice rest = slice_of(version), first;
    slice_split(&rest, '.', &first);
    return core ? first : rest.len ? rest : slice_of("1.0.0");
}

/* The id is hex; its bytes are sent with few escapes, as the vendor's client does. */
static bool write_bytes(const char *hex, char *out, size_t out_size)
{
    char encoded[2] = "";
    size_t used = 0;
    for (; hex[0] && hex[1]; hex += 2) {
        const char escape[] = {'%', hex[0], hex[1], '\0'};
        size_t len;
        if (!slice_percent_decode(slice_of(escape), encoded, sizeof encoded, &len))
            return false;
        unsigned char byte = (unsigned char)encoded[0];
        bool plain = byte > 0x20 && byte != 0x7F && !strchr("%#&=+", byte);
        if (used + sizeof escape > out_size)
            return false;
        used += (size_t)snprintf(out + used, out_size - used, "%s", plain ? encoded : escape);
    }
    return used > 0 && !hex[0];
}

static const char *word_for(struct slice name, const struct dialect_words *words)
{
    if (slice_is(name, "key"))
        return words->key;
    if (slice_is(name, "imei"))
        return words->imei;
    return slice_is(name, "firmware") ? words->firmware : words->version;
}

static bool write_word(struct slice name, const struct dialect_words *words, char *out, size_t out_size)
{
    bool core = slice_is(name, "core");
    if (slice_is(name, "bytes"))
        return write_bytes(words->imei, out, out_size);
    if (core || slice_is(name, "script"))
        return slice_percent_encode(part_of(words->version, core), out, out_size);
    return slice_percent_encode(slice_of(word_for(name, words)), out, out_size);
}

bool dialect_write(const struct dialect *dialect, const char *path, const struct dialect_words *words,
                   char *out, size_t out_size)
{
    if (!slice_copy(slice_of(strcmp(path, "/") == 0 ? VENDOR_PATH : path), out, out_size))
        return false;
    struct slice rest = slice_of(dialect->query), piece, name;
    while (slice_split(&rest, '{', &piece)) {
        size_t used = strlen(out);
        if (!slice_copy(piece, out + used, out_size - used))
            return false;
        used += piece.len;
        if (rest.ptr && slice_split(&rest, '}', &name) &&
            !write_word(name, words, out + used, out_size - used))
            return false;
    }
    return true;
}
