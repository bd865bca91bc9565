/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl explain */
#include "ctl/command.h"
#include "ctl/text.h"

static const struct table_column page_columns[] = {
    {"Device", "device", TABLE_TEXT},
    {"Over", "over", TABLE_TEXT},
    {"  number", "link", TABLE_NUMBER},
    {"Firmware", "firmware", TABLE_TEXT},
    {"From", "from", TABLE_TEXT},
    {"Claims", "claim", TABLE_TEXT},
    {"Confirmed", "confirmed_version", TABLE_TEXT},
    {"  grade", "confirmed_grade", TABLE_TEXT},
    {"Target", "target", TABLE_TEXT},
    {"Would get", "code", TABLE_NUMBER},
    {"  because", "reason", TABLE_TEXT},
    {"Last answer", "last_answer.code", TABLE_NUMBER},
    {"  at", "last_answer.at", TABLE_TIME},
    {"  because", "last_answer.reason", TABLE_TEXT},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), NULL, ""};

static const struct table_column rule_columns[] = {
    {"OUTCOME", "outcome", TABLE_TEXT},
    {"RULE", "asks", TABLE_TEXT},
};
static const struct table_view rule_view = {rule_columns, TABLE_COUNT(rule_columns), NULL, ""};

/* From option to query parameter, where it is given. */
static bool add_query(const struct session *session, struct client_path *path, unsigned option,
                      const char *name, struct failure *fail)
{
    const char *value = session->options->value[option];
    return !value || client_path_query(path, name, value, fail);
}

bool explain_show(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL;
    if (session->options->value[OPTION_LINK] && session->options->value[OPTION_DIALECT])
        return failure_set(fail, EXIT_USAGE, "--link and --dialect exclude each other");
    if (!session_path(session, &path, fail, "explain", NULL) ||
        !client_path_query(&path, "device", session->args[0], fail) ||
        !add_query(session, &path, OPTION_FIRMWARE, "firmware", fail) ||
        !add_query(session, &path, OPTION_VERSION, "version", fail) ||
        !add_query(session, &path, OPTION_LINK, "link", fail) ||
        (session->options->value[OPTION_DIALECT] && !client_path_query(&path, "over", "dialect", fail)) ||
        !client_get(session->client, path.text, &answer, fail))
        return false;
    session_print_page(session, answer, &page_view);
    if (!session->json) {
        fputs("\nThe rules, in order, up to the one that answers\n", stdout);
        table_print(stdout, json_object_get(answer, "rules"), &rule_view);
    }
    json_decref(answer);
    return true;
}
