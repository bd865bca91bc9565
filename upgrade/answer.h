/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The answer codes of the vendor's dialect. */
#ifndef DFOTA_UPGRADE_ANSWER_H
#define DFOTA_UPGRADE_ANSWER_H

/* Name, code, message of the vendor's platform (sent as \uXXXX). 200 and 206 carry firmware; all others
   refuse. Source: the vendor's published list of codes. */
#define ANSWER_TABLE(X)                                                                                      \
    X(ANSWER_FULL, 200, "")                                                                                  \
    X(ANSWER_PART, 206, "")                                                                                  \
    X(ANSWER_BAD_DEVICE, 3, "无效的设备")                                                                    \
    X(ANSWER_NOT_TOGETHER, 17, "无权限")                                                                     \
    X(ANSWER_NOT_ALLOWED, 21, "不允许升级")                                                                  \
    X(ANSWER_BAD_PRODUCT, 25, "无效的项目")                                                                  \
    X(ANSWER_BAD_FIRMWARE, 26, "无效的固件")                                                                 \
    X(ANSWER_UP_TO_DATE, 27, "已是最新版本")                                                                 \
    X(ANSWER_LOOP, 40, "循环升级")                                                                           \
    X(ANSWER_WAIT, 43, "请等待")                                                                             \
    X(ANSWER_NO_BASE, 44, "基础版本缺失")                                                                    \
    X(ANSWER_BAD_RANGE, 416, "range not satisfiable")                                                        \
    X(ANSWER_NO_PATH, 404, "there is no such path")

enum answer {
#define X(name, code, msg) name,
    ANSWER_TABLE(X)
#undef X
        ANSWER_COUNT
};

int answer_code(enum answer answer);
const char *answer_msg(enum answer answer); /* UTF-8 */

#endif
