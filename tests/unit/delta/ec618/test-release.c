/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Format ec618-luatos from releases: core and script, only one of them, and pairs that do not fit. And the scripts of
   releases for an EC7xx. */
#include "tests/unit/delta/container/test-release.h"

#include "delta/container/luatos.h"
#include "delta/container/sector.h"
#include "delta/container/soc.h"
#include "delta/container/wrapper.h"
#include "delta/ec618/release.h"
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
    assert_true(engine_fits(buffer_bytes(&package), (struct bytes){NULL, 0}, NULL, &err));
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

static void releases_may_be_compressed(void **state)
{
    (void)state;
    struct random r = {1};
    struct buffer ap = random_bytes(&r, 70000, 2), cp = random_bytes(&r, 3000, 2);
    struct buffer core = sample_binpkg(1, buffer_bytes(&ap), buffer_bytes(&cp));
    ap.ptr[1000] ^= 1;
    struct buffer new_core = sample_binpkg(1, buffer_bytes(&ap), buffer_bytes(&cp));
    struct buffer old = sample_soc(INFO_128, buffer_bytes(&core), text_bytes("print(1) -- and more"));
    struct buffer new = sample_soc(INFO_128, buffer_bytes(&new_core), text_bytes("print(2) -- and more"));
    assert_makes(compressed_soc(&old), compressed_soc(&new), true, true);
    struct buffer *all[] = {&ap, &cp, &core, &new_core, &old, &new};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buffer_free(all[i]);
}

static void only_packages_for_luatos_change_a_script(void **state)
{
    (void)state;
    static const char *const formats[] = {"ec618-at", "ec618-csdk"};
    struct cores c = make_cores();
    struct bytes one = text_bytes("print(1) -- and more"), two = text_bytes("print(2) -- and more");
    struct buffer old = sample_soc(INFO_128, buffer_bytes(&c.old), one);
    struct buffer both = sample_soc(INFO_128, buffer_bytes(&c.new), two),
                  same = sample_soc(INFO_128, buffer_bytes(&c.new), one), package = {0};
    for (size_t i = 0; i < 2; i++) {
        const struct engine *engine = engine_find(formats[i]);
        struct error err;
        assert_false(
            engine_make(engine, buffer_bytes(&old), buffer_bytes(&both), NULL, &package, NULL, &err));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(err.text,
                            "the new release has another script or another place for it, and only a "
                            "package for LuatOS can change a script");
        assert_true(engine_make(engine, buffer_bytes(&old), buffer_bytes(&same), NULL, &package, NULL, &err));
        buffer_free(&package);
    }
    struct buffer *all[] = {&c.old, &c.new, &old, &both, &same};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buffer_free(all[i]);
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

/* ---- The script alone, for both families ---- */

struct releases {
    struct buffer file[2];
    struct ec618_image image[2];
};

static void open_releases(struct releases *ret, const char *old, struct bytes old_script, const char *new,
                          struct bytes new_script)
{
    struct buffer core = sample_binpkg(0, text_bytes("the ap"), text_bytes("the cp"));
    struct error err = {ERROR_CODES, ""};
    ret->file[0] = sample_soc(old, buffer_bytes(&core), old_script);
    ret->file[1] = sample_soc(new, buffer_bytes(&core), new_script);
    for (int i = 0; i < 2; i++)
        if (!ec618_image_open(buffer_bytes(&ret->file[i]), "it", &ret->image[i], &err))
            fail_msg("%s", err.text);
    buffer_free(&core);
}

static void close_releases(struct releases *r)
{
    for (int i = 0; i < 2; i++) {
        ec618_image_free(&r->image[i]);
        buffer_free(&r->file[i]);
    }
}

static void the_script_of_an_ec7xx_is_packed_and_unpacked(void **state)
{
    (void)state;
    static const struct luatos_versions any;
    struct bytes one = text_bytes("print(1) -- and more"), two = text_bytes("print(2) -- and more");
    struct releases r;
    struct buffer common = {0}, package = {0}, script = {0};
    struct luatos_file file;
    struct luatos_sector sector;
    struct error err = {ERROR_CODES, ""};
    open_releases(&r, INFO_EC7XX, one, INFO_EC7XX, two);
    assert_true(release_pack_script(&r.image[0], &r.image[1], LUATOS_EC7XX, &common, &err));
    assert_true(luatos_sector_read(buffer_bytes(&common), &sector, &err));
    assert_int_equal(sector.magic, LUATOS_EC7XX);
    assert_int_equal(sector.address, 0x46E000);
    assert_true(
        wrapper_luatos_add(&package, LUATOS_EC7XX, &any, buffer_bytes(&common), text_bytes(""), &err));
    assert_true(luatos_read(buffer_bytes(&package), &file, &err) && luatos_check(&file, &err));
    assert_true(release_unpack_script(&r.image[0], &file, &script, &err));
    assert_true(bytes_equal(buffer_bytes(&script), two));
    assert_false(release_same_script(&r.image[0], &r.image[1]));
    close_releases(&r);
    buffer_free(&common);
    buffer_free(&package);
    buffer_free(&script);
}

/* The whole way: the package is made, and applied to the old release. */
static void a_package_of_ec7xx_luatos_has_the_script(void **state)
{
    (void)state;
    static const struct engine_options quick = {.effort = ENGINE_QUICK};
    struct releases r;
    struct buffer package = {0};
    struct luatos_file file;
    struct error err = {ERROR_CODES, ""};
    open_releases(&r, INFO_EC7XX, text_bytes("print(1) -- and more"), INFO_EC7XX,
                  text_bytes("print(2) -- and more"));
    if (!engine_make(engine_find("ec7xx-luatos"), buffer_bytes(&r.file[0]), buffer_bytes(&r.file[1]), &quick,
                     &package, NULL, &err))
        fail_msg("%s", err.text);
    assert_true(luatos_read(buffer_bytes(&package), &file, &err));
    assert_int_equal(file.magic, LUATOS_EC7XX);
    assert_true(file.common.len > 0 && file.sdk.len == 0);
    buffer_free(&package);
    close_releases(&r);
}

static void assert_not_packed(const char *old, const char *new, uint32_t magic, struct bytes script,
                              enum error_code code, const char *text)
{
    struct releases r;
    struct buffer common = {0};
    struct error err = {ERROR_CODES, ""};
    open_releases(&r, old, text_bytes("print(1)"), new, script);
    bool ok = release_pack_script(&r.image[0], &r.image[1], magic, &common, &err);
    assert_int_equal(ok, !text);
    if (text) {
        assert_int_equal(err.code, code);
        if (!strstr(err.text, text))
            fail_msg("\"%s\" does not contain \"%s\"", err.text, text);
    }
    buffer_free(&common);
    close_releases(&r);
}

#define EC7XX_WITH(chip, fota) INFO_EC7XX_OF(chip, "512", "\"46E000\"", fota, "\"654000\"", "\"654000\"")
#define NO_MAGIC               "\"full_addr\":\"4EE000\",\"fota_len\":\"106000\""

static void releases_for_another_chip_are_refused(void **state)
{
    (void)state;
    struct bytes two = text_bytes("print(2) -- and more");
    static const char *const chips[] = {EC7XX_WITH("\"air780ehm\"", FOTA_EC7XX),
                                        EC7XX_WITH("\"ec718hm\"", NO_MAGIC)};
    for (size_t i = 0; i < 2; i++)
        assert_not_packed(INFO_EC7XX, chips[i], LUATOS_EC7XX, two, ERROR_CODES, NULL);
    assert_not_packed(INFO_EC7XX, INFO_EC7XX, LUATOS_EC618, two, ERROR_INVALID,
                      "for the chip ec7xx, not for an EC618");
    assert_not_packed(INFO_128, INFO_128, LUATOS_EC7XX, two, ERROR_INVALID,
                      "for the chip ec618, not for an EC7xx");
    assert_not_packed(INFO_EC7XX, INFO_128, LUATOS_EC7XX, two, ERROR_INVALID, "for the chip ec618, not");
    assert_not_packed(EC7XX_WITH("\"bk72xx\"", FOTA_EC7XX), INFO_EC7XX, LUATOS_EC7XX, two, ERROR_INVALID,
                      "for the chip bk72xx, which is not known");
    assert_not_packed(EC7XX_WITH("\"air780epm\"", FOTA_EC7XX), chips[0], LUATOS_EC7XX, two, ERROR_INVALID,
                      "for air780epm and the new one for air780ehm");
    assert_not_packed(INFO_EC7XX, EC7XX_WITH("\"ec7xx\"", "\"magic_num\":\"eaf18c16\"," NO_MAGIC),
                      LUATOS_EC7XX, two, ERROR_INVALID, "and fota.magic_num is eaf18c16");
}

/* A module of the old release keeps the packed script. */
static void a_packed_script_must_fit_where_the_old_release_keeps_it(void **state)
{
    (void)state;
    const char *unknown = EC7XX_WITH("\"ec7xx\"", "\"full_addr\":\"4EE000\"");
    struct random r = {3};
    struct buffer less = random_bytes(&r, 300 << 10, 256), more = random_bytes(&r, 340 << 10, 256),
                  most = random_bytes(&r, 400 << 10, 256);
    assert_not_packed(INFO_EC7XX, unknown, LUATOS_EC7XX, buffer_bytes(&more), ERROR_CODES, NULL);
    assert_not_packed(INFO_EC7XX, INFO_EC7XX, LUATOS_EC7XX, buffer_bytes(&most), ERROR_TOO_LARGE,
                      "keeps at most 393216");
    assert_not_packed(unknown, unknown, LUATOS_EC7XX, buffer_bytes(&less), ERROR_CODES, NULL);
    assert_not_packed(unknown, INFO_EC7XX, LUATOS_EC7XX, buffer_bytes(&more), ERROR_TOO_LARGE,
                      "327680 bytes, 5/8 of the script area");
    buffer_free(&less);
    buffer_free(&more);
    buffer_free(&most);
}

/* The file of one family, for a release of the other. */
static void a_file_for_another_chip_is_not_unpacked(void **state)
{
    (void)state;
    static const struct luatos_versions any;
    struct releases r;
    struct error err = {ERROR_CODES, ""};
    open_releases(&r, INFO_EC7XX, text_bytes("print(1)"), INFO_128, text_bytes("print(1)"));
    for (int i = 0; i < 2; i++) {
        struct buffer common = {0}, package = {0}, script = {0};
        struct luatos_file file;
        uint32_t magic = i ? LUATOS_EC7XX : LUATOS_EC618, at = r.image[i].soc.facts.script_address;
        assert_true(sector_pack(&common, magic, at, text_bytes("print(2) print(2)"), &err));
        assert_true(wrapper_luatos_add(&package, magic, &any, buffer_bytes(&common), text_bytes(""), &err));
        assert_true(luatos_read(buffer_bytes(&package), &file, &err));
        assert_false(release_unpack_script(&r.image[i], &file, &script, &err));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_non_null(strstr(err.text, i ? "ec618, not for an EC7xx" : "ec7xx, not for an EC618"));
        assert_true(release_unpack_script(&r.image[i], &(struct luatos_file){.magic = magic}, &script, &err));
        assert_int_equal(script.len, 0);
        buffer_free(&common);
        buffer_free(&package);
    }
    close_releases(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(core_and_script_move_as_they_differ),
        cmocka_unit_test(releases_that_do_not_fit_are_refused),
        cmocka_unit_test(releases_may_be_compressed),
        cmocka_unit_test(only_packages_for_luatos_change_a_script),
        cmocka_unit_test(scripts_for_other_places_are_refused),
        cmocka_unit_test(the_script_of_an_ec7xx_is_packed_and_unpacked),
        cmocka_unit_test(a_package_of_ec7xx_luatos_has_the_script),
        cmocka_unit_test(releases_for_another_chip_are_refused),
        cmocka_unit_test(a_packed_script_must_fit_where_the_old_release_keeps_it),
        cmocka_unit_test(a_file_for_another_chip_is_not_unpacked),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
