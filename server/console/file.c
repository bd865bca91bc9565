/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/console/file.h"

#include <string.h>
#include <strings.h>

#define INDEX "index.html"

/* Nothing from elsewhere, no inline script or style, no frame around the console. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static void add_headers(struct reply *reply)
{
    reply_header(reply, "Content-Security-Policy", "%s", policy);
    reply_header(reply, "X-Content-Type-Options", "nosniff");
    reply_header(reply, "Referrer-Policy", "no-referrer");
    reply_header(reply, "Cross-Origin-Opener-Policy", "same-origin");
    reply_header(reply, "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
}

static const struct console_file *find_exact(struct slice path)
{
    for (size_t i = 0; i < console_file_count; i++)
        if (slice_is(path, console_files[i].path))
            return &console_files[i];
    return NULL;
}

static const struct console_file *find(struct slice path)
{
    const struct console_file *file = find_exact(path);
    struct slice rest = path, last = path;
    while (slice_split(&rest, '/', &last))
        ;
    return file || (last.len && memchr(last.ptr, '.', last.len)) ? file : find_exact(slice_of(INDEX));
}

static struct slice trim(struct slice text)
{
    while (text.len && strchr(" \t", text.ptr[0]))
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (text.len && strchr(" \t", text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* "q=0", "q=0.0", …: the client refuses this coding. */
static bool is_refused(struct slice weight)
{
    weight = trim(weight);
    if (weight.len < 3 || strncasecmp(weight.ptr, "q=0", 3) != 0)
        return false;
    for (size_t i = 3; i < weight.len; i++)
        if (weight.ptr[i] != '.' && weight.ptr[i] != '0')
            return false;
    return true;
}

static bool accepts_gzip(const struct request *request)
{
    struct slice rest, part;
    for (unsigned i = 0; request_header_at(request, "Accept-Encoding", i, &rest); i++)
        while (slice_split(&rest, ',', &part)) {
            struct slice weight = part, coding;
            slice_split(&weight, ';', &coding);
            coding = trim(coding);
            if (coding.len == 4 && strncasecmp(coding.ptr, "gzip", 4) == 0)
                return !is_refused(weight);
        }
    return false;
}

static bool is_known_to_client(const struct request *request, const char *etag)
{
    struct slice known;
    return request_header(request, "If-None-Match", &known) &&
           (slice_is(known, "*") || memmem(known.ptr, known.len, etag, strlen(etag)));
}

static void answer_missing(struct request *request)
{
    static const char text[] = "There is no such file.\n";
    static const char without[] = "This dfotad was built without the console. The API is under /api/v1.\n";
    const char *said = console_file_count ? text : without;
    struct reply reply;
    reply_text(&reply, 404, "text/plain; charset=utf-8", said, strlen(said));
    add_headers(&reply);
    request_answer(request, &reply);
}

void console_file_serve(struct request *request)
{
    struct slice query = request->param[0], path;
    struct reply reply;
    slice_split(&query, '?', &path);
    const struct console_file *file = find(path);
    if (!file) {
        answer_missing(request);
        return;
    }
    bool zipped = file->gzip.bytes && accepts_gzip(request);
    const struct console_body *body = zipped ? &file->gzip : &file->plain;
    reply_init(&reply, is_known_to_client(request, body->etag) ? 304 : 200);
    reply.content_type = file->type;
    reply.bytes = body->bytes; /* after 304 only the size is used */
    reply.size = body->size;
    add_headers(&reply);
    reply_header(&reply, "Cache-Control", "%s",
                 file->is_hashed ? "public, max-age=31536000, immutable" : "no-cache");
    reply_header(&reply, "ETag", "%s", body->etag);
    if (file->gzip.bytes)
        reply_header(&reply, "Vary", "Accept-Encoding");
    if (zipped)
        reply_header(&reply, "Content-Encoding", "gzip");
    request_answer(request, &reply);
}

void console_file_redirect(struct request *request)
{
    struct reply reply;
    reply_init(&reply, 302);
    add_headers(&reply);
    reply_header(&reply, "Location", "/console/");
    request_answer(request, &reply);
}
