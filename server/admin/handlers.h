/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the admin API, one file per resource. Each runs on a worker thread, fills call->reply
   and returns true, or fails with the error that is answered. doc/api.md describes the answers. */
#ifndef DFOTA_SERVER_ADMIN_HANDLERS_H
#define DFOTA_SERVER_ADMIN_HANDLERS_H

#include "server/admin/call.h"
#include "server/http/router.h"

bool admin_status_show(struct admin_call *call, struct error *err);
bool admin_evidence_get(struct admin_call *call, struct error *err); /* evidence.c */
bool admin_signing_key_show(struct admin_call *call, struct error *err);
bool admin_reason_list(struct admin_call *call, struct error *err);

bool admin_overview_show(struct admin_call *call, struct error *err);

/* These answer on their own: also when the database cannot be read. */
void admin_metrics_serve(struct request *request); /* metrics.c */
void admin_health_serve(struct request *request);  /* health.c */
void admin_ready_serve(struct request *request);

void admin_openapi_serve(struct request *request); /* openapi.c: doc/openapi.yaml */

bool admin_firmware_versions(struct admin_call *call, struct error *err); /* overview.c */

bool admin_session_begin(struct admin_call *call, struct error *err);
bool admin_session_end(struct admin_call *call, struct error *err);
bool admin_session_show(struct admin_call *call, struct error *err);
bool admin_session_once(struct admin_call *call, struct error *err);

bool admin_events_head(struct admin_call *call, struct error *err); /* events.c */

bool admin_product_add(struct admin_call *call, struct error *err);
bool admin_product_list(struct admin_call *call, struct error *err);
bool admin_product_show(struct admin_call *call, struct error *err);
bool admin_product_set(struct admin_call *call, struct error *err);
bool admin_product_delete(struct admin_call *call, struct error *err); /* removal.c */

bool admin_firmware_list(struct admin_call *call, struct error *err);
bool admin_firmware_show(struct admin_call *call, struct error *err);
bool admin_firmware_set(struct admin_call *call, struct error *err);
bool admin_firmware_delete(struct admin_call *call, struct error *err); /* removal.c */
bool admin_firmware_missing_bases(struct admin_call *call, struct error *err);
/* Answers with the firmware. */
bool admin_firmware_answer(struct admin_call *call, const struct firmware *firmware, struct error *err);
bool admin_target_set(struct admin_call *call, struct error *err);
bool admin_target_drop(struct admin_call *call, struct error *err);

bool admin_campaign_list(struct admin_call *call, struct error *err);
bool admin_campaign_list_all(struct admin_call *call, struct error *err);
bool admin_campaign_add(struct admin_call *call, struct error *err);
bool admin_campaign_show(struct admin_call *call, struct error *err);
bool admin_campaign_set(struct admin_call *call, struct error *err);
bool admin_campaign_remove(struct admin_call *call, struct error *err);
bool admin_campaign_start(struct admin_call *call, struct error *err); /* campaign_run.c */
bool admin_campaign_pause(struct admin_call *call, struct error *err);
bool admin_campaign_resume(struct admin_call *call, struct error *err);
bool admin_campaign_cancel(struct admin_call *call, struct error *err);
bool admin_campaign_approve(struct admin_call *call, struct error *err);
bool admin_campaign_retarget(struct admin_call *call, struct error *err);
bool admin_campaign_copy(struct admin_call *call, struct error *err);
bool admin_campaign_devices(struct admin_call *call, struct error *err); /* campaign_devices.c */
bool admin_campaign_devices_put(struct admin_call *call, struct error *err);

/* Upload of an image: the names are in the path, or in ?filename=. The handler is the same. */
extern const struct route_stream admin_upload_by_path, admin_upload_by_file_name;
bool admin_image_add(struct admin_call *call, struct error *err);
bool admin_image_list(struct admin_call *call, struct error *err);
bool admin_image_show(struct admin_call *call, struct error *err);
bool admin_image_about_set(struct admin_call *call, struct error *err); /* image_about.c */
bool admin_image_sbom_put(struct admin_call *call, struct error *err);
bool admin_image_sbom_get(struct admin_call *call, struct error *err);
bool admin_image_sbom_delete(struct admin_call *call, struct error *err);
bool admin_image_content(struct admin_call *call, struct error *err);
bool admin_image_set(struct admin_call *call, struct error *err); /* image_change.c */
bool admin_image_remove(struct admin_call *call, struct error *err);

bool admin_matrix_show(struct admin_call *call, struct error *err);
bool admin_queue_show(struct admin_call *call, struct error *err);

bool admin_package_list(struct admin_call *call, struct error *err);
bool admin_package_show(struct admin_call *call, struct error *err);
bool admin_package_ask(struct admin_call *call, struct error *err);
extern const struct route_stream admin_upload_package;
bool admin_package_upload(struct admin_call *call, struct error *err);
bool admin_package_forget(struct admin_call *call, struct error *err);
bool admin_package_release(struct admin_call *call, struct error *err);
bool admin_package_quarantine(struct admin_call *call, struct error *err);
bool admin_package_lift(struct admin_call *call, struct error *err);
bool admin_image_lift(struct admin_call *call, struct error *err);
bool admin_package_take_back(struct admin_call *call, struct error *err);
bool admin_package_signature(struct admin_call *call, struct error *err);
bool admin_package_content(struct admin_call *call, struct error *err);

bool admin_path_show(struct admin_call *call, struct error *err);
bool admin_path_ask(struct admin_call *call, struct error *err);

bool admin_device_list(struct admin_call *call, struct error *err);   /* device_list.c */
bool admin_device_import(struct admin_call *call, struct error *err); /* device_import.c */
bool admin_outcomes(struct admin_call *call, struct error *err);
bool admin_explain(struct admin_call *call, struct error *err);
/* Answers 200 with everything that is known about the device. */
struct device;
bool admin_device_answer(struct admin_call *call, struct device *device, struct error *err);
bool admin_device_show(struct admin_call *call, struct error *err);
bool admin_claim_accept(struct admin_call *call, struct error *err); /* claim.c */
bool admin_claim_dismiss(struct admin_call *call, struct error *err);
bool admin_device_set(struct admin_call *call, struct error *err); /* device_change.c */
bool admin_device_retire(struct admin_call *call, struct error *err);
bool admin_device_restore(struct admin_call *call, struct error *err);
bool admin_device_admit(struct admin_call *call, struct error *err);
bool admin_device_delete(struct admin_call *call, struct error *err);
bool admin_device_replace(struct admin_call *call, struct error *err); /* device_replace.c */
bool admin_device_unblock(struct admin_call *call, struct error *err);
bool admin_device_write_off(struct admin_call *call, struct error *err);
bool admin_device_unblock_all(struct admin_call *call, struct error *err);

bool admin_report_add_many(struct admin_call *call, struct error *err);
bool admin_transcript_add(struct admin_call *call, struct error *err);
bool admin_transcript_list(struct admin_call *call, struct error *err);
bool admin_transcript_show(struct admin_call *call, struct error *err);

bool admin_link_add(struct admin_call *call, struct error *err);
bool admin_link_add_many(struct admin_call *call, struct error *err);
bool admin_link_show(struct admin_call *call, struct error *err); /* link_show.c */
bool admin_link_revoke(struct admin_call *call, struct error *err);
bool admin_link_revoke_all(struct admin_call *call, struct error *err);

bool admin_unknown_list(struct admin_call *call, struct error *err);
bool admin_unknown_forget(struct admin_call *call, struct error *err);
bool admin_unknown_forget_all(struct admin_call *call, struct error *err);

bool admin_webhook_list(struct admin_call *call, struct error *err);
bool admin_webhook_add(struct admin_call *call, struct error *err);
bool admin_webhook_show(struct admin_call *call, struct error *err);
bool admin_webhook_set(struct admin_call *call, struct error *err);
bool admin_webhook_remove(struct admin_call *call, struct error *err);
bool admin_webhook_test(struct admin_call *call, struct error *err); /* webhook_event.c */
bool admin_webhook_events(struct admin_call *call, struct error *err);
bool admin_webhook_resend(struct admin_call *call, struct error *err);
bool admin_webhook_resend_all(struct admin_call *call, struct error *err);
bool admin_webhook_forget(struct admin_call *call, struct error *err);
bool admin_webhook_forget_all(struct admin_call *call, struct error *err);

bool admin_secret_list(struct admin_call *call, struct error *err); /* secret.c */
bool admin_secret_list_device(struct admin_call *call, struct error *err);
bool admin_secret_show(struct admin_call *call, struct error *err);
bool admin_secret_add(struct admin_call *call, struct error *err);
bool admin_secret_add_device(struct admin_call *call, struct error *err);
bool admin_secret_rotate(struct admin_call *call, struct error *err);
bool admin_secret_revoke(struct admin_call *call, struct error *err);
bool admin_token_list(struct admin_call *call, struct error *err); /* token.c */
bool admin_token_add(struct admin_call *call, struct error *err);
bool admin_token_show(struct admin_call *call, struct error *err);
bool admin_token_rotate(struct admin_call *call, struct error *err);
bool admin_token_revoke(struct admin_call *call, struct error *err);
bool admin_backup_begin(struct admin_call *call, struct error *err);  /* backup.c */
bool admin_backup_result(struct admin_call *call, struct error *err); /* backup_result.c */
bool admin_backup_file(struct admin_call *call, struct error *err);
bool admin_backup_end(struct admin_call *call, struct error *err);

bool admin_ledger_list(struct admin_call *call, struct error *err);
bool admin_ledger_head(struct admin_call *call, struct error *err);
bool admin_ledger_prune(struct admin_call *call, struct error *err);
bool admin_device_check_ins(struct admin_call *call, struct error *err);

#endif
