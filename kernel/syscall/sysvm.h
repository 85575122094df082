/* System calls that show memory, page tables and regions of any process: handlers as
 * syscall.h says. */
#pragma once
#include "lib/types.h"

int sys_vmprint(const uint64_t arg[6], uint64_t *result);
int sys_vmtable(const uint64_t arg[6], uint64_t *result);
int sys_vmregions(const uint64_t arg[6], uint64_t *result);
