/* System calls about processes, memory and the machine: handlers as syscall.h
 * says. */
#pragma once
#include "lib/types.h"

int sys_fork(const uint64_t arg[6], uint64_t *result);
int sys_exit(const uint64_t arg[6], uint64_t *result);
int sys_wait(const uint64_t arg[6], uint64_t *result);
int sys_kill(const uint64_t arg[6], uint64_t *result);
int sys_getpid(const uint64_t arg[6], uint64_t *result);
int sys_sbrk(const uint64_t arg[6], uint64_t *result);
int sys_sleep(const uint64_t arg[6], uint64_t *result);
int sys_uptime(const uint64_t arg[6], uint64_t *result);
int sys_poweroff(const uint64_t arg[6], uint64_t *result);
int sys_sysinfo(const uint64_t arg[6], uint64_t *result);
int sys_procinfo(const uint64_t arg[6], uint64_t *result);
