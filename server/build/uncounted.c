/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/build/uncounted.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/package_format.h"

bool uncounted_read(const char *path, const char *format, int64_t *ret, struct error *err)
{
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t start[PACKAGE_FORMAT_LUATOS_HEAD];
    struct stat info;
    ssize_t got = -1;
    if (fd < 0 || fstat(fd, &info) != 0 || (got = pread(fd, start, sizeof start, 0)) < 0)
        return error_set(err, ERROR_UNAVAILABLE, "the package cannot be read: %s", strerror(errno));
    *ret = package_format_uncounted(format, start, (size_t)got, info.st_size);
    return true;
}
