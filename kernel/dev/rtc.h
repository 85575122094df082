/* The real-time clock. */
#pragma once

/* At boot, after clock_init: the date is the clock's, if the device tree has one that is known. */
void rtc_init(void);
