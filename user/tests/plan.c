/* `usertests --role plan FILE`: does with files what a plan says, one step after the other, and
 * says when they are durable. tests/system/fileplan.py writes plans, and knows what each step
 * leaves. */
#include "test.h"
#include <stdio.h>

/* Each step changes the tree at once or not at all, as the log keeps it. */
struct step {
    uint32_t what; /* a letter: see do_step */
    uint32_t slot; /* of an open file */
    uint32_t at, n, seed;
    char from[20], to[20];
};

#define SLOTS 3
#define MAPPED (6 * PAGE) /* a plan stores to no more of a file */
static int slot_fd[SLOTS] = {-1, -1, -1};
static char *slot_map[SLOTS]; /* the file, from the first store to it on, over many commits */

static void reopen(uint32_t slot, const char *path, int mode) {
    if (slot_map[slot])
        CHECK_EQ(sys_munmap(slot_map[slot], MAPPED), 0);
    if (slot_fd[slot] >= 0)
        must_close(slot_fd[slot]);
    slot_map[slot] = NULL;
    slot_fd[slot] = must_open(path, mode);
}

static void write_step(int fd, const struct step *s) {
    fill(scratch, s->n, s->seed);
    CHECK_EQ(sys_lseek(fd, s->at, 0), s->at);
    write_all(fd, scratch, (int)s->n);
}

static void write_durably(const struct step *s) {
    int fd = must_open(s->from, ABI_O_RDWR | ABI_O_SYNC);
    write_step(fd, s);
    must_close(fd);
}

/* Of one word, for a commit may come between two. */
static void store_step(const struct step *s) {
    char **map = &slot_map[s->slot];
    if (!*map)
        *map = sys_mmap(NULL, MAPPED, ABI_PROT_READ | ABI_PROT_WRITE, ABI_MAP_SHARED,
                        slot_fd[s->slot], 0);
    CHECK((long)*map > 0);
    fill(scratch, 8, s->seed);
    *(volatile uint64_t *)(*map + s->at) = *(uint64_t *)scratch;
}

static void store_durably(const struct step *s) {
    store_step(s);
    CHECK_EQ(sys_msync(slot_map[s->slot] + s->at / PAGE * PAGE, PAGE, ABI_MS_SYNC), 0);
}

/* True: it and all before it are durable. */
static bool do_step(const struct step *s) {
    int fd = slot_fd[s->slot];
    switch (s->what) {
    case 'm': must_mkdir(s->from); return false;
    case 'u': must_unlink(s->from); return false;
    case 'l': CHECK_EQ(sys_link(s->from, s->to), 0); return false;
    case 'r': CHECK_EQ(sys_rename(s->from, s->to), 0); return false;
    case 'o': reopen(s->slot, s->from, ABI_O_RDWR); return false;
    case 'n': reopen(s->slot, s->from, ABI_O_RDWR | ABI_O_CREATE | ABI_O_TRUNC); return false;
    case 't': CHECK_EQ(sys_ftruncate(fd, s->n), 0); return false;
    case 'w': write_step(fd, s); return false;
    case 'W': write_durably(s); return true;
    case 's': store_step(s); return false;
    case 'M': store_durably(s); return true;
    case 'f': CHECK_EQ(sys_fsync(fd), 0); return true;
    case 'd': CHECK_EQ(sys_fdatasync(fd), 0); return true;
    case 'S': CHECK_EQ(sys_sync(), 0); return true;
    default: FAIL("no step is %c", (int)s->what);
    }
}

/* Who watches answers with a line, and nothing happens meanwhile. */
int role_plan(int argc, char **argv) {
    struct step s;
    char c;
    int plan = must_open(argv[1], ABI_O_RDONLY), got;
    for (int done = 1; (got = sys_read(plan, &s, sizeof(s))) == (int)sizeof(s); done++)
        if (do_step(&s)) {
            printf("durable %d\n", done);
            read_all(0, &c, 1);
        }
    CHECK_EQ(got, 0);
    printf("the plan is done\n");
    return 0;
}
