/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/planning/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "server/planning/build_choice.h"
#include "server/planning/package_key.h"
#include "storage/improvement.h"
#include "upgrade/full.h"

/* ---- versions ---- */

static bool is_within(const struct version *version, const struct version *a, const struct version *b)
{
    return version_compare(a, version) <= 0 && version_compare(version, b) <= 0;
}

/* A version at the end that has no image. */
static void add_version(struct graph *graph, const struct version *version)
{
    unsigned at = graph->plan.count++;
    graph->image[at] = (struct image){.id = 0};
    version_format(version, graph->image[at].version);
    graph->plan.version[at] = (struct plan_version){.version = *version};
}

static void add_image(struct graph *graph, const struct image *image)
{
    unsigned at = graph->plan.count++;
    graph->image[at] = *image;
    graph->plan.version[at] = (struct plan_version){
        .waypoint = image->waypoint, .here = true, .withdrawn = image->withdrawn_ms != 0};
    if (image_is_full(image))
        graph->plan.version[at].core = graph->image[at].core;
    version_parse(slice_of(image->version), &graph->plan.version[at].version);
}

static bool is_last(const struct graph *graph, const struct version *version)
{
    return graph->plan.count &&
           version_compare(&graph->plan.version[graph->plan.count - 1].version, version) == 0;
}

/* An end without an image may have several builds among `all`. */
static void mark_several(struct graph *graph, unsigned at, const struct image *all, size_t count)
{
    size_t builds = 0;
    for (size_t i = 0; i < count && !graph->image[at].id; i++)
        builds += strcmp(all[i].version, graph->image[at].version) == 0;
    graph->plan.version[at].several = builds > 1;
}

/* In order of travel; images are in order of version. */
static void add_versions(struct graph *graph, const struct image *images, size_t count,
                         const struct version *from, const struct version *to)
{
    bool up = version_compare(from, to) < 0;
    struct version version;
    for (size_t i = 0; i < count; i++) {
        const struct image *image = &images[up ? i : count - 1 - i];
        if (!version_parse(slice_of(image->version), &version) ||
            !is_within(&version, up ? from : to, up ? to : from))
            continue;
        if (graph->plan.count == 0 && version_compare(&version, from) != 0)
            add_version(graph, from);
        add_image(graph, image);
    }
    if (graph->plan.count == 0)
        add_version(graph, from);
    if (!is_last(graph, to))
        add_version(graph, to);
}

/* ---- edges ---- */

struct edges { /* being read */
    struct graph *graph;
    struct package_edge row;
    bool no_memory;
};

static bool find_image(const struct graph *graph, int64_t id, unsigned *ret)
{
    for (unsigned i = 0; i < graph->plan.count; i++)
        if (graph->image[i].id == id) {
            *ret = i;
            return true;
        }
    return false;
}

static enum plan_edge_state state_of(const struct package_edge *row)
{
    if (row->state == PACKAGE_QUEUED)
        return EDGE_QUEUED;
    if (row->state == PACKAGE_GENERATING)
        return EDGE_GENERATING;
    if (row->state == PACKAGE_FAILED)
        return EDGE_FAILED;
    if (row->quarantine[0])
        return EDGE_QUARANTINED;
    return row->servable ? EDGE_READY : EDGE_UNPROVEN;
}

static bool take_edge(void *cls)
{
    struct edges *edges = cls;
    const struct package_edge *row = &edges->row;
    unsigned from, to;
    if (!find_image(edges->graph, row->from_id, &from) || !find_image(edges->graph, row->to_id, &to) ||
        from >= to || !image_same_areas(&edges->graph->image[from], &edges->graph->image[to]))
        return true;
    struct plan_edge *edge = plan_edge(&edges->graph->plan, from, to);
    enum plan_edge_state state = state_of(row);
    if (edge->full && edge->state == EDGE_READY && state != EDGE_READY)
        return true;
    edge->full = false;
    free((char *)edge->error);
    edge->error = NULL;
    edge->state = (uint8_t)state;
    edge->size = (uint64_t)row->size_bytes;
    edge->uncounted = (uint64_t)row->uncounted_bytes;
    edge->improving = state == EDGE_READY && improvement_may_fit((int64_t)plan_counted(edge), row->tried,
                                                                 (int64_t)edges->graph->plan.limit);
    if (state == EDGE_FAILED || state == EDGE_QUARANTINED)
        edges->no_memory = !(edge->error = strdup(state == EDGE_FAILED ? row->error : row->quarantine));
    return !edges->no_memory;
}

struct image_list_view { /* all images of the firmware */
    const struct image *image;
    size_t count;
};

/* An edge that a full package covers, unless its script would not fit. */
static bool add_full(const struct package_base *base, struct graph *graph, unsigned from, unsigned to,
                     struct error *err)
{
    const struct image *new = &graph->image[to];
    struct plan_edge *edge = plan_edge(&graph->plan, from, to);
    char why[FULL_WHY_SIZE];
    *edge = (struct plan_edge){.state = EDGE_READY, .size = (uint64_t) new->size_bytes, .full = true};
    if (package_base_takes(base, new, why))
        return true;
    *edge = (struct plan_edge){.state = EDGE_IMPOSSIBLE, .error = strdup(why)};
    return edge->error || error_set(err, ERROR_INTERNAL, "out of memory");
}

/* Edges that can be made, and edges that a full package covers. */
static bool add_possible(const struct firmware *firmware, const struct image_list_view *all,
                         const struct sha256 *build, struct graph *graph, struct error *err)
{
    for (unsigned from = 0; from < graph->plan.count; from++) {
        struct package_base base;
        package_base_of(all->image, all->count, &graph->plan.version[from].version, from ? NULL : build,
                        &base);
        for (unsigned to = from + 1; to < graph->plan.count; to++) {
            struct plan_edge *edge = plan_edge(&graph->plan, from, to);
            const struct image *old = &graph->image[from], *new = &graph->image[to];
            if (image_is_full(new) && full_takes(new->core, &graph->plan.version[from].version)) {
                if (!add_full(&base, graph, from, to, err))
                    return false;
            } else if (!image_same_areas(old, new)) {
                edge->error = strdup("area");
                if (!edge->error)
                    return error_set(err, ERROR_INTERNAL, "out of memory");
            } else if (firmware->format[0] && old->id && new->id && package_key_can_be_made(old, new)) {
                edge->state = EDGE_UNKNOWN;
            }
        }
    }
    return true;
}

/* A full package leads to its image from any version, and so its quarantine takes out all of its edges. */
static bool take_out_full(struct db *db, const struct firmware *firmware, struct graph *graph,
                          struct error *err)
{
    static const struct sha256 any = {{0}};
    struct quarantine quarantine;
    bool found;
    for (unsigned to = 1; to < graph->plan.count; to++) {
        if (!image_is_full(&graph->image[to]))
            continue;
        if (!quarantine_find(db, firmware->id, &any, &graph->image[to].sha256, &quarantine, &found, err))
            return false;
        for (unsigned from = 0; found && from < to; from++) {
            struct plan_edge *edge = plan_edge(&graph->plan, from, to);
            if (!edge->full)
                continue;
            edge->state = EDGE_QUARANTINED;
            edge->error = strdup(quarantine.reason);
            if (!edge->error)
                return error_set(err, ERROR_INTERNAL, "out of memory");
        }
    }
    return true;
}

static bool add_edges(const struct daemon *daemon, struct db *db, const struct firmware *firmware,
                      const struct image_list_view *all, const struct sha256 *build, struct graph *graph,
                      struct error *err)
{
    struct edges edges = {.graph = graph};
    struct package_key key;
    size_t count = graph->plan.count;
    graph->plan.edge = calloc(count * count, sizeof *graph->plan.edge);
    if (!graph->plan.edge)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!add_possible(firmware, all, build, graph, err) || !take_out_full(db, firmware, graph, err))
        return false;
    if (!firmware->format[0])
        return true;
    package_key_of(daemon, firmware, &graph->image[0], &graph->image[count - 1],
                   &key); /* all pairs have the same recipe */
    if (!package_edges(db, &key, &edges.row, take_edge, &edges, err))
        return false;
    return !edges.no_memory || error_set(err, ERROR_INTERNAL, "out of memory");
}

bool graph_load(const struct daemon *daemon, struct db *db, const struct firmware *firmware,
                const struct version *from, const struct sha256 *build, const struct version *to,
                struct graph *ret, struct error *err)
{
    _cleanup_(cleanup_free) struct image *images = NULL, *chosen = NULL;
    struct graph graph = {
        .plan = {.limit = (uint64_t)firmware->max_package_bytes, .format_missing = !firmware->format[0]}};
    size_t count, chosen_count;
    if (!image_list(db, firmware->id, &images, &count, err) ||
        !build_choice_make(images, count, from, build, &chosen, &chosen_count, err))
        return false;
    graph.image = calloc(count + 2, sizeof *graph.image);
    graph.plan.version = calloc(count + 2, sizeof *graph.plan.version);
    if (!graph.image || !graph.plan.version) {
        graph_free(&graph);
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    add_versions(&graph, chosen, chosen_count, from, to);
    mark_several(&graph, 0, images, count);
    mark_several(&graph, graph.plan.count - 1, images, count);
    const struct image_list_view all = {images, count};
    if (!add_edges(daemon, db, firmware, &all, build, &graph, err)) {
        graph_free(&graph);
        return false;
    }
    *ret = graph;
    return true;
}

void graph_free(struct graph *graph)
{
    size_t edges = graph->plan.edge ? (size_t)graph->plan.count * graph->plan.count : 0;
    for (size_t i = 0; i < edges; i++)
        free((char *)graph->plan.edge[i].error);
    free(graph->plan.edge);
    free(graph->plan.version);
    free(graph->image);
    *graph = (struct graph){.image = NULL};
}
