/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Uploaded packages: checks that the file is the right kind of package, for the right pair, as far as
   dfota can tell. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/package_format.h"
#include "server/process/process.h"
#include "server/build/inspect.h"

#define VERIFY_CPU_S 300 /* applying takes only seconds for the largest image */
#define VERIFY_MS    300000

#define VERIFY_FIXED_WORDS 8
#define VERIFY_WORDS       (VERIFY_FIXED_WORDS + 6) /* with the option for the limit, the files and NULL */

enum dfota_exit { DFOTA_OK = 0, DFOTA_NEGATIVE = 1, DFOTA_CANNOT_APPLY = 5 }; /* man/dfota.1 */

/* Replaces a path of the server by a name that the admin knows. */
static void name_path(char *text, size_t size, const char *path, const char *name)
{
    char rest[PACKAGE_NOTE_SIZE];
    char *at = strstr(text, path);
    if (!at)
        return;
    snprintf(rest, sizeof rest, "%s", at + strlen(path));
    snprintf(at, size - (size_t)(at - text), "%s%s", name, rest);
}

struct proof {
    char from[PATH_MAX], to[PATH_MAX];
    const char *package;
    const struct inspect_pair *pair;
};

/* The text of dfota for an admin: without its program name, and with names instead of paths. */
static void word(const struct proof *trial, const char *said, char out[PACKAGE_NOTE_SIZE])
{
    static const char *const begin[] = {"dfota: ", "note: "};
    char from[VERSION_TEXT_SIZE + 12], to[VERSION_TEXT_SIZE + 12];
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        if (strncmp(said, begin[i], strlen(begin[i])) == 0)
            said += strlen(begin[i]);
    snprintf(from, sizeof from, "version %s", trial->pair->from->version);
    snprintf(to, sizeof to, "version %s", trial->pair->to->version);
    char whole[CHILD_TEXT_SIZE + 64];
    snprintf(whole, sizeof whole, "%s", said);
    name_path(whole, sizeof whole, trial->from, from);
    name_path(whole, sizeof whole, trial->to, to);
    name_path(whole, sizeof whole, trial->package, "the file");
    snprintf(out, PACKAGE_NOTE_SIZE, "%.*s", PACKAGE_NOTE_SIZE - 1, whole);
}

/* Without a known chip, the limit that an admin has set for the firmware decides whether the package is sent. */
static void add_limit(const struct inspect_pair *pair, char *argv[VERIFY_WORDS], size_t *n)
{
    const struct package_format *format = package_format_find(pair->firmware->format);
    if (!format || format->chip != PACKAGE_CHIP_EC7XX)
        return;
    if (!pair->chip) {
        argv[(*n)++] = "--any-size";
        return;
    }
    argv[(*n)++] = "--chip";
    argv[(*n)++] = (char *)pair->chip;
}

static bool run(const struct daemon *daemon, const struct proof *trial, struct process_outcome *ret,
                struct error *err)
{
    const struct config *config = daemon->config;
    const struct process_limits limits = {.cpu_s = inspect_smaller_limit(config->job_cpu_s, VERIFY_CPU_S),
                                          .memory_bytes = config->job_memory_bytes,
                                          .wall_ms = inspect_smaller_limit(config->job_wall_ms, VERIFY_MS),
                                          .out_max = 1};
    char from_hex[SHA256_HEX_SIZE], to_hex[SHA256_HEX_SIZE], most[24], why[CHILD_TEXT_SIZE + 64];
    sha256_hex(&trial->pair->from->sha256, from_hex);
    sha256_hex(&trial->pair->to->sha256, to_hex);
    snprintf(most, sizeof most, "%" PRIu64, config->max_image_bytes);
    char *argv[VERIFY_WORDS] = {config->dfota_path, "verify", "--expect-old", from_hex,
                                "--expect-new",     to_hex,   "--max-output", most};
    size_t n = VERIFY_FIXED_WORDS;
    add_limit(trial->pair, argv, &n);
    argv[n++] = (char *)trial->from;
    argv[n++] = (char *)trial->package;
    argv[n] = (char *)trial->to;
    if (!process_run(argv, &limits, daemon->ending_fd, ret, err)) {
        err->code = ERROR_UNAVAILABLE;
        return false;
    }
    if (ret->end == CHILD_EXITED && ret->exit_status != 2 && ret->exit_status != 3 && ret->exit_status != 4)
        return true;
    if (ret->end == CHILD_CANCELLED)
        return error_set(err, ERROR_UNAVAILABLE, "the server is stopping: upload the file again later");
    process_describe(ret, &limits, why, sizeof why);
    return error_set(err, ret->end == CHILD_EXITED ? ERROR_UNAVAILABLE : ERROR_NOT_A_PACKAGE,
                     "the package could not be checked: %s", why);
}

static bool try_it(const struct daemon *daemon, const char *path, const struct inspect_pair *pair,
                   bool *ret_proven, char note[PACKAGE_NOTE_SIZE], struct error *err)
{
    struct proof trial = {.package = path, .pair = pair};
    struct process_outcome outcome;
    blob_path(daemon->blobs, &pair->from->sha256, trial.from, sizeof trial.from);
    blob_path(daemon->blobs, &pair->to->sha256, trial.to, sizeof trial.to);
    if (!run(daemon, &trial, &outcome, err))
        return false;
    word(&trial, outcome.stderr_text, note);
    *ret_proven = outcome.exit_status == DFOTA_OK;
    if (outcome.exit_status == DFOTA_OK || outcome.exit_status == DFOTA_CANNOT_APPLY)
        return true;
    return error_set(err, ERROR_NOT_A_PACKAGE, "this package does not lead from %s to %s: %s",
                     pair->from->version, pair->to->version, note);
}

bool inspect_accept_package(const struct daemon *daemon, const struct content *content, const char *path,
                            const struct inspect_pair *pair, bool *ret_proven, char note[PACKAGE_NOTE_SIZE],
                            struct error *err)
{
    const char *format = pair->firmware->format;
    bool external = package_format_is(format, PACKAGE_FORMAT_EXTERNAL),
         unknown = strcmp(content->kind, "raw") == 0;
    *ret_proven = false;
    note[0] = '\0';
    if (content->unseen[0])
        return error_set(err, ERROR_UNAVAILABLE, "dfota could not inspect the file: %s", content->unseen);
    if (pair->raw && !external)
        return error_set(
            err, ERROR_NOT_A_PACKAGE,
            "format=raw is only for the package format external, but firmware %s has the format %s",
            pair->firmware->name, format);
    if (!pair->raw && strcmp(content->role, "package") != 0 && strcmp(content->role, "full") != 0 &&
        !(external && unknown))
        return error_set(err, ERROR_NOT_A_PACKAGE, "this is %s, not a delta package%s%s", content->summary,
                         unknown ? " of the format " : "", unknown ? format : "");
    if (content->wrong[0] && !pair->raw)
        return error_set(err, ERROR_NOT_A_PACKAGE, "this is %s, but it is damaged: %s", content->summary,
                         content->wrong);
    if (!external && !package_format_takes(format, content->format))
        return error_set(err, ERROR_NOT_A_PACKAGE, "this is %s%s%s, but firmware %s has the format %s",
                         content->summary,
                         content->format[0] ? " in the format " : " without the head of a format",
                         content->format, pair->firmware->name, format);
    return try_it(daemon, path, pair, ret_proven, note, err);
}
