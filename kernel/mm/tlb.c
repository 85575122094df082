/* ASIDs and generations: see tlb.h. */
#include "mm/tlb.h"
#include "arch/csr.h"
#include "arch/hart.h"
#include "arch/pte.h"
#include "arch/sbi.h"
#include "lib/bits.h"
#include "lib/panic.h"

static unsigned asid_bits = 16;
static uint64_t last_generation;

/* The generation of each identity that a hart has last run. Its own alone. */
static uint64_t seen[NHART][TLB_IDS];

void tlb_init_hart(unsigned limit) {
    /* Bits of ASID that are not there read as zero (4.1.11). */
    uint64_t satp = csr_read(satp);
    csr_write(satp, satp | SATP_ASID_MASK << SATP_ASID_SHIFT);
    uint64_t field = csr_read(satp) >> SATP_ASID_SHIFT & SATP_ASID_MASK;
    unsigned bits = bit_lowest(~field); /* the low ones are there first */
    csr_write(satp, satp);
    sfence_all();
    bits = MIN(bits, limit);
    if (bits < asid_bits)
        asid_bits = bits;
}

unsigned tlb_asid_bits(void) { return asid_bits; }

static uint64_t next_generation(void) {
    return __atomic_add_fetch(&last_generation, 1, __ATOMIC_RELAXED);
}

void tlb_tag_init(struct tlb_tag *tag, uint32_t id) {
    ASSERT(id < TLB_IDS);
    *tag = (struct tlb_tag){.id = id, .generation = next_generation()};
}

/* ASID 0 is the kernel's own table's, and that of every space without one. A user's is odd:
 * by that the trampoline knows it. */
static uint32_t asid(const struct tlb_tag *tag, uint32_t which) {
    uint32_t last = 2 * tag->id + 2;
    return last < 1U << asid_bits ? 2 * tag->id + 1 + which : 0;
}

uint32_t tlb_user_asid(const struct tlb_tag *tag) { return asid(tag, 0); }
uint32_t tlb_kernel_asid(const struct tlb_tag *tag) { return asid(tag, 1); }

static void flush_local(const struct tlb_tag *tag) {
    if (!tlb_user_asid(tag)) {
        sfence_all();
        return;
    }
    sfence_asid(tlb_user_asid(tag));
    sfence_asid(tlb_kernel_asid(tag));
}

__attribute__((noinline)) static void catch_up(const struct tlb_tag *tag, uint64_t generation) {
    flush_local(tag);
    seen[hart_self()->index][tag->id] = generation;
}

/* A hart says that it is active, then reads the generation; whoever changes the tables makes a new
 * generation, then reads who is active. One of the two sees the other. */
void tlb_activate(struct tlb_tag *tag) {
    uint32_t self = hart_self()->index;
    __atomic_store_n(&tag->active, self + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint64_t generation = __atomic_load_n(&tag->generation, __ATOMIC_RELAXED);
    if (__builtin_expect(seen[self][tag->id] != generation, 0))
        catch_up(tag, generation);
}

void tlb_load(uint64_t satp_value) {
    uint64_t left = csr_read(satp);
    csr_write(satp, satp_value);
    if (!(left >> SATP_ASID_SHIFT & SATP_ASID_MASK))
        sfence_asid(0);
}

bool tlb_load_first(uint64_t satp_value) {
    csr_write(satp, satp_value);
    sfence_all();
    return csr_read(satp) == satp_value;
}

/* Another hart, if one runs the space, has forgotten [start, start + bytes) when this returns. */
__attribute__((noinline)) static void flush_elsewhere(uint32_t active, uint64_t start,
                                                      uint64_t bytes) {
    if (active)
        sbi_fence(harts[active - 1].hartid, start, bytes);
}

/* A new generation; which hart runs the space, as in tlb_tag. This one has seen it. */
static inline uint32_t begin_generation(struct tlb_tag *tag) {
    const struct hart *self = hart_self();
    uint64_t generation = next_generation();
    __atomic_store_n(&tag->generation, generation, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t active = __atomic_load_n(&tag->active, __ATOMIC_RELAXED);
    if (active == self->index + 1)
        seen[self->index][tag->id] = generation;
    return active;
}

void tlb_flush(struct tlb_tag *tag) {
    uint32_t active = begin_generation(tag);
    if (active == hart_self()->index + 1)
        flush_local(tag);
    else
        flush_elsewhere(active, 0, UINT64_MAX);
}

void tlb_flush_page(struct tlb_tag *tag, vaddr_t va) {
    uint32_t active = begin_generation(tag);
    if (active == hart_self()->index + 1)
        tlb_fence_new(tag, va);
    else
        flush_elsewhere(active, va.v, PAGE_SIZE);
}

void tlb_fence_new(const struct tlb_tag *tag, vaddr_t va) {
    sfence_page(va.v, tlb_user_asid(tag));
    if (tlb_kernel_asid(tag) != tlb_user_asid(tag))
        sfence_page(va.v, tlb_kernel_asid(tag));
}

void tlb_fence_kernel(void) { sfence_all(); }

void tlb_flush_all(void) {
    sfence_all();
    for (uint32_t i = 0; i < hart_count; i++)
        if (i != hart_self()->index)
            flush_elsewhere(i + 1, 0, UINT64_MAX);
}
