/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl console */
#include "ctl/command.h"

bool console_show(struct session *session, struct failure *fail)
{
    struct client_answer answer = {0};
    if (!client_change(session->client, "POST", "/session/once", NULL, &answer, fail))
        return false;
    const char *url = json_string_value(json_object_get(answer.json, "url"));
    bool ok = url || failure_set(fail, EXIT_UNREACHABLE, "the answer of the server has no URL");
    if (ok && session->json)
        session_print_json(answer.json);
    else if (ok)
        printf("%s%s\n", client_root(session->client), url);
    client_answer_clear(&answer);
    return ok;
}
