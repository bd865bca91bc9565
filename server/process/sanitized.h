/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* IS_SANITIZED: this is a build with a sanitizer. Its runtime makes system calls and reads files of its own (LeakSanitizer
   traces the process), so children are not limited. */
#ifndef DFOTA_SERVER_PROCESS_SANITIZED_H
#define DFOTA_SERVER_PROCESS_SANITIZED_H

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define IS_SANITIZED 1
#endif
#elif defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define IS_SANITIZED 1
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#endif
