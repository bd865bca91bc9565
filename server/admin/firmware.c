/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The settings of a firmware. */
#include "storage/firmware.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/package_format.h"
#include "server/admin/body.h"
#include "server/admin/firmware_check.h"
#include "server/admin/firmware_limit.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/build/scheduler.h"
#include "server/core/log.h"
#include "server/planning/prebuild.h"
#include "storage/matrix.h"
#include "storage/removal.h"
#include "upgrade/canary.h"
#include "server/admin/event_by.h"
#include "server/ledger/event.h"

#define MAX_PACKAGE_BYTES 1073741824 /* no module has a gigabyte of flash */
#define MAX_MONTH_BYTES   INT64_C(1000000000000)

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

/* Settings */

struct settings {
    const struct request *request;
    const struct config *config;
    const json_t *format; /* NULL: not changed */
    struct limit_wish limit;
    bool sets_limit;          /* the request says so, or another change needs another limit */
    const json_t *downgrades; /* NULL: not changed */
    const json_t *canary_confirmations, *quarantine_after; /* NULL: not changed */
    const char *hours;                                     /* NULL: not changed */
    const json_t *max_bytes_per_month;                     /* NULL: not changed */
    const char *full_packages;                             /* NULL: not changed */
    enum full_packages choice;                             /* of `full_packages` */
    const char *name;                                      /* NULL: not changed */
    bool force;                      /* rename even while devices send the present name */
    char before[FIRMWARE_NAME_SIZE]; /* the name */
    struct product product;
    struct firmware firmware;
};

static bool check_settings(const struct settings *settings, struct error *err)
{
    const char *name = json_string_value(settings->format);
    return !settings->format || json_is_null(settings->format) || (name && package_format_find(name)) ||
           error_set(err, ERROR_INVALID, "format must be one of %s, or none (null)", package_format_names());
}

/* Records all settings, also those that were not changed. */
static bool note_settings(const struct settings *settings, struct db *db, struct error *err)
{
    const struct firmware *firmware = &settings->firmware;
    const struct event event = {
        .kind = LEDGER_FIRMWARE_SET, .product = settings->product.product_key, .firmware = firmware->name};
    return event_add(
        db, &event,
        json_pack("{s:o, s:I, s:b, s:o*, s:s, s:s, s:I, s:I, s:I}", "by", event_by(settings->request),
                  "canary_confirmations", (json_int_t)firmware->canary_confirmations, "downgrades",
                  (int)firmware->downgrades, "format", event_text(firmware->format), "full_packages",
                  enum_name(&full_packages_names, firmware->full_packages), "hours", firmware->hours,
                  "max_bytes_per_month", (json_int_t)firmware->max_bytes_per_month, "max_package_bytes",
                  (json_int_t)firmware->max_package_bytes, "quarantine_after",
                  (json_int_t)firmware->quarantine_after),
        err);
}

/* Devices send the name: a new name is a firmware that they do not ask for. */
static bool rename_firmware(struct settings *settings, struct db *db, struct error *err)
{
    struct firmware *firmware = &settings->firmware;
    struct firmware_uses uses;
    const struct event event = {.kind = LEDGER_FIRMWARE_RENAMED,
                                .product = settings->product.product_key,
                                .firmware = settings->before};
    if (!settings->name || strcmp(settings->name, firmware->name) == 0)
        return true;
    if (!removal_firmware_uses(db, firmware->id, &uses, err))
        return false;
    if (uses.devices && !settings->force)
        return error_set(
            err, ERROR_FIRMWARE_IN_USE,
            "%lld devices are known under the name %s, and go on sending it: they would get code 26. "
            "Rename it with \"force\":true when they send the new name",
            (long long)uses.devices, firmware->name);
    return firmware_rename(db, firmware, settings->name, err) &&
           event_add(db, &event,
                     json_pack("{s:o, s:I, s:s}", "by", event_by(settings->request), "devices",
                               (json_int_t)uses.devices, "name", firmware->name),
                     err);
}

static bool change_format(struct settings *settings, struct firmware *firmware, struct db *db,
                          struct error *err)
{
    const char *format = json_string_value(settings->format);
    memcpy(settings->limit.before, firmware->format, sizeof settings->limit.before);
    if (!settings->format)
        return true;
    if (strcmp(firmware->format, format ? format : "") != 0 &&
        !matrix_forget_format(db, firmware->id, firmware->format, err))
        return false;
    snprintf(firmware->format, sizeof firmware->format, "%s", format ? format : "");
    firmware->format_is_default = 0;
    return true;
}

/* A new name may mean another chip. */
static bool change_limit(const struct settings *settings, struct firmware *firmware, struct db *db,
                         struct error *err)
{
    struct firmware named = *firmware;
    if (settings->name)
        snprintf(named.name, sizeof named.name, "%s", settings->name);
    if (!firmware_limit_settle(settings->config, db, &settings->limit, &named, err))
        return false;
    firmware->max_package_bytes = named.max_package_bytes;
    return true;
}

/* All but the format and the limit. */
static void change_numbers(const struct settings *settings, struct firmware *firmware)
{
    if (settings->downgrades)
        firmware->downgrades = json_is_true(settings->downgrades);
    if (settings->canary_confirmations)
        firmware->canary_confirmations = json_integer_value(settings->canary_confirmations);
    else if (!firmware->canary_confirmations && !firmware_check_may_go_without_canary(firmware))
        firmware->canary_confirmations = CANARY_CONFIRMATIONS_DEFAULT; /* with another format */
    if (settings->quarantine_after)
        firmware->quarantine_after = json_integer_value(settings->quarantine_after);
    if (settings->hours)
        snprintf(firmware->hours, sizeof firmware->hours, "%s", settings->hours);
    if (settings->max_bytes_per_month)
        firmware->max_bytes_per_month = json_integer_value(settings->max_bytes_per_month);
    if (settings->full_packages)
        firmware->full_packages = settings->choice;
}

static bool only_renames(const struct settings *settings)
{
    return !settings->format && !settings->sets_limit && !settings->downgrades &&
           !settings->canary_confirmations && !settings->quarantine_after && !settings->hours &&
           !settings->max_bytes_per_month && !settings->full_packages;
}

static bool change_settings(void *cls, struct db *db, struct error *err)
{
    struct settings *settings = cls;
    struct firmware *firmware = &settings->firmware;
    if (!path_params_firmware(settings->request, db, &settings->product, firmware, err))
        return false;
    int64_t limit = firmware->max_package_bytes;
    memcpy(settings->before, firmware->name, sizeof settings->before);
    if (!change_format(settings, firmware, db, err) || !change_limit(settings, firmware, db, err))
        return false;
    settings->sets_limit |= firmware->max_package_bytes != limit;
    change_numbers(settings, firmware);
    return firmware_check(firmware, err) && firmware_update(db, firmware, err) &&
           rename_firmware(settings, db, err) && (only_renames(settings) || note_settings(settings, db, err));
}

static void log_settings(const struct settings *settings)
{
    struct log_number number;
    const struct firmware *firmware = &settings->firmware;
    const char *product = settings->product.product_key;
    if (strcmp(settings->before, firmware->name) != 0)
        log_line(LOG_LEVEL_INFO, "firmware-renamed", "product", product, "firmware", settings->before, "name",
                 firmware->name, NULL);
    if (settings->format)
        log_line(LOG_LEVEL_INFO, "format-set", "product", product, "firmware", firmware->name, "format",
                 firmware->format[0] ? firmware->format : "none", NULL);
    if (settings->sets_limit)
        log_line(LOG_LEVEL_INFO, "limit-set", "product", product, "firmware", firmware->name, "size_bytes",
                 log_i64(&number, firmware->max_package_bytes), NULL);
    if (settings->downgrades)
        log_line(LOG_LEVEL_INFO, "downgrades-set", "product", product, "firmware", firmware->name, "allowed",
                 firmware->downgrades ? "yes" : "no", NULL);
    if (settings->canary_confirmations)
        log_line(firmware->canary_confirmations ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "canary-set", "product",
                 product, "firmware", firmware->name, "count",
                 log_i64(&number, firmware->canary_confirmations), NULL);
    if (settings->hours)
        log_line(LOG_LEVEL_INFO, "hours-set", "product", product, "firmware", firmware->name, "hours",
                 firmware->hours, NULL);
    if (settings->max_bytes_per_month)
        log_line(LOG_LEVEL_INFO, "month-limit-set", "product", product, "firmware", firmware->name,
                 "size_bytes", log_i64(&number, firmware->max_bytes_per_month), NULL);
    if (settings->full_packages)
        log_line(firmware->full_packages ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "full-packages-set", "product",
                 product, "firmware", firmware->name, "full_packages",
                 enum_name(&full_packages_names, firmware->full_packages), NULL);
    if (settings->quarantine_after)
        log_line(LOG_LEVEL_INFO, "quarantine-set", "product", product, "firmware", firmware->name, "count",
                 log_i64(&number, firmware->quarantine_after), NULL);
}

static bool check_number(const char *name, const json_t *value, json_int_t least, json_int_t most,
                         struct error *err)
{
    return !value ||
           (json_is_integer(value) && json_integer_value(value) >= least &&
            json_integer_value(value) <= most) ||
           error_set(err, ERROR_INVALID, "%s must be a whole number from %lld to %lld", name,
                     (long long)least, (long long)most);
}

static bool read_full_packages(struct settings *settings, struct error *err)
{
    unsigned choice = FULL_PACKAGES_OFF;
    if (settings->full_packages &&
        !enum_find(&full_packages_names, slice_of(settings->full_packages), &choice))
        return error_set(err, ERROR_INVALID, "full_packages is off, allowed or preferred");
    settings->choice = (enum full_packages)choice;
    return true;
}

static bool check_allowance(const struct settings *settings, struct error *err)
{
    struct hours hours;
    return (!settings->hours || hours_parse(slice_of(settings->hours), &hours) ||
            error_set(err, ERROR_INVALID,
                      "hours must be \"always\", or a range with the offset of its clock from UTC, such as "
                      "\"22:00-06:00+08:00\"")) &&
           check_number("max_bytes_per_month", settings->max_bytes_per_month, 0, MAX_MONTH_BYTES, err);
}

/* The values of the body, each for itself. */
static bool check_values(const struct settings *settings, const json_t *limit, struct error *err)
{
    if (settings->name && !name_is_firmware(slice_of(settings->name)))
        return error_set(err, ERROR_BAD_NAME, "a firmware name is 1 to 100 bytes of UTF-8 without / ? & #");
    if (settings->downgrades && !json_is_boolean(settings->downgrades))
        return error_set(err, ERROR_INVALID, "downgrades must be true or false");
    return check_number("max_package_bytes", json_is_null(limit) ? NULL : limit, 1, MAX_PACKAGE_BYTES, err) &&
           check_number("canary_confirmations", settings->canary_confirmations, 0, CANARY_CONFIRMATIONS_MAX,
                        err) &&
           check_number("quarantine_after", settings->quarantine_after, 1, QUARANTINE_AFTER_MAX, err) &&
           check_allowance(settings, err) && check_settings(settings, err);
}

static const struct body_field fields[] = {
    {"name", NULL},
    {"force", "false"},
    {"format", "null"},            /* none */
    {"max_package_bytes", "null"}, /* decided by the format and the chip */
    {"downgrades", "false"},
    {"canary_confirmations", TEXT(CANARY_CONFIRMATIONS_DEFAULT)},
    {"quarantine_after", TEXT(QUARANTINE_AFTER_DEFAULT)},
    {"hours", "\"always\""},
    {"max_bytes_per_month", "0"},
    {"full_packages", "\"off\""},
    {NULL, NULL}};

bool admin_firmware_set(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct settings settings = {.request = call->request, .config = call->daemon->config};
    json_t *format = NULL, *limit = NULL, *downgrades = NULL, *canary = NULL, *after = NULL, *month = NULL;
    int force = 0;
    if (!body_patch(call, fields, &body, err))
        return false;
    if (!body_unpack(body, err, "{s?o, s?o, s?o, s?o, s?o, s?s, s?o, s?s, s?s, s?b}", "format", &format,
                     "max_package_bytes", &limit, "downgrades", &downgrades, "canary_confirmations", &canary,
                     "quarantine_after", &after, "hours", &settings.hours, "max_bytes_per_month", &month,
                     "full_packages", &settings.full_packages, "name", &settings.name, "force", &force))
        return false;
    if (!json_object_size(body))
        return admin_firmware_show(call, err);
    settings.format = format;
    settings.limit.given = json_integer_value(limit);
    settings.limit.resets = json_is_null(limit);
    settings.sets_limit = limit;
    settings.downgrades = downgrades;
    settings.canary_confirmations = canary;
    settings.quarantine_after = after;
    settings.max_bytes_per_month = month;
    settings.force = force;
    if (!check_values(&settings, limit, err) || !read_full_packages(&settings, err) ||
        !call_change(call, change_settings, &settings, err))
        return false;
    if (settings.format)
        prebuild_add(call->daemon->prebuild, settings.firmware.id, 0);
    log_settings(&settings);
    scheduler_wake(call->daemon->scheduler); /* a new limit may be reached with more effort */
    return admin_firmware_answer(call, &settings.firmware, err);
}
