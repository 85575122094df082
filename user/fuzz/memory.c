/* The memory of a round, and what of it must stay as it is.
 *
 * From ARENA up, pages: one that must stay; scratch, which calls may write to; then, with nothing
 * mapped between them so that what runs over an end stops there: one that can be read alone, one
 * without permissions, two of a file shared (the second one behind its end), one of it private,
 * four that nobody has touched, the other stack for handlers, and one more that must stay. From
 * PLAY on is room where calls map, unmap and protect as they like. */
#include "fuzz.h"

#define READ_ONLY (ARENA + 10 * PAGE)
#define NO_ACCESS (ARENA + 12 * PAGE)
#define FILE_SHARED (ARENA + 14 * PAGE)
#define FILE_PRIVATE (ARENA + 17 * PAGE)
#define UNTOUCHED (ARENA + 20 * PAGE)
#define UNTOUCHED_PAGES 4
#define LAST (ARENA + 32 * PAGE)
#define WORDS (PAGE / 8)
#define MAP_FILE_SHARED 1
#define MAP_FILE_PRIVATE 2
#define PROT_R 1
#define TRIES 100 /* promises of memory may be refused now and then */

static uint64_t before[WORDS], behind[WORDS];
static uint64_t text_sum;

static uint64_t pattern(uint64_t at) { return at * 0x9e3779b97f4a7c15 ^ 0x5bd1e995; }

static void fill(uint64_t *page) {
    for (unsigned i = 0; i < WORDS; i++)
        page[i] = pattern((uint64_t)&page[i]);
}

static void check(const uint64_t *page) {
    unsigned first = WORDS, changed = 0;
    for (unsigned i = WORDS; i-- > 0;)
        if (page[i] != pattern((uint64_t)&page[i])) {
            first = i;
            changed++;
        }
    if (changed)
        fail(changed == WORDS ? "a page that no call was told to write has changed, at "
                              : "memory that no call was told to write has changed, at ",
             (uint64_t)&page[first], page[first]);
}

static bool map(uint64_t at, uint64_t pages, int flags, int fd) {
    for (int i = 0; i < TRIES; i++)
        if (do_mmap(at, pages * PAGE, PROT_RW, flags | MAP_THERE, fd, 0) == (long)at)
            return true;
    return false;
}

/* All code and constants, in between which and the data a page ends. */
extern const char text_end[] __asm__("thread_data");
static uint64_t sum_of_text(void) {
    uint64_t sum = 0;
    uint64_t start = (uint64_t)memory_check / PAGE * PAGE;
    for (const uint64_t *at = (const uint64_t *)start; at < (const uint64_t *)text_end; at++)
        sum = sum * 31 + *at;
    return sum;
}

bool memory_arrange(int file) {
    static const struct {
        uint64_t at, pages;
    } own[] = {{ARENA, 1 + SCRATCH_PAGES},
               {READ_ONLY, 1},
               {NO_ACCESS, 1},
               {UNTOUCHED, UNTOUCHED_PAGES},
               {PLAY, PLAY_PAGES / 2},
               {OTHER_STACKS, FLOWS * OTHER_STACK_SIZE / PAGE},
               {LAST, 1}};
    for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (!map(own[i].at, own[i].pages, MAP_OWN, -1))
            return false;
    if (!map(FILE_SHARED, 2, MAP_FILE_SHARED, file) ||
        !map(FILE_PRIVATE, 1, MAP_FILE_PRIVATE, file))
        return false;
    fill((uint64_t *)ARENA);
    fill((uint64_t *)READ_ONLY);
    fill((uint64_t *)NO_ACCESS);
    fill((uint64_t *)LAST);
    fill(before);
    fill(behind);
    text_sum = sum_of_text();
    return do_mprotect(READ_ONLY, PAGE, PROT_R) == 0 && do_mprotect(NO_ACCESS, PAGE, 0) == 0;
}

void memory_check(void) {
    if (shared->excused & EXCUSED_MEMORY)
        return;
    check((const uint64_t *)ARENA);
    check((const uint64_t *)READ_ONLY);
    check((const uint64_t *)LAST);
    check(before);
    check(behind);
    if (sum_of_text() != text_sum)
        fail("the program's text has changed, its sum is ", sum_of_text(), text_sum);
}

uint64_t scratch(size_t bytes) { return SCRATCH + below((SCRATCH_PAGES * PAGE - bytes) / 8) * 8; }

uint64_t play_address(void) { return PLAY + below(PLAY_PAGES) * PAGE; }

/* Of the kernel's halves and devices, and where ranges run over an end. */
static uint64_t odd_address(void) {
    static const uint64_t odd[] = {0x3fc0000000,
                                   0x3fc0001000,
                                   0x3ffffff000,
                                   0x3fffffe000,
                                   0x3fffffa000,
                                   0x3fdffff000,
                                   0x4000000000,
                                   0x7fffffffff,
                                   0x800000000000,
                                   0xffffffc000000000,
                                   0xffffffc080000000,
                                   0xffffffc080200000,
                                   0xffffffffffffffff,
                                   0xfffffffffffff000,
                                   0x8000000000000000,
                                   0x7fffffffffffffff,
                                   0x80000000,
                                   0x80200000,
                                   0x10000000,
                                   0x0c000000,
                                   0x1000,
                                   8,
                                   0x7f8000000000,
                                   0xff000000000000};
    uint64_t at = CHOICE(odd);
    return one_in(2) ? at : at + below(64) - 32;
}

/* The program's own memory is nothing to write to: its data, heap and our stack are below that. */
#define PROGRAM_BELOW (1UL << 30)
static uint64_t random_address(void) {
    uint64_t at = random64() >> below(64);
    return at >= PAGE && at < PROGRAM_BELOW ? at | 1UL << 40 : at;
}

uint64_t any_address(void) {
    switch (below(24)) {
    case 0: return 0;
    case 1: return SCRATCH + below(SCRATCH_PAGES * PAGE); /* at any byte */
    case 2:
    case 3: return SCRATCH + SCRATCH_PAGES * PAGE - below(80); /* half of it is nowhere */
    case 4: return ARENA + 9 * PAGE + below(PAGE);
    case 5: return READ_ONLY + below(PAGE);
    case 6: return NO_ACCESS + below(PAGE);
    case 7: return FILE_SHARED + below(PAGE);
    case 8: return FILE_SHARED + PAGE - below(80);
    case 9: return FILE_SHARED + PAGE + below(PAGE);
    case 10: return FILE_PRIVATE + below(PAGE);
    case 11: return UNTOUCHED + below(UNTOUCHED_PAGES * PAGE);
    case 12: return play_address() + below(PAGE);
    case 13: return play_address() + PAGE - below(80);
    case 14: return (uint64_t)memory_check + below(64);
    case 15: return odd_address();
    case 16: return random_address();
    default: return scratch(512);
    }
}
