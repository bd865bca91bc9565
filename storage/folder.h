/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Removes a folder that an untrusted program could write to, such as an external command. The tree may be
   of any depth, have paths that are longer than the system allows, and folders without access rights.
   Stack and descriptors are bounded; symbolic links are not followed. What cannot be removed, such as an
   immutable file, stays. */
#ifndef DFOTA_STORAGE_FOLDER_H
#define DFOTA_STORAGE_FOLDER_H

void folder_empty(const char *path);  /* removes all that is in the folder */
void folder_remove(const char *path); /* and the folder itself */

#endif
