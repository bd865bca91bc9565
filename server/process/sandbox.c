/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "server/process/sanitized.h"

/* Only async-signal-safe calls, except in sandbox_is_there(). */

/* The struct of newer kernels; the header of an older kernel has fewer members. */
struct rules {
    uint64_t files, net, scoped;
};
#define RIGHT_REFER    (UINT64_C(1) << 13) /* since Landlock version 2 */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14) /* since version 3 */
#define SCOPE_SIGNAL   (UINT64_C(1) << 1)  /* since version 6 */

#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static const uint64_t changing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

/* The version of Landlock; 0: the kernel has none, or a system call filter forbids it. */
static long version(void)
{
    long found = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return found < 0 ? 0 : found;
}

bool sandbox_is_there(void)
{
    return version() > 0;
}

static bool allow(int rules_fd, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return errno == ENOENT || errno == EACCES;
    bool ok = syscall(SYS_landlock_add_rule, rules_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent_fd);
    return ok;
}

/* A file takes fewer rights than a folder. */
static bool allow_reading(int rules_fd, const char *path)
{
    return allow(rules_fd, path, READING) ||
           (errno == EINVAL && allow(rules_fd, path, LANDLOCK_ACCESS_FS_READ_FILE));
}

static bool allow_own(int rules_fd, const char *const *readable)
{
    static const char *const system[] = {"/usr",
                                         "/lib",
                                         "/lib64",
                                         "/lib32",
                                         "/opt",
                                         "/nix/store",
                                         "/gnu/store",
                                         "/etc/ld.so.cache",
                                         "/etc/ld.so.preload",
                                         "/etc/magic",
                                         "/proc/sys",
                                         "/sys/devices/system/cpu",
                                         "/dev/null",
                                         "/dev/zero",
                                         "/dev/full",
                                         "/dev/urandom"};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof system / sizeof *system; i++)
        ok = allow_reading(rules_fd, system[i]);
    for (size_t i = 0; ok && readable[i]; i++)
        ok = allow_reading(rules_fd, readable[i]);
    return ok;
}

/* readable NULL: everything can be read. */
static bool enter(const char *const *readable, const char *const *writable)
{
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full"};
    long known = version();
    if (known == 0)
        return true;
    uint64_t later = (known >= 2 ? RIGHT_REFER : 0) | (known >= 3 ? RIGHT_TRUNCATE : 0);
    uint64_t to_file = LANDLOCK_ACCESS_FS_WRITE_FILE | (later & RIGHT_TRUNCATE);
    uint64_t all = changing | later | (readable ? READING : 0);
    struct rules rules = {.files = all, .scoped = known >= 6 ? SCOPE_SIGNAL : 0};
    size_t size = known >= 6 ? sizeof rules : offsetof(struct rules, net);
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    bool ok = fd >= 0 && (!readable || allow_own(fd, readable));
    for (size_t i = 0; ok && writable[i]; i++)
        ok = allow(fd, writable[i], all);
    for (size_t i = 0; ok && i < sizeof devices / sizeof *devices; i++)
        ok = allow(fd, devices[i], to_file);
    ok = ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

bool sandbox_enter(const char *const *writable)
{
    return enter(NULL, writable);
}

bool sandbox_enter_own(const char *const *readable, const char *const *writable)
{
    return IS_SANITIZED || enter(readable, writable);
}
