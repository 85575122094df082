/* Profiles: the text that says which functions of a kernel give and take pages of memory, and where
 * it has its processes.
 *
 *     alloc kalloc -> a0                    returns the page, or nought
 *     alloc take_large -> *a0 512 pages if zero
 *                                           returns nought when it worked; the page is then in the
 *                                           word that a0 pointed at
 *     alloc get_pages -> a0 2^a1 pages      a1 was an order
 *     free kfree a0                         gives back the page that a0 is in
 *     free put a0 if written                gives it back when it writes to it, as to link it into
 *                                           a list; else it may have dropped a reference only
 *     may touch free check                  reads or writes pages that are free, rightly
 *     racy ticks                            accesses of this function, or to this datum, are no
 *                                           races (races/races.h)
 *     racy spinlock.h                       nor are those of the lines of this file
 *     processes proc                        the array of the processes, or
 *     processes *procs slots                a datum that points to it, and one that says how many
 *                                           there are, in 32 bits
 *     process pid proc.pid                  fields of `struct proc`, which DWARF knows: the number,
 *     process name proc.name                the program's name,
 *     process table proc.pagetable          and the address of a page table, or a value of satp;
 *     process table proc.as aspace.satp     by a pointer: as leads to a `struct aspace`
 *
 * One statement in a line, or none; # begins a comment. a0 to a7 are the registers as they were
 * when the function was entered, but for an alloc's `-> a0`. */
#pragma once
#include "machine/image/symbols.h"

enum {
    PROFILE_LINES = 32,
    PROFILE_RACY = 64,
    PROFILE_FILES = 16,
    PROFILE_NAME = 64,
    PROFILE_TABLES = 4,
    PROFILE_STEPS = 2
};

struct profile_line {
    enum profile_what { PROFILE_ALLOC, PROFILE_FREE, PROFILE_TOUCH } what;
    uint64_t function; /* its virtual address */
    uint8_t where;     /* 0 to 7: the argument with the page's address */
    bool pointer;      /* or with the address of a word that has it */
    enum { PAGES_NUMBER, PAGES_ARGUMENT, PAGES_ORDER } count_is;
    uint32_t count; /* the number, or the argument that has it */
    bool if_zero, if_written;
};

/* What `racy` names. */
struct profile_range {
    uint64_t start, size;
};

/* Of `struct of`; of[0] is 0: none. */
struct profile_field {
    char of[PROFILE_NAME], name[PROFILE_NAME];
};

/* Where the processes are; array[0] is 0: it is not known. */
struct profile_processes {
    char array[PROFILE_NAME], count[PROFILE_NAME];
    bool pointer;
    struct profile_field pid, name;
    struct profile_field table[PROFILE_TABLES][PROFILE_STEPS];
    unsigned tables;
};

struct profile {
    struct profile_line lines[PROFILE_LINES];
    unsigned count;
    struct profile_range racy[PROFILE_RACY];
    unsigned racy_count;
    char racy_files[PROFILE_FILES][PROFILE_NAME];
    unsigned racy_file_count;
    struct profile_processes processes;
};

/* false: error is a sentence that begins with the profile's name and the line. */
bool profile_read(struct profile *profile, const char *name, const char *text, size_t size,
                  const struct symbols *symbols, char *error, size_t error_size);
/* The one of the machine's own profiles whose functions the kernel has, all of them. false: none,
 * and the profile is empty. */
bool profile_choose(struct profile *profile, const struct symbols *symbols);
