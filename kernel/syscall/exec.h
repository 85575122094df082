/* exec: a new program for the running process. */
#pragma once
#include "lib/types.h"

/* Runs path with the arguments argv (kernel strings, argc of them), from the first
 * process at boot. On success the process's next return to user mode enters the
 * program, with a0 = argc and a1 = argv; its old memory is gone. On error the
 * process goes on as before: -K_ENOENT and what a path can give, -K_ENOEXEC,
 * -K_E2BIG, -K_ENOMEM, -K_EIO. */
int exec_kernel(const char *path, const char *const *argv) must_check;
