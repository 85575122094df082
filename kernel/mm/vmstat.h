/* What was done with user memory since the boot, by each hart: what faults came to, tables that
 * were made, translations that other harts had to forget, and bytes that were copied between the
 * kernel and programs. lib/abi.h says what each count is of (struct abi_vmstat). */
#pragma once
#include "arch/hart.h"
#include "lib/abi.h"

#define VM_EVENT(name) (offsetof(struct abi_vmstat, name) / sizeof(uint64_t))
_Static_assert(sizeof(struct abi_vmstat) == sizeof(harts[0].counted), "a count for each");

/* Only the hart itself adds, and others may read meanwhile: the kernel is not preempted, and no
 * interrupt comes to what is counted. */
#define VM_COUNT(name, n) \
    do { \
        uint64_t *counted = &hart_self()->counted[VM_EVENT(name)]; \
        __atomic_store_n(counted, *counted + (n), __ATOMIC_RELAXED); \
    } while (0)

/* The sums over all harts, which may go on counting meanwhile. */
void vmstat_get(struct abi_vmstat *out);
