/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl device list, show, unblock, accept, dismiss */
#include <stdlib.h>
#include "ctl/command.h"

static const struct table_column list_columns[] = {
    {"DEVICE", "device", TABLE_TEXT},
    {"FIRMWARE", "firmware", TABLE_TEXT},
    {"CONFIRMED", "confirmed_version", TABLE_TEXT},
    {"ANSWER", "last_answer.code", TABLE_NUMBER},
    {"LAST SEEN", "last_seen_at", TABLE_TIME},
};
/* For a spreadsheet: the version of each device, since when, and by which evidence. */
static const struct table_column csv_columns[] = {
    {"", "device", TABLE_TEXT},
    {"", "id_kind", TABLE_TEXT},
    {"", "firmware", TABLE_TEXT},
    {"", "confirmed_version", TABLE_TEXT},
    {"", "confirmed_at", TABLE_TIME},
    {"", "confirmed_by", TABLE_TEXT},
    {"", "confirmed_authenticated", TABLE_TEXT},
    {"", "confirmed_grade", TABLE_TEXT},
    {"", "claim.version", TABLE_TEXT},
    {"", "claim.grade", TABLE_TEXT},
    {"", "asked_version", TABLE_TEXT},
    {"", "first_seen_at", TABLE_TIME},
    {"", "last_seen_at", TABLE_TIME},
    {"", "check_ins", TABLE_NUMBER},
    {"", "last_answer.code", TABLE_NUMBER},
    {"", "last_answer.reason", TABLE_TEXT},
    {"", "notice", TABLE_TEXT},
    {"", "state", TABLE_TEXT},
    {"", "tags", TABLE_TEXT},
    {"", "note", TABLE_TEXT},
    {"", "held_out", TABLE_TEXT},
    {"", "build_name", TABLE_TEXT},
};
static const struct table_view csv_view = {csv_columns, TABLE_COUNT(csv_columns), NULL, ""};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), "notice", "! "};

/* With --conflicts: the confirmed version beside the claim. */
static const struct table_column conflict_columns[] = {
    {"DEVICE", "device", TABLE_TEXT},         {"CONFIRMED", "confirmed_version", TABLE_TEXT},
    {"GRADE", "confirmed_grade", TABLE_TEXT}, {"CLAIM", "claim.version", TABLE_TEXT},
    {"BY", "claim.by", TABLE_TEXT},           {"ORIGIN", "claim.origin", TABLE_TEXT},
};
static const struct table_view conflict_view = {conflict_columns, TABLE_COUNT(conflict_columns), NULL, ""};

static const struct table_column page_columns[] = {
    {"Device", "device", TABLE_TEXT},
    {"Kind of id", "id_kind", TABLE_TEXT},
    {"Firmware", "firmware", TABLE_TEXT},
    {"Confirmed version", "confirmed_version", TABLE_TEXT},
    {"  build", "build_name", TABLE_TEXT},
    {"  at", "confirmed_at", TABLE_TIME},
    {"  by", "confirmed_by", TABLE_TEXT},
    {"  authenticated", "confirmed_authenticated", TABLE_TEXT},
    {"  grade", "confirmed_grade", TABLE_TEXT},
    {"Secret", "secret.secret", TABLE_NUMBER},
    {"  of", "secret.of", TABLE_TEXT},
    {"  last used", "secret.used_at", TABLE_TIME},
    {"Secret of another", "secret_conflict.secret", TABLE_NUMBER},
    {"  at", "secret_conflict.at", TABLE_TIME},
    {"Asked from version", "asked_version", TABLE_TEXT},
    {"First seen", "first_seen_at", TABLE_TIME},
    {"Last seen", "last_seen_at", TABLE_TIME},
    {"Check-ins", "check_ins", TABLE_NUMBER},
    {"State", "state", TABLE_TEXT},
    {"  since", "state_since", TABLE_TIME},
    {"  replaced by", "replaced_by", TABLE_TEXT},
    {"Held out", "held_out", TABLE_TEXT},
    {"  since", "held_out_since", TABLE_TIME},
    {"Campaign", "campaign.name", TABLE_TEXT},
    {"  target", "campaign.target", TABLE_TEXT},
    {"  state", "campaign.state", TABLE_TEXT},
    {"  stage", "campaign.stage", TABLE_NUMBER},
    {"  outcome", "campaign.outcome", TABLE_TEXT},
    {"Tags", "tags", TABLE_TEXT},
    {"Note", "note", TABLE_TEXT},
    {"Blocked", "blocked", TABLE_TEXT},
    {"Sent in", "traffic.month", TABLE_TEXT},
    {"  bytes", "traffic.bytes", TABLE_NUMBER},
    {"Last answer", "last_answer.code", TABLE_NUMBER},
    {"  at", "last_answer.at", TABLE_TIME},
    {"  because", "last_answer.reason", TABLE_TEXT},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), "notice", "notice: "};

static const struct table_column link_columns[] = {
    {"LINK", "link", TABLE_NUMBER},
    {"VERSION", "version", TABLE_TEXT},
    {"CREATED", "created_at", TABLE_TIME},
    {"REVOKED", "revoked_at", TABLE_TIME},
};
static const struct table_view link_view = {link_columns, TABLE_COUNT(link_columns), "url", ""};

static const struct table_column attempt_columns[] = {
    {"#", "attempt", TABLE_NUMBER}, {"FROM", "from", TABLE_TEXT},
    {"TO", "to", TABLE_TEXT},       {"TARGET", "target", TABLE_TEXT},
    {"STATE", "state", TABLE_TEXT}, {"ACKED", "bytes_acked", TABLE_NUMBER},
    {"SIZE", "size", TABLE_NUMBER}, {"BEGUN", "created_at", TABLE_TIME},
};
static const struct table_view attempt_view = {attempt_columns, TABLE_COUNT(attempt_columns), "reason", ""};

static const struct table_column claim_columns[] = {
    {"VERSION", "version", TABLE_TEXT}, {"BY", "by", TABLE_TEXT},    {"GRADE", "grade", TABLE_TEXT},
    {"ORIGIN", "origin", TABLE_TEXT},   {"SINCE", "at", TABLE_TIME},
};
static const struct table_view claim_view = {claim_columns, TABLE_COUNT(claim_columns), NULL, ""};

static const struct table_column evidence_columns[] = {
    {"ATTEMPT", "attempt", TABLE_NUMBER},
    {"TRANSCRIPT", "transcript", TABLE_NUMBER},
    {"OUTCOME", "outcome", TABLE_TEXT},
    {"CAUSE", "cause", TABLE_TEXT},
};
static const struct table_view evidence_view = {evidence_columns, TABLE_COUNT(evidence_columns), "words", ""};

static const struct table_column result_columns[] = {
    {"ATTEMPT", "attempt", TABLE_NUMBER},
    {"CODE", "code", TABLE_NUMBER},
    {"SENT", "at", TABLE_TIME},
};
static const struct table_view result_view = {result_columns, TABLE_COUNT(result_columns), "meaning", ""};

static bool add_selectors(struct session *session, struct client_path *path, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    return (!options->firmware || client_path_query(path, "firmware", options->firmware, fail)) &&
           (!options->notice || client_path_query(path, "notice", "1", fail)) &&
           (!options->retired || client_path_query(path, "retired", "yes", fail)) &&
           (!options->held || client_path_query(path, "held", "yes", fail)) &&
           (!options->conflicts || session_add_condition(session, fail, "claim=yes")) &&
           (!options->tag || session_add_condition(session, fail, "tag=\"%s\"", options->tag));
}

/* A known build in place of the version. */
static void show_builds(json_t *devices)
{
    json_t *device;
    size_t i;
    json_array_foreach (devices, i, device)
        if (json_is_string(json_object_get(device, "build_name")))
            json_object_set(device, "confirmed_version", json_object_get(device, "build_name"));
}

bool device_list(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL;
    if (!session_path(session, &path, fail, "devices", NULL) || !add_selectors(session, &path, fail) ||
        !session_fetch_pages(session, path.text, &answer, fail))
        return false;
    const struct table_view *view = session->options->print_csv   ? &csv_view
                                    : session->options->conflicts ? &conflict_view
                                                                  : &list_view;
    if (!session->json && !session->options->print_csv)
        show_builds(json_object_get(answer, "items"));
    bool ok = session_print_list(session, answer, view, fail);
    json_decref(answer);
    return ok;
}

static void print_evidence(const json_t *attempts)
{
    json_t *rows = json_array(), *attempt, *evidence;
    size_t i, k;
    json_array_foreach (attempts, i, attempt) {
        json_array_foreach (json_object_get(attempt, "evidence"), k, evidence) {
            json_t *row = json_copy(evidence);
            json_object_set(row, "attempt", json_object_get(attempt, "attempt"));
            json_array_append_new(rows, row);
        }
    }
    if (json_array_size(rows) > 0) {
        fputs("\nWhat transcripts say about the attempts\n", stdout);
        table_print(stdout, rows, &evidence_view);
    }
    json_decref(rows);
}

static const struct table_column elsewhere_columns[] = {
    {"ATTEMPT", "attempt", TABLE_NUMBER},
    {"BEGUN BY", "origin", TABLE_TEXT},
    {"ALSO ASKED FOR BY", "elsewhere", TABLE_TEXT},
};
static const struct table_view elsewhere_view = {elsewhere_columns, TABLE_COUNT(elsewhere_columns), NULL, ""};

/* Attempts whose package a second address asked for: the module has a new address, or this is another
   client. */
static void print_elsewhere(const json_t *attempts)
{
    json_t *rows = json_array(), *attempt;
    size_t i;
    json_array_foreach (attempts, i, attempt) {
        if (json_is_string(json_object_get(attempt, "elsewhere")))
            json_array_append(rows, attempt);
    }
    if (json_array_size(rows) > 0) {
        fputs("\nPackages that two addresses asked for\n", stdout);
        table_print(stdout, rows, &elsewhere_view);
    }
    json_decref(rows);
}

/* Results that devices sent; only libfota3 sends them. */
static void print_results(const json_t *attempts)
{
    json_t *rows = json_array(), *attempt;
    size_t i;
    json_array_foreach (attempts, i, attempt) {
        const json_t *result = json_object_get(attempt, "result");
        if (!json_is_object(result))
            continue;
        json_t *row = json_copy((json_t *)result);
        json_object_set(row, "attempt", json_object_get(attempt, "attempt"));
        json_array_append_new(rows, row);
    }
    if (json_array_size(rows) > 0) {
        fputs("\nWhat the device says about the attempts\n", stdout);
        table_print(stdout, rows, &result_view);
    }
    json_decref(rows);
}

/* The claim, and the commands that settle it. */
static void print_conflict(const json_t *device)
{
    json_t *claim = json_object_get(device, "claim");
    if (!json_is_object(claim))
        return;
    json_t *rows = json_pack("[O]", claim);
    fputs("\nConflict: a claim of a lower grade. It changes nothing until it is accepted\n", stdout);
    table_print(stdout, rows, &claim_view);
    json_decref(rows);
    printf("dfotactl device accept %s %s, or dfotactl device dismiss %s\n",
           json_string_value(json_object_get(device, "device")),
           json_string_value(json_object_get(claim, "version")),
           json_string_value(json_object_get(device, "device")));
}

static void print_report(const struct session *session, const json_t *device)
{
    session_print_page(session, device, &page_view);
    if (session->json)
        return;
    table_print_note(stdout, 0, "warning: ", json_object_get(device, "warnings"));
    print_conflict(device);
    const json_t *links = json_object_get(device, "links"), *attempts = json_object_get(device, "attempts");
    if (json_array_size(links) > 0) {
        fputs("\nLinks\n", stdout);
        table_print(stdout, links, &link_view);
    }
    fputs("\nAttempts, newest first\n", stdout);
    table_print(stdout, attempts, &attempt_view);
    print_elsewhere(attempts);
    print_evidence(attempts);
    print_results(attempts);
}

bool device_show(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *device = NULL;
    if (!session_path(session, &path, fail, "devices", session->args[0], NULL) ||
        !client_get(session->client, path.text, &device, fail))
        return false;
    print_report(session, device);
    json_decref(device);
    return true;
}

static const struct table_column unblocked_columns[] = {{"Unblocked devices", "unblocked", TABLE_NUMBER}};
static const struct table_view unblocked_view = {unblocked_columns, TABLE_COUNT(unblocked_columns), NULL,
                                                 NULL};
static const struct table_column unblocked_item_columns[] = {{"DEVICE", "device", TABLE_TEXT},
                                                             {"KIND", "id_kind", TABLE_TEXT}};
static const struct table_view unblocked_item_view = {unblocked_item_columns,
                                                      TABLE_COUNT(unblocked_item_columns), NULL, NULL};

static bool unblock_all(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    const char *by = session->options->by;
    if (!session_path(session, &path, fail, "devices", "unblock", NULL) ||
        !client_path_query(&path, "firmware", session->args[0], fail) ||
        (session->options->filter && !client_path_query(&path, "q", session->options->filter, fail)) ||
        (by && !client_path_query(&path, "by", by, fail)) ||
        !client_change(session->client, "POST", path.text, NULL, &answer, fail))
        return false;
    bool ok = session_print_bulk(session, answer.json, &unblocked_view, &unblocked_item_view, fail);
    client_answer_clear(&answer);
    return ok;
}

/* Changes the device without a body, and prints it as it is afterwards. */
static bool post(struct session *session, const char *part, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    const char *by = session->options->by;
    if (!session_path(session, &path, fail, "devices", session->args[0], part, NULL) ||
        (by && !client_path_query(&path, "by", by, fail)) ||
        !client_change(session->client, "POST", path.text, NULL, &answer, fail))
        return false;
    print_report(session, answer.json);
    client_answer_clear(&answer);
    return true;
}

bool device_unblock(struct session *session, struct failure *fail)
{
    if (session->options->filter && !session->options->all)
        return failure_set(fail, EXIT_USAGE, "--filter needs --all and the firmware");
    return session->options->all ? unblock_all(session, fail) : post(session, "unblock", fail);
}

bool device_write_off(struct session *session, struct failure *fail)
{
    return post(session, "write-off", fail);
}

/* Settles the claim, and prints the device as it is afterwards. */
static bool settle_claim(struct session *session, const char *method, const json_t *body,
                         struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    const char *by = session->options->by;
    if (!session_path(session, &path, fail, "devices", session->args[0], "claim", NULL) ||
        (by && !client_path_query(&path, "by", by, fail)) ||
        !client_change(session->client, method, path.text, body, &answer, fail))
        return false;
    print_report(session, answer.json);
    client_answer_clear(&answer);
    return true;
}

bool device_accept(struct session *session, struct failure *fail)
{
    json_t *body = json_pack("{s:s}", "version", session->args[1]);
    bool ok = session_check_json(body, fail) && settle_claim(session, "POST", body, fail);
    json_decref(body);
    return ok;
}

bool device_dismiss(struct session *session, struct failure *fail)
{
    return settle_claim(session, "DELETE", NULL, fail);
}
