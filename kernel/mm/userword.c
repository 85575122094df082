/* Words of user memory: see userword.h. */
#include "mm/userword.h"
#include "lib/errno.h"
#include "mm/aspace.h"
#include "mm/uaccess.h"

int user_word_find(uaddr_t word, struct user_word *out) {
    struct aspace *as = aspace_self();
    if (!IS_ALIGNED(word.v, sizeof(uint32_t)))
        return -K_EINVAL;
    spin_lock(&as->lock);
    const struct mapping *m = mapping_at(&as->mappings, word.v);
    *out = m && m->shared ? (struct user_word){m->object, mapping_index(m, word.v) * PAGE_SIZE +
                                                              word.v % PAGE_SIZE}
                          : (struct user_word){as, word.v};
    spin_unlock(&as->lock);
    return m ? 0 : -K_EFAULT;
}

int user_word_begin(uaddr_t word, const uint32_t **value) {
    void *byte;
    int err = aspace_page(aspace_self(), word.v, PTE_R, &byte);
    *value = byte;
    return err;
}

int user_word_begin_change(uaddr_t word, uint32_t **value) {
    void *byte;
    int err = aspace_page(aspace_self(), word.v, PTE_W, &byte);
    *value = byte;
    return err;
}

void user_word_end(void) { aspace_page_end(); }

int user_word_exchange(uaddr_t word, uint32_t from, uint32_t to, uint32_t *was) {
    void *byte;
    if (!IS_ALIGNED(word.v, sizeof(uint32_t)))
        return -K_EINVAL;
    if (!user_range_ok(word, sizeof(uint32_t)))
        return -K_EFAULT;
    int err = aspace_page(aspace_self(), word.v, PTE_W, &byte);
    if (!err) {
        *was = from;
        (void)__atomic_compare_exchange_n((uint32_t *)byte, was, to, false, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED);
    }
    user_word_end();
    return err;
}
