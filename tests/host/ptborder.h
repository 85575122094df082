/* A border of leaves where a test wants one: who unmaps or protects a part of a large leaf splits
 * it before, as mm/change.c does. */
#pragma once
#include "mm/pt.h"

/* Splits until no leaf crosses va. -K_ENOMEM: mappings are the same, a leaf may have been split. */
must_check static inline int border_at(struct pt *pt, uint64_t va) {
    for (;;) {
        unsigned level;
        const pte_t *e = pt_walk(pt, VA(va), &level);
        if (!e || !pte_is_leaf(*e) || IS_ALIGNED(va, level_size(level)))
            return 0;
        int err = pt_split(pt, VA(va));
        if (err)
            return err;
    }
}

/* At both ends of a range; the same error. */
must_check static inline int borders_at(struct pt *pt, uint64_t start, uint64_t end) {
    int err = border_at(pt, start);
    return err ? err : border_at(pt, end);
}
