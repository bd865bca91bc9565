/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/grade.h"

static const char *const names[GRADE_COUNT] = {
#define X(grade, name) [grade] = name,
    GRADES(X)
#undef X
};
const struct enum_names grade_names = ENUM_NAMES(names);

const char *grade_name(enum grade grade)
{
    return names[grade];
}

enum grade grade_of_check_in(bool trusted)
{
    return trusted ? GRADE_HOST : GRADE_UNAUTHENTICATED;
}

enum grade grade_of_link(bool handed_out, bool trusted)
{
    if (!handed_out)
        return GRADE_HOST;
    return trusted ? GRADE_LINK : GRADE_UNAUTHENTICATED;
}

enum grade grade_with_secret(enum grade grade, enum secret_kind secret)
{
    static const enum grade of[] = {[SECRET_NONE] = GRADE_NONE,
                                    [SECRET_OF_PRODUCT] = GRADE_PRODUCT_SECRET,
                                    [SECRET_OF_DEVICE] = GRADE_DEVICE_SECRET};
    return of[secret] > grade ? of[secret] : grade;
}

bool grade_counts(enum grade said, enum grade known)
{
    return said >= known;
}
