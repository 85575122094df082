/* Panics: say it once, stop everybody. */
#include "trap/panic.h"
#include "arch/csr.h"
#include "arch/sbi.h"
#include "arch/trapinfo.h"
#include "dev/dev.h"
#include "lib/ksyms.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/explain.h"
#include "proc/proc.h"

bool panic_powers_off;
static uint32_t panicking; /* 1 + index of the hart that panics first */

void panic_stop_if_asked(void) {
    uint32_t who = __atomic_load_n(&panicking, __ATOMIC_ACQUIRE);
    if (who && who != hart_self()->index + 1)
        hart_stop();
}

/* The first hart to panic goes on; a second one stops; the same one again, since
 * the panic itself went wrong, ends the machine without another word. */
static void claim(void) {
    static bool ending;
    uint32_t nobody = 0;
    if (__atomic_compare_exchange_n(&panicking, &nobody, hart_self()->index + 1, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        for (uint32_t i = 0; i < hart_count; i++)
            if (i != hart_self()->index)
                sbi_send_ipi(harts[i].hartid);
        kprintf_break_lock();
        return;
    }
    if (nobody != hart_self()->index + 1)
        hart_stop();
    if (panic_powers_off && !ending) {
        ending = true;
        machine_poweroff(PANIC_STATUS);
    }
    if (panic_powers_off)
        sbi_shutdown(true); /* that went wrong too */
    hart_stop();
}

static void print_where(void) {
    const struct hart *h = hart_self();
    const struct proc *p = h->proc;
    kprintf("hart %u, ", h->index);
    if (p)
        kprintf("process %d (%s)\n", p->pid, p->name);
    else
        kprintf("no process\n");
}

static void end(void) {
    if (panic_powers_off)
        machine_poweroff(PANIC_STATUS);
    kprintf("stopped; attach a debugger, or end the emulator\n");
    hart_stop();
}

void panic(const char *fmt, ...) {
    csr_clear(sstatus, SSTATUS_SIE);
    claim();
    va_list ap;
    va_start(ap, fmt);
    char sentence[200];
    vsnprintf(sentence, sizeof(sentence), fmt, ap);
    va_end(ap);
    kprintf("\npanic: %s\n", sentence);
    print_where();
    kprintf("backtrace:\n");
    backtrace();
    end();
    __builtin_unreachable();
}

void panic_for_trap(const struct kernel_frame *f, const char *sentence) {
    csr_clear(sstatus, SSTATUS_SIE);
    claim();
    uint64_t offset;
    const char *name = ksym_lookup(linked_address(f->sepc), &offset);
    kprintf("\npanic: %s\n", sentence);
    kprintf("%s: scause 0x%lx sepc 0x%lx (%s+0x%lx) stval 0x%lx sp 0x%lx\n", cause_name(f->scause),
            (unsigned long)f->scause, (unsigned long)f->sepc, name ? name : "?",
            name ? (unsigned long)offset : 0, (unsigned long)f->stval, (unsigned long)f->sp);
    print_where();
    explain_kernel_fault(loaded_root(), f->stval, cause_failed_access(f->scause));
    kprintf("backtrace:\n");
    backtrace_trap(f->sepc, f->ra, f->s0);
    end();
    __builtin_unreachable();
}
