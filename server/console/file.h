/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The files of the console, which are part of the program (www/build.mjs). */
#ifndef DFOTA_SERVER_CONSOLE_FILE_H
#define DFOTA_SERVER_CONSOLE_FILE_H

#include "server/http/request.h"

struct console_body {
    const char *bytes; /* NULL: there is no such form */
    size_t size;
    const char *etag; /* SHA-256 of the bytes, in quotes */
};

struct console_file {
    const char *path; /* below /console/ */
    const char *type;
    bool is_hashed; /* the name changes with the bytes */
    struct console_body plain, gzip;
};

/* Generated; no files in a build with --disable-console. */
extern const struct console_file console_files[];
extern const size_t console_file_count;

/* GET /console/…: param[0] is the rest of the target. A path that is no file and has no dot in its last
   part is a page of the console, and gets index.html. Loop's thread. */
void console_file_serve(struct request *request);
/* GET / and GET /console: redirects to /console/. */
void console_file_redirect(struct request *request);

#endif
