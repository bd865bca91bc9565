/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/ledger/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "storage/ledger.h"

#define PAGE     500
#define HEAD_MAX 4096

static void cleanup_db(struct db **db)
{
    db_close(*db);
}

static bool open_file(const char *data_dir, struct db **ret, struct error *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/dfota.db", data_dir) >= (int)sizeof path)
        return error_set(err, ERROR_INVALID, "the path of the data directory is too long");
    return db_open_copy(path, ret, err);
}

static bool read_head(const char *path, struct chain_head *ret, struct error *err)
{
    char text[HEAD_MAX];
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
    if (!file)
        return error_errno(err, errno, "cannot read %s", path);
    size_t len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    return chain_head_read(text, ret) ||
           error_set(err, ERROR_INVALID,
                     "%s is not the head of a ledger: a head looks like {\"hash\":\"…\",\"seq\":N}", path);
}

static bool check_page(struct chain_check *check, const struct ledger_row *rows, size_t count,
                       struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct chain_row row = ledger_chain_row(&rows[i]);
        if (!chain_check_row(check, &row, err))
            return false;
    }
    return true;
}

static bool check_all(struct db *db, struct chain_check *check, struct error *err)
{
    for (size_t count = 1; count;) {
        _cleanup_(cleanup_free) struct ledger_row *rows = NULL;
        struct ledger_filter filter = {.after = check->last.seq};
        if (!ledger_list(db, &filter, PAGE, &rows, &count, NULL, err) || !check_page(check, rows, count, err))
            return false;
    }
    return chain_check_end(check, err);
}

bool ledger_check(struct db *db, const struct chain_head *against, struct chain_head *ret_last,
                  struct error *err)
{
    struct chain_check check = {.compares = against != NULL};
    if (against)
        check.against = *against;
    if (!check_all(db, &check, err))
        return false;
    *ret_last = check.last;
    return true;
}

bool ledger_verify(const char *data_dir, const char *head, struct error *err)
{
    _cleanup_(cleanup_db) struct db *db = NULL;
    struct chain_check check = {.compares = head != NULL};
    char hex[SHA256_HEX_SIZE];
    if ((head && !read_head(head, &check.against, err)) || !open_file(data_dir, &db, err) ||
        !check_all(db, &check, err))
        return false;
    sha256_hex(&check.last.hash, hex);
    printf("the ledger is intact: %" PRId64 " rows, the last is row %" PRId64 " with hash %s\n", check.count,
           check.last.seq, hex);
    if (head)
        printf("the ledger continues from row %" PRId64 " of the given head\n", check.against.seq);
    else
        puts(
            "not checked: missing rows at the end, or a ledger that was computed again. Compare with a head "
            "that is kept elsewhere: --verify-ledger=FILE");
    return true;
}

bool ledger_print_head(const char *data_dir, struct error *err)
{
    _cleanup_(cleanup_db) struct db *db = NULL;
    struct ledger_row head;
    char hex[SHA256_HEX_SIZE];
    if (!open_file(data_dir, &db, err) || !ledger_head(db, &head, err))
        return false;
    sha256_hex(&head.hash, hex);
    printf("{\"at\":%" PRId64 ",\"hash\":\"%s\",\"seq\":%" PRId64 "}\n", head.at_ms, hex, head.seq);
    return true;
}
