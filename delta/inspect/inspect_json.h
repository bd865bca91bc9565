/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `dfota inspect --brief`: one line of JSON about a file, for programs that must not read the file
   themselves. */
#ifndef DFOTA_DELTA_INSPECT_INSPECT_JSON_H
#define DFOTA_DELTA_INSPECT_INSPECT_JSON_H

#include <stdbool.h>
#include <stdio.h>
#include "base/error.h"
#include "base/buffer.h"

#define BRIEF_RELEASES_MAX 8
#define BRIEF_RELEASE_SIZE 101 /* size of a name such as AirM2M_780E_V1138_LTE_AT, with NUL */

/* Always prints one JSON object on one line, in ASCII, at most a few KB:

   kind      a name from the table in recognise.h, or `luatos-full` for a LuatOS file with a script
   role      "image", "package", "full" (either: the file is sent unchanged) or "neither"
   format    the name of the package format, or null: the argument `format` (engine_recognise() in engine.h)
   summary   a description, after "this is"
   wrong     null, or why the file is damaged: one of its own checks fails
   odd       null, or what dfota does not understand, so that it cannot make packages from such files
   mangled   null, or a trace of a transfer as text (mangled.h)
   chip      of an image: the exact chip ("ec718pm") or the family ("ec618", "ec7xx") if the file says so, else the text
             chip.type of a .soc; null: the file does not say
   production  whether a .binpkg has more than bootloader, AP and CP, as the files for mass production have
   changes_core, leads_to_core, allows_core
             LuatOS files: whether the file changes the core, and the core numbers in its head, 0 for any
   script    {address, bytes, packed, bits}: of a .soc and of a LuatOS file; 0: none, or not known
   release   null, or the facts of a .soc: chip, core ("1114" or null), has_areas (the others are 0 without),
             script_address, script_bytes (of the area), kept_address, kept_bytes (0: not known), bits
   releases  names in the file such as AirM2M_780E_V1138_LTE_AT, each once, at most BRIEF_RELEASES_MAX

   ERROR_INTERNAL: writing to `to` failed. No other error. */
bool inspect_json_file(struct bytes file, const char *format, FILE *to, struct error *err)
    __attribute__((warn_unused_result));

#endif
