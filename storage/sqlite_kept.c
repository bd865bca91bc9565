/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Rows that are the same for all devices of a firmware, such as the product and the campaigns, are kept in memory: those of
   the statements that begin with KEPT. What was kept holds until a column that the statement reads is changed over this
   connection, or anything over another one (PRAGMA data_version). SQLite's authorizer tells which columns a statement
   reads and changes, also by a trigger or ON DELETE CASCADE, so no list of them is written by hand. */
#include <stdlib.h>
#include <string.h>

#include "storage/sqlite.h"

#define SLOTS       256
#define SET         4 /* neighbouring slots: each entry may be in one of them */
#define COLUMNS_MAX 512
#define NOTED_MAX   128
#define BYTES_MAX   (1 << 20) /* of one connection */
#define ENTRY_MAX   (64 * 1024)
#define NO_COLUMN   UINT16_MAX

struct column { /* the name "" is for the rows: they come and go */
    char table[32], name[40];
    uint64_t version;
};

struct entry {
    const struct sqlite_statement *statement;
    uint64_t versions;             /* at the time of reading */
    size_t params_size, rows_size; /* both are in `bytes` */
    unsigned busy;
    char bytes[];
};

struct kept {
    struct column column[COLUMNS_MAX];
    unsigned columns;
    bool is_kept; /* the statement that is prepared */
    uint16_t noted[NOTED_MAX];
    unsigned noted_count;
    uint64_t epoch;   /* grows when anything may have changed */
    uint64_t changes; /* of single columns */
    int64_t data_version;
    uint64_t hits;
    unsigned turn; /* which entry of a full set goes */
    struct entry *slot[SLOTS];
    size_t bytes;
};

/* The columns of a statement */

static uint16_t find_column(struct kept *kept, const char *table, const char *name, bool add)
{
    for (unsigned i = 0; i < kept->columns; i++)
        if (strcmp(kept->column[i].name, name) == 0 && strcmp(kept->column[i].table, table) == 0)
            return (uint16_t)i;
    if (!add || kept->columns == COLUMNS_MAX)
        return NO_COLUMN;
    struct column *new = &kept->column[kept->columns];
    if (!slice_copy(slice_of(table), new->table, sizeof new->table) ||
        !slice_copy(slice_of(name), new->name, sizeof new->name))
        return NO_COLUMN;
    return (uint16_t)kept->columns++;
}

static void note(struct kept *kept, const char *table, const char *name)
{
    uint16_t id = find_column(kept, table, name, kept->is_kept);
    for (unsigned i = 0; i < kept->noted_count; i++)
        if (kept->noted[i] == id)
            return;
    if ((id != NO_COLUMN || kept->is_kept) && kept->noted_count < NOTED_MAX)
        kept->noted[kept->noted_count++] = id;
}

static int authorize(void *cls, int action, const char *table, const char *name, const char *database,
                     const char *trigger)
{
    struct kept *kept = cls;
    (void)database, (void)trigger;
    if (kept->is_kept ? action == SQLITE_READ : action == SQLITE_INSERT || action == SQLITE_DELETE)
        note(kept, table, "");
    if (action == (kept->is_kept ? SQLITE_READ : SQLITE_UPDATE) && name && name[0])
        note(kept, table, name);
    return SQLITE_OK;
}

bool kept_begin(struct db *db, struct error *err)
{
    db->kept = calloc(1, sizeof *db->kept);
    return (db->kept && sqlite3_set_authorizer(db->handle, authorize, db->kept) == SQLITE_OK) ||
           error_set(err, ERROR_INTERNAL, "out of memory");
}

void kept_end(struct db *db)
{
    sqlite3_set_authorizer(db->handle, NULL, NULL);
}

void kept_begin_statement(struct db *db, bool is_kept)
{
    db->kept->is_kept = is_kept;
    db->kept->noted_count = 0;
}

bool kept_end_statement(struct db *db, struct sqlite_statement *statement, struct error *err)
{
    struct kept *kept = db->kept;
    size_t count = kept->noted_count;
    for (size_t i = 0; i < count; i++)
        if (kept->noted[i] == NO_COLUMN || count == NOTED_MAX)
            return error_set(err, ERROR_INTERNAL, "a statement has too many columns: %.200s",
                             sqlite3_sql(statement->handle));
    if (count == 0)
        return true;
    statement->columns = malloc((count + 1) * sizeof *statement->columns);
    if (!statement->columns)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    memcpy(statement->columns, kept->noted, count * sizeof *statement->columns);
    statement->columns[count] = NO_COLUMN;
    return true;
}

/* What has changed */

/* Versions only grow, so equal sums mean that nothing has changed. */
static uint64_t sum_versions(const struct kept *kept, const struct sqlite_statement *statement)
{
    uint64_t sum = kept->epoch;
    for (const uint16_t *id = statement->columns; *id != NO_COLUMN; id++)
        sum += kept->column[*id].version;
    return sum;
}

void kept_changed(struct db *db, const struct sqlite_statement *statement)
{
    for (const uint16_t *id = statement->columns; id && *id != NO_COLUMN; id++) {
        db->kept->column[*id].version++;
        db->kept->changes++;
    }
}

void kept_all_changed(struct db *db)
{
    if (db->kept)
        db->kept->epoch++;
}

void kept_set_data_version(struct db *db, int64_t data_version)
{
    if (!db->kept || db->kept->data_version == data_version)
        return;
    db->kept->data_version = data_version;
    db->kept->epoch++;
}

uint64_t db_kept_version(const struct db *db)
{
    return db->kept->epoch + db->kept->changes;
}

uint64_t kept_hits(const struct db *db)
{
    return db->kept->hits;
}

/* Parameters and rows as bytes */

struct bytes {
    char *at;
    size_t size, capacity;
    bool failed;
};

struct reading {
    const struct sqlite_statement *statement;
    const struct db_query *query;
    uint64_t versions; /* before the reading */
    struct entry **slot;
    char params[512];
    size_t params_size;
    struct bytes rows;
    db_each *each;
    void *cls;
};

static void append(struct bytes *bytes, const void *data, size_t size)
{
    size_t capacity = bytes->size + size > bytes->capacity ? 2 * (bytes->size + size) : 0;
    char *more = capacity && !bytes->failed ? realloc(bytes->at, capacity) : NULL;
    if (more) {
        bytes->at = more;
        bytes->capacity = capacity;
    }
    bytes->failed |= bytes->size + size > bytes->capacity || bytes->size + size > ENTRY_MAX;
    if (bytes->failed)
        return;
    memcpy(bytes->at + bytes->size, data, size);
    bytes->size += size;
}

/* False: they are too long. */
static bool write_params(struct reading *reading)
{
    const struct db_query *query = reading->query;
    for (size_t i = 0; i < query->param_count; i++) {
        const struct db_value *value = &query->params[i];
        const int64_t head[] = {value->type, value->number, (int64_t)value->bytes.len};
        if (value->type > DB_BYTES ||
            sizeof head + value->bytes.len > sizeof reading->params - reading->params_size)
            return false;
        memcpy(reading->params + reading->params_size, head, sizeof head);
        reading->params_size += sizeof head;
        if (value->bytes.len)
            memcpy(reading->params + reading->params_size, value->bytes.ptr, value->bytes.len);
        reading->params_size += value->bytes.len;
    }
    return true;
}

/* 0: it cannot be kept. */
static size_t size_of_field(const struct db_field *field, const char *value)
{
    switch (field->type) {
    case DB_TO_INT:
    case DB_TO_INT_OR_UNKNOWN:
        return sizeof(int64_t);
    case DB_TO_BOOL:
        return sizeof(bool);
    case DB_TO_ENUM:
        return field->size;
    case DB_TO_HASH:
        return SHA256_SIZE;
    case DB_TO_TEXT:
        return strlen(value) + 1;
    case DB_TO_BYTES:
    case DB_TO_SEALED:
    case DB_TO_SEALED_BYTES:
        break;
    }
    return 0;
}

static bool read_and_keep(void *cls)
{
    struct reading *reading = cls;
    for (size_t i = 0; i < reading->query->field_count; i++) {
        const struct db_field *field = &reading->query->fields[i];
        size_t size = size_of_field(field, field->to);
        append(&reading->rows, field->to, size);
        reading->rows.failed |= size == 0;
    }
    bool goes_on = reading->each(reading->cls);
    reading->rows.failed |= !goes_on; /* not all rows were read */
    return goes_on;
}

static void replay(const struct reading *reading, const char *at, const char *end)
{
    while (at < end) {
        for (size_t i = 0; i < reading->query->field_count; i++) {
            const struct db_field *field = &reading->query->fields[i];
            size_t size = size_of_field(field, at);
            memcpy(field->to, at, size);
            at += size;
        }
        if (!reading->each(reading->cls))
            return;
    }
}

/* Entries */

static bool holds(const struct entry *entry, const struct reading *reading)
{
    return entry && entry->statement == reading->statement && entry->versions == reading->versions &&
           entry->params_size == reading->params_size &&
           memcmp(entry->bytes, reading->params, reading->params_size) == 0;
}

/* The slot of the entry, else one for a new entry: a free one, or one of an entry that no longer holds, or any. */
static struct entry **find_slot(struct kept *kept, const struct reading *reading)
{
    uint64_t hash = (uintptr_t)reading->statement;
    for (size_t i = 0; i < reading->params_size; i++)
        hash = (hash ^ (unsigned char)reading->params[i]) * 0x100000001B3;
    struct entry **set = &kept->slot[(hash ^ hash >> 32) % (SLOTS / SET) * SET], **free_one = NULL;
    for (unsigned i = 0; i < SET; i++) {
        if (holds(set[i], reading))
            return &set[i];
        if (!set[i] || (!free_one && set[i]->versions != sum_versions(kept, set[i]->statement)))
            free_one = &set[i];
    }
    return free_one ? free_one : &set[kept->turn++ % SET];
}

static void drop(struct kept *kept, struct entry **slot)
{
    if (!*slot || (*slot)->busy)
        return;
    kept->bytes -= (*slot)->params_size + (*slot)->rows_size;
    free(*slot);
    *slot = NULL;
}

static void keep(struct kept *kept, const struct reading *reading)
{
    size_t size = reading->params_size + reading->rows.size;
    drop(kept, reading->slot);
    for (unsigned i = 0; kept->bytes + size > BYTES_MAX && i < SLOTS; i++)
        drop(kept, &kept->slot[i]);
    struct entry *entry = *reading->slot ? NULL : malloc(sizeof *entry + size);
    if (!entry)
        return;
    *entry = (struct entry){.statement = reading->statement,
                            .versions = reading->versions,
                            .params_size = reading->params_size,
                            .rows_size = reading->rows.size};
    memcpy(entry->bytes, reading->params, reading->params_size);
    if (reading->rows.size)
        memcpy(entry->bytes + reading->params_size, reading->rows.at, reading->rows.size);
    kept->bytes += size;
    *reading->slot = entry;
}

bool kept_rows(struct db *db, const struct sqlite_statement *statement, const struct db_query *query,
               db_each *each, void *cls, struct error *err)
{
    struct kept *kept = db->kept;
    struct reading reading = {.statement = statement, .query = query, .each = each, .cls = cls};
    if (!db_in_transaction(db) || query->field_count == 0 || !write_params(&reading))
        return sqlite_rows(db, statement, query, each, cls, err);
    reading.versions = sum_versions(kept, statement);
    reading.slot = find_slot(kept, &reading);
    struct entry *entry = *reading.slot;
    if (holds(entry, &reading)) {
        const char *rows = entry->bytes + entry->params_size;
        kept->hits++;
        entry->busy++; /* `each` may run other statements */
        replay(&reading, rows, rows + entry->rows_size);
        entry->busy--;
        return true;
    }
    bool ok = sqlite_rows(db, statement, query, read_and_keep, &reading, err);
    if (ok && !reading.rows.failed)
        keep(kept, &reading);
    free(reading.rows.at);
    return ok;
}

void kept_free(struct db *db)
{
    for (unsigned i = 0; db->kept && i < SLOTS; i++)
        free(db->kept->slot[i]);
    free(db->kept);
}
