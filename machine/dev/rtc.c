/* Goldfish's real-time clock. */
#include "machine/dev/rtc.h"
#include "machine/dev/bytes.h"

enum {
    TIME_LOW = 0x00,
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08,
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c,
};

void rtc_reset(struct rtc *r) { *r = (struct rtc){.source = r->source, .start = r->start}; }

uint64_t rtc_time(struct dev_env *env, const struct rtc *r) {
    return r->start + env->now(env->ctx) + r->added;
}

void rtc_run(struct dev_env *env, struct rtc *r) {
    if (r->armed && rtc_time(env, r) >= r->alarm) {
        r->armed = false;
        r->fired = true;
    }
    env->irq(env->ctx, r->source, r->fired && r->enabled);
}

uint64_t rtc_next_ns(struct dev_env *env, const struct rtc *r) {
    uint64_t now = env->now(env->ctx), time = rtc_time(env, r);
    if (!r->armed)
        return UINT64_MAX;
    if (r->alarm <= time)
        return now;
    return r->alarm - time > UINT64_MAX - now ? UINT64_MAX : now + (r->alarm - time);
}

uint64_t rtc_read(struct dev_env *env, struct rtc *r, uint64_t offset, unsigned size) {
    if (size != 4)
        return 0;
    uint64_t time = rtc_time(env, r);
    switch (offset) {
    case TIME_LOW: r->time_high = (uint32_t)(time >> 32); return (uint32_t)time;
    case TIME_HIGH: return r->time_high;
    case ALARM_LOW: return (uint32_t)r->alarm;
    case ALARM_HIGH: return r->alarm >> 32;
    case IRQ_ENABLED: return r->enabled;
    case ALARM_STATUS: return r->armed;
    default: return 0;
    }
}

static void set_time(struct dev_env *env, struct rtc *r, uint64_t time) {
    r->added += time - rtc_time(env, r);
}

void rtc_write(struct dev_env *env, struct rtc *r, uint64_t offset, unsigned size, uint64_t value) {
    if (size != 4)
        return;
    switch (offset) {
    case TIME_LOW: set_time(env, r, set_low32(rtc_time(env, r), value)); break;
    case TIME_HIGH: set_time(env, r, set_high32(rtc_time(env, r), value)); break;
    case ALARM_LOW:
        r->alarm = set_low32(r->alarm, value);
        r->armed = true;
        break;
    case ALARM_HIGH: r->alarm = set_high32(r->alarm, value); break;
    case IRQ_ENABLED: r->enabled = value & 1; break;
    case CLEAR_ALARM: r->armed = false; break;
    case CLEAR_INTERRUPT: r->fired = false; break;
    }
    rtc_run(env, r);
}
