/* Which unknown system calls have been told: see unknown.h. */
#include "syscall/unknown.h"
#include "lib/string.h"
#include "sync/spinlock.h"

static struct {
    struct spinlock lock;
    unsigned count;
    struct {
        char name[16];
        int32_t number;
    } call[UNKNOWN_CALLS];
} told = {.lock = SPINLOCK_INIT(RANK_UNKNOWN)};

static bool was_told_locked(const char *name, int32_t number) {
    ASSERT_LOCKED(&told.lock);
    for (unsigned i = 0; i < told.count; i++)
        if (told.call[i].number == number && !strcmp(told.call[i].name, name))
            return true;
    return false;
}

enum unknown_call unknown_call_note(const char *name, int32_t number) {
    enum unknown_call what = UNKNOWN_KNOWN;
    spin_lock(&told.lock);
    if (told.count < UNKNOWN_CALLS && !was_told_locked(name, number)) {
        str_copy(told.call[told.count].name, name, sizeof(told.call[0].name));
        told.call[told.count++].number = number;
        what = told.count < UNKNOWN_CALLS ? UNKNOWN_NEW : UNKNOWN_LAST;
    }
    spin_unlock(&told.lock);
    return what;
}
