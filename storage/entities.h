/* Inside storage only: the tables of statements and their numbers. Adding an entity is adding a row in both
 * lists. */
#ifndef DFOTA_STORAGE_ENTITIES_H
#define DFOTA_STORAGE_ENTITIES_H

#include "storage/db.h"

enum {
    ENTITY_TOKEN,
    ENTITY_PRODUCT,
    ENTITY_FIRMWARE,
    ENTITY_IMAGE,
    ENTITY_PACKAGE,
    ENTITY_DEVICE,
    ENTITY_LINK,
    ENTITY_ATTEMPT,
    ENTITY_LEDGER,
    ENTITY_AWAITED,
    ENTITY_TRANSCRIPT,
    ENTITY_TURNKEY,
    ENTITY_MATRIX
};

extern const struct db_table token_statements, product_statements, firmware_statements, image_statements,
    package_statements, device_statements, link_statements, attempt_statements, ledger_statements, awaited_statements,
    transcript_statements, turnkey_statements, matrix_statements;

/* Defines the table of an entity from its array `sql`. */
#define DB_TABLE(entity, entity_number)                                                                      \
    const struct db_table entity##_statements = {#entity, sql, sizeof sql / sizeof *sql, entity_number}

#endif
