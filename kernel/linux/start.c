/* How programs of Linux are told from others, and what they find on their stack. (System V ABI,
 * RISC-V supplement: process initialization.) */
#include "dev/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/mmap.h"
#include "proc/limits.h"
#include "proc/proc.h"

#define OSABI 7 /* in the ELF header's ident */
#define OSABI_GNU 3
#define PT_LOAD 1
#define PT_INTERP 3
#define PT_NOTE 4
#define LOWEST KIB(64) /* where Linux's linkers begin, or above */

/* ---- how one is told ---- */

/* The next program header of this type from *i on, behind which *i is then; NULL: there is none. */
static const struct elf_phdr *next_phdr(const struct program *p, uint32_t type, uint32_t *i) {
    while (*i < p->elf.phnum) {
        const struct elf_phdr *found = &p->phdr[(*i)++];
        if (found->type == type)
            return found;
    }
    return NULL;
}

/* The note with which a C library says for which system it is. (Linux Standard Base, 10.) */
struct note {
    uint32_t name_bytes, bytes, type;
    char name[4]; /* if it has so many */
    uint32_t system;
};
#define NOTE_ABI_TAG 1
#define NOTE_LINUX 0
#define NOTES 16 /* that are looked at in one segment */

static bool is_tag(const struct note *n) {
    return n->name_bytes == sizeof("GNU") && !memcmp(n->name, "GNU", sizeof("GNU")) &&
           n->type == NOTE_ABI_TAG && n->bytes >= 4 * sizeof(uint32_t) && n->system == NOTE_LINUX;
}

/* A note that is not in the file says nothing: -K_EIO alone is an error. */
static int find_tag_in(struct node *file, const struct elf_phdr *notes, bool *found) {
    uint64_t at = 0;
    for (unsigned i = 0; i < NOTES && at <= notes->filesz && !*found; i++) {
        struct note n;
        if (notes->filesz - at < sizeof(n))
            return 0;
        int err = program_read(file, notes->offset + at, &n, sizeof(n));
        if (err)
            return err == -K_ENOEXEC ? 0 : err;
        *found = is_tag(&n);
        at += offsetof(struct note, name) + ROUND_UP((uint64_t)n.name_bytes, 4) +
              ROUND_UP((uint64_t)n.bytes, 4);
    }
    return 0;
}

/* An operating system in the header, no place of its own, or a first segment where Linux's linkers
 * put it; programs of ours have that, too, but say how large their stack is. Else an interpreter,
 * or a note, which has to be read. */
static int is_one(struct node *file, const struct program *p, bool *is) {
    const struct elf_plan *plan = &p->plan;
    int err = 0;
    *is = p->elf.ident[OSABI] == OSABI_GNU || plan->movable ||
          (!plan->stack && plan->segment[0].vaddr >= LOWEST);
    for (uint32_t i = 0; i < p->elf.phnum && !*is && !err; i++)
        if (p->phdr[i].type == PT_INTERP)
            *is = true;
        else if (p->phdr[i].type == PT_NOTE)
            err = find_tag_in(file, &p->phdr[i], is);
    return err;
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
    AT_SYSINFO_EHDR = 33,
};
#define AUXV 18

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

/* The first one counts. Its last byte is a zero, and there may be others. */
static int read_interpreter(struct node *file, struct program *p) {
    uint32_t i = 0;
    const struct elf_phdr *name = next_phdr(p, PT_INTERP, &i);
    if (!name)
        return 0;
    if (name->filesz < 2 || name->filesz > sizeof(p->interpreter))
        return -K_ENOEXEC;
    int err = program_read(file, name->offset, p->interpreter, name->filesz);
    if (err)
        return err;
    return p->interpreter[0] && !p->interpreter[name->filesz - 1] ? 0 : -K_ENOEXEC;
}

/* ---- places ---- */

/* Mappings begin at random below the stack, but near it: then they can have tables in common.
 * Programs that are movable are in the middle, with room for a heap above. */
#define MAP_PLACES MIB(256)
#define PROGRAM_PLACES MIB(1024)
#define PROGRAM_BASE ROUND_DOWN(USER_MAX / 3 * 2, MIB(1024))
#define LARGEST_ALIGN MIB(1024)

/* Below `places`, page-aligned. */
static uint64_t random_offset(uint64_t places) {
    uint64_t random;
    random_bytes(&random, sizeof(random));
    return ROUND_DOWN(random % places, PAGE_SIZE);
}

/* The largest that a segment asks for. -K_ENOEXEC: that is no power of two, or too
 * large. */
static int alignment(const struct program *p, uint64_t *align) {
    const struct elf_phdr *load;
    *align = PAGE_SIZE;
    for (uint32_t i = 0; (load = next_phdr(p, PT_LOAD, &i));) {
        if (load->align & (load->align - 1) || load->align > LARGEST_ALIGN)
            return -K_ENOEXEC;
        *align = MAX(*align, load->align);
    }
    return 0;
}

static int place_program(struct program *p) {
    uint64_t align;
    if (!p->plan.movable)
        return 0;
    int err = alignment(p, &align);
    if (!err)
        elf_move(&p->plan, ROUND_DOWN(PROGRAM_BASE + random_offset(PROGRAM_PLACES), align));
    return err;
}

/* Where mmap would put it. */
static int place_interpreter(struct aspace *as, struct program *p, struct foreign_start *start) {
    struct elf_plan *plan = &p->plan;
    uint64_t align, bytes = plan->end - ROUND_DOWN(plan->segment[0].vaddr, PAGE_SIZE);
    if (!plan->movable)
        return 0;
    int err = alignment(p, &align);
    if (err)
        return err;
    uint64_t at = aspace_find_room(as, bytes, align);
    if (!at)
        return -K_ENOMEM;
    elf_move(plan, at);
    start->base = plan->moved;
    return 0;
}

static int plan_start(struct node *file, struct program *p, const struct arguments *a,
                      const char *path, struct foreign_start *start) {
    struct elf_plan *plan = &p->plan;
    int err = read_interpreter(file, p);
    if (!err)
        err = place_program(p);
    if (err)
        return err;
    plan->stack = limit_stack_bytes();
    plan->stack_end = USER_MAX;
    plan->stack_filled = filled(a, path);
    plan->map_below = USER_MAX - plan->stack - PAGE_SIZE - random_offset(MAP_PLACES);
    *start = (struct foreign_start){.sp = USER_MAX - plan->stack_filled,
                                    .end = USER_MAX,
                                    .phdr = headers_address(&p->elf, plan),
                                    .phnum = p->elf.phnum,
                                    .entry = plan->entry};
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
                    uint64_t path, uint64_t vdso) {
    const uint64_t auxv[AUXV][2] = {
        {AT_PHDR, start->phdr},
        {AT_PHENT, sizeof(struct elf_phdr)},
        {AT_PHNUM, start->phnum},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_BASE, start->base},
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
        {AT_SYSINFO_EHDR, vdso},
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
    uint64_t vdso;
    int err = linux_vdso_map(as, &vdso);
    if (!err)
        err = put_word(&f, a->argc);
    if (!err)
        err = put_array(&f, a, a->argc, strings, &string);
    if (!err)
        err = put_array(&f, a, a->count - a->argc, strings, &string);
    if (!err)
        err = put_auxv(&f, start, random_at, path_at, vdso);
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
    .is_one = is_one, .plan = plan_start, .place = place_interpreter, .fill_stack = fill_stack};
