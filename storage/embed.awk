# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# Turns migration files (in order) into C: storage/schema.c
function quote(line) { gsub(/\\/, "\\\\\\\\", line); gsub(/"/, "\\\"", line); return "    \"" line "\\n\"" }
BEGIN { print "/* Made by storage/embed.awk from storage/schema/; do not edit. */\n#include \"storage/db.h\"\n\nconst struct db_migration db_migrations[] = {" }
FNR == 1 { if (n++) print "    },"; name = FILENAME; sub(/.*\//, "", name); sub(/\.sql$/, "", name); print "    {\"" name "\"," }
{ print quote($0) }
END { print "    },\n};\nconst unsigned db_migration_count = " n ";" }
