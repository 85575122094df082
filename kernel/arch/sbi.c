/* Calls to the firmware: arguments in a0.., extension in a7, function in a6;
 * error in a0, value in a1 (SBI specification, 3). */
#include "arch/sbi.h"
#include "arch/csr.h"
#include "lib/errno.h"

#define EXT_CONSOLE_PUTCHAR 0x01
#define EXT_TIMER 0x54494d45
#define EXT_IPI 0x735049
#define EXT_HSM 0x48534d
#define EXT_RESET 0x53525354

struct sbi_result {
    int64_t error;
    uint64_t value;
};

static struct sbi_result sbi_call(uint64_t ext, uint64_t fn, uint64_t x, uint64_t y, uint64_t z) {
    register uint64_t a0 __asm__("a0") = x;
    register uint64_t a1 __asm__("a1") = y;
    register uint64_t a2 __asm__("a2") = z;
    register uint64_t a6 __asm__("a6") = fn;
    register uint64_t a7 __asm__("a7") = ext;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
    return (struct sbi_result){(int64_t)a0, a1};
}

void sbi_console_write(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        sbi_call(EXT_CONSOLE_PUTCHAR, 0, (uint8_t)text[i], 0, 0);
}

void sbi_set_timer(uint64_t when) { sbi_call(EXT_TIMER, 0, when, 0, 0); }

void sbi_send_ipi(uint64_t hartid) { sbi_call(EXT_IPI, 0, 1, hartid, 0); }

int sbi_hart_start(uint64_t hartid, paddr_t entry, uint64_t arg) {
    return sbi_call(EXT_HSM, 0, hartid, entry.v, arg).error ? -K_EIO : 0;
}

void sbi_shutdown(bool failure) {
    sbi_call(EXT_RESET, 0, 0 /* shutdown */, failure ? 1 : 0, 0);
    for (;;)
        wait_for_interrupt();
}
