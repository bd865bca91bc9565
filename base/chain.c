/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TAG "dfota ledger 1"

/* "5:hello,": two different lists of fields never give the same bytes. */
static void add_text(struct sha256_state *state, const char *text)
{
    char length[24];
    size_t len = strlen(text);
    int digits = snprintf(length, sizeof length, "%zu:", len);
    sha256_add(state, length, (size_t)digits);
    sha256_add(state, text, len);
    sha256_add(state, ",", 1);
}

static void add_number(struct sha256_state *state, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    add_text(state, text);
}

void chain_hash(const struct chain_row *row, struct sha256 *ret)
{
    char prev[SHA256_HEX_SIZE];
    struct sha256_state *state = sha256_begin();
    sha256_hex(&row->prev, prev);
    add_text(state, TAG);
    add_number(state, row->seq);
    add_number(state, row->at_ms);
    add_text(state, row->kind);
    add_text(state, row->product);
    add_text(state, row->firmware);
    add_text(state, row->device);
    add_number(state, row->attempt);
    add_text(state, row->package);
    add_text(state, row->detail);
    add_text(state, prev);
    sha256_end(state, ret);
}

/* The text after "name": in an object. A quote inside a value is escaped, so a value is never taken for a
   name. */
static const char *find_member(const char *json, const char *name)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    const char *at = strstr(json, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " \t\r\n");
    if (*at++ != ':')
        return NULL;
    return at + strspn(at, " \t\r\n");
}

static bool read_seq(const char *json, const char *name, int64_t *ret)
{
    const char *at = find_member(json, name);
    uint64_t number;
    if (!at || !slice_u64((struct slice){at, strspn(at, "0123456789")}, &number) || number > INT64_MAX)
        return false;
    *ret = (int64_t)number;
    return true;
}

static bool read_hash(const char *json, struct sha256 *ret)
{
    const char *at = find_member(json, "hash");
    size_t len = at && *at == '"' ? strspn(at + 1, "0123456789abcdef") : 0;
    return len && at[1 + len] == '"' && sha256_from_hex((struct slice){at + 1, len}, ret);
}

bool chain_head_read(const char *json, struct chain_head *ret)
{
    struct chain_head head;
    if (!read_seq(json, "seq", &head.seq) || !read_hash(json, &head.hash))
        return false;
    *ret = head;
    return true;
}

static bool read_checkpoint(const struct chain_row *row, struct chain_head *ret)
{
    return read_seq(row->detail, "last", &ret->seq) && read_hash(row->detail, &ret->hash) &&
           ret->seq < row->seq;
}

#define N(number) ((long long)(number))

/* The row has the number that follows. */
static bool check_place(struct chain_check *check, const struct chain_row *row, struct error *err)
{
    if (!check->count) {
        check->first_seq = row->seq;
        check->first_prev = row->prev;
        return true;
    }
    if (row->seq == check->last.seq + 2)
        return error_set(err, ERROR_CORRUPT, "row %lld is missing", N(check->last.seq + 1));
    return row->seq == check->last.seq + 1 || error_set(err, ERROR_CORRUPT, "rows %lld to %lld are missing",
                                                        N(check->last.seq + 1), N(row->seq - 1));
}

static bool check_contents(const struct chain_check *check, const struct chain_row *row, struct error *err)
{
    struct sha256 hash;
    chain_hash(row, &hash);
    if (!sha256_equal(&hash, &row->hash))
        return error_set(err, ERROR_CORRUPT, "row %lld was changed: its hash does not match its content",
                         N(row->seq));
    return !check->count || sha256_equal(&row->prev, &check->last.hash) ||
           error_set(err, ERROR_CORRUPT, "row %lld does not follow row %lld: one of them was replaced",
                     N(row->seq), N(check->last.seq));
}

static bool compare(struct chain_check *check, const struct chain_row *row, struct error *err)
{
    if (!check->compares || check->against.seq != row->seq)
        return true;
    check->met = true;
    return sha256_equal(&check->against.hash, &row->hash) ||
           error_set(err, ERROR_CORRUPT,
                     "row %lld differs from the exported head: the chain was computed again", N(row->seq));
}

bool chain_check_row(struct chain_check *check, const struct chain_row *row, struct error *err)
{
    if (!check_place(check, row, err) || !check_contents(check, row, err) || !compare(check, row, err))
        return false;
    if (strcmp(row->kind, CHAIN_CHECKPOINT) == 0 && !read_checkpoint(row, &check->removed))
        return error_set(err, ERROR_CORRUPT, "row %lld is a checkpoint that cannot be read", N(row->seq));
    check->last = (struct chain_head){row->seq, row->hash};
    check->count++;
    return true;
}

/* The oldest row is row 1, or follows the last row that a checkpoint removed. */
static bool check_beginning(const struct chain_check *check, struct error *err)
{
    int64_t missing = check->first_seq - 1;
    if (check->removed.seq == missing && sha256_equal(&check->removed.hash, &check->first_prev))
        return true;
    if (!check->removed.seq && !missing)
        return error_set(err, ERROR_CORRUPT,
                         "row 1 is not the beginning of a chain: it refers to an earlier row");
    if (!check->removed.seq)
        return error_set(err, ERROR_CORRUPT,
                         "rows 1 to %lld are missing, and no checkpoint says that they were removed",
                         N(missing));
    return error_set(err, ERROR_CORRUPT,
                     "the ledger begins with row %lld, but its checkpoint removed the rows up to %lld",
                     N(check->first_seq), N(check->removed.seq));
}

static bool check_head(const struct chain_check *check, struct error *err)
{
    const struct chain_head *against = &check->against;
    if (!check->compares || check->met || !against->seq)
        return true;
    if (against->seq > check->last.seq)
        return error_set(
            err, ERROR_CORRUPT,
            "the ledger ends with row %lld, but the exported head is row %lld: the end is missing",
            N(check->last.seq), N(against->seq));
    if (against->seq == check->removed.seq)
        return sha256_equal(&against->hash, &check->removed.hash) ||
               error_set(err, ERROR_CORRUPT,
                         "row %lld, which a checkpoint removed, differs from the exported head",
                         N(against->seq));
    return error_set(err, ERROR_NOT_FOUND,
                     "a checkpoint removed row %lld, the row of the exported head: use a later head",
                     N(against->seq));
}

bool chain_check_end(const struct chain_check *check, struct error *err)
{
    return (!check->count || check_beginning(check, err)) && check_head(check, err);
}
