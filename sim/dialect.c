#include "sim/dialect.h"

#include <string.h>
#include "base/slice.h"

#define VENDOR_PATH "/api/site/firmware_upgrade?"

const struct dialect dialect_table[] = {
    {"luatos", "project_key={key}&firmware_name={firmware}&version={version}&imei={imei}", false, 2000},
    {"luatos-2024", "project_key={key}&imei={imei}&device_key=&firmware_name={firmware}&version={version}",
     false, 2000},
    {"fota2", "imei={imei}&project_key={key}&firmware_name={firmware}&version={version}", false, 2000},
    {"air724",
     "project_key={key}&imei={imei}&firmware_name={firmware}&core_version={version}&dfota=1&version=1.0.0",
     true, 30000},
    {"csdk", "project_key={key}&imei={imei}&device_key=&firmware_name={version}_{firmware}&version={version}",
     false, 2000},
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

static const char *word_for(struct slice name, const struct dialect_words *words)
{
    if (slice_is(name, "key"))
        return words->key;
    if (slice_is(name, "imei"))
        return words->imei;
    return slice_is(name, "firmware") ? words->firmware : words->version;
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
            !slice_percent_encode(slice_of(word_for(name, words)), out + used, out_size - used))
            return false;
    }
    return true;
}
