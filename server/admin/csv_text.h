/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The text of a list as UTF-8. Spreadsheets write UTF-8 with a byte order mark, or the encoding of their
   system. */
#ifndef DFOTA_SERVER_ADMIN_CSV_TEXT_H
#define DFOTA_SERVER_ADMIN_CSV_TEXT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

/* Removes a byte order mark. Text that is not valid UTF-8 is read as GBK: then *text points into *decoded,
   which the caller frees. ERROR_INVALID: the text is neither; the message begins with the number of the
   line. */
bool csv_text_decode(struct slice *text, struct buffer *decoded, struct error *err)
    __attribute__((warn_unused_result));

#endif
