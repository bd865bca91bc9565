/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One table of columns for each entity. The table makes the lists of columns in SQL, the parameters, and the
   fields of a row. So a new column is one line in the struct and one line in the table.

   A table is a macro. Each line has the column of the database, its kind, and the field of the struct. The
   first line is FIRST, because commas are needed between columns but not before the first:

       #define COLUMNS(FIRST, NEXT, row)                           \
           FIRST(id, INT, row->id)                                 \
           NEXT(state, ENUM, row->state, &attempt_state_names)     \
           NEXT(ended_ms, INT_OR_NULL, row->ended_ms)

   What it makes:

       COLUMN_NAMES(COLUMNS)        "id, state, ended_ms"
       COLUMN_VALUES(COLUMNS)       "$id, $state, $ended_ms"
       COLUMN_CHANGES(COLUMNS)      "id = $id, state = $state, ended_ms = $ended_ms"
       COLUMN_DIFFER(COLUMNS)       "(id, state, ended_ms) IS NOT ($id, $state, $ended_ms)"
       COLUMN_REPLACES(COLUMNS)     "id = excluded.id, …", for ON CONFLICT
       COLUMN_PARAMS(COLUMNS, row)  P_INT(row->id), P_ENUM(row->state, …), …    inside of PARAMS()
       COLUMN_FIELDS(COLUMNS, row)  F_INT(&row->id), F_ENUM(&row->state, …), …  inside of FIELDS()

   Parameters are numbered in the order of their first appearance in the statement. PARAMS() lists them in that
   order. */
#ifndef DFOTA_STORAGE_COLUMNS_H
#define DFOTA_STORAGE_COLUMNS_H

#include "storage/db.h"

/* The kinds of columns. …_OR_NULL stores 0, "" or a zero hash as NULL. All kinds read NULL as 0, "" or a
   zero hash, except INT_OR_UNKNOWN: there NULL is DB_UNKNOWN. */
#define PARAM_INT(field)                 P_INT(field)
#define PARAM_INT_OR_NULL(field)         P_INT_OR_NULL(field)
#define PARAM_INT_OR_UNKNOWN(field)      P_INT_OR_UNKNOWN(field)
#define PARAM_BOOL(field)                P_INT(field)
#define PARAM_TEXT(field)                P_TEXT(field)
#define PARAM_TEXT_OR_NULL(field)        P_TEXT_OR_NULL(field)
#define PARAM_SEALED(field)              P_SEALED(field)
#define PARAM_SEALED_OR_NULL(field)      P_SEALED_OR_NULL(field)
#define PARAM_MAC(field)                 P_MAC(field)
#define PARAM_HASH(field)                P_HASH(&(field))
#define PARAM_HASH_OR_NULL(field)        P_HASH_OR_NULL(&(field))
#define PARAM_ENUM(field, names)         P_ENUM(field, names)
#define PARAM_ENUM_OR_NULL(field, names) P_ENUM_OR_NULL(field, names)

#define FIELD_INT(field)                 F_INT(&(field))
#define FIELD_INT_OR_NULL(field)         F_INT(&(field))
#define FIELD_INT_OR_UNKNOWN(field)      F_INT_OR_UNKNOWN(&(field))
#define FIELD_BOOL(field)                F_BOOL(&(field))
#define FIELD_TEXT(field)                F_TEXT(field)
#define FIELD_TEXT_OR_NULL(field)        F_TEXT(field)
#define FIELD_SEALED(field)              F_SEALED(field)
#define FIELD_SEALED_OR_NULL(field)      F_SEALED(field)
#define FIELD_HASH(field)                F_HASH(&(field))
#define FIELD_HASH_OR_NULL(field)        F_HASH(&(field))
#define FIELD_ENUM(field, names)         F_ENUM(&(field), names)
#define FIELD_ENUM_OR_NULL(field, names) F_ENUM(&(field), names)

#define COLUMN_NAMES(table)       table(COLUMN_NAME_FIRST, COLUMN_NAME_NEXT, )
#define COLUMN_VALUES(table)      table(COLUMN_VALUE_FIRST, COLUMN_VALUE_NEXT, )
#define COLUMN_CHANGES(table)     table(COLUMN_CHANGE_FIRST, COLUMN_CHANGE_NEXT, )
#define COLUMN_DIFFER(table)      "(" COLUMN_NAMES(table) ") IS NOT (" COLUMN_VALUES(table) ")"
#define COLUMN_REPLACES(table)    table(COLUMN_REPLACE_FIRST, COLUMN_REPLACE_NEXT, )
#define COLUMN_PARAMS(table, row) table(COLUMN_PARAM_FIRST, COLUMN_PARAM_NEXT, (row))
#define COLUMN_FIELDS(table, row) table(COLUMN_FIELD_FIRST, COLUMN_FIELD_NEXT, (row))

/* A statement that begins with this reads rows that rarely change. Its rows are kept in memory (sqlite_kept.c). All callers
   of the statement must read the same columns into fields of the same kinds and sizes. */
#define KEPT "/* kept */ "

/* What one line makes. */
#define COLUMN_NAME_FIRST(column, kind, ...)    #column
#define COLUMN_NAME_NEXT(column, kind, ...)     ", " #column
#define COLUMN_VALUE_FIRST(column, kind, ...)   "$" #column
#define COLUMN_VALUE_NEXT(column, kind, ...)    ", $" #column
#define COLUMN_CHANGE_FIRST(column, kind, ...)  #column " = $" #column
#define COLUMN_CHANGE_NEXT(column, kind, ...)   ", " #column " = $" #column
#define COLUMN_REPLACE_FIRST(column, kind, ...) #column " = excluded." #column
#define COLUMN_REPLACE_NEXT(column, kind, ...)  ", " #column " = excluded." #column
#define COLUMN_PARAM_FIRST(column, kind, ...)   PARAM_##kind(__VA_ARGS__)
#define COLUMN_PARAM_NEXT(column, kind, ...)    , PARAM_##kind(__VA_ARGS__)
#define COLUMN_FIELD_FIRST(column, kind, ...)   FIELD_##kind(__VA_ARGS__)
#define COLUMN_FIELD_NEXT(column, kind, ...)    , FIELD_##kind(__VA_ARGS__)

#endif
