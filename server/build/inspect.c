/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/build/inspect.h"

#include <jansson.h>
#include <stdio.h>

#include "base/chip.h"
#include "base/package_format.h"
#include "server/process/process.h"
#include "server/core/log.h"
#include "upgrade/full.h"
#include "upgrade/name_file.h"

#define LOOK_CPU_S  30
#define LOOK_MS     30000
#define ANSWER_SIZE 8192 /* more than dfota ever prints */

/* Inspection */

static void keep_text(const json_t *object, const char *key, char *out, size_t out_size)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(out, out_size, "%s", text ? text : "");
}

static int64_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* A release says where its script area is; a full package only where its script goes. */
static void read_script(const json_t *object, struct full_script *ret)
{
    const json_t *script = json_object_get(object, "script"), *release = json_object_get(object, "release");
    *ret = (struct full_script){.address = number(script, "address"),
                                .bytes = number(script, "bytes"),
                                .packed = number(script, "packed"),
                                .bits = number(script, "bits")};
    if (!json_is_true(json_object_get(release, "has_areas")))
        return;
    ret->address = number(release, "script_address");
    ret->area = number(release, "script_bytes");
    ret->kept = number(release, "kept_bytes");
    ret->bits = number(release, "bits");
}

static bool read_answer(const char *text, struct content *ret)
{
    json_t *object = json_loads(text, 0, NULL);
    const json_t *releases = json_object_get(object, "releases");
    keep_text(object, "kind", ret->kind, sizeof ret->kind);
    keep_text(object, "role", ret->role, sizeof ret->role);
    keep_text(object, "format", ret->format, sizeof ret->format);
    keep_text(object, "summary", ret->summary, sizeof ret->summary);
    keep_text(object, "wrong", ret->wrong, sizeof ret->wrong);
    keep_text(object, "odd", ret->odd, sizeof ret->odd);
    keep_text(object, "mangled", ret->mangled, sizeof ret->mangled);
    ret->changes_core = json_is_true(json_object_get(object, "changes_core"));
    ret->leads_to_core = (uint32_t)json_integer_value(json_object_get(object, "leads_to_core"));
    ret->allows_core = (uint32_t)json_integer_value(json_object_get(object, "allows_core"));
    ret->production = json_is_true(json_object_get(object, "production"));
    read_script(object, &ret->script);
    keep_text(json_object_get(object, "release"), "core", ret->core, sizeof ret->core);
    keep_text(object, "chip", ret->chip, sizeof ret->chip);
    for (size_t i = 0; i < json_array_size(releases) && i < CONTENT_RELEASES_MAX; i++) {
        const char *name = json_string_value(json_array_get(releases, i));
        snprintf(ret->release[ret->releases++], FIRMWARE_NAME_SIZE, "%s", name ? name : "");
    }
    json_decref(object);
    return ret->kind[0] && ret->role[0];
}

uint64_t inspect_smaller_limit(uint64_t a, uint64_t b)
{
    return a && a < b ? a : b;
}

void inspect_upload(const struct daemon *daemon, const char *path, struct content *ret)
{
    const struct config *config = daemon->config;
    const struct process_limits limits = {.cpu_s = inspect_smaller_limit(config->job_cpu_s, LOOK_CPU_S),
                                          .memory_bytes = config->job_memory_bytes,
                                          .wall_ms = inspect_smaller_limit(config->job_wall_ms, LOOK_MS),
                                          .out_max = 1};
    char answer[ANSWER_SIZE];
    struct process_capture capture = {answer, sizeof answer, 0};
    char *const argv[] = {config->dfota_path, "inspect", "--brief", (char *)path, NULL};
    struct process_outcome outcome = {.end = CHILD_EXITED};
    struct error err;
    memset(ret, 0, sizeof *ret);
    if (!process_run_heard(argv, &limits, daemon->ending_fd, &capture, &outcome, &err))
        snprintf(ret->unseen, sizeof ret->unseen, "%.300s", err.text);
    else if (outcome.end != CHILD_EXITED || outcome.exit_status != 0)
        process_describe(&outcome, &limits, ret->unseen, sizeof ret->unseen);
    else if (!read_answer(answer, ret))
        snprintf(ret->unseen, sizeof ret->unseen, "dfota printed no answer");
    ret->cancelled = ret->unseen[0] && outcome.end == CHILD_CANCELLED;
    if (ret->unseen[0])
        log_line(LOG_LEVEL_WARN, "content-unseen", "file", path, "error", ret->unseen, NULL);
}

const struct family *content_family(const struct content *content)
{
    for (size_t i = 0; i < content->releases; i++)
        if (family_of_name(content->release[i]))
            return family_of_name(content->release[i]);
    const char *chip = chip_of_name(content->chip);
    if (chip)
        return family_find(strcmp(chip, CHIP_EC618) == 0 ? CHIP_EC618 : CHIP_EC7XX);
    return family_of_content(content->kind);
}

/* What a file may be stored as */

struct judged {
    const struct content *content;
    const struct firmware *firmware;
    const struct version *version;
    struct image *image;
};

/* The chips of the devices. For modules a package only works if it starts from exactly the parts that the module
   holds. */
static enum package_chip chip_of(const struct firmware *firmware)
{
    const struct family *family = family_of_name(firmware->name);
    const struct package_format *format = package_format_find(firmware->format);
    if (format)
        return format->chip;
    if (family && strncmp(family->name, CHIP_EC618, strlen(CHIP_EC618)) == 0)
        return PACKAGE_CHIP_EC618;
    return family && strncmp(family->name, CHIP_EC7XX, strlen(CHIP_EC7XX)) == 0 ? PACKAGE_CHIP_EC7XX
                                                                                : PACKAGE_CHIP_NONE;
}

/* Whether the devices are modules, also those whose chip is not known. */
static bool has_modules(const struct firmware *firmware)
{
    const struct family *family = family_of_name(firmware->name);
    bool is_airm2m = !firmware->format[0] && family && strcmp(family->name, "airm2m") == 0;
    return is_airm2m || chip_of(firmware) != PACKAGE_CHIP_NONE;
}

static void warn_of_no_delta(const struct judged *judged)
{
    static const char way[] = "use the format external, or upload a package that was made elsewhere";
    const struct content *content = judged->content;
    if (content->odd[0])
        image_warn(judged->image, "dfota cannot make packages from this .binpkg: %s; %s", content->odd, way);
    else if (has_modules(judged->firmware) && strcmp(content->kind, "raw") == 0)
        image_warn(judged->image,
                   "this file is not a .binpkg: packages treat it as a raw image of the AP part. If it is "
                   "something else, modules refuse the packages: %s",
                   way);
}

/* Finds the release names in the content. True: there is exactly one, in *ret, and it is not the expected
   one. *ret_count counts them; *ret_right: the expected one is among them. */
static bool read_releases(const struct judged *judged, struct full_name *ret, size_t *ret_count,
                          bool *ret_right)
{
    const struct content *content = judged->content;
    struct error unwanted;
    struct full_name name;
    *ret_count = 0;
    *ret_right = false;
    for (size_t i = 0; i < content->releases; i++) {
        if (!name_parse_full(slice_of(content->release[i]), &name, &unwanted))
            continue;
        *ret = name;
        *ret_count += 1;
        *ret_right = *ret_right || (strcmp(name.firmware, judged->firmware->name) == 0 &&
                                    version_compare(&name.version, judged->version) == 0);
    }
    return *ret_count == 1 && !*ret_right;
}

/* Refuses an image whose content names another release, but only if it names a single one and the firmware
   has a name of the vendor (AirM2M_…). Under a name of your own you can number versions as you like; then
   it is only a warning. */
static bool check_release(const struct judged *judged, struct error *err)
{
    const struct content *content = judged->content;
    struct full_name name;
    char version[VERSION_TEXT_SIZE];
    size_t count;
    bool right, other = read_releases(judged, &name, &count, &right);
    version_format(judged->version, version);
    if (right || content->releases == 0)
        return true;
    if (other && strstr(judged->firmware->name, "AirM2M_"))
        return error_set(err, ERROR_NOT_AN_IMAGE,
                         "this is not an image of %s, version %s: its content says that it is %s",
                         judged->firmware->name, version, content->release[0]);
    if (count == 0 && content->releases == 1)
        image_warn(judged->image, "its content names the release %s, which contains no readable version",
                   content->release[0]);
    else
        image_warn(judged->image, "its content names %s%s, but not version %s of %s", content->release[0],
                   content->releases > 1 ? " and others" : "", version, judged->firmware->name);
    return true;
}

/* The version of a LuatOS firmware is CORE.X.Z. */
static bool check_core(const struct judged *judged, struct error *err)
{
    const struct content *content = judged->content;
    struct version core;
    char version[VERSION_TEXT_SIZE];
    if (!content->core[0] || !version_parse(slice_of(content->core), &core) ||
        core.part[0] == judged->version->part[0])
        return true;
    version_format(judged->version, version);
    if (judged->version->count > 1)
        return error_set(
            err, ERROR_NOT_AN_IMAGE,
            "this release has core %s, but version %s names core %u: take the .soc of that core, or "
            "correct the version",
            content->core, version, judged->version->part[0]);
    image_warn(judged->image, "this release has core %s, and its version %s does not say so", content->core,
               version);
    return true;
}

static void warn_of_production(const struct judged *judged)
{
    const struct content *content = judged->content;
    bool by_name =
        strcmp(content->kind, "binpkg") == 0 && name_file_is_production(slice_of(judged->image->file_name));
    if (by_name || (content->production && has_modules(judged->firmware)))
        image_warn(
            judged->image,
            "this .binpkg %s: it may be for mass production, and modules may refuse packages from it. Take "
            "the .soc, or the .binpkg inside of the .soc of the core",
            by_name ? "has the name of a release with a script"
                    : "has more parts than bootloader, AP and CP");
}

/* Every package from such an image would be refused. */
static void warn_of_chip(const struct judged *judged)
{
    const struct content *content = judged->content;
    enum package_chip chip = chip_of(judged->firmware);
    bool is_ec618 = strcmp(content->chip, CHIP_EC618) == 0;
    if (content->chip[0] && chip != PACKAGE_CHIP_NONE && is_ec618 != (chip == PACKAGE_CHIP_EC618))
        image_warn(
            judged->image,
            "this image is for the chip %s, and the firmware is for an %s: no package can be made from it",
            content->chip, chip == PACKAGE_CHIP_EC618 ? "EC618" : "EC7xx");
}

static bool take_image(const struct judged *judged, struct error *err)
{
    if (judged->content->wrong[0])
        return error_set(err, ERROR_NOT_AN_IMAGE, "this is %s, and %s", judged->content->summary,
                         judged->content->wrong);
    if (!check_release(judged, err) || !check_core(judged, err))
        return false;
    warn_of_production(judged);
    warn_of_chip(judged);
    warn_of_no_delta(judged);
    return true;
}

/* A full package: sets `kind` to full, and the core that can take it. */
static bool take_full(const struct judged *judged, struct error *err)
{
    if (judged->content->wrong[0])
        return error_set(err, ERROR_NOT_AN_IMAGE, "this is %s, but it is damaged: %s",
                         judged->content->summary, judged->content->wrong);
    struct full_head head = {judged->content->changes_core, judged->content->leads_to_core,
                             judged->content->allows_core};
    if (!full_core(&head, judged->version, judged->image->core, err))
        return false;
    judged->image->kind = IMAGE_FULL;
    return true;
}

/* The admin says that it is a raw image, whatever its content looks like. */
static bool take_raw(const struct content *content, struct image *image)
{
    snprintf(image->content, sizeof image->content, "a raw image, as the admin said (format=raw)");
    if (strcmp(content->kind, "raw") != 0)
        image_warn(image,
                   "accepted as a raw image because the admin said so (format=raw), but it looks like %s",
                   content->summary);
    return true;
}

static bool refuse_package(const struct judged *judged, struct error *err)
{
    return error_set(
        err, ERROR_NOT_AN_IMAGE,
        "this is %s, not a full image: upload the two images, or upload this file as the package between "
        "its two versions. If it really is a raw image, add format=raw",
        judged->content->summary);
}

static bool refuse(const struct judged *judged, struct error *err)
{
    return error_set(err, ERROR_NOT_AN_IMAGE,
                     "this is %s, not an image. If it really is a raw image, add format=raw",
                     judged->content->summary);
}

static const struct {
    const char *role;
    bool (*take)(const struct judged *judged, struct error *err);
} image_roles[] = {
    {"image", take_image},
    {"full", take_full},
    {"package", refuse_package},
    {"neither", refuse},
};

bool inspect_accept_image(const struct content *content, const struct firmware *firmware,
                          const struct version *version, bool raw, struct image *image, struct error *err)
{
    const struct judged judged = {content, firmware, version, image};
    image->kind = IMAGE_PLAIN;
    if (content->cancelled)
        return error_set(err, ERROR_UNAVAILABLE, "the server is stopping: upload the file again later");
    if (content->unseen[0]) {
        image_warn(image, "dfota could not inspect the file: %s", content->unseen);
        return true;
    }
    if (raw)
        return take_raw(content, image);
    snprintf(image->content, sizeof image->content, "%s", content->summary);
    image->script = content->script;
    memcpy(image->chip, content->chip, sizeof image->chip);
    for (size_t i = 0; i < sizeof image_roles / sizeof *image_roles; i++)
        if (strcmp(content->role, image_roles[i].role) == 0)
            return image_roles[i].take(&judged, err);
    return true;
}
