/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Full packages: the core that can take one, and the answers to its devices. */
#include "test-decision.h"

#include "upgrade/full.h"

static void test_the_core_that_may_take_it(void **state)
{
    static const struct {
        struct full_head head;
        const char *named, *core; /* core NULL: refused */
        const char *says;
    } cases[] = {
        /* a script: for its own core */
        {{false, 0, 0}, "2034.001.002", "2034", NULL},
        {{false, 0, 0}, "2034.1", "2034", NULL},
        {{false, 2034, 2034}, "2034.1.2", "2034", NULL},
        {{false, 0, 2030}, "2034.1.2", NULL, "core 2030"},
        {{false, 2036, 0}, "2034.1.2", NULL, "installs core 2036"},
        {{false, 0, 0}, "1138", NULL, "has no core number"},
        /* the core changes too: for the core in the header */
        {{true, 0, 2030}, "2034.1.2", "2030", NULL},
        {{true, 2034, 2030}, "2034.1.2", "2030", NULL},
        {{true, 2036, 2030}, "2034.1.2", NULL, "installs core 2036"},
        {{true, 0, 0}, "2034.1.2", NULL, "does not name the core"},
        {{true, 0, 0x62d4b7f1}, "2034.1.2", NULL, "does not name the core"}, /* perhaps part of an MD5 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct version named = version_of(cases[i].named);
        char core[VERSION_TEXT_SIZE] = "untouched";
        struct error err = {ERROR_INTERNAL, ""};
        if (full_core(&cases[i].head, &named, core, &err) != (cases[i].core != NULL))
            fail_msg("case %zu: %s", i, cases[i].core ? err.text : core);
        if (cases[i].core) {
            assert_string_equal(core, cases[i].core);
            continue;
        }
        assert_int_equal(err.code, ERROR_NOT_AN_IMAGE);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu: %s", i, err.text);
    }
}

static void test_who_has_the_core(void **state)
{
    static const struct {
        const char *running;
        bool takes;
    } cases[] = {{"2034.1.1", true},  {"2034.9", true},     {"2034.001.999.002", true}, {"2034", false},
                 {"2030.1.1", false}, {"20345.1.1", false}, {"1.2034.1", false},        {NULL, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct version running = version_of(cases[i].running);
        assert_int_equal(full_takes("2034", &running), cases[i].takes);
    }
}

/* A device of 2034.1.1 whose image is missing; no package format is set. */
static struct scene full_scene(enum checkin_source source)
{
    struct scene scene = scene_of(source);
    scene.known.format_set = scene.known.base_known = false;
    scene.known.target = version_of("2034.1.2");
    snprintf(scene.known.target_core, sizeof scene.known.target_core, "2034");
    scene.known.package_full = true;
    scene.known.package_size = 88780;
    says(&scene, "2034.1.1");
    return scene;
}

#define FULL_SENT "the full package 2034.1.1→2034.1.2 of 88780 bytes is sent; this server did not apply it"

static void test_a_device_of_the_core_gets_it_whole(void **state)
{
    (void)state;
    struct scene scene = full_scene(CHECKIN_DIALECT);
    expect(&scene, ANSWER_FULL, "confirm open send begun", FULL_SENT);
    expect_bytes(&scene, 0, 88780);
    from_byte(&scene, 0);
    expect(&scene, ANSWER_PART, "confirm open send begun", FULL_SENT);
    scene = full_scene(CHECKIN_LINK);
    expect(&scene, ANSWER_FULL, "open send begun", FULL_SENT);
    /* For every version of that core, with or without images. */
    scene = full_scene(CHECKIN_DIALECT);
    scene.known.format_set = scene.known.base_known = scene.known.base_full = true;
    expect(&scene, ANSWER_FULL, "confirm open send begun", FULL_SENT);
}

static void test_a_device_of_another_core_does_not(void **state)
{
    (void)state;
    struct scene scene = full_scene(CHECKIN_DIALECT);
    scene.known.format_set = scene.known.base_known = true;
    scene.known.package_full = false;
    scene.known.package = PACKAGE_NONE;
    says(&scene, "2030.1.1");
    expect(&scene, ANSWER_NO_BASE, "confirm",
           "2034.1.2 is a full package for core 2034, but 2030.1.1 has another core");
    says(&scene, "2034.1.2");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "2034.1.2 is the target");
    says(&scene, "2036.1.1");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm",
           "2036.1.1 is newer than the target 2034.1.2, and downgrades are not allowed");
    /* A package that was made elsewhere for this version is used as any other. */
    scene.known.package = PACKAGE_READY;
    says(&scene, "2030.1.1");
    expect(&scene, ANSWER_FULL, "confirm open send begun",
           "the package 2030.1.1→2034.1.2 of 88780 bytes is sent");
}

static void test_the_limits_hold(void **state)
{
    (void)state;
    struct scene scene = full_scene(CHECKIN_DIALECT);
    scene.known.max_package_bytes = 88780;
    expect(&scene, ANSWER_FULL, "confirm open send begun", FULL_SENT);
    scene.known.max_package_bytes = 88779;
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 2034.1.1→2034.1.2 is oversize: 88780 bytes, the limit is 88779");
    scene = full_scene(CHECKIN_DIALECT);
    scene.known.begun_last_day = 6;
    expect(&scene, ANSWER_LOOP, "confirm block",
           "the device began 6 downloads within 24 hours, the limit is 6: the loop guard blocks it");
}

static void test_no_delta_starts_from_one(void **state)
{
    (void)state;
    struct scene scene = scene_of(CHECKIN_DIALECT);
    scene.known.base_full = true;
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT); /* it was uploaded */
    scene.known.package = PACKAGE_NONE;
    expect(&scene, ANSWER_NO_BASE, "confirm",
           "only a full package of 1138 is stored, not its image: no delta can be made from it");
}

static void test_it_is_continued_without_a_format(void **state)
{
    (void)state;
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    scene.known.format_set = false;
    from_byte(&scene, 40000);
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the unfinished package 1138→1162 is no longer available");
    scene.known.pinned_full = true;
    expect(&scene, ANSWER_PART, "confirm resume",
           "the package 1138→1162 is continued at byte 40000 of 43059");
    expect_bytes(&scene, 40000, 43059);
    scene.known.pinned_servable = false;
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the unfinished package 1138→1162 is no longer available");
}

static void test_a_script_fits_where_the_device_keeps_it(void **state)
{
    (void)state;
    static const struct full_script stated = {.address = 0x2CC000, .area = 131072, .kept = 98304},
                                    unstated = {.address = 0x2CC000, .area = 131072},
                                    unknown = {.address = 0x2CC000};
    static const struct {
        const struct full_script *base;
        int64_t packed;
        const char *why;
    } rows[] = {
        {&stated, 98304, ""},
        {&stated, 98305, "its packed script has 98305 bytes, and the device keeps at most 98304"},
        {&unstated, 81920, ""},
        {&unstated, 81921,
         "its packed script has 81921 bytes, and the release does not state how much the device keeps; all known "
         "builds keep 81920"},
        {&unknown, 1000000, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct full_script package = {.address = 0x2CC000, .bytes = 120000, .packed = rows[i].packed};
        char why[FULL_WHY_SIZE];
        assert_int_equal(full_fits(&package, rows[i].base, why), !rows[i].why[0]);
        assert_string_equal(why, rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_core_that_may_take_it),
        cmocka_unit_test(test_who_has_the_core),
        cmocka_unit_test(test_a_device_of_the_core_gets_it_whole),
        cmocka_unit_test(test_a_device_of_another_core_does_not),
        cmocka_unit_test(test_the_limits_hold),
        cmocka_unit_test(test_no_delta_starts_from_one),
        cmocka_unit_test(test_it_is_continued_without_a_format),
        cmocka_unit_test(test_a_script_fits_where_the_device_keeps_it),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("full", tests, NULL, NULL);
}
