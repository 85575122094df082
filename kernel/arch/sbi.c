/* Calls to the firmware: arguments in a0.., extension in a7, function in a6;
 * error in a0, value in a1 (SBI specification, 3). */
#include "arch/sbi.h"
#include "arch/layout.h"
#include "lib/errno.h"
#include "lib/panic.h"

#define EXT_CONSOLE_GETCHAR 0x02
#define EXT_TIMER 0x54494d45
#define EXT_IPI 0x735049
#define EXT_HSM 0x48534d
#define EXT_RFENCE 0x52464e43
#define EXT_BASE 0x10
#define EXT_PMU 0x504d55

struct sbi_result {
    int64_t error;
    uint64_t value;
};

#define CONSOLE_READ 1 /* of SBI_CONSOLE */
#define RFENCE_I 0     /* of EXT_RFENCE: fence.i */
#define RFENCE_VMA 1   /* sfence.vma for all ASIDs */

enum { BASE_VENDOR = 4, BASE_ARCHITECTURE, BASE_IMPLEMENTATION };
enum { PMU_COUNTERS, PMU_CONFIGURE = 2, PMU_STOP = 4, PMU_READ };
#define PMU_FROM_ZERO 2u /* of PMU_CONFIGURE: the counter begins at 0, */
#define PMU_START 4u     /* and now */
#define PMU_RESET 1u     /* of PMU_STOP: it is free again */
#define PMU_OF_FIRMWARE 0xf0000u

#ifdef __riscv
static struct sbi_result sbi_call4(uint64_t ext, uint64_t fn, uint64_t x, uint64_t y, uint64_t z,
                                   uint64_t w) {
    register uint64_t a0 __asm__("a0") = x;
    register uint64_t a1 __asm__("a1") = y;
    register uint64_t a2 __asm__("a2") = z;
    register uint64_t a3 __asm__("a3") = w;
    register uint64_t a6 __asm__("a6") = fn;
    register uint64_t a7 __asm__("a7") = ext;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
    return (struct sbi_result){(int64_t)a0, a1};
}
#else
struct sbi_result sbi_call4(uint64_t ext, uint64_t fn, uint64_t x, uint64_t y, uint64_t z,
                            uint64_t w);
#endif

static struct sbi_result sbi_call(uint64_t ext, uint64_t fn, uint64_t x, uint64_t y, uint64_t z) {
    return sbi_call4(ext, fn, x, y, z, 0);
}

static bool legacy; /* the firmware does not know the console's own extension */

/* A byte a call: where text is, the firmware may not find it. */
void sbi_console_write(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!legacy)
            legacy = sbi_call(SBI_CONSOLE, SBI_CONSOLE_WRITE_BYTE, (uint8_t)text[i], 0, 0).error ==
                     SBI_NOT_SUPPORTED;
        if (legacy)
            sbi_call(SBI_CONSOLE_PUTCHAR, 0, (uint8_t)text[i], 0, 0);
    }
}

bool sbi_console_read(char *c) {
    static char typed; /* in the direct map */
    if (legacy) {
        int64_t got = sbi_call(EXT_CONSOLE_GETCHAR, 0, 0, 0, 0).error;
        *c = (char)got;
        return got >= 0;
    }
    struct sbi_result r = sbi_call(SBI_CONSOLE, CONSOLE_READ, 1, ptr_pa(&typed).v, 0);
    *c = typed;
    return !r.error && r.value == 1;
}

void sbi_set_timer(uint64_t when) { sbi_call(EXT_TIMER, 0, when, 0, 0); }

void sbi_send_ipi(uint64_t hartid) { sbi_call(EXT_IPI, 0, 1, hartid, 0); }

static void remote_fence(uint64_t fn, struct sbi_harts who, uint64_t start, uint64_t bytes) {
    if (sbi_call4(EXT_RFENCE, fn, who.mask, who.base, start, bytes).error)
        panic("the firmware does not fence harts 0x%lx from %lu on", (unsigned long)who.mask,
              (unsigned long)who.base);
}

void sbi_fence(struct sbi_harts who, uint64_t start, uint64_t bytes) {
    remote_fence(RFENCE_VMA, who, start, bytes);
}

void sbi_fence_code(struct sbi_harts who) { remote_fence(RFENCE_I, who, 0, 0); }

int sbi_hart_start(uint64_t hartid, paddr_t entry, uint64_t arg) {
    return sbi_call(EXT_HSM, 0, hartid, entry.v, arg).error ? -K_EIO : 0;
}

void sbi_restart(void) { sbi_call(SBI_RESET, 0, 1 /* cold */, 0, 0); }
void sbi_shutdown(bool failure) { sbi_call(SBI_RESET, 0, 0 /* shutdown */, failure ? 1 : 0, 0); }

static uint64_t base_number(uint64_t fn) {
    struct sbi_result r = sbi_call(EXT_BASE, fn, 0, 0, 0);
    return r.error ? 0 : r.value;
}

void sbi_maker(struct sbi_maker *m) {
    m->vendor = base_number(BASE_VENDOR);
    m->architecture = base_number(BASE_ARCHITECTURE);
    m->implementation = base_number(BASE_IMPLEMENTATION);
}

/* Any of its counters will do. */
int sbi_count_begin(uint32_t event, uint64_t *counter) {
    struct sbi_result r = sbi_call(EXT_PMU, PMU_COUNTERS, 0, 0, 0);
    if (r.error || r.value == 0)
        return -K_ENOTSUP;
    uint64_t mask = r.value < 64 ? (1UL << r.value) - 1 : UINT64_MAX;
    r = sbi_call4(EXT_PMU, PMU_CONFIGURE, 0, mask, PMU_FROM_ZERO | PMU_START,
                  PMU_OF_FIRMWARE | event);
    *counter = r.value;
    return r.error ? -K_ENOTSUP : 0;
}

int sbi_count_end(uint64_t counter, uint64_t *n) {
    struct sbi_result r = sbi_call(EXT_PMU, PMU_READ, counter, 0, 0);
    sbi_call(EXT_PMU, PMU_STOP, counter, 1, PMU_RESET);
    *n = r.value;
    return r.error ? -K_ENOTSUP : 0;
}
