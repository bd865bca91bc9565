/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The commands of dfotactl: one table, from which command lines are understood and help is printed. */
#ifndef DFOTA_CTL_COMMAND_H
#define DFOTA_CTL_COMMAND_H

#include <stdbool.h>
#include <stdio.h>
#include "ctl/failure.h"
#include "ctl/session.h"

struct command {
    const char *name;      /* one or two words: "image upload" */
    const char *arguments; /* as help shows them, and as they are counted: "FIRMWARE [VERSION] FILE…" */
    uint64_t options;      /* OPTION_BIT of each it understands besides the global ones */
    uint64_t required;     /* of these, those it cannot do without */
    const char *summary;   /* one line */
    const char *details;   /* for its own help, wrapped when printed; or NULL */
    bool (*run)(struct session *session, struct failure *fail);
};

/* The command whose name stands at the front of words; *ret_args points behind it. EXIT_USAGE without one. */
bool command_find(char **words, const struct command **ret, char ***ret_args, struct failure *fail);

/* That the options given are its own, and that the number of arguments is right. */
bool command_check(const struct command *command, const struct options *options, char **args,
                   struct failure *fail);

/* Help for the command or the group of commands that words name; for everything without words. */
bool command_print_help(FILE *out, char **words, struct failure *fail);

/* Each prints its result on standard output. */

bool status_show(struct session *session, struct failure *fail); /* status.c */

bool product_add(struct session *session, struct failure *fail); /* product.c */
bool product_set(struct session *session, struct failure *fail);
bool product_list(struct session *session, struct failure *fail);

bool image_upload(struct session *session, struct failure *fail); /* upload.c */
bool image_list(struct session *session, struct failure *fail);   /* image.c */
bool image_get(struct session *session, struct failure *fail);

bool image_withdraw(struct session *session, struct failure *fail); /* image_change.c */
bool image_restore(struct session *session, struct failure *fail);
bool image_waypoint(struct session *session, struct failure *fail);
bool image_delete(struct session *session, struct failure *fail);

bool firmware_list(struct session *session, struct failure *fail); /* firmware.c */
bool firmware_show(struct session *session, struct failure *fail);
bool firmware_set(struct session *session, struct failure *fail);
bool target_set(struct session *session, struct failure *fail);
bool target_clear(struct session *session, struct failure *fail);
bool missing_bases_list(struct session *session, struct failure *fail);

bool package_list(struct session *session, struct failure *fail); /* package.c */
bool path_show(struct session *session, struct failure *fail);    /* path.c */
bool package_show(struct session *session, struct failure *fail);
bool package_log(struct session *session, struct failure *fail);
bool package_make(struct session *session, struct failure *fail);
bool package_get(struct session *session, struct failure *fail);
bool package_upload(struct session *session, struct failure *fail); /* package_change.c */
bool package_forget(struct session *session, struct failure *fail);
bool package_release(struct session *session, struct failure *fail);
bool package_unrelease(struct session *session, struct failure *fail);

bool matrix_show(struct session *session, struct failure *fail); /* matrix.c */
bool queue_show(struct session *session, struct failure *fail);

bool device_list(struct session *session, struct failure *fail); /* device.c */
bool device_show(struct session *session, struct failure *fail);
bool outcomes_show(struct session *session, struct failure *fail);
bool explain_show(struct session *session, struct failure *fail);
bool device_unblock(struct session *session, struct failure *fail);
bool device_accept(struct session *session, struct failure *fail);
bool device_dismiss(struct session *session, struct failure *fail);

bool report_send(struct session *session, struct failure *fail); /* report.c */
bool report_import(struct session *session, struct failure *fail);
bool transcript_list(struct session *session, struct failure *fail);

bool device_link(struct session *session, struct failure *fail); /* link.c */
bool device_links(struct session *session, struct failure *fail);
bool device_revoke(struct session *session, struct failure *fail);

bool unknown_list(struct session *session, struct failure *fail); /* unknown.c */
bool unknown_forget(struct session *session, struct failure *fail);

bool ledger_list(struct session *session, struct failure *fail); /* ledger.c */
bool ledger_head(struct session *session, struct failure *fail);
bool ledger_verify(struct session *session, struct failure *fail);
bool ledger_prune(struct session *session, struct failure *fail);

#endif
