/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The rows of the ledger in the evidence of a campaign: those of its firmware while it ran, those about its images and
   packages, and the head of the chain. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/evidence.h"

#define PAGE     500
#define ROWS_MAX 100000

struct numbers { /* of rows */
    int64_t *seq;
    size_t count, room;
};

static bool add(struct numbers *numbers, int64_t seq)
{
    if (numbers->count == numbers->room) {
        size_t room = 2 * numbers->room + 64;
        int64_t *more = reallocarray(numbers->seq, room, sizeof *more);
        if (!more)
            return false;
        numbers->seq = more;
        numbers->room = room;
    }
    numbers->seq[numbers->count++] = seq;
    return true;
}

/* ---- which rows ---- */

struct search { /* rows about the images or packages of the campaign */
    const struct evidence *evidence;
    struct numbers *numbers;
    struct proof_row row;
    bool by_image; /* else by package */
    bool ok;
};

static bool names_image(const struct evidence *evidence, const char *detail)
{
    char wanted[VERSION_TEXT_SIZE + 16];
    snprintf(wanted, sizeof wanted, "\"version\":\"%s\"", evidence->path.campaign.target);
    bool found = strstr(detail, wanted) != NULL;
    for (size_t i = 0; i < evidence->package_count && !found; i++) {
        snprintf(wanted, sizeof wanted, "\"version\":\"%s\"", evidence->package[i].from);
        found = strstr(detail, wanted) != NULL;
        snprintf(wanted, sizeof wanted, "\"version\":\"%s\"", evidence->package[i].to);
        found = found || strstr(detail, wanted) != NULL;
    }
    return found;
}

static bool names_package(const struct evidence *evidence, const char *package)
{
    struct sha256 hash;
    if (!sha256_from_hex(slice_of(package), &hash))
        return false;
    for (size_t i = 0; i < evidence->package_count; i++)
        if (sha256_equal(&evidence->package[i].sha256, &hash))
            return true;
    return false;
}

static bool take(void *cls)
{
    struct search *search = cls;
    bool wanted = search->by_image ? names_image(search->evidence, search->row.detail)
                                   : names_package(search->evidence, search->row.package);
    search->ok = !wanted || add(search->numbers, search->row.seq);
    return search->ok;
}

static bool search_kind(const struct evidence *evidence, struct numbers *numbers, enum ledger_kind kind,
                        bool by_image, struct error *err)
{
    struct search search = {.evidence = evidence, .numbers = numbers, .by_image = by_image, .ok = true};
    struct proof_rows rows = {.product = "", .firmware = ""};
    if (kind != LEDGER_PACKAGE_MADE) /* which belongs to no firmware */
        rows = (struct proof_rows){.product = evidence->path.product.product_key,
                                   .firmware = evidence->path.firmware.name};
    if (!proof_rows_of_kind(evidence->db, kind, &rows, &search.row, take, &search, err))
        return false;
    return search.ok || error_set(err, ERROR_INTERNAL, "out of memory");
}

static int by_number(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

/* The clock of the server decides which rows of the firmware are of the time of the campaign. */
static bool of_campaign(const struct evidence *evidence, struct proof_rows *rows, struct error *err)
{
    const struct campaign *campaign = &evidence->path.campaign;
    int64_t until_ms = campaign->ended_ms ? campaign->ended_ms + MINUTE_MS : INT64_MAX;
    rows->product = evidence->path.product.product_key;
    rows->firmware = evidence->path.firmware.name;
    return proof_row_bounds(evidence->db, rows, campaign->created_ms, until_ms, err);
}

static bool collect(const struct evidence *evidence, struct numbers *numbers, struct error *err)
{
    _cleanup_(cleanup_free) int64_t *list = NULL;
    struct proof_rows rows;
    size_t count;
    if (!of_campaign(evidence, &rows, err) ||
        !proof_row_numbers(evidence->db, &rows, ROWS_MAX + 1, &list, &count, err) ||
        !search_kind(evidence, numbers, LEDGER_IMAGE_UPLOADED, true, err) ||
        !search_kind(evidence, numbers, LEDGER_PACKAGE_MADE, false, err) ||
        !search_kind(evidence, numbers, LEDGER_PACKAGE_UPLOADED, false, err) ||
        !search_kind(evidence, numbers, LEDGER_PACKAGE_RELEASED, false, err) ||
        !search_kind(evidence, numbers, LEDGER_ATTEMPT_ENDED, false, err)) /* also after the campaign */
        return false;
    for (size_t i = 0; i < count; i++)
        if (!add(numbers, list[i]))
            return error_set(err, ERROR_INTERNAL, "out of memory");
    if (numbers->count > ROWS_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the campaign has more than %d rows in the ledger", ROWS_MAX);
    if (numbers->count)
        qsort(numbers->seq, numbers->count, sizeof *numbers->seq, by_number);
    return true;
}

/* ---- writing ---- */

/* All texts as the chain hashes them. */
static bool write_row(struct evidence *evidence, const struct ledger_row *row, bool first, struct error *err)
{
    fputs(first ? "\n" : ",\n", evidence->out);
    return evidence_write(evidence,
                          json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:o, s:o}", "seq",
                                    (json_int_t)row->seq, "at", (json_int_t)row->at_ms, "kind", row->kind,
                                    "product", row->product, "firmware", row->firmware, "device", row->device,
                                    "attempt", (json_int_t)row->attempt, "package", row->package, "detail",
                                    row->detail, "prev", field_hash(&row->prev), "hash",
                                    field_hash(&row->hash)),
                          err);
}

static bool load_row(struct db *db, int64_t seq, struct ledger_row **ret, size_t *ret_count,
                     struct error *err)
{
    const struct ledger_filter filter = {.after = seq - 1};
    return ledger_list(db, &filter, 1, ret, ret_count, NULL, err);
}

static bool write_some(struct evidence *evidence, const struct numbers *numbers, struct error *err)
{
    for (size_t i = 0; i < numbers->count; i++) {
        _cleanup_(cleanup_free) struct ledger_row *row = NULL;
        size_t count;
        if (i && numbers->seq[i] == numbers->seq[i - 1])
            continue;
        if (!load_row(evidence->db, numbers->seq[i], &row, &count, err) ||
            (count && !write_row(evidence, row, i == 0, err)))
            return false;
    }
    return true;
}

static bool write_from(struct evidence *evidence, int64_t seq, struct error *err)
{
    int64_t written = 0;
    for (size_t count = PAGE; count == PAGE;) {
        _cleanup_(cleanup_free) struct ledger_row *rows = NULL;
        const struct ledger_filter filter = {.after = seq - 1};
        if (!ledger_list(evidence->db, &filter, PAGE, &rows, &count, NULL, err))
            return false;
        for (size_t i = 0; i < count; i++, written++)
            if (!write_row(evidence, &rows[i], written == 0, err))
                return false;
        seq = count ? rows[count - 1].seq + 1 : seq;
    }
    return true;
}

static bool write_rows(struct evidence *evidence, struct error *err)
{
    struct numbers numbers = {.count = 0};
    bool ok = collect(evidence, &numbers, err);
    if (ok && evidence->whole_chain)
        ok = write_from(evidence, numbers.count ? numbers.seq[0] : 1, err);
    else if (ok)
        ok = write_some(evidence, &numbers, err);
    free(numbers.seq);
    return ok;
}

bool evidence_write_ledger(struct evidence *evidence, struct error *err)
{
    struct ledger_row head;
    fprintf(evidence->out, "{\"rows_of\":\"%s\",\"rows\":[", evidence->whole_chain ? "all" : "campaign");
    if (!write_rows(evidence, err) || !ledger_head(evidence->db, &head, err))
        return false;
    fputs("],\"head\":", evidence->out);
    if (!evidence_write(evidence,
                        json_pack("{s:I, s:o, s:I}", "seq", (json_int_t)head.seq, "hash",
                                  field_hash(&head.hash), "at", (json_int_t)head.at_ms),
                        err))
        return false;
    fputc('}', evidence->out);
    return true;
}
