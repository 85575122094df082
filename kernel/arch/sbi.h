/* Calls to the firmware (RISC-V SBI specification 1.0). */
#pragma once
#include "lib/types.h"

void sbi_console_write(const char *text, size_t n); /* 5.2, legacy: early boot only */
void sbi_set_timer(uint64_t when);                  /* 6: cpu_time at which to interrupt */
void sbi_send_ipi(uint64_t hartid);                 /* 7 */
int sbi_hart_start(uint64_t hartid, paddr_t entry, uint64_t arg) must_check; /* 9; -K_EIO */
void sbi_shutdown(bool failure) never_returns;                               /* 10 */
