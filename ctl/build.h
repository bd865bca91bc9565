/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Several builds of one version: the options that name one, and how tables show which build is meant:
   "1103.1.2 (full)". */
#ifndef DFOTA_CTL_BUILD_H
#define DFOTA_CTL_BUILD_H

#include "ctl/session.h"

/* The path of the image that the arguments FIRMWARE VERSION and --variant name; `part` is behind it, NULL: nothing. */
bool build_image_path(struct session *session, const char *part, struct client_path *ret,
                      struct failure *fail);
/* The same for the package that FIRMWARE FROM TO, --from-variant and --to-variant name. */
bool build_package_path(struct session *session, const char *part, struct client_path *ret,
                        struct failure *fail);

/* For people only, so nothing with -o json and csv: `key` of the object, or of each object in the list, becomes the name
   of the build, whose variant is the member `variant_key`. */
void build_show(const struct session *session, json_t *value, const char *key, const char *variant_key);
/* Both ends of a package, or of each in the list. */
void build_show_ends(const struct session *session, json_t *value);
/* "1138→1162 (full)", as the command line names them. */
#define BUILD_ARROW_SIZE 400
void build_write_arrow(const struct session *session, char out[BUILD_ARROW_SIZE]);

#endif
