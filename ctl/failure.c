/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/failure.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include "base/text.h"

bool failure_set(struct failure *fail, enum exit_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail->status = status;
    fail->code[0] = '\0';
    vsnprintf(fail->text, sizeof fail->text, format, args);
    va_end(args);
    return false;
}

static void print_json(FILE *out, const struct failure *fail)
{
    static const char *const codes[] = {[EXIT_REFUSED] = "refused",
                                        [EXIT_USAGE] = "usage",
                                        [EXIT_UNREACHABLE] = "unreachable",
                                        [EXIT_NOT_READY] = "not-ready"};
    json_t *error = json_pack("{s:{s:i, s:s, s:s}}", "error", "status", (int)fail->status, "code",
                              fail->code[0] ? fail->code : codes[fail->status], "detail", fail->text);
    if (!error) /* the text is not UTF-8 */
        error = json_pack("{s:{s:i, s:s, s:s}}", "error", "status", (int)fail->status, "code",
                          codes[fail->status], "detail", "the command line is not valid UTF-8");
    char *text = json_dumps(error, JSON_COMPACT);
    if (text) {
        text_put_json(out, text);
        putc('\n', out);
    }
    free(text);
    json_decref(error);
}

void failure_print(FILE *out, const struct failure *fail, bool json)
{
    if (json) {
        print_json(out, fail);
        return;
    }
    fputs("dfotactl: ", out);
    text_put(out, fail->text);
    if (fail->code[0]) {
        fputs(" (", out);
        text_put(out, fail->code);
        fputs(")", out);
    }
    putc('\n', out);
}
