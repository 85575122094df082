/* See profiles.h. */
#include "machine/profiles/profiles.h"
#include <stddef.h>

const struct own_profile profiles[] = {
    {"trellis", profile_trellis},
    {"xv6", profile_xv6},
    {NULL, NULL},
};
