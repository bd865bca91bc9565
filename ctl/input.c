/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static FILE *open_standard_input(struct failure *fail)
{
    static bool taken;
    if (taken) {
        failure_set(fail, EXIT_USAGE,
                    "standard input (-) can be read only once: name a file for the other one");
        return NULL;
    }
    taken = true;
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!file)
        failure_set(fail, EXIT_USAGE, "cannot read standard input: %s", strerror(errno));
    return file;
}

bool input_open(const char *name, FILE **ret, struct failure *fail)
{
    struct stat info;
    bool standard = strcmp(name, "-") == 0;
    FILE *file = standard ? open_standard_input(fail) : fopen(name, "re");
    *ret = file;
    if (!file)
        return !standard && failure_set(fail, EXIT_USAGE, "cannot read %s: %s", name, strerror(errno));
    if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
        fclose(file);
        *ret = NULL;
        return failure_set(fail, EXIT_USAGE, "cannot read %s: this is a directory", name);
    }
    return true;
}
