/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/chip.h"
#include "base/options.h"
#include "sim/fleet.h"
#include "sim/image_generator.h"
#include "sim/image_store.h"

#define PARALLEL_MAX 1024
#define SET_NAME_MAX 64
#define DAY_S        86400

#define MEMBER(member)               offsetof(struct sim_options, member)
#define FLAG(member)                 OPTIONS_FLAG, MEMBER(member), 0, 0, NULL, false
#define TEXT(member)                 OPTIONS_TEXT, MEMBER(member), 0, 0, NULL, false
#define WORD(member)                 OPTIONS_WORD, MEMBER(member), 0, 0, NULL, false
#define NUMBER(member, least, most)  OPTIONS_NUMBER, MEMBER(member), least, most, NULL, false
#define OTHER(member, read_function) OPTIONS_OTHER, MEMBER(member), 0, 0, read_function, false
#define MANY(member, read_function)  OPTIONS_OTHER, MEMBER(member), 0, 0, read_function, true

static bool read_version(char *text, void *member, struct error *err)
{
    return release_read(slice_of(text), member) ||
           error_set(err, ERROR_BAD_REQUEST, "takes a version such as 1138 or 1.5.2, not '%.100s'", text);
}

static bool read_until(char *text, void *member, struct error *err)
{
    struct option_until *until = member;
    until->idle = strcmp(text, "idle") == 0;
    return until->idle || release_read(slice_of(text), until->version) ||
           error_set(err, ERROR_BAD_REQUEST, "takes a version such as 1138 or 1.5.2, or idle, not '%.100s'",
                     text);
}

static bool read_known(char *text, void *member, struct error *err)
{
    struct known_files *know = member;
    struct slice rest = slice_of(text), version;
    if (know->count == KNOW_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "may be given at most %d times", KNOW_MAX);
    struct known_file *file = &know->file[know->count];
    if (!slice_split(&rest, '=', &version) || !rest.len || !release_read(version, file->version))
        return error_set(err, ERROR_BAD_REQUEST, "takes VERSION=FILE, not '%.100s'", text);
    file->path = rest.ptr;
    know->count++;
    return true;
}

static bool read_from(char *text, void *member, struct error *err)
{
    struct option_from *from = member;
    struct slice rest = slice_of(text), version;
    if (from->count == FROM_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "may be given at most %d times", FROM_MAX);
    struct modules_from *group = &from->group[from->count++];
    return (slice_split(&rest, '=', &version) && release_read(version, group->version) &&
            slice_u64(rest, &group->count) && group->count >= 1 && group->count <= FLEET_MAX) ||
           error_set(err, ERROR_BAD_REQUEST, "takes VERSION=COUNT, not '%.100s'", text);
}

static bool read_stage(char *text, void *member, struct error *err)
{
    struct option_stages *stages = member;
    if (stages->count == STAGES_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "may be given at most %d times", STAGES_MAX);
    return stage_option_read(slice_of(text), &stages->stage[stages->count++]) ||
           error_set(err, ERROR_BAD_REQUEST, "takes %s, not '%.100s'", STAGE_OPTION_HELP, text);
}

static bool read_text(char *text, void *member, struct error *err)
{
    struct option_texts *texts = member;
    if (texts->count == SET_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "may be given at most %d times", SET_MAX);
    texts->text[texts->count++] = text;
    return true;
}

static bool read_setting(char *text, void *member, struct error *err)
{
    const char *end = strchr(text, '=');
    return end && end - text < SET_NAME_MAX
               ? read_text(text, member, err)
               : error_set(err, ERROR_BAD_REQUEST, "takes NAME=VALUE, not '%.100s'", text);
}

static bool read_chip(char *text, void *member, struct error *err)
{
    const struct ec7xx_chip *chip = ec7xx_chip_find(text);
    if (!chip)
        return error_set(err, ERROR_BAD_REQUEST, "takes a chip such as ec718p, not '%.100s'", text);
    *(const char **)member = chip->name;
    return true;
}

static bool read_seconds(char *text, void *member, struct error *err)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds >= 0 && seconds <= DAY_S))
        return error_set(err, ERROR_BAD_REQUEST, "takes seconds from 0 to %d, not '%.100s'", DAY_S, text);
    *(int64_t *)member = (int64_t)(seconds * 1000);
    return true;
}

/* Name, letter, name of the value, help, kind and member. */
static const struct options_row rows[] = {
    {"url", 0, "URL", "the server; if the URL has a path, the query is appended to it", TEXT(url)},
    {"product-key", 0, "KEY", "the product key", TEXT(product_key)},
    {"firmware", 0, "NAME", "name of the firmware", TEXT(firmware)},
    {"version", 0, "VERSION", "version that the module reports (else read from the image)",
     OTHER(version, read_version)},
    {"image", 0, "FILE", "image that the module runs", TEXT(image)},
    {"know", 0, "VERSION=FILE", "this file is the image of this version; may be repeated",
     MANY(know, read_known)},
    {"imei", 0, "IMEI", "IMEI or other id of the first module (" DEFAULT_IMEI ")", TEXT(imei)},
    {"count", 0, "N", "number of modules (1); their IMEIs count up", NUMBER(count, 1, FLEET_MAX)},
    {"dialect", 0, "NAME", "luatos (default), luatos-2024, fota2, fota2-mac, uid-bytes, air724, csdk or at",
     TEXT(dialect)},
    {"client", 0, "NAME", "one LuatOS module: libfota, libfota2, libfota3-first, libfota3-v1 or libfota3",
     TEXT(client)},
    {"model", 0, "MODEL", "model of the LuatOS module (else the end of --firmware)", TEXT(model)},
    {"core-id", 0, "N", "kind of the core's build (else read from the .soc, or 0)",
     NUMBER(core_id, 0, INT32_MAX)},
    {"link", 0, "URL", "ask at this link instead of --url", TEXT(link)},
    {"links", 0, "FILE", "CSV of dfotactl device links, or a URL per line", TEXT(links)},
    {"report", 0, NULL, "with a link: a host reports after each reboot and uses the next link", FLAG(report)},
    {"transcript", 0, NULL, "with --report: the host sends the whole captured text", FLAG(transcript)},
    {"until", 0, "VERSION|idle", "end when VERSION runs, or at code 27 (idle)", OTHER(until, read_until)},
    {"asks", 0, "N", "ask N times, whatever the answers are", NUMBER(asks, 1, UINT32_MAX)},
    {"expect", 0, "VERSION", "fail unless the module runs VERSION at the end", OTHER(expect, read_version)},
    {"interval", 0, "SECONDS", "time between two asks (2; air724: 30)", OTHER(interval_ms, read_seconds)},
    {"partition", 0, "BYTES", "largest package that the module can store (491520)",
     NUMBER(partition_bytes, 1, IMAGE_MAX_BYTES)},
    {"chip", 0, "NAME", "chip of a module with an EC7xx, such as ec718p", OTHER(chip, read_chip)},
    {"cut-at", 0, "BYTES", "lose the connection once after BYTES, then ask for the rest",
     NUMBER(cut_bytes, 1, IMAGE_MAX_BYTES)},
    {"parallel", 0, "N", "number of exchanges at the same time (16)", NUMBER(parallel, 1, PARALLEL_MAX)},
    {"quiet", 'q', NULL, "do not print the steps", FLAG(quiet)},
    {"output", 'o', "json", "print the summary as JSON, and the steps on standard error", WORD(output)},
    {"campaign", 0, "VERSION", "rehearse a campaign to VERSION on a scratch server",
     OTHER(campaign, read_version)},
    {"from", 0, "VERSION=COUNT", "so many modules run this version; may be repeated", MANY(from, read_from)},
    {"stage", 0, "STAGE", "a stage, as for dfotactl campaign create; may be repeated",
     MANY(stages, read_stage)},
    {"set", 0, "NAME=VALUE", "a setting of the firmware, as in the API; may be repeated",
     MANY(set, read_setting)},
    {"waypoint", 0, "VERSION", "every path stops at this version; may be repeated",
     MANY(waypoints, read_text)},
    {"loss", 0, "PERCENT", "share of downloads that lose the connection (0)", NUMBER(loss, 0, 90)},
    {"resets", 0, "PERCENT", "share of downloads in which the module restarts (0)", NUMBER(resets, 0, 90)},
    {"refuse", 0, "PERCENT", "share of modules that apply no package (0)", NUMBER(refuse, 0, 100)},
    {"speed", 0, "N", "the rehearsal runs so many times faster (86400)", NUMBER(speed, 1, 100000000)},
    {"server", 0, "PROGRAM", "the dfotad of the rehearsal", TEXT(server)},
    {"make-image", 0, "VERSION", "write a generated image to FILE and end", OTHER(make_image, read_version)},
    {"size", 0, "BYTES", "size of the generated image (614400)",
     NUMBER(size_bytes, GENERATOR_MIN_BYTES, GENERATOR_MAX_BYTES)},
    {"seed", 0, "N", "seed of the generated image (1); another seed is another firmware",
     NUMBER(seed, 0, UINT32_MAX)},
    {"help", 'h', NULL, "print this text", FLAG(help)},
    {"program-version", 'V', NULL, "print the version of dfota-sim", FLAG(program_version)},
};

static const struct options_table table = {rows, sizeof rows / sizeof *rows, NULL, false};

bool option_parse(int argc, char **argv, struct sim_options *ret, struct error *err)
{
    struct sim_options options = {.interval_ms = INTERVAL_NONE, .seed = SEED_NONE, .core_id = CORE_ID_NONE};
    struct options_result result;
    if (!options_parse(&table, argc, argv, &options, &result, err))
        return false;
    options.file = result.words[0];
    if (options.file && result.words[1])
        return error_set(err, ERROR_BAD_REQUEST, "unexpected argument '%.100s'", result.words[1]);
    *ret = options;
    return true;
}

void option_print_help(void)
{
    puts(
        "Usage: dfota-sim --url URL --product-key KEY --firmware NAME --image FILE\n"
        "                 [OPTION]...\n"
        "       dfota-sim --client NAME --url URL --product-key KEY --firmware NAME --image FILE\n"
        "                 --know VERSION=FILE... [OPTION]...\n"
        "       dfota-sim --link URL | --links FILE [OPTION]...\n"
        "       dfota-sim --campaign VERSION --know VERSION=FILE... --from VERSION=COUNT...\n"
        "                 [--stage STAGE]... [OPTION]...\n"
        "       dfota-sim --make-image VERSION [--size BYTES] [--seed N] FILE\n"
        "Simulated cellular modules: they ask a server for firmware, apply what they get,\n"
        "and ask again.\n");
    options_print_help(stdout, &table);
    puts(
        "\nExit status: 0 every module ended as wanted, or the rehearsal's server and modules\n"
        "agree; 1 otherwise; 2 wrong command line; 3 a file cannot be read or written, or the\n"
        "server cannot be reached.\n"
        "The manual page is dfota-sim(1).");
}
