/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as names, versions and ids. What is taken reads the same when it is written plainly.
   Input: firmware name, version, core_version and dfota as a module says them, then script name, script
   version, model and core name as libfota3 does, a line each; and the whole of it as the name of a file, a
   version, an id. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "upgrade/identity.h"
#include "upgrade/family.h"
#include "upgrade/name_dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static void check_error(const struct error *err)
{
    demand(err->code == ERROR_BAD_NAME || err->code == ERROR_BAD_VERSION ||
           err->code == ERROR_WRONG_FIRMWARE);
    demand(err->text[0] != '\0' && strlen(err->text) < sizeof err->text);
}

static void check_version(const struct version *version)
{
    char text[VERSION_TEXT_SIZE];
    struct version again;
    demand(version->count > 0 && version->count <= VERSION_PARTS_MAX);
    version_format(version, text);
    demand(version_parse(slice_of(text), &again) && version_compare(version, &again) == 0);
}

static void check_versions(struct slice a, struct slice b)
{
    struct version first, second;
    bool both = version_parse(a, &first);
    if (both)
        check_version(&first);
    both = version_parse(b, &second) && both;
    if (both)
        demand((version_compare(&first, &second) < 0) == (version_compare(&second, &first) > 0));
}

static void check_full_name(struct slice text)
{
    struct full_name name;
    struct version version;
    struct error err = {ERROR_CODES, ""};
    if (!name_parse_full(text, &name, &err)) {
        check_error(&err);
        return;
    }
    demand(name_is_firmware(slice_of(name.firmware)));
    check_version(&name.version);
    demand(name_parse_version_of(text, name.firmware, &version, &err) || err.code == ERROR_WRONG_FIRMWARE);
    (void)family_of_name(name.firmware);
}

static void check_version_of(struct slice text)
{
    struct version version;
    struct error err = {ERROR_CODES, ""};
    if (name_parse_version_of(text, "AirM2M_780E_LTE_AT", &version, &err))
        check_version(&version);
    else
        check_error(&err);
}

static void check_identity(const struct identity *identity)
{
    char text[IDENTITY_SIZE + 8];
    struct identity again;
    size_t len = strlen(identity->id);
    demand(len > 0 && len < IDENTITY_SIZE && identity->kind < ID_KINDS);
    demand(identity_normalise(identity->kind, slice_of(identity->id), &again));
    demand(strcmp(again.id, identity->id) == 0);
    snprintf(text, sizeof text, "%s:%s", identity_kind_name(identity->kind), identity->id);
    demand(identity_parse(slice_of(text), &again) && again.kind == identity->kind);
    demand(strcmp(again.id, identity->id) == 0);
    (void)identity_is_doubtful(identity);
}

static void check_ids(struct slice text)
{
    struct identity identity;
    enum id_kind kind;
    for (unsigned i = 0; i < ID_KINDS; i++)
        if (identity_normalise((enum id_kind)i, text, &identity))
            check_identity(&identity);
    if (identity_parse(text, &identity))
        check_identity(&identity);
    if (identity_kind_parse(text, &kind))
        demand(slice_is(text, identity_kind_name(kind)));
}

static void check_script_version(struct slice own, const struct version *target)
{
    char text[NAME_DIALECT_SCRIPT_SIZE];
    struct version whole = *target;
    name_dialect_script_version(own, target, text);
    demand(strlen(text) < sizeof text && slice_is_clean_utf8(slice_of(text)));
    demand(target->count == 1 || text[0] != '\0');
    (void)name_dialect_drop_middle(target, &whole);
    check_version(&whole);
}

static void check_dialect(struct slice text)
{
    struct dialect_version said = {.firmware_name = {NULL, 0}};
    struct full_name name;
    slice_split(&text, '\n', &said.firmware_name);
    slice_split(&text, '\n', &said.version);
    slice_split(&text, '\n', &said.core_version);
    slice_split(&text, '\n', &said.dfota);
    slice_split(&text, '\n', &said.script_name);
    slice_split(&text, '\n', &said.script_version);
    slice_split(&text, '\n', &said.model);
    slice_split(&text, '\n', &said.core_name);
    check_versions(said.version, said.core_version);
    bool is_name = name_dialect_resolve(&said, &name);
    demand(is_name == name_is_firmware(said.firmware_name) || said.firmware_name.len == 0);
    if (!is_name)
        return;
    demand(name_is_firmware(slice_of(name.firmware)));
    if (name.version.count == 0)
        return;
    check_version(&name.version);
    check_script_version(said.script_version, &name.version);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct slice text = {(const char *)input, len};
    demand(!name_is_product_key(text) || len < PRODUCT_KEY_SIZE);
    check_full_name(text);
    check_version_of(text);
    check_versions(text, text);
    check_ids(text);
    check_dialect(text);
    return 0;
}
