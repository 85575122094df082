/* walk: one kernel page table for all. The kernel reaches user memory by walking
 * the user's table in software, page by page, and touching the frames through
 * the direct map: the classic design of xv6. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/design.h"
#include "mm/kmap.h"

const struct design design = {.name = "walk", .stacks_in_kernel_pt = true};

int design_create(struct aspace *as) {
    as->kernel_satp = kernel_satp;
    return 0;
}

void design_destroy(struct aspace *as) { (void)as; }

void design_sync(struct aspace *as, vaddr_t start, vaddr_t end, struct pt_gather *gather) {}

/* The kernel sees the user's own table. */
bool design_agrees(const struct aspace *as, vaddr_t va, unsigned level, pte_t user) { return true; }

/* The bytes from va to the end of its page, at most n. */
static size_t part(uint64_t va, size_t n) {
    uint64_t left = PAGE_SIZE - (va & (PAGE_SIZE - 1));
    return MIN(left, (uint64_t)n);
}

static char *at(void *page, uint64_t va) { return (char *)page + (va & (PAGE_SIZE - 1)); }

int design_copyin(void *dst, uaddr_t src, size_t n) {
    for (size_t done = 0; done < n;) {
        uint64_t va = src.v + done;
        size_t m = part(va, n - done);
        void *page;
        int err = aspace_page(aspace_self(), va, PTE_R, &page);
        if (err)
            return err;
        memcpy((char *)dst + done, at(page, va), m);
        done += m;
    }
    return 0;
}

int design_copyout(uaddr_t dst, const void *src, size_t n) {
    for (size_t done = 0; done < n;) {
        uint64_t va = dst.v + done;
        size_t m = part(va, n - done);
        void *page;
        int err = aspace_page(aspace_self(), va, PTE_W, &page);
        if (err)
            return err;
        memcpy(at(page, va), (const char *)src + done, m);
        done += m;
    }
    return 0;
}

int design_copyinstr(char *dst, uaddr_t src, size_t size) {
    for (size_t done = 0; done < size;) {
        uint64_t va = src.v + done;
        size_t m = part(va, size - done);
        void *page;
        int err = aspace_page(aspace_self(), va, PTE_R, &page);
        if (err)
            return err;
        const char *from = at(page, va);
        for (size_t i = 0; i < m; i++)
            if (!(dst[done + i] = from[i]))
                return 0;
        done += m;
    }
    return -K_ENAMETOOLONG;
}

int design_copy_pieces(uaddr_t user, const struct kpiece *p, unsigned n, bool to_user,
                       size_t *done) {
    uaddr_t at = user;
    int err = 0;
    for (const struct kpiece *end = p + n; p < end; at.v += p++->bytes) {
        err = to_user ? design_copyout(at, p->start, p->bytes)
                      : design_copyin(p->start, at, p->bytes);
        if (err)
            break;
    }
    *done = at.v - user.v;
    return err;
}
