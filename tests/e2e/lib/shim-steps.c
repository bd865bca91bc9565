/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a server: counts what its database does in the file named by DFOTA_STEPS, three numbers of 64 bits:
   statements that were run, steps of SQLite's virtual machine, and rows read by a scan of a whole table. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic uint64_t *counter(void)
{
    static _Atomic uint64_t *volatile mapped;
    const char *name = getenv("DFOTA_STEPS");
    if (mapped || !name)
        return mapped;
    int fd = open(name, O_RDWR | O_CLOEXEC);
    void *memory = mmap(NULL, 3 * sizeof *mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || memory == MAP_FAILED)
        abort(); /* a mistake in the test */
    close(fd);
    return mapped = memory;
}

int sqlite3_step(sqlite3_stmt *statement)
{
    int (*step)(sqlite3_stmt *) = (int (*)(sqlite3_stmt *))dlsym(RTLD_NEXT, "sqlite3_step");
    int (*status)(sqlite3_stmt *, int, int) =
        (int (*)(sqlite3_stmt *, int, int))dlsym(RTLD_NEXT, "sqlite3_stmt_status");
    int (*busy)(sqlite3_stmt *) = (int (*)(sqlite3_stmt *))dlsym(RTLD_NEXT, "sqlite3_stmt_busy");
    _Atomic uint64_t *count = counter();
    int begins = !busy(statement);
    int steps = status(statement, SQLITE_STMTSTATUS_VM_STEP, 0);
    int rows = status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
    int result = step(statement);
    if (count) {
        count[0] += (uint64_t)begins;
        count[1] += (uint64_t)(status(statement, SQLITE_STMTSTATUS_VM_STEP, 0) - steps);
        count[2] += (uint64_t)(status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) - rows);
    }
    return result;
}
