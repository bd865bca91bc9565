/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/access/access.h"

#include <string.h>

#include "storage/device_secret.h"

#define SCOPE_BITS 0x0F

static bool refuse_product(const struct request *request, struct error *err)
{
    return error_set(err, ERROR_FORBIDDEN, "the token %s is only for the product %s", request->actor.name,
                     request->actor.product);
}

static bool check_product(const struct request *request, unsigned access, struct error *err)
{
    const char *pattern = request->route->pattern;
    char product[PRODUCT_KEY_SIZE];
    struct error unreadable;
    if (!request->actor.product[0] || (access & ACCESS_CUT))
        return true;
    if (strncmp(pattern, ACCESS_PRODUCT, strlen(ACCESS_PRODUCT)) != 0)
        return error_set(err, ERROR_FORBIDDEN,
                         "the token %s is only for the product %s; this call is for the whole server",
                         request->actor.name, request->actor.product);
    return (request_param(request, 0, product, sizeof product, &unreadable) &&
            access_sees(request, product)) ||
           refuse_product(request, err);
}

bool access_check(const struct request *request, struct error *err)
{
    if (!request->route)
        return true;
    unsigned access = request->route->flags >> ROUTE_ACCESS_SHIFT, needed = access & SCOPE_BITS;
    if (needed < SCOPE_READ || needed > SCOPE_ADMIN)
        needed = SCOPE_ADMIN;
    if (request->actor.scope < needed)
        return error_set(err, ERROR_FORBIDDEN, "the token %s has the scope %s; this call needs %s",
                         request->actor.name, enum_name(&token_scope_names, request->actor.scope),
                         enum_name(&token_scope_names, needed));
    return check_product(request, access, err);
}

bool access_product(const struct request *request, char out[PRODUCT_KEY_SIZE], struct error *err)
{
    bool found;
    if (!request_query(request, "product", out, PRODUCT_KEY_SIZE, &found, err))
        return false;
    if (!out[0])
        memcpy(out, request->actor.product, PRODUCT_KEY_SIZE);
    return access_sees(request, out) || refuse_product(request, err);
}

bool access_sees(const struct request *request, const char *product)
{
    return !request->actor.product[0] || strcmp(request->actor.product, product) == 0;
}

bool access_sees_links(const struct request *request)
{
    return request->actor.scope >= SCOPE_OPERATE;
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
}

/* An admin may have chosen the secret of a device, so only the text before it tells where it is. */
static void hide_secrets(char *text, size_t len, const char *before)
{
    char *end = text + len, *at = text;
    while ((at = memmem(at, (size_t)(end - at), before, strlen(before)))) {
        at += strlen(before);
        for (unsigned i = 0; at < end && device_secret_is_char(*at); i++, at++)
            if (i >= DEVICE_SECRET_SHOWN)
                *at = '*';
    }
}

void access_hide_links(char *text, size_t len)
{
    size_t run = 0;
    hide_secrets(text, len, "/t/");
    hide_secrets(text, len, "device_key=");
    for (size_t i = 0; i < len; i++) {
        run = is_token_char(text[i]) ? run + 1 : 0;
        if (run == LINK_TOKEN_SIZE - 1)
            memset(text + i + 1 - (run - LINK_TOKEN_SHOWN), '*', run - LINK_TOKEN_SHOWN);
        else if (run >= LINK_TOKEN_SIZE)
            text[i] = '*';
    }
}
