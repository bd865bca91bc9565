/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The resources that admins change one at a time, the calls that change them, and what their tags depend on. */
#ifndef DFOTA_SERVER_ADMIN_MATCH_RESOURCE_H
#define DFOTA_SERVER_ADMIN_MATCH_RESOURCE_H

#include <jansson.h>
#include "server/http/router.h"
#include "storage/db.h"

struct match_resource {
    const char *pattern; /* of its path */
    const char *name;    /* for errors: "the campaign" */
    /* Method and rest of the path of the calls that change it, separated by blanks: "PATCH DELETE POST/start". */
    const char *changes; /* those that answer with the resource, or with 204 */
    const char *others;  /* those that answer with something else */
    /* What admins have set, and the state. *id 0: finds the resource by the path, and sets *id. *ret NULL: it is gone.
       An error of the path is the same as that of the handler. Any thread. */
    bool (*load)(const struct request *request, struct db *db, int64_t *id, json_t **ret, struct error *err);
};

/* The resource that the call reads or changes; NULL: none. */
const struct match_resource *match_resource_find(const struct route *route, bool *ret_changes,
                                                 bool *ret_answers);

#endif
