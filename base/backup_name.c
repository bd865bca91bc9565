/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/backup_name.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool backup_name_is(const char *name)
{
    static const char form[] = "00000000T000000Z";
    size_t i = 0;
    for (; form[i]; i++)
        if (form[i] == '0' ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
            return false;
    return name[i] == '\0';
}

static time_t read_time(const char *name)
{
    struct tm utc = {.tm_sec = 0};
    return strptime(name, "%Y%m%dT%H%M%SZ", &utc) ? timegm(&utc) : 0;
}

void backup_name_make(int64_t utc_ms, const char *newest, char out[BACKUP_NAME_SIZE])
{
    time_t seconds = (time_t)(utc_ms / 1000), after = newest ? read_time(newest) + 1 : 0;
    struct tm utc;
    if (seconds < after)
        seconds = after;
    gmtime_r(&seconds, &utc);
    strftime(out, BACKUP_NAME_SIZE, "%Y%m%dT%H%M%SZ", &utc);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool backup_name_list(const char *folder, char (**ret)[BACKUP_NAME_SIZE], size_t *ret_count)
{
    char(*names)[BACKUP_NAME_SIZE] = NULL;
    size_t count = 0;
    DIR *open = opendir(folder);
    if (!open)
        return false;
    errno = 0;
    for (const struct dirent *entry; errno == 0 && (entry = readdir(open));) {
        if (!backup_name_is(entry->d_name))
            continue;
        void *grown = realloc(names, (count + 1) * sizeof *names);
        if (!grown)
            break;
        names = grown;
        memcpy(names[count++], entry->d_name, strlen(entry->d_name) + 1);
    }
    int number = errno;
    closedir(open);
    if (number) {
        free(names);
        errno = number;
        return false;
    }
    if (count)
        qsort(names, count, sizeof *names, compare);
    *ret = names;
    *ret_count = count;
    return true;
}
