/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* EC7xx archives with packages for AP and CP over a .binpkg, the three wrappers, and what `dfota inspect` prints about
   archives and images. */
#include "tests/unit/delta/ec7xx/test-ec7xx-pairs.h"

#include "delta/container/wrapper.h"
#include "delta/inspect/inspect.h"

struct both {
    struct buffer old_ap, new_ap, old_cp, new_cp, old, new, file;
};

static struct both make_both(bool cp_first)
{
    struct plan plan = usual_plan();
    struct both b = {.old_cp = plan_image(&plan)};
    struct par_source source[2] = {{.attribute = PAR_AP}, {.attribute = PAR_CP}};
    struct buffer payload[2] = {{0}};
    struct error err;
    plan.revision = 1;
    b.new_cp = plan_image(&plan);
    plan.plain_bytes = 9000;
    b.old_ap = plan_image(&plan);
    plan.revision = 2;
    b.new_ap = plan_image(&plan);
    b.old = sample_binpkg(1, buffer_bytes(&b.old_ap), buffer_bytes(&b.old_cp));
    b.new = sample_binpkg(1, buffer_bytes(&b.new_ap), buffer_bytes(&b.new_cp));
    for (unsigned int i = 0; i < 2; i++) {
        enum ec7xx_order order;
        source[i].old = buffer_bytes(i ? &b.old_cp : &b.old_ap);
        source[i].new = buffer_bytes(i ? &b.new_cp : &b.new_ap);
        assert_true(ec7xx_payload_make(source[i].old, source[i].new,
                                       (struct ec7xx_options){.effort = EC7XX_QUICK}, &payload[i], &order,
                                       &err));
        source[i].reverse = order == EC7XX_BACKWARD;
        source[i].payload = buffer_bytes(&payload[i]);
    }
    struct par_source ordered[2] = {source[cp_first], source[!cp_first]};
    assert_true(par_make_ec7xx(ordered, 2, false, &b.file, &err));
    buffer_free(&payload[0]);
    buffer_free(&payload[1]);
    return b;
}

static void free_both(struct both *b)
{
    struct buffer *all[] = {&b->old_ap, &b->new_ap, &b->old_cp, &b->new_cp, &b->old, &b->new, &b->file};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buffer_free(all[i]);
}

static bool takes_both(const struct both *b, const struct buffer *file, struct error *err)
{
    return takes(buffer_bytes(&b->old), buffer_bytes(&b->new), buffer_bytes(file), err);
}

static void ap_and_cp_in_either_order(void **state)
{
    (void)state;
    for (int cp_first = 0; cp_first < 2; cp_first++) {
        struct both b = make_both(cp_first);
        struct error err;
        if (!takes_both(&b, &b.file, &err))
            fail_msg("%s", err.text);
        assert_false(takes(buffer_bytes(&b.old_ap), buffer_bytes(&b.new_ap), buffer_bytes(&b.file), &err));
        assert_string_equal(err.text, "the archive changes AP and CP, and the old image is only one part");
        free_both(&b);
    }
}

/* The number of packages, their indexes, and which part each changes. */
static void packages_are_numbered(void **state)
{
    (void)state;
    struct both b = make_both(false);
    size_t second = 84 + little_u32(b.file.ptr + 84 + 4);
    const struct {
        size_t at;
        uint8_t mask;
    } bad[] = {{3, 0x01}, {3, 0x03}, {84, 0x01}, {second, 0x01}, {second, 0x03}, {second, 0x20}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error err;
        struct sha256 hash;
        b.file.ptr[bad[i].at] ^= bad[i].mask;
        par_hash(buffer_bytes(&b.file), &hash);
        memcpy(b.file.ptr + 12, hash.byte, sizeof hash.byte);
        if (takes_both(&b, &b.file, &err))
            fail_msg("row %zu is taken", i);
        b.file.ptr[bad[i].at] ^= bad[i].mask;
    }
    free_both(&b);
}

static void all_wrappers(void **state)
{
    (void)state;
    static const struct luatos_versions any;
    const struct bytes none = {NULL, 0};
    struct both b = make_both(false);
    struct buffer at = {0}, luatos = {0}, ec618 = {0};
    struct error err;
    assert_true(wrapper_at_add(&at, buffer_bytes(&b.file), &err));
    assert_true(wrapper_luatos_add(&luatos, LUATOS_EC7XX, &any, none, buffer_bytes(&b.file), &err));
    assert_true(wrapper_luatos_add(&ec618, LUATOS_EC618, &any, none, buffer_bytes(&b.file), &err));
    assert_true(takes_both(&b, &at, &err));
    assert_true(takes_both(&b, &luatos, &err));
    assert_false(takes_both(&b, &ec618, &err));
    assert_string_equal(err.text, "the head of the package is not for an EC7xx");
    assert_true(ec7xx_owns(buffer_bytes(&b.file)) && ec7xx_owns(buffer_bytes(&at)) &&
                ec7xx_owns(buffer_bytes(&luatos)));
    assert_false(ec7xx_owns(buffer_bytes(&ec618)));
    buffer_free(&at);
    buffer_free(&luatos);
    buffer_free(&ec618);
    free_both(&b);
}

/* ---- dfota inspect ---- */

/* The lines with an offset cover each byte of the file exactly once. The caller frees the text. */
static char *must_inspect(struct bytes file, bool is_sound)
{
    char *text = NULL;
    size_t text_len = 0;
    struct error err;
    uint8_t *seen = calloc(file.len + 1, 1);
    FILE *to = open_memstream(&text, &text_len);
    assert_non_null(seen);
    assert_non_null(to);
    assert_int_equal(inspect_file(file, to, &err), is_sound);
    fclose(to);
    for (const char *line = text, *end; line; line = end ? end + 1 : NULL) {
        size_t at, len;
        end = strchr(line, '\n');
        if (sscanf(line, "  0x%zx %zu ", &at, &len) != 2)
            continue;
        assert_true(at <= file.len && len <= file.len - at);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(seen[at + i]++, 0);
    }
    for (size_t i = 0; i < file.len; i++)
        if (!seen[i])
            fail_msg("byte 0x%zx is in no line:\n%s", i, text);
    free(seen);
    return text;
}

static void assert_has(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("\"%s\" is not in:\n%s", wanted, text);
}

static void inspect_explains_an_archive(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "kind=par",
        "1000: flash of 4 MB, segments of 3 * 32 KB",
        "Payload of an EC7xx",
        "packed sections, 2 groups",
        "old section table",
        "new section          10 at 0x4000",
        "ECHEADER, control",
        "Segment 2 at",
    };
    struct both b = make_both(true);
    char *text = must_inspect(buffer_bytes(&b.file), true);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_has(text, wanted[i]);
    free(text);
    for (size_t len = 3; len < b.file.len; len += 13)
        free(must_inspect((struct bytes){b.file.ptr, len}, false));
    free_both(&b);
}

static void inspect_names_the_second_form(void **state)
{
    (void)state;
    struct pair p = usual_pair(EC7XX_FORWARD);
    struct sha256 hash;
    p.file.ptr[84 + 0x70 + 24 + 4] |= 1;
    par_hash(buffer_bytes(&p.file), &hash);
    memcpy(p.file.ptr + 12, hash.byte, sizeof hash.byte);
    char *text = must_inspect(buffer_bytes(&p.file), true);
    assert_has(text,
               "dfota cannot apply this package: the package of CP: the payload has the second form of the "
               "vendor's packer (HLS), which is not supported.");
    assert_has(text, "Not understood: ");
    free(text);
    free_pair(&p);
}

static void inspect_explains_an_image(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "kind=ec7xx-image",
        "Section entry 4 at",
        "high byte of group",
        "Group 0 at 0x4000",
        "section              13, not packed",
        "pieces               3",
        "CMAR",
    };
    struct plan plan = usual_plan();
    struct buffer image = plan_image(&plan);
    char *text = must_inspect(buffer_bytes(&image), true);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_has(text, wanted[i]);
    free(text);
    image.ptr[plan.table_at + 8] ^= 1;
    text = must_inspect(buffer_bytes(&image), false);
    assert_has(text, "Wrong: entry 1 of the section table has no mark.");
    free(text);
    buffer_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ap_and_cp_in_either_order),
        cmocka_unit_test(packages_are_numbered),
        cmocka_unit_test(all_wrappers),
        cmocka_unit_test(inspect_explains_an_archive),
        cmocka_unit_test(inspect_names_the_second_form),
        cmocka_unit_test(inspect_explains_an_image),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
