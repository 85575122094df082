/* Numbers of processes and threads, at the end of all of them and from the beginning again. */
/* sources: kernel/proc/ids.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c */
#include "kstub.h"
#include "proc/ids.h"
#include "random64.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

const char *ksym_lookup(uint64_t addr, uint64_t *offset) { return NULL; }

static void take_all_of(int32_t from, int32_t to) {
    for (int32_t id = from; id < to; id++)
        assert_int_equal(id_take(), id);
}

/* The first block is in use when it is its turn again: the second one is. */
static void wraps(void **state) {
    take_all_of(1, 4);
    id_give(2);
    id_begin_at(ID_LAST - 2);
    assert_int_equal(id_take(), ID_LAST - 2);
    assert_int_equal(id_take(), ID_LAST - 1);
    assert_int_equal(id_take(), ID_LAST);
    int32_t id = id_take();
    assert_int_equal(id, ID_BLOCK);
    id_hold(id);
    id_give(id); /* its other user has it still */
    id_begin_at(ID_LAST - ID_BLOCK);
    assert_int_equal(id_take(), ID_LAST - ID_BLOCK);
    id_give(ID_LAST - ID_BLOCK);
    id_give(ID_LAST);
    id_give(ID_LAST - 1);
    id_begin_at(ID_LAST);
    assert_true(id_take() != ID_LAST); /* the number before is used */
    id_give(ID_LAST - 2);
}

#define MANY 3000
static int32_t used[MANY];

static bool is_used(int32_t id) {
    for (unsigned i = 0; i < MANY; i++)
        if (used[i] == id)
            return true;
    return false;
}

/* Some are kept for long, over several times all blocks; none is given twice. */
static void kept_by_some(void **state) {
    for (unsigned round = 0; round < 3 * ID_BLOCKS; round++) {
        unsigned i = (unsigned)(random64() % MANY);
        id_give(used[i]);
        used[i] = 0;
        int32_t id = id_take();
        assert_true(id >= 1);
        assert_false(is_used(id));
        used[i] = id;
        id_begin_at((int32_t)(((uint32_t)id / ID_BLOCK + 1) % ID_BLOCKS * ID_BLOCK));
    }
    for (unsigned i = 0; i < MANY; i++)
        id_give(used[i]);
}

static void nobody_has_it(void **state) {
    assert_true(HOST_PANICS(id_give(ID_LAST / 2)));
    id_give(0);
    id_hold(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wraps),
        cmocka_unit_test(kept_by_some),
        cmocka_unit_test(nobody_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
