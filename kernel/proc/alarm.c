/* The heap of alarms: see alarm.h. */
#include "proc/alarm.h"

static uint32_t far_of(const struct alarm *a) { return a ? a->far : 0; }

/* Below a, or at the top. */
static void put(struct alarms *all, struct alarm *a, unsigned side, struct alarm *child) {
    if (a)
        a->below[side] = child;
    else
        all->first = child;
    if (child)
        child->above = a;
}

/* What is below a has changed. True: so has what the one above it counts with. */
static bool lean(struct alarm *a) {
    uint32_t before = a->far;
    if (far_of(a->below[0]) < far_of(a->below[1])) {
        struct alarm *other = a->below[0];
        a->below[0] = a->below[1];
        a->below[1] = other;
    }
    a->far = far_of(a->below[1]) + 1;
    return a->far != before;
}

/* Two heaps become one, which is put on this side of `above`. The ways down of both are merged;
 * returns the last one on it, from where on upwards they lean no more; or NULL. */
static struct alarm *merge(struct alarms *all, struct alarm *above, unsigned side, struct alarm *a,
                           struct alarm *b) {
    while (a && b) {
        struct alarm *sooner = b->at < a->at ? b : a;
        b = sooner == a ? b : a;
        put(all, above, side, sooner);
        above = sooner;
        side = 1;
        a = sooner->below[1];
    }
    put(all, above, side, a ? a : b);
    return above;
}

void alarms_add(struct alarms *all, struct alarm *a) {
    a->below[0] = a->below[1] = NULL;
    a->far = 1;
    for (struct alarm *x = merge(all, NULL, 0, all->first, a); x; x = x->above)
        lean(x);
}

void alarms_remove(struct alarms *all, struct alarm *a) {
    if (!alarm_is_set(a))
        return;
    struct alarm *above = a->above;
    unsigned side = above && above->below[1] == a;
    struct alarm *x = merge(all, above, side, a->below[0], a->below[1]);
    a->far = 0;
    while (x && x != above) {
        lean(x);
        x = x->above;
    }
    /* What changes grows by one a step, either what was counted or what is now: few steps. */
    while (x && lean(x))
        x = x->above;
}
