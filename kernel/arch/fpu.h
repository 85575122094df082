/* The floating-point unit as one process's state: sstatus.FS says whether it may be
 * used, and whether it was changed (privileged specification 3.1.6.6). */
#pragma once
#include "arch/context.h"
#include "arch/csr.h"

static inline bool fpu_is_off(void) { return !(csr_read(sstatus) & SSTATUS_FS); }

/* From here on a floating-point instruction is an illegal one. */
static inline void fpu_off(void) { csr_clear(sstatus, SSTATUS_FS); }

/* Saves the registers if they have changed since fpu_give. */
static inline void fpu_keep(struct fpu_state *to) {
    if ((csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS_DIRTY)
        fpu_save(to);
}

/* Loads the registers, and permits their use. */
static inline void fpu_give(const struct fpu_state *from) {
    csr_set(sstatus, SSTATUS_FS);
    fpu_load(from);
    csr_clear(sstatus, SSTATUS_FS);
    csr_set(sstatus, SSTATUS_FS_CLEAN);
}
