/* The names of the checks: see sim.h. */
#include "machine/sim.h"
#include <string.h>

static const char *const names[] = {"entries",     "open",  "wx",         "user-wx", "stack",
                                    "user-memory", "marks", "misaligned", "device"};

unsigned sim_check_named(const char *name) {
    if (strcmp(name, "all") == 0)
        return (1u << sizeof(names) / sizeof(names[0])) - 1;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return 1u << i;
    return 0;
}
