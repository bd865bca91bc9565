/* Time: the wall clock for what is recorded, the boot clock for what is waited for. */
#ifndef DFOTA_BASE_CLOCK_H
#define DFOTA_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_utc_ms(void);  /* UTC, milliseconds since 1970 */
int64_t clock_boot_ms(void); /* CLOCK_BOOTTIME, milliseconds; never steps back, counts suspended time */

#endif
