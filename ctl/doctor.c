/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl doctor */
#include "ctl/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/terminal.h"

#define CLOCK_NOTE_MS  2000
#define CLOCK_FAULT_MS 60000

static const char *const results[] = {"ok", "note", "fault"};

static const struct table_column columns[] = {
    {"RESULT", "result", TABLE_TEXT},
    {"CHECK", "check", TABLE_TEXT},
    {"TEXT", "text", TABLE_TEXT},
    {"DO", "do", TABLE_TEXT},
};
static const struct table_view view = {columns, TABLE_COUNT(columns), NULL, NULL};

void doctor_put(json_t *rows, enum doctor_result result, const char *check, const char *todo,
                const char *format, ...)
{
    char text[800];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s?}", "result", results[result], "check", check,
                                          "text", text, "do", todo));
}

/* What to do about the kinds of things in GET /overview. A kind that is not in the table is a note. */
static const struct {
    const char *kind, *check, *todo;
} kinds[] = {
    {"disk-low", "disk", "make room on the disk of the data directory, or prune the ledger"},
    {"backup-due", "backup", "dfotactl backup DIR"},
    {"format-not-set", "format", "dfotactl firmware set FIRMWARE --format FORMAT"},
    {"unknown-base", "bases",
     "dfotactl image upload FILE; dfotactl missing-bases FIRMWARE lists the versions"},
    {"several-builds", "bases", "make one build of the version the default (doc/api.md, Builds)"},
    {"oversize", "packages", "dfotactl path FROM TO shows what would help"},
    {"out-of-service", "packages",
     "dfotactl package show FIRMWARE FROM TO, then dfotactl package lift if it is good"},
    {"gate-broken", "campaigns", "dfotactl campaign show FIRMWARE CAMPAIGN, then campaign resume or cancel"},
    {"admission-full", "devices", "raise max_new_devices_per_day if these are your devices"},
    {"webhook", "webhooks", "dfotactl webhook failed WEBHOOK"},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static void check_clock(const json_t *status, int64_t before_ms, int64_t after_ms, json_t *rows)
{
    const json_t *now = json_object_get(status, "now");
    int64_t server_ms = json_integer_value(now);
    int64_t off_ms = server_ms < before_ms  ? before_ms - server_ms
                     : server_ms > after_ms ? server_ms - after_ms
                                            : 0;
    if (!json_is_integer(now))
        doctor_put(rows, DOCTOR_NOTE, "clock", "update the server", "this server does not tell its time");
    else if (off_ms > CLOCK_NOTE_MS)
        doctor_put(rows, off_ms > CLOCK_FAULT_MS ? DOCTOR_FAULT : DOCTOR_NOTE, "clock",
                   "check NTP on both machines: timedatectl",
                   "the clocks of the server and of this machine differ by %" PRId64 " s", off_ms / 1000);
    else
        doctor_put(rows, DOCTOR_OK, "clock", NULL, "the server and this machine have the same time");
}

static bool is_local(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    return strncmp(host, "localhost", 9) == 0 || strncmp(host, "127.", 4) == 0 ||
           strncmp(host, "[::1]", 5) == 0;
}

static void check_address(const json_t *status, json_t *rows)
{
    const char *url = json_string_value(json_object_get(status, "device_url"));
    if (!json_object_get(status, "device_url"))
        doctor_put(rows, DOCTOR_NOTE, "address", "update the server",
                   "this server does not tell its address in links");
    else if (!url)
        doctor_put(rows, DOCTOR_FAULT, "address", "set public_device_url in dfota.conf",
                   "links cannot be made: the server does not know its public address");
    else if (is_local(url))
        doctor_put(rows, DOCTOR_FAULT, "address", "set public_device_url in dfota.conf",
                   "links begin with %s: a module would ask itself", url);
    else if (strncmp(url, "https://", 8) == 0)
        doctor_put(rows, DOCTOR_NOTE, "address", "set public_device_url to an http:// address for AT modules",
                   "links begin with %s: AT firmware needs plain HTTP", url);
    else
        doctor_put(rows, DOCTOR_OK, "address", NULL, "links begin with %s", url);
    if (url)
        doctor_probe(rows, url);
}

/* The things that wait for a person; then one row for each check without a fault. */
static void check_overview(const json_t *overview, json_t *rows)
{
    size_t n, i;
    json_t *thing;
    bool seen[KINDS] = {false};
    json_array_foreach (json_object_get(overview, "next"), n, thing) {
        const char *kind = json_string_value(json_object_get(thing, "kind"));
        const char *text = json_string_value(json_object_get(thing, "text"));
        const char *firmware = json_string_value(json_object_get(thing, "firmware"));
        for (i = 0; i < KINDS && !(kind && strcmp(kinds[i].kind, kind) == 0); i++)
            ;
        if (i < KINDS)
            seen[i] = true;
        doctor_put(rows, i < KINDS ? DOCTOR_FAULT : DOCTOR_NOTE, i < KINDS ? kinds[i].check : "waits for you",
                   i < KINDS ? kinds[i].todo : NULL, "%s%s%s", firmware ? firmware : "", firmware ? ": " : "",
                   text   ? text
                   : kind ? kind
                          : "?");
    }
    if (!seen[0])
        doctor_put(rows, DOCTOR_OK, "disk", NULL, "enough of the disk is free");
    if (!seen[2])
        doctor_put(rows, DOCTOR_OK, "format", NULL, "no firmware of waiting devices is without a format");
    if (!seen[3])
        doctor_put(rows, DOCTOR_OK, "bases", NULL, "no device runs a version without an image");
}

/* There never was a backup, and none is due yet. */
static void note_no_backup(const json_t *status, json_t *rows)
{
    json_int_t days = json_integer_value(table_find(status, "limits.backup_warn_days"));
    if (days > 0)
        doctor_put(
            rows, DOCTOR_NOTE, "backup", "dfotactl backup DIR, each day by a timer",
            "there is no backup yet: what is lost with this disk is lost for good. After %" JSON_INTEGER_FORMAT
            " days without one this is a fault",
            days);
    else
        doctor_put(rows, DOCTOR_NOTE, "backup", "check yourself that the server is backed up in another way",
                   "there is no backup by dfotactl, and backup_warn_days = 0 turns the warning off");
}

static void check_backup(const json_t *status, json_t *rows)
{
    const json_t *backup = json_object_get(status, "backup"), *last = json_object_get(backup, "last");
    _cleanup_(cleanup_free) char *at = table_value(last, "made_at", TABLE_TIME);
    if (!backup)
        doctor_put(rows, DOCTOR_NOTE, "backup", "check yourself that backups are made: dfotactl backup DIR",
                   "this server does not remember its backups");
    else if (json_is_object(json_object_get(backup, "failed")))
        doctor_put(rows, DOCTOR_FAULT, "backup", "dfotactl backup DIR", "the last backup failed");
    else if (json_is_true(json_object_get(backup, "due")))
        return; /* the overview says since when */
    else if (!json_is_object(last))
        note_no_backup(status, rows);
    else
        doctor_put(rows, DOCTOR_OK, "backup", NULL, "the last backup is of %s", at ? at : "?");
}

static void check_products(const json_t *status, json_t *rows)
{
    const json_t *products = json_object_get(status, "products");
    if (json_is_integer(products) && json_integer_value(products) == 0)
        doctor_put(rows, DOCTOR_NOTE, "products", "dfotactl product add NAME",
                   "there is no product yet, so no module gets anything");
}

/* A finding is a sentence, so it gets the rest of the line. */
static void print_row(const json_t *row)
{
    const char *result = json_string_value(json_object_get(row, "result"));
    const char *todo = json_string_value(json_object_get(row, "do"));
    bool fault = strcmp(result, "fault") == 0, colour = terminal_has_colour(stdout);
    printf("%s%-5s%s  %-9s  ", colour && fault ? "\033[31m" : "", result, colour && fault ? "\033[0m" : "",
           json_string_value(json_object_get(row, "check")));
    text_wrap(stdout, 18, json_string_value(json_object_get(row, "text")));
    if (todo) {
        fputs("                  Do: ", stdout);
        text_wrap(stdout, 22, todo);
    }
}

static bool print_rows(struct session *session, json_t *rows, struct failure *fail)
{
    size_t i, faults = 0;
    json_t *row, *answer = json_pack("{s:O}", "items", rows);
    bool ok = true, sentences = !session->json && !session->options->columns;
    json_array_foreach (rows, i, row) {
        faults += strcmp(json_string_value(json_object_get(row, "result")), "fault") == 0;
        if (sentences)
            print_row(row);
    }
    if (!sentences)
        ok = session_print_list(session, answer, &view, fail);
    json_decref(answer);
    return ok && (faults == 0 ||
                  failure_set(fail, EXIT_NOT_READY, "%zu fault%s found", faults, faults == 1 ? "" : "s"));
}

bool doctor_show(struct session *session, struct failure *fail)
{
    json_t *status = NULL, *overview = NULL, *rows = json_array();
    int64_t before_ms = clock_utc_ms();
    bool ok = client_get(session->client, "/status", &status, fail);
    int64_t after_ms = clock_utc_ms();
    ok = ok && client_get(session->client, "/overview", &overview, fail);
    if (ok) {
        doctor_put(rows, DOCTOR_OK, "server", NULL, "dfotad %s answers at %s",
                   json_string_value(json_object_get(status, "version")), client_root(session->client));
        check_clock(status, before_ms, after_ms, rows);
        check_address(status, rows);
        check_backup(status, rows);
        check_products(status, rows);
        check_overview(overview, rows);
        ok = print_rows(session, rows, fail);
    }
    json_decref(rows);
    json_decref(status);
    json_decref(overview);
    return ok;
}
