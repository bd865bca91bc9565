/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl evidence verify: checks an evidence file, without a server. It says what was checked, and what was
   not. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/chain.h"
#include "base/cleanup.h"
#include "base/signature.h"
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/evidence.h"
#include "ctl/input.h"

#define PAYLOAD_MAX (64u << 20)

struct check {
    const char *file;
    json_t *envelope, *payload;
    struct signature_public_key key; /* that has signed */
    bool trusted;                    /* the caller has named this key */
    struct evidence_chain chain;
    struct evidence_match match;
};

static bool refuse(const struct check *check, struct failure *fail, const char *what)
{
    return failure_set(fail, EXIT_REFUSED, "%.500s: %s", check->file, what);
}

/* The bytes of a base64 member. Another text with the same bytes is refused: that would be a change that goes
   unnoticed. */
static bool read_bytes(const struct check *check, const char *name, size_t most, unsigned char **ret,
                       size_t *ret_len, struct failure *fail)
{
    const char *text = json_string_value(json_object_get(check->envelope, name));
    if (!text || !signature_base64_read(text, most, ret, ret_len))
        return refuse(check, fail, "the file is damaged, or it is no evidence of dfotad");
    _cleanup_(cleanup_free) char *again = signature_base64(*ret, *ret_len);
    if (again && strcmp(again, text) == 0)
        return true;
    free(*ret);
    *ret = NULL;
    return refuse(check, fail, "the file is damaged: its base64 is not in its usual form");
}

static bool read_exact(const struct check *check, const char *name, void *ret, size_t size,
                       struct failure *fail)
{
    unsigned char *bytes;
    size_t len;
    if (!read_bytes(check, name, size, &bytes, &len, fail))
        return false;
    bool ok = len == size;
    if (ok)
        memcpy(ret, bytes, size);
    free(bytes);
    return ok || refuse(check, fail, "the file is damaged: a key or a signature is too short");
}

/* ---- the signature ---- */

/* A PEM file, or the base64 of the key. */
static bool read_trusted(const char *text, struct signature_public_key *ret, struct failure *fail)
{
    unsigned char *bytes;
    size_t len;
    if (strlen(text) == 44 && signature_base64_read(text, sizeof ret->byte, &bytes, &len)) {
        bool whole = len == sizeof ret->byte;
        if (whole)
            memcpy(ret->byte, bytes, len);
        free(bytes);
        if (whole)
            return true;
    }
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (!input_open(text, &file, fail))
        return false;
    return signature_public_read(file, ret) ||
           failure_set(fail, EXIT_USAGE, "%s is not the PEM of an Ed25519 public key", text);
}

static bool choose_key(struct check *check, const char *trusted, struct failure *fail)
{
    struct signature_public_key own;
    if (!read_exact(check, "key", own.byte, sizeof own.byte, fail))
        return false;
    check->key = own;
    check->trusted = trusted != NULL;
    if (!trusted)
        return true;
    return read_trusted(trusted, &check->key, fail) &&
           (memcmp(own.byte, check->key.byte, sizeof own.byte) == 0 ||
            refuse(check, fail, "the file was signed with another key than the given one"));
}

static bool check_signature(struct check *check, const char *trusted, struct failure *fail)
{
    struct signature signature;
    _cleanup_(cleanup_free) unsigned char *payload = NULL;
    size_t len = 0;
    if (!choose_key(check, trusted, fail) ||
        !read_exact(check, "signature", signature.byte, sizeof signature.byte, fail) ||
        !read_bytes(check, "payload", PAYLOAD_MAX, &payload, &len, fail))
        return false;
    if (!signature_check(&check->key, SIGNATURE_EVIDENCE_TAG, (struct slice){(char *)payload, len},
                         &signature))
        return refuse(check, fail, "the signature is wrong: the file was changed after it was signed");
    check->payload = json_loadb((char *)payload, len, JSON_REJECT_DUPLICATES, NULL);
    return json_integer_value(json_object_get(check->payload, "evidence")) == 1 ||
           refuse(check, fail, "this dfotactl does not know this form of evidence: use a newer one");
}

static bool open_file(struct check *check, struct failure *fail)
{
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (!input_open(check->file, &file, fail))
        return false;
    check->envelope = json_loadf(file, JSON_REJECT_DUPLICATES, NULL);
    const char *algorithm = json_string_value(json_object_get(check->envelope, "algorithm"));
    return (json_integer_value(json_object_get(check->envelope, "dfota_evidence")) == 1 && algorithm &&
            strcmp(algorithm, "Ed25519") == 0 && json_object_size(check->envelope) == 5) ||
           refuse(check, fail, "the file is damaged, or it is no evidence of dfotad");
}

/* ---- what is told ---- */

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
    char text[800];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fputs("- ", stdout);
    text_wrap(stdout, 2, text);
}

static void tell_verified(const struct check *check)
{
    const struct evidence_chain *chain = &check->chain;
    const struct evidence_match *match = &check->match;
    puts("Verified:");
    tell("The file is as it was signed%s.", check->trusted ? " with the given key" : "");
    tell("%" PRId64 " rows of the ledger: the hash of each row matches its content.", chain->rows);
    if (chain->is_whole)
        tell("Rows %" PRId64 " to %" PRId64
             " follow each other up to the head of the ledger at that time: no row "
             "between them is missing, changed or added.",
             chain->first, chain->last);
    else
        tell("They are in %" PRId64 " pieces; within a piece no row is missing.", chain->pieces);
    tell(
        "%zu of %zu approvals, %zu of %zu packages and the ends of %zu of %zu attempts are told by these rows in "
        "the same way.",
        match->approvals_found, match->approvals, match->packages_found, match->packages, match->ends_found,
        match->ends);
}

static void tell_not_verified(const struct check *check)
{
    puts("Not verified:");
    if (!check->trusted)
        tell(
            "Who signed. The key is in the file itself: compare it with dfotactl signing-key, or give the key that "
            "you trust with --key.");
    if (!check->chain.is_whole)
        tell(
            "Whether rows between the pieces are missing. Evidence with --all-rows shows that, or the whole ledger.");
    tell(
        "What the server recorded is what its devices and people told it. The bytes of images and packages are not in "
        "the file: compare their SHA-256.");
}

static void print(const struct session *session, const struct check *check)
{
    const json_t *campaign = json_object_get(check->payload, "campaign");
    const struct evidence_chain *chain = &check->chain;
    _cleanup_(cleanup_free) char *key = signature_base64(check->key.byte, sizeof check->key.byte);
    if (session->json) {
        json_t *out =
            json_pack("{s:s, s:b, s:O*, s:O*, s:I, s:I, s:b, s:{s:I, s:I}}", "key", key ? key : "",
                      "key_is_trusted", check->trusted, "of", json_object_get(check->payload, "of"),
                      "campaign", json_object_get(campaign, "name"), "rows", (json_int_t)chain->rows,
                      "pieces", (json_int_t)chain->pieces, "whole_chain", chain->is_whole, "head", "first",
                      (json_int_t)chain->first, "last", (json_int_t)chain->last);
        session_print_json(out);
        json_decref(out);
        return;
    }
    fputs("Campaign: ", stdout);
    const char *name = json_string_value(json_object_get(campaign, "name"));
    text_put(stdout, name ? name : "?");
    printf("\nKey: %s\n", key ? key : "?");
    tell_verified(check);
    tell_not_verified(check);
}

bool evidence_verify(struct session *session, struct failure *fail)
{
    struct check check = {.file = session->args[0]};
    struct error err;
    bool ok = open_file(&check, fail) && check_signature(&check, session->options->public_key, fail);
    if (ok && !(evidence_check_chain(check.payload, &check.chain, &err) &&
                evidence_check_match(check.payload, &check.match, &err)))
        ok = refuse(&check, fail, err.text);
    if (ok)
        print(session, &check);
    json_decref(check.payload);
    json_decref(check.envelope);
    return ok;
}
