/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/build/build_external.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "server/context.h"
#include "server/config/command_template.h"

#define CHUNK     (128 * 1024)
#define NAME_SIZE (PATH_MAX)
#define LOG_HALF  (PACKAGE_LOG_SIZE / 2)
#define WRITABLE  16 /* folders, besides its own, where a command may write */

/* One run of a command: a new folder with the images, beside the only subfolder where the command may
   write. */
struct run {
    char root[PATH_MAX - 32];
    char old[NAME_SIZE], new[NAME_SIZE], workdir[NAME_SIZE], home[NAME_SIZE], temporary[NAME_SIZE];
};

/* Copies a file and stops above `most` bytes; *ret_size is then larger than `most`. 0: the file is empty. */
static bool copy_file(int from, const char *to, mode_t mode, uint64_t most, uint64_t *ret_size,
                      struct error *err)
{
    _cleanup_(cleanup_free) char *chunk = malloc(CHUNK);
    _cleanup_(cleanup_close) int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (!chunk || fd < 0)
        return error_errno(err, chunk ? errno : ENOMEM, "cannot create %s", to);
    ssize_t got;
    *ret_size = 0;
    while (*ret_size <= most && (got = read(from, chunk, CHUNK)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read the source of %s", to);
        for (ssize_t at = 0; at < got;) {
            ssize_t put = write(fd, chunk + at, (size_t)(got - at));
            if (put < 0 && errno != EINTR)
                return error_errno(err, errno, "cannot write %s", to);
            at += put > 0 ? put : 0;
        }
        *ret_size += (uint64_t)got;
    }
    return true;
}

/* The image is checked, so that damage is found before a foreign tool reads it. The tool gets a copy, so
   that it cannot change the original. */
static bool copy_image(const struct build *making, const struct sha256 *hash, const char *to,
                       struct error *err)
{
    _cleanup_(cleanup_close) int fd = -1;
    uint64_t size;
    return blob_open_checked(making->daemon->blobs, hash, &fd, &size, err) &&
           blobs_check_space(making->daemon->blobs, size, err) &&
           copy_file(fd, to, 0400, UINT64_MAX, &size, err);
}

static bool make_folder(const char *path, struct error *err)
{
    return mkdir(path, 0700) == 0 || error_errno(err, errno, "cannot create %s", path);
}

static bool prepare(const struct build *making, const char *name, struct run *ret, struct error *err)
{
    const struct package_key *key = &making->package.key;
    if (snprintf(ret->root, sizeof ret->root, "%s/%s", making->workdir, name) >= (int)sizeof ret->root)
        return error_set(err, ERROR_INVALID, "the path of the data directory is too long");
    snprintf(ret->old, sizeof ret->old, "%s/old", ret->root);
    snprintf(ret->new, sizeof ret->new, "%s/new", ret->root);
    snprintf(ret->workdir, sizeof ret->workdir, "%s/work", ret->root);
    snprintf(ret->home, sizeof ret->home, "%s/work/home", ret->root);
    snprintf(ret->temporary, sizeof ret->temporary, "%s/work/tmp", ret->root);
    return make_folder(ret->root, err) && make_folder(ret->workdir, err) && make_folder(ret->home, err) &&
           make_folder(ret->temporary, err) && copy_image(making, &key->from, ret->old, err) &&
           copy_image(making, &key->to, ret->new, err);
}

static enum make_end not_prepared(struct build *making, const struct error *err)
{
    bool later = err->code == ERROR_NO_SPACE || err->code == ERROR_UNAVAILABLE;
    return build_fail(making,
                      later                        ? MAKE_LATER
                      : err->code == ERROR_CORRUPT ? MAKE_FAILED
                                                   : MAKE_CRASHED,
                      "%.300s", err->text);
}

/* The last line of the output usually says why the command failed. */
static const char *last_line(const char *log)
{
    const char *end = strrchr(log, '\n');
    return end ? end + 1 : log;
}

/* Appends the output of the command to the log. */
static enum make_end run_command(struct build *making, const char *which, char *const argv[],
                                 const struct run *run)
{
    char home[NAME_SIZE + 8], temporary[NAME_SIZE + 8], said[LOG_HALF];
    char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", home, temporary, NULL};
    const char *writable[WRITABLE + 2] = {run->workdir};
    _cleanup_(cleanup_free) char **more = NULL;
    const char *folders = making->section->value[FIRMWARE_EXTERNAL_WRITABLE];
    struct process_limits limits = build_limits(making);
    struct process_capture log = {.text = said, .size = sizeof said};
    struct process_outcome outcome;
    struct error err;
    snprintf(home, sizeof home, "HOME=%s", run->home);
    snprintf(temporary, sizeof temporary, "TMPDIR=%s", run->temporary);
    if (folders[0] && !command_template_expand(folders, NULL, 0, &more, &err))
        return build_fail(making, MAKE_FAILED, "external_writable: %.200s", err.text);
    for (size_t i = 0; more && more[i] && i < WRITABLE; i++)
        writable[1 + i] = more[i];
    const bool network = strcmp(making->section->value[FIRMWARE_EXTERNAL_NETWORK], "yes") == 0;
    const struct process_place place = {run->workdir, environment, writable, network};
    if (!process_run_foreign(argv, &limits, making->cancel_fd, &place, &log, &outcome, &err))
        return build_fail(making, err.code == ERROR_NOT_FOUND ? MAKE_FAILED : MAKE_CRASHED, "%s: %.280s",
                          which, err.text);
    size_t at = strlen(making->log);
    snprintf(making->log + at, sizeof making->log - at, "%s%s", at ? "\n" : "", said);
    enum make_end end = build_judge(making, &outcome, last_line(said));
    if (end == MAKE_FAILED || end == MAKE_CRASHED) {
        char reason[PACKAGE_ERROR_SIZE];
        snprintf(reason, sizeof reason, "%.*s", (int)sizeof reason - 1, making->reason);
        build_fail(making, end, "%s: %.290s", which, reason);
    }
    return end;
}

/* Takes the result of the command at {out}: only a regular file, and only a copy of its bytes, because
   another process may still have the file open. */
static enum make_end take_result(struct build *making, const char *out)
{
    struct process_limits limits = build_limits(making);
    struct stat info;
    struct error err;
    uint64_t size;
    _cleanup_(cleanup_close) int fd = open(out, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return build_fail(making, MAKE_FAILED,
                          "external_command ended with exit status 0 but wrote nothing to {out}");
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return build_fail(making, MAKE_FAILED,
                          "external_command ended with exit status 0 but {out} is not a regular file");
    if (!copy_file(fd, making->made, 0600, limits.out_max, &size, &err))
        return not_prepared(making, &err);
    if (size == 0)
        return build_fail(making, MAKE_FAILED,
                          "external_command ended with exit status 0 but wrote an empty file");
    if (size >= limits.out_max) /* the limit for files cut it off there */
        return build_fail(making, MAKE_FAILED, "external_command wrote %llu bytes or more",
                          (unsigned long long)limits.out_max);
    return MAKE_READY;
}

static enum make_end run_maker(struct build *making)
{
    struct run run;
    char out[NAME_SIZE + 16];
    _cleanup_(cleanup_free) char **argv = NULL;
    struct error err;
    if (!prepare(making, "make", &run, &err))
        return not_prepared(making, &err);
    snprintf(out, sizeof out, "%s/package", run.workdir);
    const struct command_template_value values[] = {{"old", run.old, true},
                                                    {"new", run.new, true},
                                                    {"out", out, true},
                                                    {"workdir", run.workdir, false},
                                                    {"firmware", making->firmware, false}};
    if (!command_template_expand(making->section->value[FIRMWARE_EXTERNAL_COMMAND], values,
                                 sizeof values / sizeof *values, &argv, &err))
        return build_fail(making, MAKE_FAILED, "external_command: %.280s", err.text);
    enum make_end end = run_command(making, "external_command", argv, &run);
    return end == MAKE_READY ? take_result(making, out) : end;
}

/* The verifier gets its own copies of the images and the package, so that it does not see changes by the
   first command. */
static enum make_end run_verifier(struct build *making)
{
    struct run run;
    char package[NAME_SIZE + 16];
    uint64_t size;
    _cleanup_(cleanup_free) char **argv = NULL;
    _cleanup_(cleanup_close) int fd = open(making->made, O_RDONLY | O_CLOEXEC);
    struct error err;
    if (!prepare(making, "verify", &run, &err))
        return not_prepared(making, &err);
    snprintf(package, sizeof package, "%s/package", run.root);
    if (!copy_file(fd, package, 0400, UINT64_MAX, &size, &err))
        return not_prepared(making, &err);
    const struct command_template_value values[] = {{"old", run.old, true},
                                                    {"new", run.new, true},
                                                    {"package", package, true},
                                                    {"workdir", run.workdir, false},
                                                    {"firmware", making->firmware, false}};
    if (!command_template_expand(making->section->value[FIRMWARE_EXTERNAL_VERIFY], values,
                                 sizeof values / sizeof *values, &argv, &err))
        return build_fail(making, MAKE_FAILED, "external_verify: %.280s", err.text);
    enum make_end end = run_command(making, "external_verify", argv, &run);
    if (end != MAKE_READY)
        return end;
    if (!making->proven)
        snprintf(making->note, sizeof making->note, "proven only by %.200s: dfota cannot apply the package",
                 argv[0]);
    making->proven = true;
    return MAKE_READY;
}

enum make_end build_external(struct build *making)
{
    bool known;
    if (!making->section || !making->section->value[FIRMWARE_EXTERNAL_COMMAND][0])
        return build_fail(
            making, MAKE_FAILED,
            "no external_command is set for this firmware: add it to the section of the firmware in the "
            "configuration");
    enum make_end end = run_maker(making);
    if (end == MAKE_READY)
        end = build_verify(making, &known);
    if (end != MAKE_READY)
        return end;
    making->proven = known;
    if (!known)
        snprintf(making->note, sizeof making->note,
                 "dfota does not know the format of this package: it was not applied");
    return making->section->value[FIRMWARE_EXTERNAL_VERIFY][0] ? run_verifier(making) : MAKE_READY;
}
