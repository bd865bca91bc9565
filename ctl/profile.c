/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/profile.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/similar.h"
#include "base/slice.h"

#define PATH_SIZE 4096
#define LINE_SIZE 1024

static const struct {
    const char *name;
    size_t offset;
} keys[] = {
    {"url", offsetof(struct profile, url)},         {"token_file", offsetof(struct profile, token_file)},
    {"ca", offsetof(struct profile, ca)},           {"language", offsetof(struct profile, language)},
    {"product", offsetof(struct profile, product)}, {"by", offsetof(struct profile, by)},
};
#define KEYS (sizeof keys / sizeof *keys)

struct reading {
    char path[PATH_SIZE];
    int line;           /* from 1 */
    const char *wanted; /* the profile; NULL: not known yet */
    char preset[64];    /* of the line "profile = NAME" */
    char section[64];   /* "": before the first one */
    int set_at[KEYS];   /* the line that set the key of the wanted profile */
    bool found;
    struct profile *profile;
    void (*handle)(void *cls, const char *name); /* gets each section; or NULL */
    void *cls;
    struct failure *fail;
};

/* $XDG_CONFIG_HOME/dfota/config.ini, or ~/.config/dfota/config.ini. False: there is no home. */
static bool find_path(char out[PATH_SIZE])
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    bool absolute = config && config[0] == '/';
    if (!absolute && !(home && home[0] == '/'))
        return false;
    return snprintf(out, PATH_SIZE, "%s%s/dfota/config.ini", absolute ? config : home,
                    absolute ? "" : "/.config") < PATH_SIZE;
}

static bool fail_line(const struct reading *reading, const char *what, const char *about)
{
    return failure_set(reading->fail, EXIT_USAGE, "%s:%d: %s%s", reading->path, reading->line, what, about);
}

static bool refuse_key(const struct reading *reading, const char *name)
{
    char text[200], clean[60];
    struct similar similar = {.word = clean};
    snprintf(clean, sizeof clean, "%.50s", slice_is_clean_utf8(slice_of(name)) ? name : "with that name");
    for (size_t i = 0; i < KEYS; i++)
        similar_offer(&similar, keys[i].name, strlen(keys[i].name));
    snprintf(text, sizeof text, "there is no key %s; %s%.*s%s", clean,
             similar.best ? "did you mean " : "the keys: ", similar.best ? (int)similar.best_len : 100,
             similar.best ? similar.best : "url, token_file, ca, language, product, by",
             similar.best ? "?" : "");
    return fail_line(reading, text, "");
}

/* A leading ~/ is the home directory. */
static bool put_path(struct reading *reading, const char *value, char *out)
{
    const char *home = getenv("HOME");
    bool from_home = strncmp(value, "~/", 2) == 0;
    if (!from_home && value[0] != '/')
        return fail_line(reading, "a file is named by a path that begins with / or ~/, not ", value);
    if (from_home && !home)
        return fail_line(reading, "~/ needs HOME in the environment", "");
    return snprintf(out, PROFILE_VALUE_SIZE, "%s%s", from_home ? home : "", value + from_home) <
               PROFILE_VALUE_SIZE ||
           fail_line(reading, "the value is too long", "");
}

static bool put_value(struct reading *reading, size_t i, const char *value)
{
    char *out = (char *)reading->profile + keys[i].offset;
    char text[80];
    if (reading->set_at[i]) {
        snprintf(text, sizeof text, "%s is already set in line %d", keys[i].name, reading->set_at[i]);
        return fail_line(reading, text, "");
    }
    reading->set_at[i] = reading->line;
    if (!value[0])
        return fail_line(reading, keys[i].name, " has no value");
    if (strcmp(keys[i].name, "language") == 0 && strcmp(value, "en") != 0 && strcmp(value, "zh") != 0)
        return fail_line(reading, "language takes en or zh, not ", value);
    if (strcmp(keys[i].name, "token_file") == 0 || strcmp(keys[i].name, "ca") == 0)
        return put_path(reading, value, out);
    return snprintf(out, PROFILE_VALUE_SIZE, "%s", value) < PROFILE_VALUE_SIZE ||
           fail_line(reading, "the value is too long", "");
}

static bool take_key(struct reading *reading, const char *name, const char *value)
{
    if (!reading->section[0] && strcmp(name, "profile") == 0) {
        snprintf(reading->preset, sizeof reading->preset, "%.63s", value);
        return true;
    }
    if (!reading->section[0])
        return fail_line(reading, "before the first [section] there is only profile = NAME, not ", name);
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return !reading->wanted || strcmp(reading->section, reading->wanted) != 0 ||
                   put_value(reading, i, value);
    if (strcmp(name, "token") == 0)
        return fail_line(reading,
                         "a token is not written here: put it into a file, and name it with token_file", "");
    return refuse_key(reading, name);
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]))
        text[--len] = '\0';
    return text;
}

static bool take_section(struct reading *reading, char *text)
{
    size_t len = strlen(text);
    if (text[len - 1] != ']')
        return fail_line(reading, "a section is written [NAME]", "");
    text[len - 1] = '\0';
    const char *name = trim(text + 1);
    if (!name[0] || strlen(name) >= sizeof reading->section || strpbrk(name, "[]"))
        return fail_line(reading, "a section is written [NAME]", "");
    snprintf(reading->section, sizeof reading->section, "%s", name);
    reading->found |= reading->wanted && strcmp(name, reading->wanted) == 0;
    if (reading->handle)
        reading->handle(reading->cls, name);
    return true;
}

static bool take_line(struct reading *reading, char *text)
{
    text = trim(text);
    if (!text[0] || text[0] == '#' || text[0] == ';')
        return true;
    if (text[0] == '[')
        return take_section(reading, text);
    char *equals = strchr(text, '=');
    if (!equals)
        return fail_line(reading, "the line is not of the form key = value", "");
    *equals = '\0';
    return take_key(reading, trim(text), trim(equals + 1));
}

/* Who can write the file can send the token to another server. */
static bool check_rights(const struct reading *reading, FILE *file)
{
    struct stat info;
    if (fstat(fileno(file), &info) != 0)
        return failure_set(reading->fail, EXIT_USAGE, "cannot read %s: %s", reading->path, strerror(errno));
    if (info.st_uid != geteuid() && info.st_uid != 0)
        return failure_set(reading->fail, EXIT_USAGE, "%s belongs to another user, so it is not used",
                           reading->path);
    if (info.st_mode & (S_IWGRP | S_IWOTH))
        return failure_set(reading->fail, EXIT_USAGE, "other users can change %s: chmod go-w %s",
                           reading->path, reading->path);
    return true;
}

/* *ret_missing: there is no file. */
static bool read_file(struct reading *reading, bool *ret_missing)
{
    char line[LINE_SIZE];
    _cleanup_(cleanup_fclose) FILE *file = fopen(reading->path, "re");
    *ret_missing = !file && (errno == ENOENT || errno == ENOTDIR);
    if (!file)
        return *ret_missing ||
               failure_set(reading->fail, EXIT_USAGE, "cannot read %s: %s", reading->path, strerror(errno));
    if (!check_rights(reading, file))
        return false;
    reading->line = 0;
    reading->section[0] = '\0';
    while (fgets(line, sizeof line, file)) {
        reading->line++;
        if (strlen(line) == sizeof line - 1)
            return fail_line(reading, "the line is too long", "");
        if (!take_line(reading, line))
            return false;
    }
    return !ferror(file) ||
           failure_set(reading->fail, EXIT_USAGE, "cannot read %s: %s", reading->path, strerror(errno));
}

bool profile_load(const char *option, struct profile *ret, struct failure *fail)
{
    struct reading reading = {.profile = ret, .fail = fail};
    const char *env = getenv("DFOTA_PROFILE");
    const char *named = option ? option : env && env[0] ? env : NULL;
    bool missing = false;
    *ret = (struct profile){.named = option != NULL};
    if (!find_path(reading.path))
        return !named || failure_set(fail, EXIT_USAGE, "there is no profile %s: HOME is not set", named);
    if (!named && !read_file(&reading, &missing)) /* finds which profile is the default */
        return false;
    reading.wanted = named ? named : reading.preset[0] ? reading.preset : "default";
    snprintf(ret->name, sizeof ret->name, "%.63s", reading.wanted);
    if (missing || !read_file(&reading, &missing))
        return missing;
    if (missing && named)
        return failure_set(fail, EXIT_USAGE, "there is no profile %s: there is no file %s", named,
                           reading.path);
    if (!reading.found && (named || reading.preset[0]))
        return failure_set(fail, EXIT_USAGE, "there is no profile %s: %s has no section [%s]", reading.wanted,
                           reading.path, reading.wanted);
    return true;
}

void profile_list(void (*handle)(void *cls, const char *name), void *cls)
{
    struct failure ignored;
    struct profile profile = {.name = ""};
    struct reading reading = {.profile = &profile, .handle = handle, .cls = cls, .fail = &ignored};
    bool missing;
    if (find_path(reading.path))
        read_file(&reading, &missing);
}

bool profile_check_secret(const char *path, struct failure *fail)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || !(info.st_mode & (S_IRWXG | S_IRWXO)))
        return true;
    return failure_set(fail, EXIT_USAGE, "other users can read the token in %s: chmod 600 %s", path, path);
}
