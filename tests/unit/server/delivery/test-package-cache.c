/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packages in memory: as bytes, and as files that nothing can change, of which there are not too many. */
#include "server/delivery/package_cache.h"

#include <dirent.h>
#include "storage/blob.h"
#include "tests/unit/storage/test-storage.h"

#define LARGE    (100 * 1024) /* has a file */
#define SMALL    1000         /* has none */
#define PACKAGES 150
#define FILES    128

static struct blobs *blobs;
static struct package_cache *cache;

static void begin(const struct place *place, uint64_t limit_bytes)
{
    struct error err;
    assert_ok(blobs_open(place->directory, 0, &blobs, &err), err);
    assert_ok(package_cache_open(limit_bytes, &cache, &err), err);
}

static void end(void)
{
    package_cache_close(cache);
    blobs_close(blobs);
}

static unsigned open_files(void)
{
    unsigned count = 0;
    DIR *open = opendir("/proc/self/fd");
    assert_non_null(open);
    while (readdir(open))
        count++;
    closedir(open);
    return count;
}

/* A package whose bytes all have this value. */
static const struct cached_package *load(int value, size_t size)
{
    struct blob_writer *writer;
    struct sha256 hash;
    const struct cached_package *package;
    struct error err;
    char *bytes = malloc(size);
    memset(bytes, value, size);
    assert_ok(blob_begin(blobs, &writer, &err), err);
    assert_ok(blob_add(writer, bytes, size, &err), err);
    assert_ok(blob_keep(writer, &hash, &err), err);
    assert_ok(package_cache_load(cache, blobs, &hash, &package, &err), err);
    assert_int_equal(package->size_bytes, size);
    assert_memory_equal(package->bytes, bytes, size);
    free(bytes);
    return package;
}

static void assert_file_has(const struct cached_package *package)
{
    char *bytes = malloc(package->size_bytes + 1);
    assert_int_equal(pread(package->fd, bytes, package->size_bytes + 1, 0), package->size_bytes);
    assert_memory_equal(bytes, package->bytes, package->size_bytes);
    free(bytes);
}

static void test_a_large_package_is_a_file_that_nothing_changes(void **state)
{
    begin(*state, 10 * LARGE);
    const struct cached_package *package = load('a', LARGE);
    assert_file_has(package);
    assert_int_equal(pwrite(package->fd, "b", 1, 0), -1);
    assert_int_equal(ftruncate(package->fd, 1), -1);
    assert_int_equal(ftruncate(package->fd, LARGE + 1), -1);
    assert_file_has(package);
    cached_package_release(package);
    end();
}

static void test_a_small_package_takes_no_descriptor(void **state)
{
    begin(*state, 10 * LARGE);
    const struct cached_package *package = load('a', SMALL);
    assert_int_equal(package->fd, -1);
    cached_package_release(package);
    end();
}

static void test_there_are_at_most_128_files(void **state)
{
    const struct cached_package *package[PACKAGES];
    unsigned before = open_files(), files = 0;
    begin(*state, 1); /* so only the users keep them */
    for (int i = 0; i < PACKAGES; i++) {
        package[i] = load(i, LARGE);
        files += package[i]->fd >= 0;
    }
    assert_int_equal(files, FILES);
    for (int i = 0; i < PACKAGES; i++)
        cached_package_release(package[i]);
    const struct cached_package *next = load('n', LARGE);
    assert_true(next->fd >= 0);
    cached_package_release(next);
    end();
    assert_int_equal(open_files(), before);
}

static void test_a_package_in_use_outlives_its_place_in_the_cache(void **state)
{
    begin(*state, LARGE);
    const struct cached_package *first = load('a', LARGE);
    const struct sha256 hash = first->sha256;
    cached_package_release(load('b', LARGE));
    assert_null(package_cache_find(cache, &hash));
    assert_file_has(first);
    end();
    assert_file_has(first);
    cached_package_release(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_large_package_is_a_file_that_nothing_changes),
        cmocka_unit_test(test_a_small_package_takes_no_descriptor),
        cmocka_unit_test(test_there_are_at_most_128_files),
        cmocka_unit_test(test_a_package_in_use_outlives_its_place_in_the_cache),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, place_make, place_remove);
}
