/* Calls that need more than arguments, of both interfaces alike. */
#include "fuzz.h"

#define MREMAP_FIXED_ 2             /* of both interfaces */
#define USER_END 0xff000000000000UL /* no system's user memory goes beyond */

/* A range that is changed ends where the play does, or is refused since it begins inside a page or
 * runs over the end of all addresses. Now and then it is any, and then nothing is looked at any
 * more. */
void keep_in_play(uint64_t a[6]) {
    uint64_t play_end = PLAY + PLAY_PAGES * PAGE;
    bool beyond = a[0] + a[1] < a[0] || a[0] + a[1] > USER_END;
    if (a[0] % PAGE || a[0] >= USER_END || beyond)
        return;
    if (one_in(3000))
        excuse_memory();
    else if (a[0] < PLAY || a[0] >= play_end)
        a[0] |= 1;
    else if (a[1] > play_end - a[0])
        a[1] = play_end - a[0];
}

/* The same for a mapping that moves, and for what is where it goes. */
void keep_move_in_play(uint64_t a[6]) {
    uint64_t goes[6] = {a[4], a[2]};
    keep_in_play(a);
    if (!(a[3] & MREMAP_FIXED_))
        return;
    keep_in_play(goes);
    a[4] = goes[0];
    a[2] = goes[1];
}

/* Those that a fault has, sent by somebody. */
void excuse_if_fault(uint64_t signal) {
    if (signal == 4 || signal == 5 || signal == 7 || signal == 8 || signal == 11)
        excuse();
}

bool records_left(void) {
    return __atomic_load_n(&shared->next_record, __ATOMIC_RELAXED) < RECORDS;
}

/* A child goes back to a handler's frame that is none. */
void return_special(uint64_t number) {
    uint64_t sp = one_in(3) ? any_address() : scratch(2000);
    if (!records_left() || do_fork() != 0)
        return;
    child_goes_on();
    wild = true;
    raw_return(number, sp);
}

/* Mostly by a child: false: the caller is to do it itself. */
bool exec_special(uint64_t number, const uint64_t a[6], unsigned path_at) {
    static const char *const programs[] = {
        "/tests/fuzzlinux", "/tests/fuzzcalls", "/bin/true", "script",
        "broken",           "/proc/self/exe",   "d0",        "f0"};
    uint64_t b[6] = {a[0], a[1], a[2], a[3], a[4], a[5]};
    b[path_at] = one_in(4) ? a[path_at] : (uint64_t)CHOICE(programs);
    if (one_in(10))
        return false;
    if (!records_left() || do_fork() != 0)
        return true;
    child_goes_on();
    (void)call6(number, b[0], b[1], b[2], b[3], b[4], b[5]);
    memory_check();
    do_exit(0);
}
