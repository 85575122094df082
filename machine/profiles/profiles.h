/* The profiles that the machine has itself: machine/frames/profile.h says what they mean. The
 * first whose functions a kernel has, all of them, is taken for it. */
#pragma once

struct own_profile {
    const char *name, *text;
};
/* Ends with one without a name. */
extern const struct own_profile profiles[];

extern const char profile_trellis[], profile_xv6[];
