/* What the programs that show a process's memory have in common: entries and
 * addresses, their text, and their arguments. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/abi.h"

/* ---- Sv39, Sv48 and Sv57 (privileged specification 4.4 to 4.6) ---- */

#define VM_PAGE 4096ul
#define VM_LEVELS_MAX 5u
#define VM_ENTRIES 512u

/* How many levels this kernel's page tables have: vm_find asks it. */
extern unsigned vm_levels;
#define VM_ROOT_LEVEL (vm_levels - 1)
#define VM_BITS (12 + 9 * vm_levels) /* of an address that are translated */
#define VM_LOW_HALF_END (1ul << (VM_BITS - 1))
/* What a process may have ends here: the root's last entry of the low half is the kernel's. */
#define VM_USER_MAX (VM_LOW_HALF_END - vm_span(VM_ROOT_LEVEL))

enum { VM_V = 1, VM_R = 2, VM_W = 4, VM_X = 8 };

/* What one entry of a table of this level spans. */
static inline uint64_t vm_span(unsigned level) { return VM_PAGE << 9 * level; }
static inline unsigned vm_index(uint64_t va, unsigned level) {
    return va / vm_span(level) % VM_ENTRIES;
}
static inline bool vm_canonical(uint64_t va) {
    return va < VM_LOW_HALF_END || va >= -VM_LOW_HALF_END;
}
static inline uint64_t vm_frame(uint64_t entry) { return (entry << 10 >> 20) * VM_PAGE; }
static inline bool vm_is_table(uint64_t entry, unsigned level) {
    return (entry & (VM_V | VM_R | VM_W | VM_X)) == VM_V && level > 0;
}
/* The frame of a page that may not be touched at all (PROT_NONE): V alone, at level 0, where no
 * table can follow. Every access faults. */
static inline bool vm_is_kept(uint64_t entry, unsigned level) {
    return (entry & (VM_V | VM_R | VM_W | VM_X)) == VM_V && level == 0;
}
#define VM_KEPT "kept: may not be touched"

/* V R W X U G A D, with - for a bit that is clear. */
#define VM_FLAGS_TEXT 9
const char *vm_flags(uint64_t entry, char text[VM_FLAGS_TEXT]);
/* "4 KiB": what a leaf of this level maps. */
const char *vm_size_name(unsigned level);

/* ---- processes and their views ---- */

/* Finds a process by its number, 0 for the caller, and sets vm_levels. False when there is
 * none: then it has said so, in the program's name. */
bool vm_find(const char *program, pid_t pid, struct abi_procinfo *p);

/* Says why a process that vm_find has found could not be looked at. */
void vm_say_gone(const char *program, pid_t pid);

/* "user view of process 7 (sh), share". Valid until the next call. */
const char *vm_title(const struct abi_procinfo *p, enum abi_vmview view);

/* ---- arguments ---- */

/* A number as C writes it, up to *rest. False when there is none, or it is too large. */
bool vm_parse_address(const char *text, uint64_t *va, const char **rest);
/* False when it cannot be the number of a process. */
bool vm_parse_pid(const char *text, pid_t *pid);
/* Ends the program: after --help with 0, else with 2. */
void vm_usage(const char *usage, const char *argument) __attribute__((noreturn));
