/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A fresh data directory for a test, and its database. */
#ifndef DFOTA_TESTS_UNIT_STORAGE_TEST_STORAGE_H
#define DFOTA_TESTS_UNIT_STORAGE_TEST_STORAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "storage/db.h"

struct place {
    char directory[64], file[96];
    struct db *db;
};

#define assert_ok(call, err)                                                                                 \
    do {                                                                                                     \
        if (!(call))                                                                                         \
            fail_msg("%s: %s", #call, (err).text);                                                           \
    } while (0)

static int place_make(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct error err;
    strcpy(place->directory, "/tmp/dfota-test-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->file, sizeof place->file, "%s/dfota.db", place->directory);
    assert_ok(db_open_writer(place->file, &place->db, &err), err);
    *state = place;
    return 0;
}

static int place_remove(void **state)
{
    struct place *place = *state;
    char command[128];
    db_close(place->db);
    snprintf(command, sizeof command, "rm -rf '%s'", place->directory);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

#endif
