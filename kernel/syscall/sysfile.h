/* System calls on files: what each does is in lib/abi.h and fs/. Handlers as
 * syscall.h wants them. */
#pragma once
#include "lib/types.h"

int sys_pipe(const uint64_t arg[6], uint64_t *result);
int sys_read(const uint64_t arg[6], uint64_t *result);
int sys_fstat(const uint64_t arg[6], uint64_t *result);
int sys_chdir(const uint64_t arg[6], uint64_t *result);
int sys_dup(const uint64_t arg[6], uint64_t *result);
int sys_open(const uint64_t arg[6], uint64_t *result);
int sys_write(const uint64_t arg[6], uint64_t *result);
int sys_mknod(const uint64_t arg[6], uint64_t *result);
int sys_unlink(const uint64_t arg[6], uint64_t *result);
int sys_link(const uint64_t arg[6], uint64_t *result);
int sys_mkdir(const uint64_t arg[6], uint64_t *result);
int sys_close(const uint64_t arg[6], uint64_t *result);
int sys_lseek(const uint64_t arg[6], uint64_t *result);
int sys_ftruncate(const uint64_t arg[6], uint64_t *result);
int sys_rename(const uint64_t arg[6], uint64_t *result);
