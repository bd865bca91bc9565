/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/slice.h"
#include "delta/file.h"

#define START_MS      30000
#define LOOK_US       20000
#define LOG_MAX_BYTES ((size_t)16 << 20)
#define WORDS_MAX     64

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

bool scratch_is_interrupted(void)
{
    return interrupted;
}

static bool path_in(const struct scratch *scratch, const char *name, char out[128])
{
    return snprintf(out, 128, "%s/%s", scratch->dir, name) < 128;
}

/* The dfotad in the folder of this program; else the name, for PATH. */
static void find_program(char *out, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", out, size - sizeof "dfotad");
    char *slash = NULL;
    if (len > 0) {
        out[len] = '\0';
        slash = strrchr(out, '/');
    }
    if (slash)
        strcpy(slash + 1, "dfotad");
    if (!slash || access(out, X_OK) < 0)
        snprintf(out, size, "dfotad");
}

static void run_child(const char *program, const struct scratch *scratch, const char *const *options)
{
    char log[128], data[128];
    path_in(scratch, "log", log);
    path_in(scratch, "data", data);
    const char *words[WORDS_MAX] = {program,       "--data-dir",     data,         "--device-listen",
                                    "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"};
    size_t count = 7;
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (; *options && count < WORDS_MAX - 1; options++)
        words[count++] = *options;
    words[count] = NULL;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0); /* it is ended by this program, not by the terminal */
    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(fd, 2) < 0)
        _exit(127);
    execvp(program, (char *const *)words);
    dprintf(2, "%s: %s\n", program, strerror(errno));
    _exit(127);
}

/* event=listening listener=NAME address=HOST:PORT */
static bool find_listener(struct slice log, const char *name, char *out, size_t size)
{
    struct slice line, rest;
    char wanted[48];
    snprintf(wanted, sizeof wanted, "listener=%s ", name);
    while (slice_split(&log, '\n', &line)) {
        const char *at = memmem(line.ptr, line.len, "address=", 8);
        if (!at || !memmem(line.ptr, line.len, wanted, strlen(wanted)))
            continue;
        rest = (struct slice){at + 8, line.len - (size_t)(at + 8 - line.ptr)};
        return slice_split(&rest, ' ', &line) && slice_copy(line, out, size);
    }
    return false;
}

static bool read_token(struct scratch *scratch, struct error *err)
{
    char path[128];
    _cleanup_(buffer_free) struct buffer file = {0};
    path_in(scratch, "data/admin.token", path);
    struct slice rest, line;
    if (!file_load(path, sizeof scratch->token, &file, err))
        return false;
    rest = (struct slice){(const char *)file.ptr, file.len};
    return (slice_split(&rest, '\n', &line) && slice_copy(line, scratch->token, sizeof scratch->token)) ||
           error_set(err, ERROR_UNAVAILABLE, "the scratch server has no admin token");
}

static bool fail(const struct buffer *log, struct error *err)
{
    struct slice rest = {(const char *)log->ptr, log->len}, line, last = {"", 0};
    while (log->len && slice_split(&rest, '\n', &line))
        last = line.len ? line : last;
    return error_set(err, ERROR_UNAVAILABLE, "the scratch server did not start: %.*s", (int)last.len,
                     last.ptr);
}

static bool await_start(struct scratch *scratch, struct error *err)
{
    char path[128], device[64];
    path_in(scratch, "log", path);
    for (int64_t end_ms = clock_boot_ms() + START_MS;; usleep(LOOK_US)) {
        _cleanup_(buffer_free) struct buffer log = {0};
        bool ended = waitpid(scratch->pid, NULL, WNOHANG) != 0;
        struct slice text = {"", 0};
        if (file_load(path, LOG_MAX_BYTES, &log, err))
            text = (struct slice){(const char *)log.ptr, log.len};
        if (ended)
            scratch->pid = 0;
        if (ended || clock_boot_ms() > end_ms)
            return fail(&log, err);
        if (text.len && find_listener(text, "device", device, sizeof device) &&
            find_listener(text, "admin", scratch->admin, sizeof scratch->admin)) {
            snprintf(scratch->device_url, sizeof scratch->device_url, "http://%s", device);
            return read_token(scratch, err);
        }
    }
}

bool scratch_start(const char *program, const char *const *options, struct scratch *ret, struct error *err)
{
    char found[512], dir[64];
    const char *parent = getenv("TMPDIR");
    struct scratch scratch = {0};
    find_program(found, sizeof found);
    if (snprintf(dir, sizeof dir, "%s/dfota-sim-XXXXXX", parent ? parent : "/tmp") >= (int)sizeof dir ||
        !mkdtemp(dir))
        return error_set(err, ERROR_UNAVAILABLE, "cannot make a directory for the scratch server");
    memcpy(scratch.dir, dir, sizeof dir);
    scratch.pid = fork();
    if (scratch.pid > 0) {
        signal(SIGINT, interrupt);
        signal(SIGTERM, interrupt);
    }
    if (scratch.pid == 0)
        run_child(program ? program : found, &scratch, options);
    if (scratch.pid < 0 || !await_start(&scratch, err)) {
        if (scratch.pid < 0)
            error_set(err, ERROR_UNAVAILABLE, "cannot start the scratch server");
        scratch_stop(&scratch);
        return false;
    }
    *ret = scratch;
    return true;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat, (void)type, (void)walk;
    return remove(path), 0;
}

void scratch_stop(struct scratch *scratch)
{
    if (scratch->pid > 0) {
        kill(scratch->pid, SIGTERM);
        while (waitpid(scratch->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (scratch->dir[0])
        nftw(scratch->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    *scratch = (struct scratch){0};
}
