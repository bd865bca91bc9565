/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies: their fields, and JSON merge patches (RFC 7396). */
#ifndef DFOTA_SERVER_ADMIN_BODY_H
#define DFOTA_SERVER_ADMIN_BODY_H

#include "server/admin/call.h"

/* As json_unpack_ex() for one flat object without '!', such as "{s:s, s?I}". ERROR_BAD_REQUEST names a field of the
   body that is not in the format, and the fields that are; ERROR_INVALID: a field is missing, or of another type. */
bool body_unpack(const json_t *body, struct error *err, const char *format, ...)
    __attribute__((warn_unused_result));
/* Checks that the object `what`, such as "a stage", has only fields of these names, which blanks separate.
   ERROR_BAD_REQUEST. */
bool body_check_fields(const char *what, const json_t *object, const char *names, struct error *err)
    __attribute__((warn_unused_result));

struct body_field {
    const char *name;
    const char *reset; /* what null sets, as JSON; NULL: null is refused */
};

/* Checks the type of the body of a PATCH: JSON or a merge patch. Other methods pass. ERROR_UNSUPPORTED_TYPE. */
bool body_check_patch_type(const struct request *request, struct error *err)
    __attribute__((warn_unused_result));
/* The merge patch of a PATCH; null is replaced by the reset value of its field. `fields` ends with a name NULL.
   ERROR_BAD_JSON, ERROR_INVALID. */
bool body_patch(const struct admin_call *call, const struct body_field *fields, json_t **ret,
                struct error *err) __attribute__((warn_unused_result));
/* Answers with an error. A type that PATCH does not take is answered with Accept-Patch. */
void body_fail(struct request *request, const struct error *err);

#endif
