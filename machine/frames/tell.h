/* What is said of pages that are used wrongly: finding.h. */
#pragma once
#include "machine/frames/tables.h"

/* hart is NULL for a device. */
void tell_used(struct sim *sim, const struct hart *hart, uint64_t va, uint64_t pa,
               enum frames_use use);
/* The page's record is still that of the first time. */
void tell_freed_twice(struct sim *sim, const struct hart *hart, uint64_t pa,
                      const struct frame_place *again);
void tell_taken_twice(struct sim *sim, const struct hart *hart, uint64_t pa,
                      const struct frame_place *again);
/* A page that is given back is a table. */
void tell_table(struct sim *sim, const struct hart *hart, uint64_t pa, const struct frame_place *by,
                const struct table_use *table);
void tell_satp(struct sim *sim, const struct hart *hart, uint64_t pa);
