/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The main() of every fuzz target.

     fuzz-NAME                  every file of the corpus of that name is fed to the target once, as an ordinary
                                test that prints TAP
     fuzz-NAME DIR...           the files of these directories instead
     fuzz-NAME --fuzz ARG...    libFuzzer with these arguments, in a build with --enable-fuzzing

   A target reports a fault by abort(), so what follows the last line before it names the culprit. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/cleanup.h"
#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *input, size_t len));

struct run {
    unsigned int done;
    bool failed;
};

/* The input in memory of exactly its size, so that a sanitizer sees a byte too many being read. */
static bool run_file(const char *path, size_t size)
{
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "rb");
    _cleanup_(cleanup_free) uint8_t *input = malloc(size ? size : 1);
    if (!file || !input || fread(input, 1, size, file) != size)
        return false;
    LLVMFuzzerTestOneInput(input, size);
    return true;
}

static void run_entry(struct run *run, const char *directory, const char *name)
{
    char path[4096];
    struct stat status;
    int len = snprintf(path, sizeof path, "%s/%s", directory, name);
    bool known = len > 0 && (size_t)len < sizeof path && stat(path, &status) == 0;
    if (known && !S_ISREG(status.st_mode))
        return;
    printf("# %s\n", name);
    fflush(stdout);
    bool ok = known && run_file(path, (size_t)status.st_size);
    printf("%sok %u - %s\n", ok ? "" : "not ", ++run->done, name);
    run->failed |= !ok;
}

static void run_directory(struct run *run, const char *directory)
{
    struct dirent **entry;
    int count = scandir(directory, &entry, NULL, alphasort);
    unsigned int before = run->done;
    for (int i = 0; i < count; i++) {
        run_entry(run, directory, entry[i]->d_name);
        free(entry[i]);
    }
    if (count >= 0)
        free(entry);
    if (run->done == before) { /* an empty corpus proves nothing */
        printf("not ok %u - no input in %s\n", ++run->done, directory);
        run->failed = true;
    }
}

static int fuzz(int argc, char **argv)
{
    argv[1] = argv[0];
    argv++;
    argc--;
#ifdef HAVE_LIBFUZZER
    return LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput);
#else
    fprintf(stderr, "%s: this build has no libFuzzer: configure it with --enable-fuzzing\n", argv[0]);
    return 2;
#endif
}

static void run_own_corpus(struct run *run)
{
    char directory[4096];
    const char *name = program_invocation_short_name;
    if (strncmp(name, "fuzz-", 5) == 0)
        name += 5;
    snprintf(directory, sizeof directory, "%s/%s", FUZZ_CORPORA, name);
    run_directory(run, directory);
}

int main(int argc, char **argv)
{
    struct run run = {0};
    if (argc > 1 && strcmp(argv[1], "--fuzz") == 0)
        return fuzz(argc, argv);
    for (int i = 1; i < argc; i++)
        run_directory(&run, argv[i]);
    if (argc < 2)
        run_own_corpus(&run);
    printf("1..%u\n", run.done);
    return run.failed ? 1 : 0;
}
