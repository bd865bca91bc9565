/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One request that tells a webhook one event: its headers, its signature, and what the answer means. */
#ifndef DFOTA_SERVER_WEBHOOK_POST_H
#define DFOTA_SERVER_WEBHOOK_POST_H

#include <curl/curl.h>
#include "storage/outbox.h"
#include "storage/webhook.h"

#define POST_CONNECT_MS 5000L
#define POST_WHOLE_MS   15000L

struct post; /* belongs to one thread */

struct post_result {
    bool delivered;                /* the answer is 2xx and says nothing else */
    long status;                   /* of the answer; 0: there was none */
    char error[OUTBOX_ERROR_SIZE]; /* "" when delivered */
};

/* ERROR_INVALID for what is not http://HOST… or https://HOST…, or has a user name in it. */
bool post_check_url(const char *url, struct error *err) __attribute__((warn_unused_result));

/* "https://example.net:8443": what may be recorded of a URL. Its path or query may be a secret. */
void post_host(const char *url, char out[WEBHOOK_URL_SIZE]);

/* Ready to be sent. The signature has the time of now. Any thread. */
bool post_make(const struct webhook *webhook, const struct outbox_row *row, struct post **ret,
               struct error *err) __attribute__((warn_unused_result));
CURL *post_handle(const struct post *post); /* stays the post's */
/* After the transfer has ended with `code`. */
void post_read(const struct post *post, CURLcode code, struct post_result *ret);
void post_free(struct post *post); /* NULL is fine */

#endif
