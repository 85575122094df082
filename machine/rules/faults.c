/* Faults of the kernel's own accesses that nothing repairs.
 *
 * A kernel may have faults on purpose, as when it copies from user memory, and its handler then
 * goes on elsewhere or makes the access good. So what a fault breaks is told only when the same
 * access meets it again, when the handler itself has no stack, or when the handler has not returned
 * for long. */
#include "machine/cpu/bits.h"
#include "machine/cpu/memory.h"
#include "machine/cpu/pte.h"
#include "machine/finding.h"
#include "machine/rules/rules.h"
#include <inttypes.h>
#include <stdio.h>

enum { SP = 2, PATIENCE_NS = 2000000, TEXT_BYTES = 1024, SINCE_BYTES = 512 };

static const char *const does[] = {"executes what is at", "loads from", "stores to"};

/* ---- what it is ------------------------------------------------------------------------------ */
static bool access_of(uint64_t cause, enum access *access) {
    *access = cause == CAUSE_FETCH_PAGE                                    ? ACCESS_FETCH
              : cause == CAUSE_LOAD_PAGE || cause == CAUSE_MISALIGNED_LOAD ? ACCESS_LOAD
                                                                           : ACCESS_STORE;
    return cause == CAUSE_FETCH_PAGE || cause == CAUSE_LOAD_PAGE || cause == CAUSE_STORE_PAGE ||
           cause == CAUSE_MISALIGNED_LOAD || cause == CAUSE_MISALIGNED_STORE;
}

static bool is_leaf(uint64_t pte) { return (pte & PTE_V) && (pte & PTE_LEAF); }

static bool is_mapped(struct sim *sim, struct hart *hart, uint64_t va) {
    struct table_entry entry;
    return translate_look(sim, hart, va, &entry) && is_leaf(entry.value);
}

static enum fault_kind kind_of_leaf(const struct hart *hart, const struct unrepaired *fault) {
    static const uint64_t needs[] = {PTE_X, PTE_R, PTE_W};
    if (fault->value & PTE_U)
        return fault->access == ACCESS_FETCH || !(hart->mstatus & MSTATUS_SUM) ? FAULT_USER_PAGE
                                                                               : FAULT_NONE;
    if (!(fault->value & needs[fault->access]))
        return FAULT_NONE;
    bool marked = (fault->value & PTE_A) &&
                  (fault->access != ACCESS_STORE || (fault->value & PTE_D));
    return marked ? FAULT_NONE : FAULT_UNMARKED;
}

/* What is stored by sp is at sp or above. */
static bool is_by_sp(const struct unrepaired *fault) {
    return fault->access != ACCESS_FETCH && fault->va - fault->sp < 4096;
}

static unsigned check_of(enum fault_kind kind) {
    static const unsigned checks[] = {[FAULT_USER_PAGE] = SIM_CHECK_USER_MEMORY,
                                      [FAULT_UNMARKED] = SIM_CHECK_MARKS,
                                      [FAULT_NO_STACK] = SIM_CHECK_STACK,
                                      [FAULT_MISALIGNED] = SIM_CHECK_MISALIGNED};
    return checks[kind];
}

static struct unrepaired look(struct sim *sim, struct hart *hart, uint64_t cause, uint64_t va,
                              enum access access) {
    struct table_entry entry = {0};
    struct unrepaired fault = {.pc = hart->pc,
                               .va = va,
                               .sp = hart->x[SP],
                               .when = sim_now_ns(sim),
                               .access = (uint8_t)access};
    bool paged = translate_look(sim, hart, va, &entry);
    fault.entry = entry.pa;
    fault.value = entry.value;
    if (cause == CAUSE_MISALIGNED_LOAD || cause == CAUSE_MISALIGNED_STORE)
        fault.kind = FAULT_MISALIGNED;
    else if (paged && is_leaf(entry.value))
        fault.kind = kind_of_leaf(hart, &fault);
    else if (is_by_sp(&fault) && !hart->rules.has_no_stack)
        fault.kind = FAULT_NO_STACK;
    if (!(sim->options.checks & check_of(fault.kind)))
        fault.kind = FAULT_NONE;
    return fault;
}

/* ---- told ------------------------------------------------------------------------------------ */
static void tell_text(struct sim *sim, const struct hart *hart, enum sim_rule rule, uint64_t pc,
                      uint64_t cause, const char *text) {
    finding_tell(sim, &(struct sim_finding){rule, text, (int)hart->id, pc, cause});
}

static void tell_stack(struct sim *sim, struct hart *hart, const struct unrepaired *fault) {
    char text[TEXT_BYTES], where[PLACE_BYTES], set[PLACE_BYTES];
    hart->rules.has_no_stack = true;
    uint64_t above = (fault->va | 4095) + 1;
    bool overflow = is_mapped(sim, hart, above);
    enum sim_rule rule = overflow ? SIM_STACK_OVERFLOW : SIM_NO_STACK;
    if (!finding_first_time(sim, rule, fault->pc, 0))
        return;
    if (overflow)
        snprintf(
            text, sizeof(text),
            "stack overflow: hart %u, at %s: sp is %" PRIu64
            " bytes below the stack's page 0x%" PRIx64 ", and at 0x%" PRIx64 " nothing is mapped.",
            hart->id, finding_place(sim, fault->pc, where), above - fault->sp, above, fault->va);
    else
        snprintf(text, sizeof(text),
                 "no stack: hart %u %s 0x%" PRIx64 " at %s, where sp is, and nothing is mapped "
                 "there or above. satp was set at %s, %" PRIu64 " ns before.",
                 hart->id, does[fault->access], fault->va, finding_place(sim, fault->pc, where),
                 finding_place(sim, hart->rules.satp_pc, set), fault->when - hart->rules.satp_when);
    tell_text(sim, hart, rule, fault->pc, overflow ? 0 : hart->rules.satp_pc, text);
}

static void tell_user_page(struct sim *sim, const struct hart *hart,
                           const struct unrepaired *fault) {
    char text[TEXT_BYTES], where[PLACE_BYTES];
    if (!finding_first_time(sim, SIM_USER_MEMORY, fault->pc, 0))
        return;
    snprintf(text, sizeof(text),
             "user memory: hart %u %s 0x%" PRIx64 " at %s, which belongs to user mode%s.", hart->id,
             does[fault->access], fault->va, finding_place(sim, fault->pc, where),
             fault->access == ACCESS_FETCH ? ": S-mode never executes that"
                                           : ", and sstatus.SUM is off");
    tell_text(sim, hart, SIM_USER_MEMORY, fault->pc, finding_writer(sim, fault->entry), text);
}

static void tell_unmarked(struct sim *sim, const struct hart *hart,
                          const struct unrepaired *fault) {
    char text[TEXT_BYTES], where[PLACE_BYTES], ago[SINCE_BYTES];
    if (!finding_first_time(sim, SIM_NOT_MARKED, fault->pc, 0))
        return;
    finding_since(sim, fault->entry, ago, sizeof(ago));
    snprintf(text, sizeof(text),
             "not marked: hart %u %s 0x%" PRIx64 " at %s by the entry 0x%" PRIx64 " at 0x%" PRIx64
             ", whose %c is 0. A hart may leave it to the kernel to set that, and nothing has: %s.",
             hart->id, does[fault->access], fault->va, finding_place(sim, fault->pc, where),
             fault->value, fault->entry, fault->value & PTE_A ? 'D' : 'A', ago);
    tell_text(sim, hart, SIM_NOT_MARKED, fault->pc, finding_writer(sim, fault->entry), text);
}

static void tell_misaligned(struct sim *sim, const struct hart *hart,
                            const struct unrepaired *fault) {
    char text[TEXT_BYTES], where[PLACE_BYTES];
    if (!finding_first_time(sim, SIM_MISALIGNED, fault->pc, 0))
        return;
    snprintf(text, sizeof(text),
             "misaligned access: hart %u %s 0x%" PRIx64
             " at %s. A hart may trap at that, and nothing has done it in its place.",
             hart->id, does[fault->access], fault->va, finding_place(sim, fault->pc, where));
    tell_text(sim, hart, SIM_MISALIGNED, fault->pc, 0, text);
}

static void tell(struct sim *sim, struct hart *hart) {
    struct unrepaired fault = hart->rules.fault;
    hart->rules.fault.kind = FAULT_NONE;
    switch (fault.kind) {
    case FAULT_NONE: return;
    case FAULT_USER_PAGE: tell_user_page(sim, hart, &fault); return;
    case FAULT_UNMARKED: tell_unmarked(sim, hart, &fault); return;
    case FAULT_NO_STACK: tell_stack(sim, hart, &fault); return;
    case FAULT_MISALIGNED: tell_misaligned(sim, hart, &fault); return;
    }
}

/* ---- when ------------------------------------------------------------------------------------ */
void rules_trapped(struct sim *sim, struct hart *hart, uint64_t cause, uint64_t value) {
    struct unrepaired *before = &hart->rules.fault, fault = {0};
    enum access access;
    if (hart->priv != PRIV_S)
        return;
    if (access_of(cause, &access))
        fault = look(sim, hart, cause, value, access);
    if (fault.kind == FAULT_NONE)
        return;
    bool same = fault.kind == before->kind && fault.pc == before->pc && fault.va == before->va;
    if (same || (before->kind == FAULT_NO_STACK && fault.kind == FAULT_NO_STACK))
        tell(sim, hart);
    if (hart->rules.has_no_stack || (before->kind != FAULT_NONE && !before->returned))
        return; /* the first is the cause */
    *before = fault;
}

void rules_returned(struct sim *sim, struct hart *hart) {
    struct unrepaired *fault = &hart->rules.fault;
    hart->rules.ran_user |= hart->priv == PRIV_U;
    hart->rules.has_no_stack = false;
    if (fault->kind == FAULT_NONE || hart->priv != PRIV_S || --fault->traps > 0)
        return;
    fault->returned = true;
    fault->when = sim_now_ns(sim);
    if (hart->pc != fault->pc) /* it goes on elsewhere, as it had planned */
        fault->kind = FAULT_NONE;
}

void rules_expire(struct sim *sim, bool at_end) {
    for (unsigned i = 0; i < sim->options.harts; i++) {
        struct unrepaired *fault = &sim->harts[i].rules.fault;
        if (fault->kind == FAULT_NONE || (!at_end && sim_now_ns(sim) - fault->when < PATIENCE_NS))
            continue;
        if (fault->returned)
            fault->kind = FAULT_NONE;
        else
            tell(sim, &sim->harts[i]);
    }
}
