/* See tell.h. */
#include "machine/frames/tell.h"
#include "machine/finding.h"
#include <inttypes.h>
#include <stdio.h>

enum { TEXT_BYTES = 1024, PART_BYTES = 400, CALLER_BYTES = 240 };

static const struct frame *record(const struct sim *sim, uint64_t pa) {
    return &sim->frames.pages[(pa - RAM_BASE) >> 12];
}

static uint64_t page(uint64_t pa) { return pa & ~4095ull; }

static const char *name_of(const struct sim *sim, uint64_t function) {
    uint64_t offset;
    const char *name = symbols_find(&sim->kernel.symbols, function, &offset);
    return name ? name : "the allocator";
}

/* "vm.c:300 (uvmunmap) by kfree": the call's last byte is before where it returns to. */
static void caller(struct sim *sim, const struct frame_place *at, char *buffer) {
    char where[PLACE_BYTES];
    snprintf(buffer, CALLER_BYTES, "%s by %.60s", finding_place(sim, at->from - 1, where),
             name_of(sim, at->function));
}

/* "given back at vm.c:300 (uvmunmap) by kfree, hart 0, 1200 instructions ago" */
static void since(struct sim *sim, uint64_t pa, char *buffer) {
    const struct frame *frame = record(sim, pa);
    char where[CALLER_BYTES];
    caller(sim, &frame->by, where);
    snprintf(buffer, PART_BYTES, "%s at %s, hart %u, %" PRIu64 " instructions ago",
             frame->is == FRAME_FREE ? "given back" : "taken", where, frame->hart,
             sim_now(sim) - frame->by.when);
}

void frames_since(struct sim *sim, uint64_t pa, char *buffer, size_t size) {
    char ago[PART_BYTES];
    since(sim, pa, ago);
    snprintf(buffer, size, "%s", ago);
}

void tell_used(struct sim *sim, const struct hart *hart, uint64_t va, uint64_t pa,
               enum frames_use use) {
    static const char *const does[] = {
        "executes what is at", "loads from",
        "stores to",           "is led by an entry in a page table at",
        "a device reads from", "a device writes to"};
    char text[TEXT_BYTES], ago[PART_BYTES], where[PLACE_BYTES], at[64] = "", who[16] = "";
    /* a jump is over when its target is fetched, and it is not known any more where it was */
    bool has_place = hart && use != USE_FETCH;
    if (!finding_first_time(sim, SIM_USED_FREE, record(sim, pa)->by.from,
                            has_place ? hart->pc : use))
        return;
    since(sim, pa, ago);
    if (hart)
        snprintf(who, sizeof(who), "hart %u ", hart->id);
    if (use == USE_WALK)
        snprintf(at, sizeof(at), " (for 0x%" PRIx64 ")", va);
    else if (va != pa)
        snprintf(at, sizeof(at), " (physical 0x%" PRIx64 ")", pa);
    snprintf(text, sizeof(text),
             "used after it was freed: %s%s 0x%" PRIx64 "%s%s%s; the page was %s.", who, does[use],
             use == USE_WALK ? pa : va, at, has_place ? " at " : "",
             has_place ? finding_place(sim, hart->pc, where) : "", ago);
    finding_tell(sim,
                 &(struct sim_finding){SIM_USED_FREE, text, hart ? (int)hart->id : -1,
                                       has_place ? hart->pc : 0, record(sim, pa)->by.from - 1});
}

static void tell_twice(struct sim *sim, const struct hart *hart, uint64_t pa,
                       const struct frame_place *again, enum sim_rule rule, const char *what) {
    char text[TEXT_BYTES], ago[PART_BYTES], where[CALLER_BYTES];
    if (!finding_first_time(sim, rule, record(sim, pa)->by.from, again->from))
        return;
    since(sim, pa, ago);
    caller(sim, again, where);
    snprintf(text, sizeof(text), what, hart->id, page(pa), where, ago);
    finding_tell(sim, &(struct sim_finding){rule, text, (int)hart->id, again->from - 1,
                                            record(sim, pa)->by.from - 1});
}

void tell_freed_twice(struct sim *sim, const struct hart *hart, uint64_t pa,
                      const struct frame_place *again) {
    tell_twice(sim, hart, pa, again, SIM_FREED_TWICE,
               "freed twice: hart %u gives back the page 0x%" PRIx64
               " at %s, which has been free since it was %s.");
}

void tell_taken_twice(struct sim *sim, const struct hart *hart, uint64_t pa,
                      const struct frame_place *again) {
    tell_twice(sim, hart, pa, again, SIM_TAKEN_TWICE,
               "handed out twice: hart %u gets the page 0x%" PRIx64
               " at %s, though somebody has it: it was %s, and not given back since.");
}

void tell_table(struct sim *sim, const struct hart *hart, uint64_t pa, const struct frame_place *by,
                const struct table_use *table) {
    char text[TEXT_BYTES], where[CALLER_BYTES], how[PART_BYTES];
    if (!finding_first_time(sim, SIM_TABLE_FREED, by->from, table->how))
        return;
    caller(sim, by, where);
    if (table->how == TABLE_ROOT)
        snprintf(how, sizeof(how), "hart %u's satp points to it", table->hart->id);
    else if (table->how == TABLE_LINKED)
        snprintf(how, sizeof(how),
                 "the tables of hart %u's satp lead to it, by the entry at 0x%" PRIx64
                 ", for the addresses from 0x%" PRIx64 " on",
                 table->hart->id, table->entry, table->va);
    else
        snprintf(how, sizeof(how),
                 "hart %u may have kept an entry that leads to it, which was at 0x%" PRIx64
                 ", for the addresses from 0x%" PRIx64
                 " on: no sfence.vma of that hart has covered it since",
                 table->hart->id, table->entry, table->va);
    snprintf(text, sizeof(text),
             "table in use: hart %u gives back the page 0x%" PRIx64
             " at %s, which is a page table in use: %s.",
             hart->id, page(pa), where, how);
    finding_tell(sim, &(struct sim_finding){SIM_TABLE_FREED, text, (int)hart->id, by->from - 1, 0});
}

void tell_satp(struct sim *sim, const struct hart *hart, uint64_t pa) {
    char text[TEXT_BYTES], ago[PART_BYTES], where[PLACE_BYTES];
    if (!finding_first_time(sim, SIM_SATP_FREE, record(sim, pa)->by.from, hart->pc))
        return;
    since(sim, pa, ago);
    snprintf(text, sizeof(text),
             "satp: hart %u sets it at %s to the page 0x%" PRIx64 ", which is free; it was %s.",
             hart->id, finding_place(sim, hart->pc, where), page(pa), ago);
    finding_tell(sim, &(struct sim_finding){SIM_SATP_FREE, text, (int)hart->id, hart->pc,
                                            record(sim, pa)->by.from - 1});
}
