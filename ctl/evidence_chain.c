/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/chain.h"
#include "base/slice.h"
#include "ctl/evidence.h"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static bool read_row(const json_t *json, struct chain_row *ret, struct error *err)
{
    *ret = (struct chain_row){
        .seq = number_of(json, "seq"),
        .at_ms = number_of(json, "at"),
        .kind = text_of(json, "kind"),
        .product = text_of(json, "product"),
        .firmware = text_of(json, "firmware"),
        .device = text_of(json, "device"),
        .attempt = number_of(json, "attempt"),
        .package = text_of(json, "package"),
        .detail = text_of(json, "detail"),
    };
    return (sha256_from_hex(slice_of(text_of(json, "prev")), &ret->prev) &&
            sha256_from_hex(slice_of(text_of(json, "hash")), &ret->hash)) ||
           error_set(err, ERROR_CORRUPT, "a row of the ledger cannot be read");
}

static bool read_head(const json_t *payload, struct chain_head *ret, struct error *err)
{
    const json_t *head = json_object_get(json_object_get(payload, "ledger"), "head");
    ret->seq = number_of(head, "seq");
    return sha256_from_hex(slice_of(text_of(head, "hash")), &ret->hash) ||
           error_set(err, ERROR_CORRUPT, "the head of the ledger cannot be read");
}

/* A row begins a new piece, or follows the last one; chain_check_row() checks both. */
static bool check_row(struct evidence_chain *chain, struct chain_check *piece, const struct chain_row *row,
                      struct error *err)
{
    if (chain->rows && row->seq <= chain->last)
        return error_set(err, ERROR_CORRUPT, "the rows of the ledger are not in order");
    if (!chain->rows || row->seq != chain->last + 1) {
        *piece = (struct chain_check){.compares = false};
        chain->pieces++;
    }
    if (!chain_check_row(piece, row, err))
        return false;
    chain->first = chain->rows ? chain->first : row->seq;
    chain->last = row->seq;
    chain->rows++;
    return true;
}

bool evidence_check_chain(const json_t *payload, struct evidence_chain *ret, struct error *err)
{
    const json_t *ledger = json_object_get(payload, "ledger"), *json;
    struct chain_check piece = {.compares = false};
    struct chain_head head;
    size_t i;
    *ret = (struct evidence_chain){.rows = 0};
    if (!read_head(payload, &head, err))
        return false;
    json_array_foreach (json_object_get(ledger, "rows"), i, json) {
        struct chain_row row;
        if (!read_row(json, &row, err) || !check_row(ret, &piece, &row, err))
            return false;
    }
    if (ret->last > head.seq ||
        (ret->rows && ret->last == head.seq && !sha256_equal(&piece.last.hash, &head.hash)))
        return error_set(err, ERROR_CORRUPT, "the rows of the ledger do not fit its head");
    ret->is_whole = ret->rows && ret->pieces == 1 && ret->last == head.seq;
    if (strcmp(text_of(ledger, "rows_of"), "all") == 0 && !ret->is_whole)
        return error_set(err, ERROR_CORRUPT,
                         "rows are missing between the first row and the head of the ledger");
    return true;
}

/* ---- the other sections ---- */

#define APPROVED "approved %.100s %lld %.100s" /* campaign, stage, who */

/* The rows of some kinds by what they are about: "kind:…" → detail, parsed. */
static json_t *index_rows(const json_t *payload)
{
    json_t *index = json_object(), *row;
    size_t i;
    json_array_foreach (json_object_get(json_object_get(payload, "ledger"), "rows"), i, row) {
        const char *kind = text_of(row, "kind");
        char key[260] = "";
        json_t *detail = json_loads(text_of(row, "detail"), 0, NULL);
        if (strcmp(kind, "campaign-approved") == 0)
            snprintf(key, sizeof key, APPROVED, text_of(detail, "campaign"),
                     (long long)number_of(detail, "stage"), text_of(json_object_get(detail, "by"), "name"));
        else if (strcmp(kind, "package-made") == 0 || strcmp(kind, "package-uploaded") == 0)
            snprintf(key, sizeof key, "package %s", text_of(row, "package"));
        else if (strcmp(kind, "attempt-ended") == 0)
            snprintf(key, sizeof key, "end %lld", (long long)number_of(row, "attempt"));
        if (key[0])
            json_object_set(index, key, detail);
        json_decref(detail);
    }
    return index;
}

static void match_approvals(const json_t *payload, const json_t *index, struct evidence_match *match)
{
    const char *name = text_of(json_object_get(payload, "campaign"), "name");
    json_t *approval;
    size_t i;
    json_array_foreach (json_object_get(payload, "approvals"), i, approval) {
        char key[260];
        snprintf(key, sizeof key, APPROVED, name, (long long)number_of(approval, "stage"),
                 text_of(approval, "by"));
        match->approvals++;
        match->approvals_found += json_object_get(index, key) != NULL;
    }
}

static bool match_packages(const json_t *payload, const json_t *index, struct evidence_match *match,
                           struct error *err)
{
    json_t *package;
    size_t i;
    json_array_foreach (json_object_get(payload, "packages"), i, package) {
        char key[260];
        snprintf(key, sizeof key, "package %s", text_of(package, "sha256"));
        const json_t *detail = json_object_get(index, key);
        match->packages++;
        match->packages_found += detail != NULL;
        if (detail && number_of(detail, "size") != number_of(package, "size"))
            return error_set(err, ERROR_CORRUPT, "the ledger tells another size of the package %s",
                             text_of(package, "sha256"));
    }
    return true;
}

static bool match_attempts(const json_t *device, const json_t *index, struct evidence_match *match,
                           struct error *err)
{
    json_t *attempt;
    size_t i;
    json_array_foreach (json_object_get(device, "attempts"), i, attempt) {
        char key[260];
        if (!number_of(attempt, "ended_at"))
            continue;
        snprintf(key, sizeof key, "end %lld", (long long)number_of(attempt, "attempt"));
        const json_t *detail = json_object_get(index, key);
        match->ends++;
        match->ends_found += detail != NULL;
        if (detail && (strcmp(text_of(detail, "state"), text_of(attempt, "state")) != 0 ||
                       strcmp(text_of(detail, "from"), text_of(attempt, "from")) != 0 ||
                       strcmp(text_of(detail, "to"), text_of(attempt, "to")) != 0))
            return error_set(err, ERROR_CORRUPT, "the ledger tells another end of attempt %lld of %s",
                             (long long)number_of(attempt, "attempt"), text_of(device, "device"));
    }
    return true;
}

bool evidence_check_match(const json_t *payload, struct evidence_match *ret, struct error *err)
{
    json_t *index = index_rows(payload), *device;
    size_t i;
    *ret = (struct evidence_match){.approvals = 0};
    match_approvals(payload, index, ret);
    bool ok = match_packages(payload, index, ret, err);
    json_array_foreach (json_object_get(payload, "devices"), i, device)
        ok = ok && match_attempts(device, index, ret, err);
    json_decref(index);
    return ok;
}
