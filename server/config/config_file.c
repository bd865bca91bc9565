/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/config/config_file.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/slice.h"
#include "server/config/firmware_section.h"
#include "server/config/keys.h"
#include "upgrade/name.h"

struct reading {
    const char *path;
    FILE *file;
    int line; /* number of the current line, from 1 */
    char *text;
    size_t text_size;
    unsigned *set_at; /* by key: the line that set the key, 0: not set */
    struct config *config;
    struct firmware_section *section; /* the section [firmware NAME] of the line; NULL outside of one */
    bool failed;
    struct error *err;
};

static void fail_line(struct reading *reading, const char *what)
{
    reading->failed = true;
    error_set(reading->err, ERROR_INVALID, "%s:%d: %s", reading->path, reading->line, what);
}

/* Reads the name of a section. inih would cut a long name off. */
static void begin_section(struct reading *reading, const char *text)
{
    static const char firmware[] = "firmware";
    char name[FIRMWARE_NAME_SIZE];
    struct slice inner = {text + 1, strcspn(text + 1, "]")};
    reading->section = NULL;
    if (text[1 + inner.len] != ']' || !slice_starts(inner, firmware))
        return; /* inih reports a missing bracket; other sections are ignored */
    inner.ptr += strlen(firmware);
    inner.len -= strlen(firmware);
    if (inner.len > 0 && !strchr(" \t", inner.ptr[0]))
        return;
    for (; inner.len > 0 && strchr(" \t", inner.ptr[0]); inner.len--)
        inner.ptr++;
    while (inner.len > 0 && strchr(" \t", inner.ptr[inner.len - 1]))
        inner.len--;
    if (!name_is_firmware(inner) || !slice_copy(inner, name, sizeof name))
        fail_line(reading, "a section is written [firmware NAME], with the name of a firmware or *");
    else if (!firmware_section_get(reading->config, name, &reading->section, reading->err))
        reading->failed = true;
}

static bool keep_text(struct reading *reading, size_t length)
{
    struct config *config = reading->config;
    char *grown = realloc(config->file_text, config->file_size + length);
    if (!grown)
        return false;
    memcpy(grown + config->file_size, reading->text, length);
    config->file_text = grown;
    config->file_size += length;
    return true;
}

/* Hands one line to inih, without its indentation: inih takes an indented line for a continuation. A long
   line is refused here, because inih would split it without an error. */
static char *read_line(char *out, int size, void *cls)
{
    struct reading *reading = cls;
    if (reading->failed)
        return NULL;
    errno = 0;
    ssize_t length = getline(&reading->text, &reading->text_size, reading->file);
    if (length < 0) {
        if (ferror(reading->file) || errno == ENOMEM) {
            error_errno(reading->err, errno, "cannot read %s", reading->path);
            reading->err->code = ERROR_INVALID;
            reading->failed = true;
        }
        return NULL;
    }
    reading->line++;
    const char *text = reading->text + strspn(reading->text, " \t");
    if (!keep_text(reading, (size_t)length))
        fail_line(reading, "out of memory");
    else if (strlen(reading->text) != (size_t)length)
        fail_line(reading, "the line contains a NUL byte");
    else if (strlen(text) + 3 > (size_t)size)
        fail_line(reading, "the line is too long"); /* Debian's inih takes 197 bytes */
    else if (text[0] == '[')
        begin_section(reading, text);
    if (reading->failed)
        return NULL;
    memcpy(out, text, strlen(text) + 1);
    return out;
}

static bool handle_firmware_line(struct reading *reading, const char *name, const char *value)
{
    struct error why;
    if (firmware_section_set(reading->section, name, value, (unsigned)reading->line, &why))
        return true;
    fail_line(reading, why.text);
    return false;
}

static int handle_line(void *cls, const char *section, const char *name, const char *value)
{
    struct reading *reading = cls;
    (void)section;
    if (reading->failed)
        return 0;
    if (reading->section)
        return handle_firmware_line(reading, name, value);
    const struct config_key *key = config_key_find(name);
    char text[160];
    if (!key) {
        bool clean = slice_is_clean_utf8(slice_of(name));
        snprintf(text, sizeof text, "there is no key %.60s", clean ? name : "with that name");
        fail_line(reading, text);
        return 0;
    }
    unsigned *set_at = &reading->set_at[key - config_key_table];
    if (*set_at) {
        snprintf(text, sizeof text, "%s is already set in line %u", key->name, *set_at);
        fail_line(reading, text);
        return 0;
    }
    *set_at = (unsigned)reading->line;
    char where[PATH_MAX + 16];
    snprintf(where, sizeof where, "%s:%d", reading->path, reading->line);
    reading->failed = !config_key_set(key, value, where, reading->config, reading->err);
    return reading->failed ? 0 : 1;
}

bool config_file_read(const char *path, struct config *config, struct error *err)
{
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
    if (!file) {
        error_errno(err, errno, "cannot read %s", path);
        err->code = ERROR_INVALID;
        return false;
    }
    _cleanup_(cleanup_free) unsigned *set_at = calloc(config_key_count, sizeof *set_at);
    if (!set_at)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    struct reading reading = {.path = path, .file = file, .set_at = set_at, .config = config, .err = err};
    int bad_line = ini_parse_stream(read_line, &reading, handle_line, &reading);
    free(reading.text);
    if (bad_line > 0 && !(reading.failed && bad_line == reading.line))
        return error_set(err, ERROR_INVALID, "%s:%d: the line is not of the form key = value", path,
                         bad_line);
    return !reading.failed;
}
