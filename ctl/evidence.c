/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl evidence get, signing-key */
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/download.h"

bool evidence_get(struct session *session, struct failure *fail)
{
    struct client_path path;
    return session_path(session, &path, fail, "firmware", session->args[0], "campaigns", session->args[1],
                        "evidence", NULL) &&
           (!session->options->all_rows || client_path_query(&path, "rows", "all", fail)) &&
           download(session->client, path.text, NULL, session->args[2], fail);
}

bool signing_key_show(struct session *session, struct failure *fail)
{
    static const struct table_column columns[] = {
        {"Algorithm", "algorithm", TABLE_TEXT},
        {"Public key", "key", TABLE_TEXT},
        {"SHA-256 of the key", "sha256", TABLE_HASH},
    };
    static const struct table_view view = {columns, TABLE_COUNT(columns), NULL, NULL};
    json_t *answer = NULL;
    if (!client_get(session->client, "/signing-key", &answer, fail))
        return false;
    const char *pem = json_string_value(json_object_get(answer, "pem"));
    session_print_page(session, answer, &view);
    if (!session->json && pem)
        printf("\n%s", pem);
    json_decref(answer);
    return true;
}
