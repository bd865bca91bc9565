/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/db/sizes.h"

#include <pthread.h>
#include <stdlib.h>

struct sizes {
    pthread_mutex_t mutex;
    struct stored_sizes stored;
};

bool sizes_open(struct sizes **ret, struct error *err)
{
    *ret = calloc(1, sizeof **ret);
    if (!*ret)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    pthread_mutex_init(&(*ret)->mutex, NULL);
    return true;
}

void sizes_close(struct sizes *sizes)
{
    if (!sizes)
        return;
    pthread_mutex_destroy(&sizes->mutex);
    free(sizes);
}

void sizes_set(struct sizes *sizes, const struct stored_sizes *now)
{
    pthread_mutex_lock(&sizes->mutex);
    sizes->stored = *now;
    pthread_mutex_unlock(&sizes->mutex);
}

void sizes_get(struct sizes *sizes, struct stored_sizes *ret)
{
    pthread_mutex_lock(&sizes->mutex);
    *ret = sizes->stored;
    pthread_mutex_unlock(&sizes->mutex);
}
