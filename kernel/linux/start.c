/* How programs of Linux are told from others, and what they find on their stack. (System V ABI,
 * RISC-V supplement: process initialization.) */
#include "dev/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/elf.h"
#include "proc/proc.h"

#define OSABI 7 /* in the ELF header's ident */
#define OSABI_GNU 3
#define PT_INTERP 3
#define LOWEST KIB(64) /* where Linux's linkers begin, or above */
#define STACK MIB(8)

/* An operating system in the header, an interpreter, or a first segment where Linux's linkers put
 * it; programs of ours have that, too, but say how large their stack is. */
static bool is_one(const struct elf_header *h, const struct elf_phdr *phdr,
                   const struct elf_plan *plan) {
    for (uint32_t i = 0; i < h->phnum; i++)
        if (phdr[i].type == PT_INTERP)
            return true;
    return h->ident[OSABI] == OSABI_GNU || (!plan->stack && plan->segment[0].vaddr >= LOWEST);
}

/* ---- the plan ---- */

#define RANDOM_BYTES 16

enum auxv {
    AT_NULL,
    AT_PHDR = 3,
    AT_PHENT,
    AT_PHNUM,
    AT_PAGESZ,
    AT_BASE,
    AT_FLAGS,
    AT_ENTRY,
    AT_UID = 11,
    AT_EUID,
    AT_GID,
    AT_EGID,
    AT_HWCAP = 16,
    AT_CLKTCK,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_EXECFN = 31,
};
#define AUXV 17

static uint64_t path_bytes(const char *path) { return ROUND_UP(strlen(path) + 1, 16); }

/* argc, both arrays with their NULLs, and the auxiliary vector. */
static uint64_t words(const struct arguments *a) { return 1 + a->count + 2 + 2 * AUXV; }

static uint64_t filled(const struct arguments *a, const char *path) {
    return ROUND_UP(words(a) * sizeof(uint64_t), 16) + RANDOM_BYTES + path_bytes(path) + a->bytes;
}

/* Where the program headers are in memory; 0: nowhere. */
static uint64_t headers_address(const struct elf_header *h, const struct elf_plan *plan) {
    for (uint32_t i = 0; i < plan->segments; i++) {
        const struct elf_segment *s = &plan->segment[i];
        if (h->phoff >= s->offset && h->phoff - s->offset < s->filesz)
            return s->vaddr + (h->phoff - s->offset);
    }
    return 0;
}

static int plan_start(const struct elf_header *h, const struct elf_phdr *phdr,
                      const struct arguments *a, const char *path, struct elf_plan *plan,
                      struct foreign_start *start) {
    for (uint32_t i = 0; i < h->phnum; i++)
        if (phdr[i].type == PT_INTERP)
            return -K_ENOEXEC; /* nothing is linked when it starts */
    plan->stack = STACK;
    plan->stack_end = USER_MAX;
    plan->stack_filled = filled(a, path);
    *start = (struct foreign_start){.sp = USER_MAX - plan->stack_filled,
                                    .end = USER_MAX,
                                    .phdr = headers_address(h, plan),
                                    .phnum = h->phnum,
                                    .entry = h->entry};
    return 0;
}

/* ---- the stack ---- */

/* What is put there, from the lowest address up; a page comes when the first byte on it does. */
struct filling {
    struct aspace *as;
    uint64_t at;
    char *page;
};

static int put(struct filling *f, const void *from, uint64_t n) {
    const char *src = from;
    while (n > 0) {
        uint64_t offset = f->at % PAGE_SIZE, part = MIN(n, PAGE_SIZE - offset);
        if (!f->page || offset == 0) {
            void *page;
            int err = aspace_copied_page(f->as, f->at, &page);
            if (err)
                return err;
            f->page = page;
        }
        memcpy(f->page + offset, src, part);
        f->at += part;
        src += part;
        n -= part;
    }
    return 0;
}

static int put_word(struct filling *f, uint64_t word) { return put(f, &word, sizeof(word)); }

/* The addresses of `count` strings from *string on, the first of all being at base; and a NULL. */
static int put_array(struct filling *f, const struct arguments *a, uint64_t count, uint64_t base,
                     uint64_t *string) {
    int err = 0;
    for (; !err && count > 0; count--) {
        err = put_word(f, base + *string);
        *string = arguments_next(a, *string);
    }
    return err ? err : put_word(f, 0);
}

static int put_strings(struct filling *f, const struct arguments *a) {
    int err = 0;
    for (uint64_t at = 0; !err && at < a->bytes; at += PAGE_SIZE)
        err = put(f, arguments_at(a, at), MIN(a->bytes - at, PAGE_SIZE));
    return err;
}

/* I, M, A, F, D and C, by their letters. */
#define HWCAP 0x112d

static int put_auxv(struct filling *f, const struct foreign_start *start, uint64_t random,
                    uint64_t path) {
    const uint64_t auxv[AUXV][2] = {
        {AT_PHDR, start->phdr},
        {AT_PHENT, sizeof(struct elf_phdr)},
        {AT_PHNUM, start->phnum},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, start->entry},
        {AT_UID, 0},
        {AT_EUID, 0},
        {AT_GID, 0},
        {AT_EGID, 0},
        {AT_HWCAP, HWCAP},
        {AT_CLKTCK, 100},
        {AT_SECURE, 0},
        {AT_RANDOM, random},
        {AT_EXECFN, path},
        {AT_NULL, 0},
    };
    return put(f, auxv, sizeof(auxv));
}

static int fill_stack(struct aspace *as, const struct arguments *a, const char *path,
                      const struct foreign_start *start) {
    struct filling f = {.as = as, .at = start->sp};
    uint64_t string = 0, strings = start->end - a->bytes;
    uint64_t path_at = strings - path_bytes(path), random_at = path_at - RANDOM_BYTES;
    char random[RANDOM_BYTES], padding[16] = {0};
    random_bytes(random, sizeof(random));
    int err = put_word(&f, a->argc);
    if (!err)
        err = put_array(&f, a, a->argc, strings, &string);
    if (!err)
        err = put_array(&f, a, a->count - a->argc, strings, &string);
    if (!err)
        err = put_auxv(&f, start, random_at, path_at);
    if (!err)
        err = put(&f, padding, random_at - f.at);
    if (!err)
        err = put(&f, random, sizeof(random));
    if (!err)
        err = put(&f, path, strlen(path) + 1);
    if (!err)
        err = put(&f, padding, strings - f.at);
    return err ? err : put_strings(&f, a);
}

struct foreign_programs linux_programs = {
    .is_one = is_one, .plan = plan_start, .fill_stack = fill_stack};
