/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `dfota inspect --brief`: what a file is, as one line of JSON for a program that must not read it itself. */
#ifndef DFOTA_DELTA_INSPECT_INSPECT_JSON_H
#define DFOTA_DELTA_INSPECT_INSPECT_JSON_H

#include <stdbool.h>
#include <stdio.h>
#include "base/error.h"
#include "base/buffer.h"

#define BRIEF_RELEASES_MAX 8
#define BRIEF_RELEASE_SIZE 101 /* of a name such as AirM2M_780E_V1138_LTE_AT, NUL included */

/* Prints one object on one line, always, of at most a few KB, all ASCII:

   kind      a name of recognise.h's table; `luatos-full` for a LuatOS file that carries a script
   role      "image", "package", "full" (either: it is served as it is) or "neither"
   format    the package format that would apply it, or null
   summary   what it is, to stand behind "this is"
   wrong     null, or why it cannot be whole: a check that it carries itself fails
   odd       null, or what dfota does not understand of it, so that it cannot make packages between such files
   changes_core, leads_to_core, allows_core
             of a LuatOS file: whether it changes the core, and the numbers of cores in its head, 0 for none
   mangled   null, or the trace of a transfer as text that was found (mangled.h)
   releases  names like AirM2M_780E_V1138_LTE_AT that stand in it, each once, at most BRIEF_RELEASES_MAX

   ERROR_INTERNAL when `to` cannot be written, and only then. */
bool inspect_json_file(struct bytes file, const char *format, FILE *to, struct error *err)
    __attribute__((warn_unused_result));

#endif
