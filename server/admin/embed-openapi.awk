# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# Turns doc/openapi.yaml into C: server/admin/openapi_text.c. @VERSION@ becomes the version of the program.
function quote(line) { gsub(/\\/, "\\\\", line); gsub(/"/, "\\\"", line); return "    \"" line "\\n\"" }
BEGIN { print "/* Made by server/admin/embed-openapi.awk from doc/openapi.yaml; do not edit. */\n#include \"server/admin/openapi.h\"\n\nconst char openapi_text[] =" }
{ sub(/@VERSION@/, version); print quote($0) }
END { print "    ;\nconst size_t openapi_text_size = sizeof openapi_text - 1;" }
