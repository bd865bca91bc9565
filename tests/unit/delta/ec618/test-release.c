/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Format ec618-luatos from releases: core and script, only one of them, and pairs that do not fit. */
#include "tests/unit/delta/container/test-release.h"

#include "delta/container/luatos.h"
#include "delta/container/sector.h"
#include "delta/container/soc.h"
#include "delta/container/wrapper.h"
#include "delta/engine.h"

#define ROOM ((size_t)1 << 24)

struct cores {
    struct buffer old, new;
};

static struct cores make_cores(void)
{
    struct random r = {1};
    struct buffer old_ap = random_bytes(&r, 70000, 60), cp = random_bytes(&r, 3000, 60);
    struct buffer new_ap = random_revision(&r, buffer_bytes(&old_ap), 60);
    must_add(&new_ap, "more", 4);
    struct cores cores = {sample_binpkg(1, buffer_bytes(&old_ap), buffer_bytes(&cp)),
                          sample_binpkg(1, buffer_bytes(&new_ap), buffer_bytes(&cp))};
    buffer_free(&old_ap);
    buffer_free(&new_ap);
    buffer_free(&cp);
    return cores;
}

static bool make(struct bytes old, struct bytes new, struct buffer *ret, struct error *err)
{
    static const struct engine_options quick = {.effort = ENGINE_QUICK};
    return engine_make(engine_find("ec618-luatos"), old, new, &quick, ret, NULL, err);
}

/* Makes the package, and applies it: engine_make() compares the result. */
static void assert_makes(struct buffer old, struct buffer new, bool has_script, bool has_core)
{
    struct buffer package = {0};
    struct luatos_file file;
    struct error err = {ERROR_CODES, ""};
    if (!make(buffer_bytes(&old), buffer_bytes(&new), &package, &err))
        fail_msg("%s", err.text);
    assert_true(luatos_read(buffer_bytes(&package), &file, &err));
    assert_int_equal(file.common.len > 0, has_script);
    assert_int_equal(file.sdk.len > 0, has_core);
    assert_true(engine_fits(buffer_bytes(&package), NULL, &err));
    buffer_free(&package);
    buffer_free(&old);
    buffer_free(&new);
}

static void core_and_script_move_as_they_differ(void **state)
{
    (void)state;
    struct cores c = make_cores();
    struct bytes one = text_bytes("print(1) -- and more"), two = text_bytes("print(2) -- and more"),
                 none = text_bytes("");
    struct bytes old = buffer_bytes(&c.old), new = buffer_bytes(&c.new);
    assert_makes(sample_soc(INFO_128, old, one), sample_soc(INFO_128, new, two), true, true);
    assert_makes(sample_soc(INFO_128, old, one), sample_soc(INFO_128, old, two), true, false);
    assert_makes(sample_soc(INFO_128, old, one), sample_soc(INFO_128, new, one), false, true);
    assert_makes(sample_soc(INFO_128, old, one), sample_soc(INFO_128, new, none), false, true);
    assert_makes(sample_soc(INFO_128, old, none), sample_soc(INFO_128, new, two), true, true);
    assert_makes(sample_soc(INFO_128, old, one), sample_soc(INFO_128_64, new, two), true, true);
    buffer_free(&c.old);
    buffer_free(&c.new);
}

static void assert_refused(struct buffer old, struct buffer new, enum error_code code, const char *text)
{
    struct buffer package = {0};
    struct error err = {ERROR_CODES, ""};
    assert_false(make(buffer_bytes(&old), buffer_bytes(&new), &package, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" does not contain \"%s\"", err.text, text);
    buffer_free(&old);
    buffer_free(&new);
}

static struct buffer copy_of(const struct buffer *from)
{
    struct buffer copy = {0};
    must_add(&copy, from->ptr, from->len);
    return copy;
}

static void releases_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct cores c = make_cores();
    struct bytes one = text_bytes("print(1) -- and more"), two = text_bytes("print(2) -- and more");
    struct bytes old = buffer_bytes(&c.old), new = buffer_bytes(&c.new);
    struct random r = {2};
    struct buffer dense = random_bytes(&r, 120000, 256);
    assert_refused(sample_soc(INFO_128, old, one), sample_soc(INFO_448, new, two), ERROR_INVALID,
                   "different script areas");
    assert_refused(sample_soc(INFO_128, old, one), sample_soc(INFO_448, new, text_bytes("")), ERROR_INVALID,
                   "different script areas");
    assert_refused(sample_soc(INFO_128, old, one), sample_soc(INFO_128_64, new, text_bytes("")),
                   ERROR_INVALID, "it is for a core of 32 bits; the new core has 64");
    assert_refused(sample_soc(INFO_128, old, one), sample_soc(INFO_128_64, new, one), ERROR_INVALID,
                   "32 bits");
    assert_refused(copy_of(&c.old), sample_soc(INFO_128, new, two), ERROR_INVALID, "upload the .soc of both");
    assert_refused(sample_soc(INFO_128, old, one), copy_of(&c.new), ERROR_INVALID, "upload the .soc of both");
    assert_refused(sample_soc(INFO_128, old, one), sample_soc(INFO_128, old, one), ERROR_INVALID,
                   "the same AP and CP, and no other script");
    assert_refused(sample_soc(INFO_128, old, one), sample_soc(INFO_128, new, buffer_bytes(&dense)),
                   ERROR_TOO_LARGE, "keeps at most 98304");
    assert_refused(sample_soc(INFO_128, text_bytes("no core"), one), sample_soc(INFO_128, new, two),
                   ERROR_INVALID, "whose core luatos.binpkg is not a .binpkg");
    buffer_free(&dense);
    buffer_free(&c.old);
    buffer_free(&c.new);
}

/* A module would write these over the core, or over the packed script itself. */
static void scripts_for_other_places_are_refused(void **state)
{
    (void)state;
    static const struct luatos_versions any;
    static const uint8_t zeros[(128 << 10) + 1];
    struct cores c = make_cores();
    struct buffer old = sample_soc(INFO_128, buffer_bytes(&c.old), text_bytes("print(1)"));
    const struct {
        uint32_t magic, address;
        struct bytes script;
        const char *text;
    } bad[] = {
        {LUATOS_EC618, 0x2CC000, text_bytes("print(2) print(2)"), NULL},
        {LUATOS_EC618, 0x24D000, text_bytes("print(2) print(2)"), "to 24d000"},
        {LUATOS_EC618, 0x802CC000, text_bytes("print(2) print(2)"), "to 802cc000"},
        {LUATOS_EC7XX, 0x2CC000, text_bytes("print(2) print(2)"), "has the magic eac37218"},
        {LUATOS_EC618, 0x2CC000, {zeros, sizeof zeros}, "has 131073 bytes, and its area has 131072"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer common = {0}, package = {0}, made = {0};
        struct error err = {ERROR_CODES, ""};
        assert_true(sector_pack(&common, bad[i].magic, bad[i].address, bad[i].script, &err));
        assert_true(
            wrapper_luatos_add(&package, LUATOS_EC618, &any, buffer_bytes(&common), text_bytes(""), &err));
        bool ok = engine_apply(buffer_bytes(&old), buffer_bytes(&package), ROOM, &made, &err);
        assert_int_equal(ok, !bad[i].text);
        if (bad[i].text && !strstr(err.text, bad[i].text))
            fail_msg("\"%s\" does not contain \"%s\"", err.text, bad[i].text);
        if (bad[i].text)
            assert_int_equal(err.code, bad[i].magic == LUATOS_EC618 ? ERROR_INVALID : ERROR_CORRUPT);
        bool unknown = engine_apply(buffer_bytes(&c.old), buffer_bytes(&package), ROOM, &made, &err);
        assert_false(unknown);
        assert_int_equal(err.code, bad[i].magic == LUATOS_EC618 ? ERROR_CANNOT_APPLY : ERROR_CORRUPT);
        buffer_free(&made);
        buffer_free(&common);
        buffer_free(&package);
    }
    buffer_free(&old);
    buffer_free(&c.old);
    buffer_free(&c.new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(core_and_script_move_as_they_differ),
        cmocka_unit_test(releases_that_do_not_fit_are_refused),
        cmocka_unit_test(scripts_for_other_places_are_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
