/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#ifndef DFOTA_CTL_COMPLETE_H
#define DFOTA_CTL_COMPLETE_H

/* For the completion of shells. words: those after "dfotactl" up to the cursor, NULL-terminated; the last one is not
   complete and may be "". Prints one candidate a line, with a tab and its meaning if there is one; the line ":file"
   asks for the names of files. Names come from the server within a second; without an answer there are none. */
void complete_print(char **words);

#endif
