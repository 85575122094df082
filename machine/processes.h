/* Whose a page table is: what a kernel's processes say, which its profile tells of. Looked at only
 * when somebody asks (sim_owner of sim.h); a run is the same without it. */
#pragma once
#include "machine/image/fields.h"
#include "machine/sim.h"

enum { PROCESS_TABLES = 4, PROCESS_STEPS = 2 };

struct processes {
    bool known;     /* the array, and the fields of the number and of a table at least */
    uint64_t array; /* virtual addresses: of the array, or of a pointer to it */
    uint64_t count; /* of the datum that says how many; 0: there are `most` */
    uint64_t most;
    uint64_t bytes; /* of one */
    bool pointer;
    struct field pid, name;
    struct field table[PROCESS_TABLES][PROCESS_STEPS];
    unsigned steps[PROCESS_TABLES], tables;
};

/* Looks the names of the profile up, if events are on; without DWARF nothing is known. */
void processes_init(struct sim *sim);
