/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The faults that a check finds: printed one by one, or only the first one kept. */
#ifndef DFOTA_SERVER_BACKUP_FINDINGS_H
#define DFOTA_SERVER_BACKUP_FINDINGS_H

#include <stdbool.h>
#include "base/error.h"

struct findings { /* zero before the first fault, except `prints` */
    bool prints;  /* each fault on standard output */
    unsigned faults;
    struct error first;
};

/* Notes a fault; the text is one sentence. */
void findings_add(struct findings *findings, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for db_check(): cls is the findings. */
void findings_add_database(void *cls, const char *text);

#endif
