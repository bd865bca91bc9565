/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/build/unpack.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "server/build/inspect.h"
#include "server/process/process.h"

#define CPU_S       60
#define WALL_MS     120000
#define ANSWER_SIZE 2048
#define MAGIC_BYTES 6
/* Of dfota: the file is the cause; the disk is full or read-only. */
#define EXIT_REFUSED 1
#define EXIT_DISK    4

static bool read_magic(const char *path, char magic[MAGIC_BYTES], struct error *err)
{
    FILE *file = fopen(path, "rb");
    size_t got = file ? fread(magic, 1, MAGIC_BYTES, file) : 0;
    bool ok = file && !ferror(file);
    if (file)
        fclose(file);
    memset(magic + got, 0, MAGIC_BYTES - got);
    return ok || error_set(err, ERROR_INTERNAL, "cannot read %s", path);
}

static bool is_archive(const char magic[MAGIC_BYTES])
{
    return memcmp(magic, "PK\3\4", 4) == 0 || memcmp(magic, "7z\xBC\xAF\x27\x1C", 6) == 0;
}

/* "dfota: the archive …" */
static bool refuse(const struct process_outcome *outcome, const struct process_limits *limits,
                   struct error *err)
{
    static const char prefix[] = "dfota: ";
    char why[CHILD_TEXT_SIZE];
    const char *text = outcome->stderr_text;
    if (outcome->end == CHILD_CANCELLED)
        return error_set(err, ERROR_UNAVAILABLE, "the server is stopping: upload the file again later");
    if (outcome->end == CHILD_EXITED && outcome->exit_status == EXIT_REFUSED &&
        strncmp(text, prefix, sizeof prefix - 1) == 0)
        return error_set(err, ERROR_NOT_AN_IMAGE, "%s", text + sizeof prefix - 1);
    if (outcome->end == CHILD_EXITED && outcome->exit_status == EXIT_DISK)
        return error_set(err, ERROR_NO_SPACE, "there is no space to unpack the archive");
    process_describe(outcome, limits, why, sizeof why);
    return error_set(err, ERROR_NOT_AN_IMAGE, "the archive cannot be unpacked here: %.300s", why);
}

/* The answer: a line with the hash, the name of the firmware, and "left out: NAMES". */
static void read_answer(char *text, struct unpacked *ret)
{
    static const char left_out[] = "left out: ";
    char *rest = text;
    strsep(&rest, "\n");
    const char *name = strsep(&rest, "\n"), *others = strsep(&rest, "\n");
    snprintf(ret->name, sizeof ret->name, "%s", name ? name : "");
    if (others && strncmp(others, left_out, sizeof left_out - 1) == 0)
        snprintf(ret->left_out, sizeof ret->left_out, "%s", others + sizeof left_out - 1);
}

static bool run(const struct daemon *daemon, const char *archive, const char *out, struct unpacked *ret,
                struct error *err)
{
    const struct config *config = daemon->config;
    const struct process_limits limits = {.cpu_s = inspect_smaller_limit(config->job_cpu_s, CPU_S),
                                          .memory_bytes = config->job_memory_bytes,
                                          .wall_ms = inspect_smaller_limit(config->job_wall_ms, WALL_MS),
                                          .out_max = config->max_image_bytes};
    char most[24], answer[ANSWER_SIZE];
    struct process_capture capture = {answer, sizeof answer, 0};
    struct process_outcome outcome = {.end = CHILD_EXITED};
    snprintf(most, sizeof most, "%" PRIu64, config->max_image_bytes);
    char *const argv[] = {config->dfota_path, "unpack", "--max-output", most, (char *)archive,
                          (char *)out,        NULL};
    if (!process_run_heard(argv, &limits, daemon->ending_fd, &capture, &outcome, err))
        return false;
    if (outcome.end != CHILD_EXITED || outcome.exit_status != 0)
        return refuse(&outcome, &limits, err);
    read_answer(answer, ret);
    return true;
}

static bool copy_file(const char *path, struct blob_writer *to, struct error *err)
{
    char bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    size_t got = 0;
    bool ok = file != NULL;
    while (ok && (got = fread(bytes, 1, sizeof bytes, file)) > 0)
        if (!blob_add(to, bytes, got, err)) {
            fclose(file);
            return false;
        }
    ok = ok && !ferror(file);
    if (file)
        fclose(file);
    return ok || error_set(err, ERROR_INTERNAL, "cannot read the unpacked firmware");
}

static bool replace(const struct daemon *daemon, struct blob_writer **blob, const char *path,
                    struct error *err)
{
    struct blob_writer *made;
    if (!blob_begin(daemon->blobs, &made, err))
        return false;
    if (!copy_file(path, made, err)) {
        blob_drop(made);
        return false;
    }
    blob_drop(*blob);
    *blob = made;
    return true;
}

bool unpack_upload(const struct daemon *daemon, struct blob_writer **blob, struct unpacked *ret,
                   struct error *err)
{
    const char *archive = blob_writer_path(*blob);
    char magic[MAGIC_BYTES], workdir[PATH_MAX], out[PATH_MAX + 16];
    int fd;
    *ret = (struct unpacked){.happened = false};
    if (!read_magic(archive, magic, err))
        return false;
    if (!is_archive(magic))
        return true;
    ret->happened = true;
    if (!blob_hash_file(archive, &fd, &ret->archive, &ret->archive_bytes, err))
        return false;
    close(fd);
    if (!blobs_check_space(daemon->blobs, daemon->config->max_image_bytes, err) ||
        !blob_workdir(daemon->blobs, workdir, sizeof workdir, err))
        return false;
    snprintf(out, sizeof out, "%s/firmware", workdir);
    bool ok = run(daemon, archive, out, ret, err) && replace(daemon, blob, out, err);
    blob_workdir_remove(workdir);
    return ok;
}
