/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfota-sim: simulated modules. Reads the command line into a plan, runs the crew, says how it went. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/file.h"
#include "sim/fleet.h"
#include "sim/image_generator.h"
#include "sim/option.h"
#include "sim/summary.h"

#define DEFAULT_IMEI      "866597071234569"
#define DEFAULT_PARTITION 491520 /* what an Air780E has */
#define PARALLEL_MAX      1024

enum exit_status { /* documented in dfota-sim(1) */
                   EXIT_WANTED = 0,
                   EXIT_OTHERWISE = 1, /* some module did not end as it should */
                   EXIT_USAGE = 2,
                   EXIT_MACHINE = 3, /* a file cannot be read or written, or nobody could be reached */
};

static bool make_image(const struct options *options, struct error *err)
{
    char release[RELEASE_SIZE];
    uint64_t size = FORGE_DEFAULT_BYTES, seed = 1;
    if (!options->file)
        return error_set(err, ERROR_BAD_REQUEST, "--make-image VERSION needs the FILE to write");
    if (!option_release(options, OPTION_MAKE_IMAGE, release, err) ||
        !option_number(options, OPTION_SIZE, FORGE_MIN_BYTES, FORGE_MAX_BYTES, &size, err) ||
        !option_number(options, OPTION_SEED, 0, UINT32_MAX, &seed, err))
        return false;
    _cleanup_(buffer_free) struct buffer image = {0};
    if (!image_generator_make(release, (size_t)size, (uint32_t)seed, &image, err) ||
        !file_store(options->file, buffer_bytes(&image), err))
        return false;
    struct sha256 hash;
    char hex[SHA256_HEX_SIZE];
    sha256_of(image.ptr, image.len, &hash);
    sha256_hex(&hash, hex);
    printf("sha256=%s size=%zu version=%s\n", hex, image.len, release);
    return true;
}

static bool check_combination(const struct options *options, struct error *err)
{
    const char *const *value = options->value;
    int sources = !!value[OPTION_URL] + !!value[OPTION_LINK] + !!value[OPTION_LINKS];
    if (options->file)
        return error_set(err, ERROR_BAD_REQUEST, "what is '%s' for?", options->file);
    if (value[OPTION_SIZE] || value[OPTION_SEED])
        return error_set(err, ERROR_BAD_REQUEST, "--size and --seed belong to --make-image");
    if (sources != 1)
        return error_set(err, ERROR_BAD_REQUEST,
                         "one of --url, --link and --links, please; see dfota-sim --help");
    if (value[OPTION_URL] && (!value[OPTION_PRODUCT_KEY] || !value[OPTION_FIRMWARE]))
        return error_set(err, ERROR_BAD_REQUEST, "--url needs --product-key and --firmware");
    if (value[OPTION_URL] && value[OPTION_REPORT])
        return error_set(err, ERROR_BAD_REQUEST,
                         "--report needs a link: with --url the module says itself what it runs");
    if (value[OPTION_TRANSCRIPT] && (!value[OPTION_REPORT] || !value[OPTION_FIRMWARE]))
        return error_set(err, ERROR_BAD_REQUEST, "--transcript belongs to --report and needs --firmware");
    if (!value[OPTION_URL] && (value[OPTION_PRODUCT_KEY] || value[OPTION_DIALECT] || value[OPTION_COUNT]))
        return error_set(err, ERROR_BAD_REQUEST, "--product-key, --dialect and --count belong to --url");
    if (value[OPTION_OUTPUT] && strcmp(value[OPTION_OUTPUT], "json") != 0)
        return error_set(err, ERROR_BAD_REQUEST, "--output knows json only");
    return true;
}

static bool plan_end(const struct options *options, struct plan *plan, struct error *err)
{
    const char *until = options->value[OPTION_UNTIL];
    if (!option_number(options, OPTION_ASKS, 1, UINT32_MAX, &plan->asks, err) ||
        !option_release(options, OPTION_EXPECT, plan->expect, err))
        return false;
    plan->until_idle = until ? strcmp(until, "idle") == 0 : plan->asks == 0;
    return !until || plan->until_idle || option_release(options, OPTION_UNTIL, plan->until, err);
}

static bool plan_link(const struct options *options, struct plan *plan, struct error *err)
{
    const char *name =
        options->value[OPTION_DIALECT] ? options->value[OPTION_DIALECT] : dialect_table[0].name;
    plan->dialect = dialect_find(name);
    if (!plan->dialect)
        return error_set(err, ERROR_BAD_REQUEST, "no dialect is called %s; see dfota-sim --help", name);
    plan->interval_ms = plan->dialect->interval_ms;
    plan->has_url = options->value[OPTION_URL] != NULL;
    plan->product_key = options->value[OPTION_PRODUCT_KEY];
    plan->firmware = options->value[OPTION_FIRMWARE];
    plan->report = options->value[OPTION_REPORT] != NULL;
    plan->transcript = options->value[OPTION_TRANSCRIPT] != NULL;
    return option_seconds(options, OPTION_INTERVAL, &plan->interval_ms, err) &&
           option_number(options, OPTION_PARTITION, 1, IMAGE_MAX_BYTES, &plan->partition_bytes, err) &&
           option_number(options, OPTION_CUT_AT, 1, IMAGE_MAX_BYTES, &plan->cut_bytes, err) &&
           (!plan->has_url || url_parse(options->value[OPTION_URL], &plan->url, err));
}

static bool fill_shelf(const struct options *options, struct image_store *shelf, struct fleet_source *source,
                       struct error *err)
{
    const struct image *image;
    for (size_t i = 0; i < options->know_count; i++)
        if (!image_store_load(shelf, options->know[i].path, options->know[i].version, &image, err))
            return false;
    return !options->value[OPTION_IMAGE] ||
           image_store_load(shelf, options->value[OPTION_IMAGE], NULL, &source->image, err);
}

static FILE *voice(const struct options *options)
{
    if (options->value[OPTION_QUIET])
        return NULL;
    return options->value[OPTION_OUTPUT] ? stderr : stdout;
}

static enum exit_status judge(const struct fleet *crew)
{
    size_t wanted = 0, unreachable = 0;
    for (size_t i = 0; i < crew->count; i++) {
        wanted += module_is_at_end_as_wanted(&crew->module[i]);
        unreachable += crew->module[i].outcome == OUTCOME_UNREACHABLE;
    }
    if (wanted == crew->count)
        return EXIT_WANTED;
    return wanted + unreachable == crew->count ? EXIT_MACHINE : EXIT_OTHERWISE;
}

static bool simulate(const struct options *options, enum exit_status *ret, struct error *err)
{
    char version[RELEASE_SIZE] = "";
    uint64_t count = 1, parallel = 16;
    if (!check_combination(options, err) || !option_release(options, OPTION_VERSION, version, err) ||
        !option_number(options, OPTION_COUNT, 1, CREW_MAX, &count, err) ||
        !option_number(options, OPTION_PARALLEL, 1, PARALLEL_MAX, &parallel, err))
        return false;
    struct plan plan = {.partition_bytes = DEFAULT_PARTITION, .cut_bytes = UINT64_MAX};
    _cleanup_(image_store_free) struct image_store *shelf = NULL;
    if (!plan_end(options, &plan, err) || !plan_link(options, &plan, err) || !image_store_open(&shelf, err))
        return false;
    plan.shelf = shelf;
    const char *imei = options->value[OPTION_IMEI] ? options->value[OPTION_IMEI] : DEFAULT_IMEI;
    struct fleet_source source = {.imei = imei,
                                  .count = (size_t)count,
                                  .link = options->value[OPTION_LINK],
                                  .links = options->value[OPTION_LINKS],
                                  .version = version};
    _cleanup_(fleet_free) struct fleet crew = {0};
    if (!fill_shelf(options, shelf, &source, err) || !fleet_make(&plan, &source, &crew, err))
        return false;
    plan.trace = (struct trace){voice(options), crew.count > 1};
    if (!fleet_run(&crew, (size_t)parallel, err))
        return false;
    if (options->value[OPTION_OUTPUT] && !summary_print_json(&crew, stdout, err))
        return false;
    if (!options->value[OPTION_OUTPUT] && (crew.count > 1 || options->value[OPTION_QUIET]))
        summary_print(&crew, stdout);
    *ret = judge(&crew);
    return true;
}

static bool run(int argc, char **argv, enum exit_status *ret, struct error *err)
{
    struct options options;
    if (!option_parse(argc, argv, &options, err))
        return false;
    *ret = EXIT_WANTED;
    if (options.value[OPTION_HELP]) {
        option_print_help();
        return true;
    }
    if (options.value[OPTION_PROGRAM_VERSION]) {
        puts("dfota-sim " PACKAGE_VERSION);
        return true;
    }
    if (options.value[OPTION_MAKE_IMAGE])
        return make_image(&options, err);
    return simulate(&options, ret, err);
}

int main(int argc, char **argv)
{
    struct error err;
    enum exit_status status;
    setvbuf(stdout, NULL, _IOLBF, 0); /* who reads along sees every step when it happens */
    if (run(argc, argv, &status, &err))
        return (int)status;
    fprintf(stderr, "dfota-sim: %s\n", err.text);
    return err.code == ERROR_BAD_REQUEST || err.code == ERROR_INVALID ? EXIT_USAGE : EXIT_MACHINE;
}
