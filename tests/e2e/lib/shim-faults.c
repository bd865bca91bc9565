/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a server: calls that write fail as a control file says, so that a test can break a disk at an exact
   place. DFOTA_FAULTS names the control file, which is read before each such call. Its first line is a number:
   a new number starts the counts again. Then one rule per line:

       CALL[,CALL]... ERRNO SKIP TIMES PATTERN

   Of the calls on files that match the pattern, the first SKIP work, then TIMES fail (0: all). The pattern is one of
   fnmatch(3), where * matches slashes too; for a rename the new name counts. Each failed call is written as a line
   to the file with the name of the control file and ".hit". SLOW instead of an errno: the call works, a millisecond later. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RULES_MAX 16
#define SLOW      (-1)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned seen;
static unsigned counted[RULES_MAX];

/* A child that is forked while another thread holds the mutex would wait for ever at its first call. */
static void hold(void)
{
    pthread_mutex_lock(&mutex);
}

static void let_go(void)
{
    pthread_mutex_unlock(&mutex);
}

__attribute__((constructor)) static void begin(void)
{
    pthread_atfork(hold, let_go, let_go);
}

#define REAL(name, type, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

static const struct {
    const char *name;
    int number;
} numbers[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT}, {"SLOW", SLOW}};

static int number_of(const char *name)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return numbers[i].number;
    abort(); /* a mistake in the test */
}

static int named(const char *calls, const char *call)
{
    size_t len = strlen(call);
    for (const char *at = calls; (at = strstr(at, call)); at += len)
        if ((at == calls || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
            return 1;
    return 0;
}

static void tell(const char *control, const char *call, const char *error, const char *path)
{
    char name[PATH_MAX], line[PATH_MAX + 64];
    snprintf(name, sizeof name, "%s.hit", control);
    int fd = REAL(open, int, const char *, int, ...)(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        abort();
    int len = snprintf(line, sizeof line, "%s %s %s\n", call, error, path);
    (void)!REAL(write, ssize_t, int, const void *, size_t)(fd, line, (size_t)len);
    close(fd);
}

/* The errno to fail with, SLOW, or 0. */
static int look_up(FILE *rules, const char *control, const char *call, const char *path)
{
    char calls[128], error[32], pattern[PATH_MAX];
    unsigned skip, times;
    for (unsigned i = 0;
         i < RULES_MAX && fscanf(rules, "%127s %31s %u %u %4095s", calls, error, &skip, &times, pattern) == 5;
         i++) {
        if (!named(calls, call) || fnmatch(pattern, path, 0) != 0)
            continue;
        counted[i]++;
        if (counted[i] <= skip || (times && counted[i] > skip + times))
            continue;
        int number = number_of(error);
        if (number != SLOW)
            tell(control, call, error, path);
        return number;
    }
    return 0;
}

static int fails(const char *call, const char *path)
{
    const char *control = getenv("DFOTA_FAULTS");
    int before = errno, number = 0;
    pthread_mutex_lock(&mutex);
    FILE *rules = control ? fopen(control, "re") : NULL;
    if (rules) {
        unsigned edition = 0;
        if (fscanf(rules, "%u", &edition) != 1)
            abort();
        if (edition != seen)
            memset(counted, 0, sizeof counted);
        seen = edition;
        number = look_up(rules, control, call, path);
        fclose(rules);
    }
    pthread_mutex_unlock(&mutex);
    if (number == SLOW) {
        usleep(1000);
        number = 0;
    }
    errno = number ? number : before;
    return number;
}

static int fails_fd(const char *call, int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0 || path[0] != '/')
        return 0;
    path[len] = '\0';
    return fails(call, path);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return fails_fd("write", fd) ? -1 : REAL(write, ssize_t, int, const void *, size_t)(fd, bytes, len);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return fails_fd("write", fd)
               ? -1
               : REAL(pwrite, ssize_t, int, const void *, size_t, off_t)(fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return fails_fd("write", fd)
               ? -1
               : REAL(pwrite64, ssize_t, int, const void *, size_t, off64_t)(fd, bytes, len, at);
}

int fsync(int fd)
{
    return fails_fd("fsync", fd) ? -1 : REAL(fsync, int, int)(fd);
}

int fdatasync(int fd)
{
    return fails_fd("fsync", fd) ? -1 : REAL(fdatasync, int, int)(fd);
}

int ftruncate64(int fd, off64_t size)
{
    return fails_fd("truncate", fd) ? -1 : REAL(ftruncate64, int, int, off64_t)(fd, size);
}

int ftruncate(int fd, off_t size)
{
    return fails_fd("truncate", fd) ? -1 : REAL(ftruncate, int, int, off_t)(fd, size);
}

int rename(const char *from, const char *to)
{
    return fails("rename", to) ? -1 : REAL(rename, int, const char *, const char *)(from, to);
}

int unlink(const char *path)
{
    return fails("unlink", path) ? -1 : REAL(unlink, int, const char *)(path);
}

int mkdir(const char *path, mode_t mode)
{
    return fails("mkdir", path) ? -1 : REAL(mkdir, int, const char *, mode_t)(path, mode);
}

char *mkdtemp(char *template)
{
    return fails("mkdir", template) ? NULL : REAL(mkdtemp, char *, char *)(template);
}

int mkostemp(char *template, int flags)
{
    return fails("create", template) ? -1 : REAL(mkostemp, int, char *, int)(template, flags);
}

int mkostemp64(char *template, int flags)
{
    return fails("create", template) ? -1 : REAL(mkostemp64, int, char *, int)(template, flags);
}

/* Opened for writing; "create" if the call may create the file. */
static int open_fails(const char *path, int flags)
{
    if ((flags & O_ACCMODE) == O_RDONLY)
        return 0;
    return ((flags & O_CREAT) && fails("create", path)) || fails("open", path);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_fails(path, flags) ? -1 : REAL(open, int, const char *, int, ...)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_fails(path, flags) ? -1 : REAL(open64, int, const char *, int, ...)(path, flags, mode);
}
