/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The lists: the fields of their items that q selects by, and by which short lists can be sorted. doc/api.md has the
   same table. A name stays, and keeps its meaning: scripts use it. */
#ifndef DFOTA_SERVER_ADMIN_LIST_KINDS_H
#define DFOTA_SERVER_ADMIN_LIST_KINDS_H

#include "server/admin/list.h"

extern const struct list_kind list_products;
extern const struct list_kind list_firmware;
extern const struct list_kind list_missing_bases;
extern const struct list_kind list_versions;
extern const struct list_kind list_images;
extern const struct list_kind list_packages;
extern const struct list_kind list_tokens;
extern const struct list_kind list_secrets;
extern const struct list_kind list_unknown;
extern const struct list_kind list_transcripts;
extern const struct list_kind list_check_ins;
extern const struct list_kind list_webhooks;
extern const struct list_kind list_campaigns;
extern const struct list_kind list_campaign_devices;
extern const struct list_kind list_outcomes;
extern const struct list_kind list_ledger;
extern const struct list_kind list_events;
extern const struct list_kind list_devices; /* device_list.c; its subject is struct filter_subject */

#endif
