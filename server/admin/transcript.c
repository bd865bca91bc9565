/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Transcripts: those that an admin adds for a customer, and all that are stored for a device. */
#include "storage/transcript.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"
#include "server/admin/transcript_json.h"
#include "server/core/log.h"
#include "server/admin/event_by.h"
#include "server/checkin/evidence.h"
#include "server/checkin/lookup.h"

static void free_text(const struct slice *text)
{
    free((char *)text->ptr);
}

static bool evidence_of(struct db *db, int64_t device_id, int64_t transcript_id, struct evidence **ret,
                        size_t *ret_count, struct error *err)
{
    size_t count, kept = 0;
    if (!evidence_list(db, device_id, ret, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if ((*ret)[i].transcript_id == transcript_id)
            (*ret)[kept++] = (*ret)[i];
    *ret_count = kept;
    return true;
}

/* A module may have printed the URL of its link. */
static bool load_text(struct admin_call *call, int64_t id, struct slice *ret, struct error *err)
{
    if (!transcript_text(call->db, id, ret, err))
        return false;
    if (!access_sees_links(call->request))
        access_hide_links((char *)ret->ptr, ret->len);
    return true;
}

/* The text is read again, because a newer server may understand more of it. */
static bool tell(struct admin_call *call, const struct transcript_row *row, const char *warning, int status,
                 struct error *err)
{
    _cleanup_(cleanup_free) struct evidence *evidence = NULL;
    _cleanup_(cleanup_free) struct transcript *found = malloc(sizeof *found);
    _cleanup_(free_text) struct slice text = {NULL, 0};
    size_t count;
    if (!found)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!load_text(call, row->id, &text, err) ||
        !evidence_of(call->db, row->device_id, row->id, &evidence, &count, err))
        return false;
    transcript_read(text, found);
    json_t *json = transcript_row_json(row);
    json_object_set_new(json, "found", transcript_found_json(found, evidence, count));
    json_object_set_new(json, "text", transcript_text_json(text));
    const char *const warnings[] = {warning ? warning : "", NULL};
    json_object_set_new(json, "warnings", field_warnings(warnings));
    reply_json(&call->reply, status, json);
    return true;
}

/* Adding one */

struct addition {
    struct admin_call *call;
    struct transcript_post *post;
    struct product product;
    struct facts facts;
};

static bool add(void *cls, struct db *db, struct error *err)
{
    struct addition *addition = cls;
    struct device device;
    struct firmware firmware;
    bool found;
    if (!path_params_device(addition->call->request, db, &addition->product, &device, err) ||
        !firmware_by_id(db, device.firmware_id, &firmware, &found, err))
        return false;
    return lookup_device(addition->call->daemon, db, &device, &firmware, clock_utc_ms(), &addition->facts,
                         err) &&
           evidence_transcript(db, &addition->facts, addition->post, err) &&
           (!addition->post->is_new ||
            evidence_note(db, &addition->facts, addition->post, event_by(addition->call->request), err));
}

bool admin_transcript_add(struct admin_call *call, struct error *err)
{
    struct addition addition = {.call = call};
    int64_t captured_ms = 0;
    if (!call_check_type(call, "text/plain", "a transcript", err) ||
        !call_query_time(call->request, "captured_at", false, &captured_ms, err))
        return false;
    if (call->request->body.len == 0)
        return error_set(err, ERROR_INVALID, "the transcript is empty");
    _cleanup_(cleanup_free) struct transcript_post *post =
        transcript_post_make(call->request->body, false, captured_ms);
    if (!post)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    addition.post = post;
    call_store_counts(call); /* the time of the last check-in decides whether it counts */
    if (!call_change(call, add, &addition, err))
        return false;
    if (post->is_new)
        log_line(LOG_LEVEL_INFO, "transcript-added", "product", addition.product.product_key, "device",
                 addition.facts.device.device, "version", post->row.version[0] ? post->row.version : NULL,
                 "reason", post->row.why[0] ? post->row.why : NULL, NULL);
    char number[24], name[IDENTITY_SIZE + 8];
    const struct device *device = &addition.facts.device;
    snprintf(number, sizeof number, "%lld", (long long)post->row.id);
    snprintf(name, sizeof name, "%s:%s", identity_kind_name(device->id_kind), device->device);
    if (!tell(call, &post->row, post->warning, post->is_new ? 201 : 200, err))
        return false;
    LOCATE(call, "products", addition.product.product_key, "devices", name, "transcripts", number);
    return true;
}

/* Looking at them */

bool admin_transcript_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct transcript_row *list = NULL;
    struct product product;
    struct device device;
    size_t count;
    if (!path_params_device(call->request, call->db, &product, &device, err) ||
        !transcript_list(call->db, device.id, &list, &count, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, transcript_row_json(&list[i]));
    return list_answer(call, &list_transcripts, items, err);
}

static bool answer_text(struct admin_call *call, int64_t id, struct error *err)
{
    _cleanup_(free_text) struct slice text = {NULL, 0};
    if (!load_text(call, id, &text, err))
        return false;
    reply_text(&call->reply, 200, "text/plain", text.ptr, text.len);
    return true;
}

bool admin_transcript_show(struct admin_call *call, struct error *err)
{
    struct product product;
    struct device device;
    struct transcript_row row;
    uint64_t id;
    if (!path_params_device(call->request, call->db, &product, &device, err))
        return false;
    if (!slice_u64(call->request->param[2], &id) || id > INT64_MAX)
        return error_set(err, ERROR_NOT_FOUND, "a transcript id must be a number");
    if (!transcript_get(call->db, device.id, (int64_t)id, &row, err))
        return false;
    return request_accepts(call->request, "text/plain") ? answer_text(call, row.id, err)
                                                        : tell(call, &row, NULL, 200, err);
}
