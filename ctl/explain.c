/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl explain */
#include "ctl/explain.h"

#include "ctl/command.h"

static const struct table_column page_columns[] = {
    {"Device", "device", TABLE_TEXT},
    {"Over", "over", TABLE_TEXT},
    {"  number", "link", TABLE_NUMBER},
    {"Secret", "secret", TABLE_NUMBER},
    {"Firmware", "firmware", TABLE_TEXT},
    {"From", "from", TABLE_TEXT},
    {"  build", "build.variant", TABLE_TEXT},
    {"  known", "build.known", TABLE_TEXT},
    {"Claims", "claim", TABLE_TEXT},
    {"Confirmed", "confirmed_version", TABLE_TEXT},
    {"  grade", "confirmed_grade", TABLE_TEXT},
    {"Target", "target", TABLE_TEXT},
    {"Campaign", "campaign.name", TABLE_TEXT},
    {"  state", "campaign.state", TABLE_TEXT},
    {"  stage", "campaign.stage", TABLE_NUMBER},
    {"  outcome", "campaign.outcome", TABLE_TEXT},
    {"Held out", "held_out", TABLE_TEXT},
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

static bool add_query(struct client_path *path, const char *name, const char *value, struct failure *fail)
{
    return !value || client_path_query(path, name, value, fail);
}

bool explain_fetch(struct session *session, json_t **ret, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    struct client_path path;
    if (options->link && options->dialect)
        return failure_set(fail, EXIT_USAGE, "--link and --dialect cannot be used together");
    return session_path(session, &path, fail, "explain", NULL) &&
           add_query(&path, "device", session->args[0], fail) &&
           add_query(&path, "firmware", options->firmware, fail) &&
           add_query(&path, "version", options->version, fail) &&
           add_query(&path, "link", options->link, fail) &&
           add_query(&path, "over", options->dialect ? "dialect" : NULL, fail) &&
           client_get(session->client, path.text, ret, fail);
}

bool explain_show(struct session *session, struct failure *fail)
{
    json_t *answer = NULL;
    if (!explain_fetch(session, &answer, fail))
        return false;
    session_print_page(session, answer, &page_view);
    if (!session->json) {
        fputs("\nThe rules in order, up to the rule that gives the answer\n", stdout);
        table_print(stdout, json_object_get(answer, "rules"), &rule_view);
    }
    json_decref(answer);
    return true;
}
