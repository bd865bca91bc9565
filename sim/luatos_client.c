/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/luatos_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/slice.h"

#define VENDOR_PATH  "/api/site/firmware_upgrade?"
#define TURNKEY_PATH "/api/site/turnkey_fota?"
#define TURNKEY_REST "&core_id={core_id}&core_version={core}&script_name={project}&script_version={script}"

static const struct luatos_client clients[] = {
    {.name = "libfota",
     .path = VENDOR_PATH,
     .query = "project_key={key}&firmware_name={name}&version={version}&{id}",
     .check_ms = 180000},
    {.name = "libfota2",
     .path = VENDOR_PATH,
     .query = "{id}&project_key={key}&firmware_name={name}&version={version}",
     .check_ms = 600000,
     .id_by_model = true},
    {.name = "libfota3-first",
     .path = TURNKEY_PATH,
     .query = "{id}&project_key={key}&core_name=LuatOS-SoC_{model}" TURNKEY_REST,
     .check_ms = 120000,
     .download_ms = 600000,
     .two_steps = true,
     .id_by_model = true,
     .escapes = true,
     .hashes_name = true,
     .report_tries = 1},
    {.name = "libfota3-v1",
     .path = TURNKEY_PATH,
     .query = "{id}&project_key={key}&model={model}" TURNKEY_REST,
     .check_ms = 120000,
     .download_ms = 600000,
     .two_steps = true,
     .id_by_model = true,
     .escapes = true,
     .sends_json = true,
     .report_tries = 1},
    {.name = "libfota3",
     .path = TURNKEY_PATH,
     .query = "{id}&project_key={key}&model={model}" TURNKEY_REST,
     .check_ms = 120000,
     .download_ms = 600000,
     .two_steps = true,
     .id_by_model = true,
     .escapes = true,
     .sends_json = true,
     .judges = true,
     .report_tries = 2},
};

enum id { ID_NONE, ID_IMEI, ID_MAC, ID_UNIQUE };

/* By the beginning of the model. */
static const struct model {
    const char *prefix;
    enum id by_hardware; /* for libfota; ID_NONE: uid= */
    enum id by_model;    /* for the others; ID_NONE: not in their table */
    bool takes_whole;
} models[] = {
    {"Air780E", ID_IMEI, ID_IMEI, false},
    {"Air8000", ID_IMEI, ID_IMEI, false},
    {"Air700", ID_IMEI, ID_IMEI, false},
    {"Air8101", ID_MAC, ID_MAC, true},
    {"Air601", ID_MAC, ID_NONE, true},
    {"Air1601", ID_UNIQUE, ID_UNIQUE, true},
    {"Air1602", ID_UNIQUE, ID_UNIQUE, true},
    {"Air1780", ID_NONE, ID_UNIQUE, true},
    {"", ID_NONE, ID_NONE, true},
};

static const struct model *find_model(const char *name)
{
    const struct model *model = models;
    while (!slice_starts(slice_of(name), model->prefix))
        model++;
    return model;
}

bool luatos_model_takes_whole(const char *model)
{
    return find_model(model)->takes_whole;
}

const struct luatos_client *luatos_client_find(const char *name)
{
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++)
        if (strcmp(clients[i].name, name) == 0)
            return &clients[i];
    return NULL;
}

bool luatos_read_version(const char *version, struct luatos_words *words)
{
    struct slice rest = slice_of(version), core, x, y, z, more;
    if (!slice_split(&rest, '.', &core) || !slice_copy(core, words->core, sizeof words->core) ||
        !slice_split(&rest, '.', &x) || !slice_split(&rest, '.', &y))
        return false;
    bool all = slice_split(&rest, '.', &z);
    if (!all) {
        z = y;
        y = slice_of("000");
    }
    int len = snprintf(words->script, sizeof words->script, "%.*s.%.*s.%.*s", (int)x.len, x.ptr, (int)y.len,
                       y.ptr, (int)z.len, z.ptr);
    return len > 0 && (size_t)len < sizeof words->script && !slice_split(&rest, '.', &more);
}

static bool add(struct buffer *out, struct slice text, struct error *err)
{
    return buffer_add(out, text.ptr, text.len, err);
}

/* libfota3 escapes these and leaves all other bytes as they are. */
static bool add_value(struct buffer *out, struct slice text, bool escapes, struct error *err)
{
    for (size_t i = 0; i < text.len; i++) {
        char escape[4];
        bool escaped = escapes && text.ptr[i] && strchr("% #&=+\r\n", text.ptr[i]);
        snprintf(escape, sizeof escape, "%%%02X", (unsigned char)text.ptr[i]);
        if (!add(out, escaped ? slice_of(escape) : (struct slice){text.ptr + i, 1}, err))
            return false;
    }
    return true;
}

/* The id of a chip as bytes. */
static bool add_unique_bytes(struct buffer *out, const char *hex, struct error *err)
{
    if (!*hex || strlen(hex) % 2)
        return error_set(err, ERROR_INVALID, "--imei takes the unique id of a chip as hex digits");
    for (; *hex; hex += 2) {
        const char escape[] = {'%', hex[0], hex[1], '\0'};
        char byte[2];
        size_t len;
        if (!slice_percent_decode(slice_of(escape), byte, sizeof byte, &len))
            return error_set(err, ERROR_INVALID, "--imei takes the unique id of a chip as hex digits");
        if (!add_value(out, (struct slice){byte, 1}, true, err))
            return false;
    }
    return true;
}

static bool add_id(const struct luatos_client *client, const struct luatos_words *words, struct buffer *out,
                   struct error *err)
{
    const struct model *model = find_model(words->model);
    enum id id = client->id_by_model ? model->by_model : model->by_hardware;
    if (id == ID_UNIQUE && client->two_steps)
        return add(out, slice_of("uid="), err) && add_unique_bytes(out, words->id, err);
    if (id == ID_NONE && client->two_steps)
        return error_set(err, ERROR_INVALID, "%s sends no request from %s", client->name, words->model);
    if (id == ID_NONE && client->id_by_model)
        return add(out, slice_of("nil"), err); /* its table has no such model */
    return add(out,
               slice_of(id == ID_IMEI   ? "imei="
                        : id == ID_NONE ? "uid="
                                        : "mac="),
               err) &&
           add(out, slice_of(words->id), err);
}

/* libfota on a module without a network of its own: the name has the core, and the version is that of the script. */
static bool is_plain(const struct luatos_client *client, const struct luatos_words *words)
{
    return !client->id_by_model && find_model(words->model)->by_hardware == ID_NONE;
}

static void write_name(const struct luatos_client *client, const struct luatos_words *words, char *out,
                       size_t size)
{
    const char *rest = strstr(words->firmware, "_LuatOS-SoC_");
    if (is_plain(client, words) && rest)
        snprintf(out, size, "%s_LuatOS-SoC_V%s%s", words->project, words->core,
                 rest + sizeof "_LuatOS-SoC" - 1);
    else
        snprintf(out, size, "%s", words->firmware);
}

/* CORE.x.z, without the middle number of the script. */
static void write_version(const struct luatos_client *client, const struct luatos_words *words, char *out,
                          size_t size)
{
    struct slice rest = slice_of(words->script), x, y;
    slice_split(&rest, '.', &x);
    slice_split(&rest, '.', &y);
    if (is_plain(client, words))
        snprintf(out, size, "%s", words->script);
    else
        snprintf(out, size, "%s.%.*s.%.*s", words->core, (int)x.len, x.ptr, (int)rest.len, rest.ptr);
}

static bool add_word(const struct luatos_client *client, struct slice name, const struct luatos_words *words,
                     struct buffer *out, struct error *err)
{
    char text[256];
    if (slice_is(name, "id"))
        return add_id(client, words, out, err);
    if (slice_is(name, "name"))
        write_name(client, words, text, sizeof text);
    else if (slice_is(name, "version"))
        write_version(client, words, text, sizeof text);
    else if (slice_is(name, "core_id"))
        snprintf(text, sizeof text, "%" PRId64, words->core_id);
    else
        snprintf(text, sizeof text, "%s",
                 slice_is(name, "key")       ? words->key
                 : slice_is(name, "model")   ? words->model
                 : slice_is(name, "project") ? words->project
                 : slice_is(name, "core")    ? words->core
                                             : words->script);
    return add_value(out, slice_of(text), client->escapes, err);
}

bool luatos_write_target(const struct luatos_client *client, const char *path,
                         const struct luatos_words *words, struct buffer *ret, struct error *err)
{
    struct slice rest = slice_of(client->query), piece, name, base = slice_of(path);
    bool vendor = slice_ends(base, "/");
    if (vendor)
        base.len--;
    if (!add(ret, base, err) || (vendor && !add(ret, slice_of(client->path), err)))
        return false;
    while (slice_split(&rest, '{', &piece)) {
        if (!add(ret, piece, err))
            return false;
        if (rest.ptr && slice_split(&rest, '}', &name) && !add_word(client, name, words, ret, err))
            return false;
    }
    return true;
}
