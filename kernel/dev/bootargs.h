/* The boot arguments: /chosen/bootargs, which QEMU fills from -append.
 *
 *     name name=value ... -- command
 *
 * Words before the first word "--" are options, in any order; of one that is
 * there twice the last counts. What follows "-- " is the command, verbatim. */
#pragma once
#include "lib/types.h"

/* Whether there is an option of this name. Its value, cut to size - 1 bytes and
 * terminated, is put in value ("" when it has none) unless value is NULL. */
bool bootarg(const char *name, char *value, size_t size);

/* Whether the option quiet asks for no news, but for what is wrong. */
bool boot_quiet(void);

/* The value of a number: decimal, or hexadecimal with 0x, with K, M or G behind it
 * for a multiple of 2^10, 2^20 or 2^30. -K_ENOENT: no such option; -K_EINVAL: its
 * value is none or does not fit. Then *value is as it was. */
int bootarg_number(const char *name, uint64_t *value) must_check;

/* The command, in the device tree's memory; NULL when there is none. */
const char *bootargs_command(void);
