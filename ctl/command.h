/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The commands of dfotactl: one table for reading command lines and for help. */
#ifndef DFOTA_CTL_COMMAND_H
#define DFOTA_CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "ctl/failure.h"
#include "ctl/option.h"
#include "ctl/session.h"

/* Does what the command is for, and prints the result on standard output. */
typedef bool command_run(struct session *session, struct failure *fail);

struct command {
    const char *name;       /* one or two words: "image upload" */
    const char *arguments;  /* printed in help and used to count arguments: "FIRMWARE [VERSION] FILE…" */
    bool options[OPTIONS];  /* besides those of every command */
    bool required[OPTIONS]; /* those that must be given */
    const char *summary;    /* one line */
    const char *details;    /* for the help of the command; wrapped when printed; or NULL */
    command_run *run;
};

extern const struct command command_table[]; /* command_table.c */
extern const size_t command_table_count;

/* The command that words begin with; *ret_args points to what follows its name. EXIT_USAGE: there is none. */
bool command_find(char **words, const struct command **ret, char ***ret_args, struct failure *fail);

bool command_in_group(const struct command *command, const char *word); /* "image upload" is in "image" */
bool command_is_group(const char *word);

/* The options of the command, besides those of every command. */
void command_list_options(const struct command *command, bool ret[OPTIONS]);

/* The options in the table of the command that words begin with; an empty set: no command. */
const bool *command_options(char **words);

/* Whether the command takes these options and this number of arguments. EXIT_USAGE: it does not. */
bool command_check(const struct command *command, const struct ctl_options *options, char **args,
                   struct failure *fail);

/* Help for the command or the group of commands that words name; without words for all commands. */
bool command_print_help(FILE *out, char **words, struct failure *fail);

command_run status_show; /* status.c */

command_run help_show; /* trait.h: local; main.c */
command_run version_show;

command_run doctor_show; /* doctor.c */
command_run why_show;    /* why.c */

command_run console_show; /* console.c */

command_run backup_make; /* backup.c */

command_run product_add; /* product.c */
command_run product_set;
command_run product_list;
command_run product_delete;

command_run image_upload; /* upload.c */
command_run image_list;   /* image.c */
command_run image_get;

command_run image_about; /* image_about.c */
command_run image_show;

command_run image_withdraw; /* image_change.c */
command_run image_restore;
command_run image_waypoint;
command_run image_default;
command_run image_delete;

command_run firmware_list; /* firmware.c */
command_run firmware_show;
command_run firmware_set;
command_run firmware_rename;
command_run firmware_delete;
command_run target_set;
command_run target_clear;
command_run missing_bases_list;

command_run campaign_create; /* campaign.c */
command_run campaign_list;
command_run campaign_show;
command_run campaign_start;
command_run campaign_pause;
command_run campaign_resume;
command_run campaign_cancel;
command_run campaign_approve;
command_run campaign_retarget;
command_run campaign_copy;
command_run campaign_delete;
command_run campaign_devices;

command_run evidence_get;     /* evidence.c */
command_run evidence_verify;  /* evidence_verify.c */
command_run signing_key_show; /* evidence.c */

command_run package_list; /* package.c */
command_run package_show;
command_run package_log;
command_run package_make;
command_run package_get;
command_run package_upload; /* package_change.c */
command_run package_forget;
command_run package_release;
command_run package_unrelease;
command_run package_quarantine;
command_run package_lift;

command_run path_show; /* path.c */

command_run matrix_show; /* matrix.c */
command_run queue_show;

command_run device_list; /* device.c */
command_run device_show;
command_run device_unblock;
command_run device_write_off;
command_run device_accept;
command_run device_dismiss;

command_run device_tag; /* device_admin.c */
command_run device_note;
command_run device_build;
command_run device_forget_build;
command_run device_hold_out;
command_run device_let_in;
command_run device_retire;
command_run device_restore;
command_run device_replace;
command_run device_delete;
command_run device_admit;
command_run device_import;

command_run outcomes_show; /* outcome.c */

command_run explain_show; /* explain.c */

command_run report_send; /* report.c */
command_run report_import;
command_run transcript_list;

command_run device_link; /* link.c */
command_run device_links;
command_run device_revoke;

command_run unknown_list; /* unknown.c */
command_run unknown_forget;

command_run webhook_add; /* webhook.c */
command_run webhook_list;
command_run webhook_show;
command_run webhook_set;
command_run webhook_delete;
command_run webhook_test;
command_run webhook_failed; /* webhook_event.c */
command_run webhook_waiting;
command_run webhook_resend;
command_run webhook_forget;

command_run secret_add; /* secret.c */
command_run secret_list;
command_run secret_rotate;
command_run secret_revoke;

command_run token_add; /* token.c */
command_run token_list;
command_run token_rotate;
command_run token_revoke;

command_run ledger_list; /* ledger.c */
command_run ledger_head;
command_run ledger_verify;
command_run ledger_prune;

#endif
