/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Blobs: whole under their name or not there at all. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "storage/blob.h"
#include "tests/unit/storage/test-storage.h"

/* The linker replaces read(2) by this. */
ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
static bool disk_is_bad;

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
    if (!disk_is_bad)
        return __real_read(fd, bytes, size);
    errno = EIO;
    return -1;
}

static struct blobs *open_blobs(const struct place *place)
{
    struct blobs *blobs;
    struct error err;
    assert_ok(blobs_open(place->directory, 0, &blobs, &err), err);
    return blobs;
}

static unsigned files_in(const struct place *place, const char *folder)
{
    char path[PATH_MAX];
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/%s", place->directory, folder);
    DIR *open = opendir(path);
    assert_non_null(open);
    for (struct dirent *entry; (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

static struct sha256 keep(struct blobs *blobs, const char *text)
{
    struct blob_writer *writer;
    struct sha256 hash;
    struct error err;
    assert_ok(blob_begin(blobs, &writer, &err), err);
    assert_ok(blob_add(writer, text, 1, &err) && blob_add(writer, text + 1, strlen(text) - 1, &err), err);
    assert_int_equal(blob_written(writer), strlen(text));
    assert_ok(blob_keep(writer, &hash, &err), err);
    return hash;
}

static void assert_holds(struct blobs *blobs, const struct sha256 *hash, const char *text)
{
    void *bytes;
    uint64_t size;
    struct error err;
    assert_ok(blob_load(blobs, hash, &bytes, &size, &err), err);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(bytes, text, size);
    free(bytes);
}

static void damage(struct blobs *blobs, const struct sha256 *hash)
{
    char path[PATH_MAX];
    blob_path(blobs, hash, path, sizeof path);
    assert_int_equal(chmod(path, 0600), 0);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    int first = fgetc(file);
    rewind(file);
    fputc(first ^ 1, file);
    fclose(file);
}

static void test_kept_under_its_hash(void **state)
{
    struct blobs *blobs = open_blobs(*state);
    struct sha256 hash = keep(blobs, "firmware"), expected;
    sha256_of("firmware", 8, &expected);
    assert_true(sha256_equal(&hash, &expected));
    assert_holds(blobs, &hash, "firmware");
    keep(blobs, "firmware");
    assert_holds(blobs, &hash, "firmware");
    assert_int_equal(files_in(*state, "incoming"), 0);
    blobs_close(blobs);
}

static void test_dropped_leaves_nothing(void **state)
{
    struct blobs *blobs = open_blobs(*state);
    struct blob_writer *writer;
    struct error err;
    assert_ok(blob_begin(blobs, &writer, &err) && blob_add(writer, "half", 4, &err), err);
    assert_int_equal(files_in(*state, "incoming"), 1);
    blob_drop(writer);
    assert_int_equal(files_in(*state, "incoming"), 0);
    assert_int_equal(files_in(*state, "blobs"), 0);
    blobs_close(blobs);
}

static void test_killed_upload_is_swept(void **state)
{
    struct place *place = *state;
    char path[PATH_MAX];
    struct error err;
    struct blobs *blobs = open_blobs(place);
    struct blob_writer *writer;
    assert_ok(blob_begin(blobs, &writer, &err) && blob_workdir(blobs, path, sizeof path, &err), err);
    strcat(path, "/package");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    struct blobs *again = open_blobs(place);
    assert_int_equal(files_in(place, "incoming"), 0);
    blob_drop(writer);
    blobs_close(blobs);
    blobs_close(again);
}

static void test_damaged_is_never_read_and_is_replaced(void **state)
{
    struct blobs *blobs = open_blobs(*state);
    struct sha256 hash = keep(blobs, "firmware");
    void *bytes;
    uint64_t size;
    int fd;
    struct error err;
    damage(blobs, &hash);
    assert_false(blob_load(blobs, &hash, &bytes, &size, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_false(blob_open_checked(blobs, &hash, &fd, &size, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    keep(blobs, "firmware");
    assert_holds(blobs, &hash, "firmware");
    assert_ok(blob_remove(blobs, &hash, &err) && blob_remove(blobs, &hash, &err), err);
    assert_false(blob_load(blobs, &hash, &bytes, &size, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    blobs_close(blobs);
}

static bool needs_one(void *cls, const struct sha256 *hash, bool *ret_needed, struct error *err)
{
    (void)err;
    *ret_needed = sha256_equal(cls, hash);
    return true;
}

static void test_sweep_keeps_what_is_needed(void **state)
{
    struct blobs *blobs = open_blobs(*state);
    struct sha256 needed = keep(blobs, "needed"), orphan = keep(blobs, "orphan");
    unsigned unknown;
    bool removed;
    void *bytes;
    uint64_t size;
    struct error err;
    assert_ok(blobs_sweep(blobs, needs_one, &needed, 1, &unknown, &removed, &err), err);
    assert_int_equal(unknown, 1);
    assert_true(removed);
    assert_holds(blobs, &needed, "needed");
    assert_false(blob_load(blobs, &orphan, &bytes, &size, &err));
    assert_ok(blobs_sweep(blobs, needs_one, &needed, 1, &unknown, &removed, &err), err);
    assert_int_equal(unknown, 0);
    assert_false(removed);
    blobs_close(blobs);
}

static void test_sweep_does_not_believe_another_database(void **state)
{
    struct blobs *blobs = open_blobs(*state);
    bool removed;
    unsigned unknown;
    struct error err;
    struct sha256 needed = keep(blobs, "needed"), first = keep(blobs, "first"),
                  second = keep(blobs, "second");
    struct sha256 nothing = {{0}};
    assert_ok(blobs_sweep(blobs, needs_one, &needed, 1, &unknown, &removed, &err), err);
    assert_int_equal(unknown, 2);
    assert_false(removed);
    assert_ok(blobs_sweep(blobs, needs_one, &nothing, 3, &unknown, &removed, &err), err);
    assert_int_equal(unknown, 3);
    assert_false(removed);
    assert_holds(blobs, &first, "first");
    assert_holds(blobs, &second, "second");
    blobs_close(blobs);
}

static void test_unreadable_is_damaged(void **state)
{
    struct blobs *blobs = open_blobs(*state);
    struct sha256 hash = keep(blobs, "abc");
    struct error err;
    void *bytes;
    uint64_t size;
    int fd;
    disk_is_bad = true;
    assert_false(blob_load(blobs, &hash, &bytes, &size, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_false(blob_open_checked(blobs, &hash, &fd, &size, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    disk_is_bad = false;
    assert_holds(blobs, &hash, "abc");
    blobs_close(blobs);
}

static void test_space(void **state)
{
    struct blobs *blobs;
    struct error err;
    assert_ok(blobs_open(((struct place *)*state)->directory, UINT64_MAX / 2, &blobs, &err), err);
    assert_false(blobs_check_space(blobs, 1, &err));
    assert_int_equal(err.code, ERROR_NO_SPACE);
    blobs_close(blobs);
    blobs = open_blobs(*state);
    assert_ok(blobs_check_space(blobs, 1, &err), err);
    assert_false(blobs_check_space(blobs, UINT64_MAX, &err));
    blobs_close(blobs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_kept_under_its_hash),        TEST(test_dropped_leaves_nothing),
        TEST(test_killed_upload_is_swept),     TEST(test_damaged_is_never_read_and_is_replaced),
        TEST(test_sweep_keeps_what_is_needed), TEST(test_sweep_does_not_believe_another_database),
        TEST(test_unreadable_is_damaged),      TEST(test_space),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
