/* A kernel of M-mode for two harts with a mistake that shows itself only when hart 0 is interrupted
 * between two stores, and hart 1 gets from its beginning to its end meanwhile (test_sim_races.py).
 */
#include "guest.h"

enum { PIECES = 8, PIECE = 1500, FAILED = 7 };

GUEST_START(4096, "");

static u64 something;
static volatile u64 steps[2][PIECES];
static u64 *volatile pointer = &something;
static volatile u32 done;

/* So many instructions that access nothing. */
static void work(u64 count) {
    __asm__ volatile("1: addi %0, %0, -2\n"
                     "   bgtz %0, 1b\n"
                     : "+r"(count));
}

__attribute__((noreturn)) static void end(u32 code) {
    for (;;)
        *(volatile u32 *)0x100000 = code ? code << 16 | 0x3333 : 0x5555;
}

void start(u64 id) {
    for (int i = 0; i < PIECES; i++) {
        steps[id][i] = 1;
        work(PIECE);
    }
    if (id == 0) {
        pointer = 0;
        pointer = &something;
    } else if (!pointer) {
        end(FAILED);
    }
    __atomic_fetch_add(&done, 1, __ATOMIC_RELEASE);
    while (id != 0 || done != 2)
        work(2);
    end(0);
}
