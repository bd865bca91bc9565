/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Recognises files that are text: plain text, web pages, JSON, and binary data written as text. */
#ifndef DFOTA_DELTA_RECOGNISE_TEXT_FILE_H
#define DFOTA_DELTA_RECOGNISE_TEXT_FILE_H

#include <stdbool.h>
#include "base/bytes.h"

bool text_file_is_intel_hex(struct bytes bytes);
bool text_file_is_srecord(struct bytes bytes);
bool text_file_is_html(struct bytes bytes);
bool text_file_is_json(struct bytes bytes);
bool text_file_is_plain(
    struct bytes bytes); /* all bytes are UTF-8 without control characters except white space */
bool text_file_is_utf16(struct bytes bytes); /* two bytes per character, as Windows writes text */

#endif
