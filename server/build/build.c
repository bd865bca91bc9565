/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/build/build.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/package_format.h"
#include "server/context.h"
#include "server/build/build_external.h"
#include "server/config/recipe.h"
#include "server/core/stop_point.h"
#include "server/build/suffix_cache.h"
#include "server/build/uncounted.h"
#include "upgrade/full.h"

#define EXIT_DOES_NOT_FIT 1 /* exit status of dfota: these inputs can never work */
#define EXIT_DISK         4 /* exit status of dfota: the disk is full or read-only */
#define EXIT_UNKNOWN      5 /* exit status of dfota: no code here can apply the package */
#define DIFF_WORDS        24

enum make_end build_fail(struct build *making, enum make_end end, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(making->reason, sizeof making->reason, format, args);
    va_end(args);
    return end;
}

struct process_limits build_limits(const struct build *making)
{
    const struct config *config = making->daemon->config;
    return (struct process_limits){.cpu_s = config->job_cpu_s,
                                   .memory_bytes = config->job_memory_bytes,
                                   .wall_ms = config->job_wall_ms,
                                   .out_max = 2 * config->max_image_bytes + (1 << 20)};
}

enum make_end build_judge(struct build *making, const struct process_outcome *outcome, const char *said)
{
    struct process_limits limits = build_limits(making);
    if (outcome->end == CHILD_EXITED && outcome->exit_status == 0)
        return MAKE_READY;
    if (outcome->end == CHILD_CANCELLED)
        return MAKE_PUT_BACK;
    process_describe(outcome, &limits, making->reason, sizeof making->reason);
    size_t at = strlen(making->reason);
    if (said[0] && at < sizeof making->reason)
        snprintf(making->reason + at, sizeof making->reason - at, ": %s", said);
    bool hopeless = outcome->end == CHILD_TIMED_OUT || outcome->end == CHILD_EXITED;
    return hopeless ? MAKE_FAILED : MAKE_CRASHED;
}

/* Keeps the note that dfota printed with a result. */
static void take_note(struct build *making, const char *said)
{
    static const char before[] = "dfota: note: ";
    if (strncmp(said, before, strlen(before)) == 0)
        snprintf(making->note, sizeof making->note, "%.300s", said + strlen(before));
}

/* Runs dfota. MAKE_READY: its exit status was 0. */
static enum make_end run_dfota(struct build *making, char *const argv[], int *ret_exit_status)
{
    struct process_limits limits = build_limits(making);
    struct process_outcome outcome;
    struct error err;
    *ret_exit_status = -1;
    if (!process_run(argv, &limits, making->cancel_fd, &outcome, &err))
        return build_fail(making, MAKE_CRASHED, "%.300s", err.text);
    *ret_exit_status = outcome.exit_status;
    enum make_end end = build_judge(making, &outcome, "");
    if (end == MAKE_READY)
        take_note(making, outcome.stderr_text);
    if (outcome.end != CHILD_EXITED || outcome.exit_status == 0)
        return end;
    if (outcome.exit_status == EXIT_DISK)
        return MAKE_LATER;
    return outcome.exit_status == EXIT_DOES_NOT_FIT || outcome.exit_status == EXIT_UNKNOWN ? MAKE_FAILED
                                                                                           : MAKE_CRASHED;
}

struct images {
    char from[PATH_MAX], to[PATH_MAX], from_hex[SHA256_HEX_SIZE], to_hex[SHA256_HEX_SIZE], most[24];
    char suffix_file[PATH_MAX];
};

static void find_images(const struct build *making, struct images *ret)
{
    const struct package_key *key = &making->package.key;
    const struct daemon *daemon = making->daemon;
    blob_path(daemon->blobs, &key->from, ret->from, sizeof ret->from);
    blob_path(daemon->blobs, &key->to, ret->to, sizeof ret->to);
    sha256_hex(&key->from, ret->from_hex);
    sha256_hex(&key->to, ret->to_hex);
    snprintf(ret->most, sizeof ret->most, "%" PRIu64, daemon->config->max_image_bytes);
}

enum make_end build_verify(struct build *making, bool *ret_known)
{
    struct images images;
    int exit_status;
    find_images(making, &images);
    char *const argv[] = {making->daemon->config->dfota_path,
                          "verify",
                          "--expect-old",
                          images.from_hex,
                          "--expect-new",
                          images.to_hex,
                          "--max-output",
                          images.most,
                          "--any-size", /* a package over its limit is stored, but never sent */
                          images.from,
                          making->made,
                          images.to,
                          NULL};
    enum make_end end = run_dfota(making, argv, &exit_status);
    *ret_known = exit_status != EXIT_UNKNOWN;
    return *ret_known ? end : MAKE_READY;
}

/* The arguments of `dfota diff`; the configuration can add some. */
static void write_diff(struct build *making, struct images *images, char *argv[DIFF_WORDS])
{
    static const char *const efforts[] = {
        [EFFORT_NONE] = "good", [EFFORT_QUICK] = "quick", [EFFORT_GOOD] = "good", [EFFORT_BEST] = "best"};
    const struct firmware_section *section = making->section;
    const struct package_format *format = package_format_find(making->package.key.format);
    const struct ec7xx_chip *chip =
        format && format->chip == PACKAGE_CHIP_EC7XX ? recipe_chip(section, making->firmware) : NULL;
    size_t n = 0;
    argv[n++] = making->daemon->config->dfota_path;
    argv[n++] = "diff";
    argv[n++] = "--format";
    argv[n++] = making->package.key.format;
    argv[n++] = "--effort";
    argv[n++] = (char *)efforts[making->effort];
    if (format && format->takes_index &&
        suffix_cache_place(making->daemon, &making->package.key.from, images->suffix_file,
                           sizeof images->suffix_file)) {
        argv[n++] = "--suffix-file";
        argv[n++] = images->suffix_file;
    }
    if (section && section->value[FIRMWARE_LOAD_ADDRESS][0] && format && format->chip != PACKAGE_CHIP_NONE) {
        argv[n++] = "--load-address";
        argv[n++] = section->value[FIRMWARE_LOAD_ADDRESS];
    }
    if (chip) {
        argv[n++] = "--chip";
        argv[n++] = (char *)chip->name;
    }
    char *const rest[] = {"--expect-old", images->from_hex, "--expect-new", images->to_hex, "--max-image",
                          images->most,   images->from,     images->to,     making->made,   NULL};
    memcpy(argv + n, rest, sizeof rest);
}

static enum make_end diff_and_verify(struct build *making)
{
    struct images images;
    char *argv[DIFF_WORDS];
    int exit_status;
    bool known;
    find_images(making, &images);
    write_diff(making, &images, argv);
    enum make_end end = run_dfota(making, argv, &exit_status);
    if (end != MAKE_READY)
        return end;
    if (access(making->made, R_OK) != 0)
        return build_fail(making, MAKE_FAILED, "dfota ended with exit status 0 but made no file");
    making->note[0] = '\0';
    end = build_verify(making, &known);
    if (!known)
        return build_fail(making, MAKE_FAILED, "dfota cannot apply the package that it made");
    making->proven = end == MAKE_READY;
    return end;
}

/* A full package of CSDK: AP and CP of an image, for any base. */
static enum make_end pack_and_verify(struct build *making)
{
    struct images images;
    int exit_status;
    find_images(making, &images);
    char *dfota = making->daemon->config->dfota_path;
    char *const pack[] = {dfota,       "full",    "--expect-new", images.to_hex, "--max-image",
                          images.most, images.to, making->made,   NULL};
    char *const verify[] = {dfota,          "verify",    "--full",     "--expect-new", images.to_hex,
                            "--max-output", images.most, making->made, images.to,      NULL};
    enum make_end end = run_dfota(making, pack, &exit_status);
    if (end == MAKE_READY)
        end = run_dfota(making, verify, &exit_status);
    making->proven = end == MAKE_READY;
    return end;
}

/* A package that did not become smaller by more effort is not kept. */
static bool is_of_use(const struct build *making)
{
    struct stat info;
    return !making->below_bytes || stat(making->made, &info) != 0 ||
           (uint64_t)info.st_size < making->below_bytes;
}

static enum make_end publish(struct build *making)
{
    struct error err;
    if (!is_of_use(making))
        return MAKE_READY;
    if (making->proven &&
        !uncounted_read(making->made, making->package.key.format, &making->uncounted_bytes, &err))
        return build_fail(making, MAKE_CRASHED, "%.300s", err.text);
    stop_point("package-written");
    if (blob_adopt(making->daemon->blobs, making->made, &making->sha256, &making->size_bytes, &err)) {
        stop_point("package-published");
        return MAKE_READY;
    }
    return build_fail(making,
                      err.code == ERROR_NO_SPACE || err.code == ERROR_UNAVAILABLE ? MAKE_LATER : MAKE_CRASHED,
                      "%.300s", err.text);
}

enum make_end build_package(struct build *making)
{
    const struct package_format *format = package_format_find(making->package.key.format);
    struct blobs *blobs = making->daemon->blobs;
    struct error err;
    if (making->outdated)
        return build_fail(
            making, MAKE_FAILED,
            "the configuration or the format rules changed after this package was queued; another package "
            "is made instead");
    if (!blobs_check_space(blobs, 1 << 20, &err) ||
        !blob_workdir(blobs, making->workdir, sizeof making->workdir, &err))
        return build_fail(making, MAKE_LATER, "%.300s", err.text);
    snprintf(making->made, sizeof making->made, "%s/package", making->workdir);
    bool whole = strcmp(making->package.key.format, FULL_FORMAT) == 0;
    enum make_end end = whole                         ? pack_and_verify(making)
                        : !format || format->by_dfota ? diff_and_verify(making)
                                                      : build_external(making);
    if (end == MAKE_READY)
        end = publish(making);
    blob_workdir_remove(making->workdir);
    return end;
}
