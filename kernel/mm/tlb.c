/* ASIDs and generations: see tlb.h. */
#include "mm/tlb.h"
#include "arch/cpu.h"
#include "arch/csr.h"
#include "arch/hart.h"
#include "arch/pte.h"
#include "arch/sbi.h"
#include "lib/bits.h"
#include "lib/panic.h"
#include "mm/vmstat.h"

static unsigned asid_bits = 16;

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

/* ASID 0 is the kernel's own table's, and that of every space without one. A user's is odd:
 * by that the trampoline knows it. */
void tlb_tag_init(struct tlb_tag *tag, uint32_t id) {
    uint32_t kernel = 2 * id + 2;
    *tag = (struct tlb_tag){.kernel_asid = kernel < 1U << asid_bits ? kernel : 0, .generation = 1};
}

static void flush_local(const struct tlb_tag *tag) {
    if (!tlb_user_asid(tag)) {
        sfence_all();
        return;
    }
    sfence_asid(tlb_user_asid(tag));
    sfence_asid(tlb_kernel_asid(tag));
}

static inline uint64_t *seen_here(struct tlb_tag *tag) { return &tag->seen[hart_self()->index]; }

static uint64_t generation_of(const struct tlb_tag *tag) {
    return __atomic_load_n(&tag->generation, __ATOMIC_RELAXED);
}

/* The fences of everything that a generation may be about: also of what is in the kernel's own
 * table, and of code. */
__attribute__((noinline)) static void catch_up(struct tlb_tag *tag, uint64_t generation) {
    flush_local(tag);
    sfence_asid(0);
    fence_i();
    *seen_here(tag) = generation;
}

static inline void fence_page(const struct tlb_tag *tag, vaddr_t va) {
    sfence_page(va.v, tlb_user_asid(tag));
    if (tlb_kernel_asid(tag))
        sfence_page(va.v, tlb_kernel_asid(tag));
}

/* A hart says that it is active, then reads the generation; whoever changes the tables makes a new
 * generation, then reads who is active. One of the two sees the other. */
void tlb_activate(struct tlb_tag *tag) {
    __atomic_fetch_or(&tag->active, 1U << hart_self()->index, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint64_t generation = generation_of(tag);
    if (__builtin_expect(*seen_here(tag) != generation, 0))
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

/* Harts for one request: all, unless their numbers are far apart. They are taken from the set. */
static struct sbi_harts take_harts(uint32_t *set) {
    struct sbi_harts who = {.base = UINT64_MAX};
    for (uint32_t i = 0; i < NHART; i++)
        if (*set >> i & 1)
            who.base = MIN(who.base, harts[i].hartid);
    for (uint32_t i = 0; i < NHART; i++)
        if ((*set >> i & 1) && harts[i].hartid - who.base < 64) {
            who.mask |= 1ULL << (harts[i].hartid - who.base);
            *set &= ~(1U << i);
        }
    return who;
}

/* These harts have forgotten [start, start + bytes) when this returns. */
__attribute__((noinline)) static void flush_elsewhere(uint32_t set, uint64_t start,
                                                      uint64_t bytes) {
    while (set) {
        struct sbi_harts who = take_harts(&set);
        VM_COUNT(fence_requests, 1);
        VM_COUNT(fenced_harts, bits_set(who.mask));
        sbi_fence(who, start, bytes);
    }
}

static uint64_t begin_generation(struct tlb_tag *tag) {
    uint64_t generation = generation_of(tag) + 1;
    __atomic_store_n(&tag->generation, generation, __ATOMIC_RELAXED);
    return generation;
}

/* Which harts run the space, and must be told of a change and a generation that came before. */
static inline uint32_t active_after(const struct tlb_tag *tag) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&tag->active, __ATOMIC_RELAXED);
}

/* A hart that has not seen a generation needs all fences, not those of one change, before it can
 * say that it has seen the next one. */
static inline bool has_missed(struct tlb_tag *tag) {
    return __builtin_expect(*seen_here(tag) != generation_of(tag), 0);
}

static void flush_here(struct tlb_tag *tag, bool missed, uint64_t generation) {
    if (missed) {
        catch_up(tag, generation);
        return;
    }
    flush_local(tag);
    *seen_here(tag) = generation;
}

void tlb_flush(struct tlb_tag *tag) {
    bool missed = has_missed(tag);
    uint64_t generation = begin_generation(tag);
    uint32_t active = active_after(tag), self = 1U << hart_self()->index;
    if (active & self)
        flush_here(tag, missed, generation);
    if (__builtin_expect(active & ~self, 0))
        flush_elsewhere(active & ~self, 0, UINT64_MAX);
}

/* On these harts, of which this one may be one, and may have missed something. */
__attribute__((noinline)) static void flush_page_on(uint32_t active, struct tlb_tag *tag,
                                                    vaddr_t va, bool missed) {
    uint32_t self = 1U << hart_self()->index;
    if ((active & self) && missed) {
        catch_up(tag, generation_of(tag));
    } else if (active & self) {
        fence_page(tag, va);
        *seen_here(tag) = generation_of(tag);
    }
    flush_elsewhere(active & ~self, va.v, PAGE_SIZE);
}

/* Mostly it is this hart alone. */
void tlb_flush_page(struct tlb_tag *tag, vaddr_t va) {
    bool missed = has_missed(tag);
    uint64_t generation = begin_generation(tag);
    uint32_t active = active_after(tag);
    if (__builtin_expect(missed || active != 1U << hart_self()->index, 0)) {
        flush_page_on(active, tag, va, missed);
        return;
    }
    fence_page(tag, va);
    *seen_here(tag) = generation;
}

/* That there was no table may be kept by a hart that has missed the generation of that table; a
 * fence for one address covers leaves only (4.2.1). */
void tlb_fence_new(struct tlb_tag *tag, vaddr_t va) {
    if (has_missed(tag))
        catch_up(tag, generation_of(tag));
    else
        fence_page(tag, va);
}

/* A hart that begins to run another thread of the space meets no lock of the caller's: where it
 * sees the generation, it has to see what that is about, or it would never flush for that. */
void tlb_new_generation(struct tlb_tag *tag) {
    __atomic_thread_fence(__ATOMIC_RELEASE);
    begin_generation(tag);
}

void tlb_fence_new_table(struct tlb_tag *tag) {
    bool missed = has_missed(tag);
    tlb_new_generation(tag);
    flush_here(tag, missed, generation_of(tag));
}

/* Harts that do not run the space now make theirs with the new generation. */
void tlb_new_code(struct tlb_tag *tag) {
    bool missed = has_missed(tag);
    uint64_t generation = begin_generation(tag);
    uint32_t others = active_after(tag) & ~(1U << hart_self()->index);
    if (!missed)
        *seen_here(tag) = generation;
    while (others)
        sbi_fence_code(take_harts(&others));
}

void tlb_fence_kernel(void) { sfence_all(); }

void tlb_flush_all(void) {
    sfence_all();
    flush_elsewhere(((1U << hart_count) - 1) & ~(1U << hart_self()->index), 0, UINT64_MAX);
}
