/* The vendor's dialect: GET /api/site/firmware_upgrade with everything in the query. */
#include "base/clock.h"
#include "server/checkin.h"
#include "server/device/device.h"
#include "server/http/range.h"
#include "upgrade/name.h"

#define VALUE_SIZE 256

/* The query: behind '?', or glued to the path, where it must look like one. A slash may come before it. */
static bool find_query(struct slice rest, struct slice *ret, struct error *err)
{
    while (rest.len && rest.ptr[0] == '/')
        rest = (struct slice){rest.ptr + 1, rest.len - 1};
    bool glued = rest.len && rest.ptr[0] != '?';
    if (glued && !memchr(rest.ptr, '=', rest.len))
        return error_set(err, ERROR_NOT_FOUND, "there is nothing here");
    *ret = rest.len && !glued ? (struct slice){rest.ptr + 1, rest.len - 1} : rest;
    return true;
}

static bool read_identity(struct slice query, struct asker *asker, struct error *err)
{
    for (enum id_kind kind = 0; kind < ID_KINDS && !asker->id_usable; kind++) {
        char text[VALUE_SIZE];
        bool found;
        if (!query_find(query, identity_kind_name(kind), text, sizeof text, &found, err))
            return false;
        asker->id_usable = found && identity_normalise(kind, slice_of(text), &asker->identity);
    }
    return true;
}

static bool read_firmware(struct slice query, struct asker *asker, struct version *ret, struct error *err)
{
    char name[VALUE_SIZE], version[VALUE_SIZE], core_version[VALUE_SIZE], dfota[VALUE_SIZE];
    struct full_name full;
    bool found;
    if (!query_find(query, "firmware_name", name, sizeof name, &found, err) ||
        !query_find(query, "version", version, sizeof version, &found, err) ||
        !query_find(query, "core_version", core_version, sizeof core_version, &found, err) ||
        !query_find(query, "dfota", dfota, sizeof dfota, &found, err))
        return false;
    struct dialect_version said = {.firmware_name = slice_of(name),
                                   .version = slice_of(version),
                                   .core_version = slice_of(core_version),
                                   .dfota = slice_of(dfota)};
    if (!name_resolve_dialect(&said, &full))
        return true;
    slice_copy(slice_of(full.firmware), asker->firmware, sizeof asker->firmware);
    *ret = full.version;
    return true;
}

bool luat_read_asker(struct slice query, struct asker *asker, struct error *err)
{
    char key[VALUE_SIZE];
    bool found;
    if (!query_find(query, "project_key", key, sizeof key, &found, err))
        return false;
    if (name_is_product_key(slice_of(key)))
        slice_copy(slice_of(key), asker->product_key, sizeof asker->product_key);
    return read_identity(query, asker, err);
}

static bool read_request(const struct request *request, struct asker *asker, struct checkin *checkin,
                         struct error *err)
{
    struct slice query;
    return find_query(request->param[0], &query, err) && luat_read_asker(query, asker, err) &&
           read_firmware(query, asker, &checkin->version, err);
}

void luat_handle(struct request *request)
{
    struct asker asker = {.id_usable = false};
    struct checkin checkin = {.source = CHECKIN_DIALECT, .now_ms = clock_utc_ms()};
    struct error err;
    if (!read_request(request, &asker, &checkin, &err))
        request_fail(request, &err);
    else
        checkin_start(request, &asker, &checkin);
}
