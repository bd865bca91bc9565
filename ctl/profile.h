/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Profiles: where a server is, and who asks. One section of ~/.config/dfota/config.ini is one profile. */
#ifndef DFOTA_CTL_PROFILE_H
#define DFOTA_CTL_PROFILE_H

#include <stdbool.h>
#include "ctl/failure.h"

#define PROFILE_VALUE_SIZE 512

struct profile { /* "": not set */
    char name[64];
    bool named; /* --profile: the values come before those of the environment */
    char url[PROFILE_VALUE_SIZE], token_file[PROFILE_VALUE_SIZE], product[PROFILE_VALUE_SIZE];
    char ca[PROFILE_VALUE_SIZE]; /* file with the certificates that are trusted */
    char by[PROFILE_VALUE_SIZE];
    char language[PROFILE_VALUE_SIZE]; /* en or zh */
};

/* `option`: of --profile, or NULL; then DFOTA_PROFILE, the line `profile = NAME` before the first section, and the
   section [default]. Without a file the profile is empty, unless one was named. EXIT_USAGE, with file and line: the
   file is wrong, others can write it, or the profile does not exist. */
bool profile_load(const char *option, struct profile *ret, struct failure *fail);

/* Calls `handle` with the name of each profile; nothing when there is no file or it is wrong. */
void profile_list(void (*handle)(void *cls, const char *name), void *cls);

/* A file with a token that other users can read is refused. A file that does not exist is not an error here. */
bool profile_check_secret(const char *path, struct failure *fail);

#endif
