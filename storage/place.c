#include "storage/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    unsigned count;
    char *path[PLACE_FILES_MAX];
    /* Open, so that the number of a removed file is not given to another one. With O_PATH: closing any other
       descriptor of a database would take away the locks that SQLite holds on it. */
    int fd[PLACE_FILES_MAX];
    atomic_uint lost; /* 1 + the number of the first that was missing; 0: all were there */
};

bool place_open(struct place **ret, struct error *err)
{
    *ret = calloc(1, sizeof **ret);
    return *ret || error_set(err, ERROR_INTERNAL, "out of memory");
}

bool place_add(struct place *place, const char *path, struct error *err)
{
    if (place->count == PLACE_FILES_MAX)
        return error_set(err, ERROR_INTERNAL, "too many files to watch");
    char *copy = strdup(path);
    if (!copy)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        free(copy);
        return error_errno(err, errno, "cannot open %s", path);
    }
    place->path[place->count] = copy;
    place->fd[place->count++] = fd;
    return true;
}

static bool is_there(const struct place *place, unsigned i)
{
    struct stat held, named;
    return fstat(place->fd[i], &held) == 0 && stat(place->path[i], &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino && (S_ISDIR(held.st_mode) || held.st_nlink > 0);
}

bool place_check(struct place *place, struct error *err)
{
    unsigned lost = atomic_load(&place->lost), none = 0;
    for (unsigned i = 0; !lost && i < place->count; i++)
        if (!is_there(place, i))
            lost = i + 1;
    if (!lost)
        return true;
    atomic_compare_exchange_strong(&place->lost, &none, lost);
    return error_set(err, ERROR_UNAVAILABLE,
                     "%.200s was removed, renamed or replaced while the server was running: nothing more is stored. "
                     "Put it back and start the server again",
                     place->path[lost - 1]);
}

void place_close(struct place *place)
{
    if (!place)
        return;
    for (unsigned i = 0; i < place->count; i++) {
        close(place->fd[i]);
        free(place->path[i]);
    }
    free(place);
}
