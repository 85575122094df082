/* Goldfish's real-time clock: nanoseconds since 1970, and an alarm (QEMU's documentation of the
 * goldfish virtual platform, "Goldfish RTC"). Registers have 4 bytes and are accessed whole.
 *
 * Reading TIME_LOW keeps the upper half of that time for TIME_HIGH. A write sets one half of the
 * time or of the alarm at once, and ALARM_LOW arms it, so the upper half is written first. */
#pragma once
#include "machine/dev/env.h"

struct rtc {
    unsigned source; /* at the PLIC; chosen before the reset, which keeps both */
    uint64_t start;  /* the time when guest time is 0 */

    uint64_t added; /* by writes, modulo 2^64 */
    uint64_t alarm;
    uint32_t time_high;
    bool armed, fired, enabled; /* the interrupt is raised while the last two are true */
};

void rtc_reset(struct rtc *r);
uint64_t rtc_read(struct dev_env *env, struct rtc *r, uint64_t offset, unsigned size);
void rtc_write(struct dev_env *env, struct rtc *r, uint64_t offset, unsigned size, uint64_t value);

uint64_t rtc_time(struct dev_env *env, const struct rtc *r);

/* When rtc_run has to be called: guest time, now when it is past; UINT64_MAX for never. It holds
 * until the next write. */
uint64_t rtc_next_ns(struct dev_env *env, const struct rtc *r);

/* Lets the alarm go off when its time has come. */
void rtc_run(struct dev_env *env, struct rtc *r);
