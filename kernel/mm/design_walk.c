/* walk: one kernel page table for all. The kernel reaches user memory by walking
 * the user's table in software, page by page, and touching the frames through
 * the direct map: the classic design of xv6. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/design.h"
#include "mm/kmap.h"

static int create(struct aspace *as) {
    as->kernel_satp = kernel_satp;
    return 0;
}

/* The bytes from va to the end of its page, at most n. */
static size_t part(uint64_t va, size_t n) {
    uint64_t left = PAGE_SIZE - (va & (PAGE_SIZE - 1));
    return MIN(left, (uint64_t)n);
}

/* PTE_R: from the user; PTE_W: to it. */
static inline int copy_in_page(char *kernel, uint64_t va, size_t n, uint64_t access) {
    void *user;
    int err = aspace_page(aspace_self(), va, access, &user);
    if (err)
        return err;
    memcpy(access == PTE_W ? user : kernel, access == PTE_W ? kernel : user, n);
    aspace_page_end();
    return 0;
}

static seldom int copy_pages(char *kernel, uint64_t va, size_t n, uint64_t access) {
    int err = 0;
    for (size_t m; n > 0 && !err; va += m, kernel += m, n -= m) {
        m = part(va, n);
        err = copy_in_page(kernel, va, m, access);
    }
    return err;
}

/* Most copies lie in one page. */
static inline int copy(char *kernel, uint64_t va, size_t n, uint64_t access) {
    return n > 0 && part(va, n) == n ? copy_in_page(kernel, va, n, access)
                                     : copy_pages(kernel, va, n, access);
}

static int walk_in(void *dst, uaddr_t src, size_t n) { return copy(dst, src.v, n, PTE_R); }

static int walk_out(uaddr_t dst, const void *src, size_t n) {
    return copy((char *)src, dst.v, n, PTE_W);
}

/* Up to m bytes; true: a terminator was among them. */
static bool copy_string(char *dst, const char *from, size_t m) {
    for (size_t i = 0; i < m; i++)
        if (!(dst[i] = from[i]))
            return true;
    return false;
}

static int walk_str(char *dst, uaddr_t src, size_t size) {
    for (size_t done = 0; done < size;) {
        uint64_t va = src.v + done;
        size_t m = part(va, size - done);
        void *user;
        int err = aspace_page(aspace_self(), va, PTE_R, &user);
        if (err)
            return err;
        bool ends = copy_string(dst + done, user, m);
        aspace_page_end();
        if (ends)
            return 0;
        done += m;
    }
    return -K_ENAMETOOLONG;
}

static int walk_pieces(uaddr_t user, const struct kpiece *p, unsigned n, bool to_user,
                       size_t *done) {
    uaddr_t at = user;
    int err = 0;
    for (const struct kpiece *end = p + n; p < end; at.v += p++->bytes) {
        err = to_user ? walk_out(at, p->start, p->bytes) : walk_in(p->start, at, p->bytes);
        if (err)
            break;
    }
    *done = at.v - user.v;
    return err;
}

DESIGN struct design walk = {
    .name = "walk",
    .on_kernel_pt = true,
    .create = create,
    .copyin = walk_in,
    .copyout = walk_out,
    .copyinstr = walk_str,
    .copy_pieces = walk_pieces,
};
