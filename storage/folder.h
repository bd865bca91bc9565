/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Removing a folder in which somebody else could do as he liked, such as a foreign command: whatever its depth, with paths
   longer than the system takes and folders that nobody may enter. Stack and descriptors are bounded, links are not
   followed. What the disk does not let go, such as an immutable file, stays. */
#ifndef DFOTA_STORAGE_FOLDER_H
#define DFOTA_STORAGE_FOLDER_H

void folder_empty(const char *path);  /* all that is in it */
void folder_remove(const char *path); /* and the folder itself */

#endif
