/* Which executables exec takes: each field wrong in turn, limits from both sides,
 * and random headers against the contract said a second time. */
/* sources: kernel/mm/elf.c tests/host/hostarch.c */
#include "arch/pte.h"
#include "hostarch.h"
#include "lib/errno.h"
#include "mm/elf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "between.h"

#define P PAGE_SIZE
#define FILE_SIZE 100000
#define LIMIT (USER_MAX - 2 * PAGE_SIZE) /* guard page and stack lie above the program */
enum { X = 1, W = 2, R = 4 };            /* p_flags */
enum { STACK = 0x6474e551 };             /* p_type: PT_GNU_STACK */

struct file {
    struct elf_header h;
    struct elf_phdr p[ELF_MAX_PHDRS];
    uint64_t size;
};

/* What a linker makes of a small program: text, then data with bss. */
static struct file good(void) {
    return (struct file){
        .h = {.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
              .type = 2,
              .machine = 243,
              .version = 1,
              .entry = 0x10,
              .phoff = 64,
              .ehsize = 64,
              .phentsize = 56,
              .phnum = 3},
        .p = {{.type = 1, .flags = R | X, .offset = 4096, .filesz = 0x1234, .memsz = 0x1234},
              {.type = STACK, .flags = R | W},
              {.type = 1,
               .flags = R | W,
               .offset = 0x3000,
               .vaddr = 0x2000,
               .filesz = 8,
               .memsz = 0x5001}},
        .size = FILE_SIZE,
    };
}

static int plan_of(const struct file *f, struct elf_plan *plan) {
    int err = elf_check_header(&f->h, f->size);
    return err ? err : elf_plan(&f->h, f->p, f->size, plan);
}

static bool accepted(const struct file *f) {
    struct elf_plan plan;
    int err = plan_of(f, &plan);
    assert_true(err == 0 || err == -K_ENOEXEC);
    return err == 0;
}

static void test_a_good_one(void **state) {
    struct file f = good();
    struct elf_plan plan;
    assert_int_equal(plan_of(&f, &plan), 0);
    assert_int_equal(plan.entry, 0x10);
    assert_int_equal(plan.segments, 2);
    assert_int_equal(plan.pages, 2 + 1);
    assert_int_equal(plan.end, 0x8000);
    assert_int_equal(plan.segment[0].perm, PTE_R | PTE_X);
    assert_int_equal(plan.segment[1].perm, PTE_R | PTE_W);
    assert_int_equal(plan.segment[1].offset, 0x3000);
    assert_int_equal(plan.segment[1].filesz, 8);
    assert_int_equal(plan.segment[1].vaddr, 0x2000);
    assert_int_equal(plan.segment[1].memsz, 0x5001);
}

static void test_a_movable_one(void **state) {
    struct file f = good();
    struct elf_plan plan, moved;
    assert_int_equal(plan_of(&f, &plan), 0);
    assert_false(plan.movable);
    f.h.type = 3;
    f.h.entry += P;
    f.p[0].vaddr += P;
    f.p[2].vaddr += P;
    assert_int_equal(plan_of(&f, &plan), 0);
    assert_true(plan.movable);
    assert_int_equal(plan.moved, 0);
    const uint64_t places[] = {0, P, 5 * P, GIB(100), USER_MAX - P};
    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        moved = plan;
        elf_move(&moved, places[i]);
        assert_int_equal(moved.segment[0].vaddr, places[i]);
        assert_int_equal(moved.segment[1].vaddr, places[i] + 0x2000);
        assert_int_equal(moved.end, places[i] + 0x8000);
        assert_int_equal(moved.entry, places[i] + 0x10);
        assert_int_equal(moved.moved + P, places[i]);
        assert_int_equal(moved.segment[1].offset, plan.segment[1].offset);
    }
}

static void test_one_segment_that_may_do_all(void **state) {
    struct file f = good();
    f.h.phnum = 1;
    f.p[0].flags = R | W | X;
    f.p[0].memsz = 0x9000;
    struct elf_plan plan;
    assert_int_equal(plan_of(&f, &plan), 0);
    assert_int_equal(plan.segment[0].perm, PTE_RWX);
    assert_int_equal(plan.end, 0x9000);
}

#define REFUSED(change) \
    do { \
        struct file f = good(); \
        change; \
        assert_false(accepted(&f)); \
    } while (0)
#define TAKEN(change) \
    do { \
        struct file f = good(); \
        change; \
        assert_true(accepted(&f)); \
    } while (0)

static void test_header_fields(void **state) {
    for (unsigned i = 0; i < 7; i++)
        REFUSED(f.h.ident[i] ^= 1);
    REFUSED(f.h.type = 1); /* relocatable, core */
    TAKEN(f.h.type = 3);   /* shared */
    REFUSED(f.h.type = 4);
    REFUSED(f.h.machine = 62);
    REFUSED(f.h.phentsize = 55);
    REFUSED(f.h.phentsize = 0);
    REFUSED(f.h.phnum = 0);
    REFUSED(f.h.phnum = ELF_MAX_PHDRS + 1);
    REFUSED(f.h.phnum = UINT16_MAX);
    TAKEN(f.h.phnum = ELF_MAX_PHDRS); /* the others are PT_NULL */
    TAKEN(f.h.ehsize = 0; f.h.shoff = UINT64_MAX; f.h.shnum = 9);
}

static void test_program_headers_lie_in_the_file(void **state) {
    TAKEN(f.h.phoff = FILE_SIZE - 3 * 56);
    REFUSED(f.h.phoff = FILE_SIZE - 3 * 56 + 1);
    REFUSED(f.h.phoff = FILE_SIZE);
    REFUSED(f.h.phoff = UINT64_MAX);
    REFUSED(f.h.phoff = 0 - (uint64_t)56);
    REFUSED(f.size = 0);
    REFUSED(f.size = 64 + 3 * 56 - 1);
}

static void test_segments_lie_in_the_file(void **state) {
    TAKEN(f.p[0].offset = FILE_SIZE - 0x1234);
    REFUSED(f.p[0].offset = FILE_SIZE - 0x1233);
    REFUSED(f.p[0].offset = UINT64_MAX);
    REFUSED(f.p[0].offset = 0 - (uint64_t)0x1234);
    REFUSED(f.p[0].filesz = f.p[0].memsz = UINT64_MAX);
    REFUSED(f.size = 0x3007);
    TAKEN(f.size = 0x3008);
}

static void test_sizes_agree(void **state) {
    REFUSED(f.p[0].filesz = 0x1235);
    REFUSED(f.p[2].filesz = 0x5002);
    REFUSED(f.p[2].memsz = 0); /* with bytes in the file */
    TAKEN(f.p[2].memsz = f.p[2].filesz = 0);
    TAKEN(f.p[2].filesz = 0);
    REFUSED(f.p[0].memsz = f.p[0].filesz = 0); /* and with it the entry */
}

static void test_addresses(void **state) {
    REFUSED(f.p[2].vaddr += 8);
    TAKEN(f.p[2].vaddr += 8; f.p[2].offset += 8);
    TAKEN(f.p[2].vaddr += 0xff8; f.p[2].offset += 0x5ff8);
    REFUSED(f.p[2].vaddr += 0xff8; f.p[2].offset += 0x5ff0);
    TAKEN(f.p[2].offset += 8);                              /* as xv6 has it */
    REFUSED(f.p[2].vaddr = 0x1240; f.p[2].offset = 0x3240); /* on the text's last page */
    TAKEN(f.p[2].vaddr = 0x2240; f.p[2].offset = 0x1240);
    REFUSED(f.p[2].vaddr = LIMIT - 0x4ff8; f.p[2].offset = 8);
    TAKEN(f.p[2].vaddr = LIMIT - 0x5ff8; f.p[2].offset = 8);
    REFUSED(f.p[2].vaddr = 0x1000); /* on the text's last page */
    REFUSED(f.p[2].vaddr = 0);
    REFUSED(f.p[0].vaddr = f.h.entry = 0x10000); /* descending */
    TAKEN(f.p[2].vaddr = LIMIT - 0x6000);
    REFUSED(f.p[2].vaddr = LIMIT - 0x5000);
    TAKEN(f.p[2].vaddr = LIMIT - 0x5000; f.p[2].memsz = 0x5000);
    TAKEN(f.p[2].memsz = LIMIT - 0x2000);
    REFUSED(f.p[2].memsz = LIMIT - 0x1fff);
    REFUSED(f.p[2].memsz = UINT64_MAX);
    REFUSED(f.p[2].memsz = 0 - (uint64_t)0x2000); /* vaddr + memsz == 0 */
    REFUSED(f.p[2].vaddr = LIMIT; f.p[2].memsz = 8);
    REFUSED(f.p[2].vaddr = USER_MAX);
    REFUSED(f.p[2].vaddr = USER_HALF_END);
    REFUSED(f.p[2].vaddr = KERNEL_HALF);
    REFUSED(f.p[2].vaddr = 0 - PAGE_SIZE);
    TAKEN(f.p[0].vaddr = 0x1000; f.p[2].vaddr = 0x3000; f.h.entry = 0x1000);
}

static void test_pages_of_a_segment(void **state) {
    static const struct {
        struct elf_segment s;
        struct elf_pages pages;
    } cases[] = {
        {{0, 0, 0, 1, 0}, {0, 0, 0, P, 0}},
        {{0, P, 0, P, 0}, {0, P, P, P, 0}},
        {{P, P, 7 * P, 9 * P, 0}, {7 * P, 8 * P, 8 * P, 16 * P, 1}},
        {{P, P - 1, 0, P - 1, 0}, {0, P, P, P, 1}}, /* what follows in the file shows */
        {{P, P - 1, 0, P, 0}, {0, 0, P, P, 1}},     /* but not where zero is wanted */
        {{P, 3 * P - 1, 0, 9 * P, 0}, {0, 2 * P, 3 * P, 9 * P, 1}},
        {{P + 16, 8, 16, 8, 0}, {0, P, P, P, 1}}, /* and what is in front of it */
        {{P + 16, 8, 16, 9, 0}, {0, 0, P, P, 1}},
        {{2 * P + 16, P, P + 16, P, 0}, {P, 3 * P, 3 * P, 3 * P, 2}},
        {{2 * P + 16, P, P + 16, P + 8, 0}, {P, 2 * P, 3 * P, 3 * P, 2}},
        {{176, 3 * P, 0, 3 * P, 0}, {0, 0, 3 * P, 3 * P, 0}}, /* askew */
        {{P - 1, 2, P - 1, 2, 0}, {0, 2 * P, 2 * P, 2 * P, 0}},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct elf_pages p = elf_pages(&cases[i].s), wanted = cases[i].pages;
        assert_int_equal(p.start, wanted.start);
        assert_int_equal(p.shown, wanted.shown);
        assert_int_equal(p.copied, wanted.copied);
        assert_int_equal(p.end, wanted.end);
        assert_int_equal(p.first, wanted.first);
    }
}

static uint64_t stack_of(struct file f) {
    struct elf_plan plan;
    assert_int_equal(plan_of(&f, &plan), 0);
    return plan.stack;
}

static void test_a_stack_with_a_size(void **state) {
    struct file f = good();
    assert_int_equal(stack_of(f), 0);
    const uint64_t room = USER_MAX - PAGE_SIZE - 0x8000;
    static const struct {
        uint64_t asked, given;
    } sizes[] = {
        {1, PAGE_SIZE}, {PAGE_SIZE, PAGE_SIZE}, {PAGE_SIZE + 1, 2 * PAGE_SIZE}, {MIB(8), MIB(8)}};
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        f.p[1].memsz = sizes[i].asked;
        assert_int_equal(stack_of(f), sizes[i].given);
    }
    f.p[1].memsz = room;
    assert_int_equal(stack_of(f), room);
    REFUSED(f.p[1].memsz = room + 1);
    REFUSED(f.p[1].memsz = USER_MAX);
    REFUSED(f.p[1].memsz = UINT64_MAX - 0xfff);
    REFUSED(f.p[1].memsz = UINT64_MAX);
    f = good(); /* what else such a header says means nothing */
    f.p[1] = (struct elf_phdr){STACK, 7, UINT64_MAX, 5, 3, UINT64_MAX, MIB(1), 3};
    assert_int_equal(stack_of(f), MIB(1));
}

static void test_the_entry_can_be_executed(void **state) {
    TAKEN(f.h.entry = 0);
    TAKEN(f.h.entry = 0x1232);
    REFUSED(f.h.entry = 0x1234);
    REFUSED(f.h.entry = 0x1e00); /* on the text's page, behind it */
    REFUSED(f.h.entry = 0x2000); /* data */
    REFUSED(f.h.entry = 0x11);
    REFUSED(f.h.entry = UINT64_MAX - 1);
    REFUSED(f.p[0].flags = R | W);
}

static void test_number_of_segments(void **state) {
    struct file f = good();
    f.h.phnum = ELF_SEGMENTS;
    for (unsigned i = 0; i <= ELF_SEGMENTS; i++)
        f.p[i] = (struct elf_phdr){
            .type = 1, .flags = R | X, .vaddr = i * PAGE_SIZE, .memsz = PAGE_SIZE};
    assert_true(accepted(&f));
    f.h.phnum++;
    assert_false(accepted(&f));
}

/* Up to which page of the file something is shown. */
static void test_pages_of_the_file(void **state) {
    struct elf_plan plan;
    struct file f = good();
    f.h.phnum = 1;
    f.size = GIB(3);
    f.p[0].memsz = f.p[0].filesz = GIB(2);
    f.p[0].offset = GIB(1);
    assert_int_equal(plan_of(&f, &plan), 0);
    assert_int_equal(plan.pages, GIB(3) / PAGE_SIZE);
    f.p[0].memsz++;
    f.p[0].filesz--; /* the last one is copied */
    assert_int_equal(plan_of(&f, &plan), 0);
    assert_int_equal(plan.pages, GIB(3) / PAGE_SIZE - 1);
    f.p[0].offset -= 8; /* all are */
    assert_int_equal(plan_of(&f, &plan), 0);
    assert_int_equal(plan.pages, 0);
    f = good();
    f.p[0].offset = f.p[2].offset = 0; /* two show the same */
    f.size = MIB(1);
    f.p[0].filesz = f.p[0].memsz = 2 * P;
    f.p[2].vaddr = MIB(16);
    f.p[2].filesz = f.p[2].memsz = P;
    assert_int_equal(plan_of(&f, &plan), 0);
    assert_int_equal(plan.pages, 2);
}

/* ---- random headers ------------------------------------------------------ */

typedef unsigned __int128 wide; /* sums of which cannot wrap */

/* The contract of elf_plan, in other words than elf.c's. */
static bool should_run(const struct file *f) {
    static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    const struct elf_header *h = &f->h;
    if (memcmp(h->ident, ident, 7) || (h->type != 2 && h->type != 3) || h->machine != 243 ||
        h->phentsize != 56 || h->phnum < 1 || h->phnum > ELF_MAX_PHDRS ||
        (wide)h->phoff + h->phnum * 56 > f->size)
        return false;
    unsigned segments = 0;
    wide end = 0;
    bool entry = false;
    for (unsigned i = 0; i < h->phnum; i++) {
        const struct elf_phdr *p = &f->p[i];
        if (p->type != 1 || (p->memsz == 0 && p->filesz == 0))
            continue;
        if (p->filesz > p->memsz || (wide)p->offset + p->filesz > f->size ||
            (p->vaddr % 4096 && p->vaddr % 4096 != p->offset % 4096) ||
            p->vaddr / 4096 * 4096 < end || (wide)p->vaddr + p->memsz > LIMIT)
            return false;
        end = ((wide)p->vaddr + p->memsz + 4095) / 4096 * 4096;
        segments++;
        entry |= (p->flags & X) && h->entry >= p->vaddr && h->entry < (wide)p->vaddr + p->memsz;
    }
    for (unsigned i = 0; i < h->phnum; i++)
        if (f->p[i].type == STACK && end + 4096 + f->p[i].memsz > USER_MAX)
            return false;
    return segments <= ELF_SEGMENTS && entry && h->entry % 2 == 0;
}

static uint64_t odd_value(uint64_t old) {
    const uint64_t special[] = {0,
                                1,
                                0xfff,
                                0x1000,
                                0x1001,
                                0x2000,
                                LIMIT,
                                USER_MAX,
                                FILE_SIZE,
                                USER_HALF_END,
                                KERNEL_HALF,
                                INT64_MAX,
                                UINT64_MAX - 0xfff,
                                UINT64_MAX,
                                1ULL << 32};
    switch (host_random_below(4)) {
    case 0: return special[host_random_below(ARRAY_LEN(special))];
    case 1: return old + host_random_below(9) - 4;
    case 2: return old + (host_random_below(9) - 4) * PAGE_SIZE;
    default: return host_random() >> host_random_below(64);
    }
}

static void change_something(struct file *f) {
    struct elf_phdr *p = &f->p[host_random_below(4)];
    switch (host_random_below(15)) {
    case 0: f->h.entry = odd_value(f->h.entry); break;
    case 1: f->h.phoff = odd_value(f->h.phoff); break;
    case 2: f->h.phnum = host_random_below(40); break;
    case 3: f->size = odd_value(f->size); break;
    case 4: p->type = host_random_below(4) ? host_random_below(3) : STACK; break;
    case 5: p->flags = host_random_below(8); break;
    case 6: p->offset = odd_value(p->offset); break;
    case 7:
    case 8: p->vaddr = odd_value(p->vaddr); break;
    case 9:
    case 10: p->filesz = odd_value(p->filesz); break;
    case 11:
    case 12: p->memsz = odd_value(p->memsz); break;
    case 13: p->vaddr += 8 * host_random_below(4), p->offset += 8 * host_random_below(4); break;
    default: ((uint8_t *)&f->h)[host_random_below(64)] ^= 1u << host_random_below(8);
    }
}

static void test_random_headers(void **state) {
    unsigned ran = 0;
    for (unsigned i = 0; i < 300000; i++) {
        struct file f = good();
        for (unsigned n = host_random_below(5); n > 0; n--)
            change_something(&f);
        bool should = should_run(&f);
        assert_int_equal(accepted(&f), should);
        ran += should;
    }
    assert_between(ran, 30000, 290000); /* the dice reach both answers */
}

/* Bytes of no meaning at all, phnum aside, as exec would read them. */
static void test_rubbish(void **state) {
    for (unsigned i = 0; i < 20000; i++) {
        struct file f = good();
        for (unsigned j = 0; j < sizeof f.p / 8; j++)
            ((uint64_t *)f.p)[j] = host_random() >> host_random_below(64);
        for (unsigned j = 0; j < ELF_MAX_PHDRS; j++)
            f.p[j].type = host_random_below(2);
        f.h.phnum = host_random_below(ELF_MAX_PHDRS) + 1;
        f.size = host_random() >> host_random_below(64);
        assert_int_equal(accepted(&f), should_run(&f));
    }
}

int main(void) {
    host_random_seed(20240610);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_one),
        cmocka_unit_test(test_a_movable_one),
        cmocka_unit_test(test_one_segment_that_may_do_all),
        cmocka_unit_test(test_header_fields),
        cmocka_unit_test(test_program_headers_lie_in_the_file),
        cmocka_unit_test(test_segments_lie_in_the_file),
        cmocka_unit_test(test_sizes_agree),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_pages_of_a_segment),
        cmocka_unit_test(test_a_stack_with_a_size),
        cmocka_unit_test(test_the_entry_can_be_executed),
        cmocka_unit_test(test_number_of_segments),
        cmocka_unit_test(test_pages_of_the_file),
        cmocka_unit_test(test_random_headers),
        cmocka_unit_test(test_rubbish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
