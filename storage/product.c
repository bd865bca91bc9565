#include "storage/product.h"

#include "storage/entities.h"

#define COLUMNS "id, product_key, name, created_ms, check_ins_trusted_ms"

enum { ADD, FIND, BY_ID, LIST, COUNT, SET_TRUSTED, ADMISSIONS, ADMIT };
static const char *const sql[] = {
    [ADD] =
        "INSERT INTO product (product_key, name, created_ms) VALUES ($1, $2, $3) "
        "ON CONFLICT (product_key) DO NOTHING",
    [FIND] = "SELECT " COLUMNS " FROM product WHERE product_key = $1",
    [BY_ID] = "SELECT " COLUMNS " FROM product WHERE id = $1",
    [LIST] = "SELECT " COLUMNS " FROM product ORDER BY id",
    [COUNT] = "SELECT count(*) FROM product",
    [SET_TRUSTED] = "UPDATE product SET check_ins_trusted_ms = $1 WHERE id = $2",
    [ADMISSIONS] = "SELECT devices FROM admission WHERE product_id = $1 AND day = $2",
    [ADMIT] =
        "INSERT INTO admission (product_id, day, devices) VALUES ($1, $2, 1) "
        "ON CONFLICT (product_id, day) DO UPDATE SET devices = admission.devices + 1",
};
DB_TABLE(product, ENTITY_PRODUCT);

#define ROW(product)                                                                                         \
    FIELDS(F_INT(&(product)->id), F_TEXT((product)->product_key), F_TEXT((product)->name),                   \
           F_INT(&(product)->created_ms), F_INT(&(product)->check_ins_trusted_ms))

bool product_add(struct db *db, struct product *product, struct error *err)
{
    int64_t changes;
    if (!db_do(db, &product_statements, ADD,
               PARAMS(P_TEXT(product->product_key), P_TEXT(product->name), P_INT(product->created_ms)),
               &changes, err))
        return false;
    if (!changes)
        return error_set(err, ERROR_PRODUCT_EXISTS, "a product with the key %s exists already",
                         product->product_key);
    product->id = db_last_id(db);
    return true;
}

bool product_find(struct db *db, const char *product_key, struct product *ret, bool *ret_found,
                  struct error *err)
{
    return db_row(db, &product_statements, FIND, PARAMS(P_TEXT(product_key)), ROW(ret), ret_found, err);
}

bool product_get(struct db *db, const char *product_key, struct product *ret, struct error *err)
{
    bool found;
    if (!product_find(db, product_key, ret, &found, err))
        return false;
    return found || error_set(err, ERROR_PRODUCT_NOT_FOUND, "there is no product %s", product_key);
}

bool product_by_id(struct db *db, int64_t id, struct product *ret, bool *ret_found, struct error *err)
{
    return db_row(db, &product_statements, BY_ID, PARAMS(P_INT(id)), ROW(ret), ret_found, err);
}

bool product_list(struct db *db, struct product **ret, size_t *ret_count, struct error *err)
{
    struct product row = {0};
    return db_list(db, &product_statements, LIST, NO_PARAMS, ROW(&row), &row, sizeof row, ret, ret_count,
                   err);
}

bool product_set_trusted(struct db *db, const struct product *product, struct error *err)
{
    return db_do(db, &product_statements, SET_TRUSTED,
                 PARAMS(P_INT_OR_NULL(product->check_ins_trusted_ms), P_INT(product->id)), NULL, err);
}

bool product_count(struct db *db, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, &product_statements, COUNT, NO_PARAMS, FIELDS(F_INT(ret)), &found, err);
}

bool product_admissions(struct db *db, int64_t product_id, int64_t day, int64_t *ret, struct error *err)
{
    bool found;
    *ret = 0;
    return db_row(db, &product_statements, ADMISSIONS, PARAMS(P_INT(product_id), P_INT(day)),
                  FIELDS(F_INT(ret)), &found, err);
}

bool product_admit(struct db *db, int64_t product_id, int64_t day, struct error *err)
{
    return db_do(db, &product_statements, ADMIT, PARAMS(P_INT(product_id), P_INT(day)), NULL, err);
}
