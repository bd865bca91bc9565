/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfota-sim: simulated modules. Turns the command line into a plan, runs the modules, and prints the
   result. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include "base/chip.h"
#include "base/package_format.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "delta/file.h"
#include "sim/binpkg_generator.h"
#include "sim/fleet.h"
#include "sim/image_generator.h"
#include "sim/luatos_run.h"
#include "sim/option.h"
#include "sim/rehearsal.h"
#include "sim/summary.h"

#define DEFAULT_PARTITION 491520 /* bytes, as in an Air780E */

enum exit_status { /* documented in dfota-sim(1) */
                   EXIT_WANTED = 0,
                   EXIT_OTHERWISE = 1, /* a module did not end as wanted */
                   EXIT_USAGE = 2,
                   EXIT_MACHINE = 3, /* a file cannot be read or written, or no server was reached */
};

static bool names_binpkg(const char *file)
{
    static const char ending[] = ".binpkg";
    size_t len = strlen(file);
    return len >= sizeof ending - 1 && strcmp(file + len - (sizeof ending - 1), ending) == 0;
}

static bool make_image(const struct sim_options *options, struct error *err)
{
    const char *version = options->make_image;
    size_t size = options->size_bytes ? (size_t)options->size_bytes : GENERATOR_DEFAULT_BYTES;
    uint32_t seed = options->seed == SEED_NONE ? 1 : (uint32_t)options->seed;
    if (!options->file)
        return error_set(err, ERROR_BAD_REQUEST, "--make-image needs the argument FILE");
    _cleanup_(buffer_free) struct buffer image = {0};
    bool (*make)(const char *, size_t, uint32_t, struct buffer *, struct error *) =
        names_binpkg(options->file) ? binpkg_generator_make : image_generator_make;
    if (!make(version, size, seed, &image, err) || !file_store(options->file, buffer_bytes(&image), err))
        return false;
    struct sha256 hash;
    char hex[SHA256_HEX_SIZE];
    sha256_of(image.ptr, image.len, &hash);
    sha256_hex(&hash, hex);
    printf("sha256=%s size=%zu version=%s\n", hex, image.len, version);
    return true;
}

static bool has_rehearsal_options(const struct sim_options *options)
{
    return options->from.count || options->stages.count || options->set.count || options->waypoints.count ||
           options->loss || options->resets || options->refuse || options->server;
}

static bool rehearse(const struct sim_options *options, enum exit_status *ret, struct error *err)
{
    bool agree;
    if (options->url || options->link || options->links || options->product_key || options->image ||
        options->version[0] || options->count || options->until.version[0] || options->until.idle ||
        options->asks || options->expect[0] || options->cut_bytes || options->report || options->file ||
        options->size_bytes)
        return error_set(err, ERROR_BAD_REQUEST,
                         "--campaign takes no other server and no other modules; see dfota-sim(1)");
    if (!options->from.count)
        return error_set(err, ERROR_BAD_REQUEST, "--campaign needs --from VERSION=COUNT");
    if (options->loss + options->resets > 90)
        return error_set(err, ERROR_BAD_REQUEST, "--loss and --resets are at most 90 percent together");
    if (!rehearsal_run(options, &agree, err))
        return false;
    *ret = agree ? EXIT_WANTED : EXIT_OTHERWISE;
    return true;
}

/* Options that need each other, or exclude each other. */
static bool check_combination(const struct sim_options *options, struct error *err)
{
    int sources = !!options->url + !!options->link + !!options->links;
    if (options->file)
        return error_set(err, ERROR_BAD_REQUEST, "unexpected argument '%.100s'", options->file);
    if (has_rehearsal_options(options) || options->speed)
        return error_set(
            err, ERROR_BAD_REQUEST,
            "--from, --stage, --set, --waypoint, --loss, --resets, --refuse, --speed and --server need "
            "--campaign");
    if (options->size_bytes || options->seed != SEED_NONE)
        return error_set(err, ERROR_BAD_REQUEST, "--size and --seed need --make-image");
    if (sources != 1)
        return error_set(err, ERROR_BAD_REQUEST,
                         "exactly one of --url, --link and --links is needed; see dfota-sim --help");
    if (options->url && (!options->product_key || !options->firmware))
        return error_set(err, ERROR_BAD_REQUEST, "--url needs --product-key and --firmware");
    if (options->url && options->report)
        return error_set(err, ERROR_BAD_REQUEST,
                         "--report needs --link or --links: with --url the module itself tells its version");
    if (options->transcript && (!options->report || !options->firmware))
        return error_set(err, ERROR_BAD_REQUEST, "--transcript needs --report and --firmware");
    if (!options->url && (options->product_key || options->dialect || options->count))
        return error_set(err, ERROR_BAD_REQUEST, "--product-key, --dialect and --count need --url");
    return true;
}

/* Options that a LuatOS module has, or does not have. */
static bool check_client(const struct sim_options *options, struct error *err)
{
    if (!options->client)
        return (!options->model && options->core_id == CORE_ID_NONE) ||
               error_set(err, ERROR_BAD_REQUEST, "--model and --core-id need --client");
    if (!options->url || !options->product_key || !options->firmware || !options->image)
        return error_set(err, ERROR_BAD_REQUEST,
                         "--client needs --url, --product-key, --firmware and --image");
    if (options->link || options->links || options->dialect || options->count || options->report ||
        options->output || options->file || options->campaign[0] || has_rehearsal_options(options) ||
        options->size_bytes || options->seed != SEED_NONE)
        return error_set(err, ERROR_BAD_REQUEST, "--client takes one module with --url; see dfota-sim(1)");
    return true;
}

/* A module with an EC7xx has room for the longest archive of its chip, and its wrapper. */
static uint64_t default_partition(const struct sim_options *options)
{
    const struct ec7xx_chip *chip = options->chip ? ec7xx_chip_find(options->chip) : NULL;
    return chip ? chip->archive_bytes + PACKAGE_FORMAT_LUATOS_HEAD : DEFAULT_PARTITION;
}

static bool fill_plan(const struct sim_options *options, struct plan *plan, struct error *err)
{
    const char *name = options->dialect ? options->dialect : dialect_table[0].name;
    *plan = (struct plan){
        .dialect = dialect_find(name),
        .has_url = options->url != NULL,
        .product_key = options->product_key,
        .firmware = options->firmware,
        .report = options->report,
        .transcript = options->transcript,
        .asks = options->asks,
        .until_idle = options->until.idle || (!options->until.version[0] && !options->asks),
        .partition_bytes = options->partition_bytes ? options->partition_bytes : default_partition(options),
        .chip = options->chip,
        .cut_bytes = options->cut_bytes ? options->cut_bytes : UINT64_MAX,
    };
    memcpy(plan->until, options->until.version, sizeof plan->until);
    memcpy(plan->expect, options->expect, sizeof plan->expect);
    if (!plan->dialect)
        return error_set(err, ERROR_BAD_REQUEST,
                         "--dialect takes a name that dfota-sim --help lists, not '%.100s'", name);
    plan->interval_ms =
        options->interval_ms == INTERVAL_NONE ? plan->dialect->interval_ms : options->interval_ms;
    return !plan->has_url || options->client || url_parse(options->url, &plan->url, err);
}

static bool fill_store(const struct sim_options *options, struct image_store *store,
                       struct fleet_source *source, struct error *err)
{
    const struct image *image;
    for (size_t i = 0; i < options->know.count; i++)
        if (!image_store_load(store, options->know.file[i].path, options->know.file[i].version, &image, err))
            return false;
    return !options->image || image_store_load(store, options->image, NULL, &source->image, err);
}

/* Where the steps are printed; NULL: nowhere. */
static FILE *find_trace(const struct sim_options *options)
{
    if (options->quiet)
        return NULL;
    return options->output ? stderr : stdout;
}

static enum exit_status judge(const struct fleet *fleet)
{
    size_t wanted = 0, unreachable = 0;
    for (size_t i = 0; i < fleet->count; i++) {
        wanted += module_ended_as_wanted(&fleet->module[i]);
        unreachable += fleet->module[i].outcome == OUTCOME_UNREACHABLE;
    }
    if (wanted == fleet->count)
        return EXIT_WANTED;
    return wanted + unreachable == fleet->count ? EXIT_MACHINE : EXIT_OTHERWISE;
}

static bool simulate_client(const struct sim_options *options, enum exit_status *ret, struct error *err)
{
    struct plan plan;
    struct fleet_source source = {0};
    _cleanup_(image_store_free) struct image_store *store = NULL;
    bool wanted, unreachable;
    if (!fill_plan(options, &plan, err) || !image_store_open(&store, err) ||
        !fill_store(options, store, &source, err) ||
        (options->version[0] &&
         !image_store_load(store, options->image, options->version, &source.image, err)))
        return false;
    plan.store = store;
    plan.trace = (struct trace){find_trace(options), false};
    if (!luatos_run(options, &plan, source.image, &wanted, &unreachable, err))
        return false;
    *ret = wanted ? EXIT_WANTED : unreachable ? EXIT_MACHINE : EXIT_OTHERWISE;
    return true;
}

static bool simulate(const struct sim_options *options, enum exit_status *ret, struct error *err)
{
    struct plan plan;
    _cleanup_(image_store_free) struct image_store *store = NULL;
    if (!check_combination(options, err) || !fill_plan(options, &plan, err) || !image_store_open(&store, err))
        return false;
    plan.store = store;
    struct fleet_source source = {.imei = options->imei ? options->imei : DEFAULT_IMEI,
                                  .count = options->count ? (size_t)options->count : 1,
                                  .link = options->link,
                                  .links = options->links,
                                  .version = options->version};
    _cleanup_(fleet_free) struct fleet fleet = {0};
    if (!fill_store(options, store, &source, err) || !fleet_make(&plan, &source, &fleet, err))
        return false;
    plan.trace = (struct trace){find_trace(options), fleet.count > 1};
    if (!fleet_run(&fleet, options->parallel ? (size_t)options->parallel : DEFAULT_THREADS, err))
        return false;
    if (options->output && !summary_print_json(&fleet, stdout, err))
        return false;
    if (!options->output && (fleet.count > 1 || options->quiet))
        summary_print(&fleet, stdout);
    *ret = judge(&fleet);
    return true;
}

static bool run(int argc, char **argv, enum exit_status *ret, struct error *err)
{
    struct sim_options options;
    if (!option_parse(argc, argv, &options, err))
        return false;
    *ret = EXIT_WANTED;
    if (options.help) {
        option_print_help();
        return true;
    }
    if (options.program_version) {
        puts("dfota-sim " PACKAGE_VERSION);
        return true;
    }
    if (options.make_image[0])
        return make_image(&options, err);
    if (!check_client(&options, err))
        return false;
    if (options.client)
        return simulate_client(&options, ret, err);
    if (options.campaign[0])
        return rehearse(&options, ret, err);
    return simulate(&options, ret, err);
}

int main(int argc, char **argv)
{
    struct error err;
    enum exit_status status;
    text_begin();
    setvbuf(stdout, NULL, _IOLBF, 0); /* every step is visible when it happens, also through a pipe */
    if (run(argc, argv, &status, &err))
        return (int)status;
    fputs("dfota-sim: ", stderr);
    text_put(stderr, err.text);
    fputs("\n", stderr);
    return err.code == ERROR_BAD_REQUEST || err.code == ERROR_INVALID ? EXIT_USAGE : EXIT_MACHINE;
}
