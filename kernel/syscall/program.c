/* Reading the file of a program: see program.h. */
#include "syscall/program.h"
#include "lib/errno.h"
#include "vfs/node.h"
#include "vfs/mount.h"

static const struct program_ops *program_ops(const struct node *file) { return file->ops->program; }

int program_begin(struct node *file, uint64_t *size) {
    if (mount_forbids(file, MOUNT_NO_RUNNING))
        return -K_EACCES;
    return program_ops(file)->begin(file, size);
}

void program_end(struct node *file) { program_ops(file)->end(file); }

int program_read(struct node *file, uint64_t offset, void *dst, size_t n) {
    size_t done;
    if (offset > INT64_MAX)
        return -K_ENOEXEC;
    int err = program_ops(file)->read(file, offset, dst, n, &done);
    return err ? err : done == n ? 0 : -K_ENOEXEC;
}

/* The program headers nearly always follow the ELF header, and then one read brings both. */
#define USUAL_PHDRS 6
_Static_assert(offsetof(struct program, phdr) == sizeof(struct elf_header), "as in most files");
_Static_assert(offsetof(struct program, phdr[USUAL_PHDRS]) >= SCRIPT_LINE, "a script's line, too");

int program_read_headers(struct node *file, uint64_t size, struct program *p) {
    size_t done, usual = offsetof(struct program, phdr[USUAL_PHDRS]);
    p->script.name = 0;
    int err = program_ops(file)->read(file, 0, p, usual, &done);
    if (err)
        return err;
    err = done < sizeof(p->elf) ? -K_ENOEXEC : elf_check_header(&p->elf, size);
    if (err)
        script_parse((const char *)p, done, &p->script);
    else if (p->elf.phoff != sizeof(p->elf) || p->elf.phnum > USUAL_PHDRS)
        err = program_read(file, p->elf.phoff, p->phdr, p->elf.phnum * sizeof(p->phdr[0]));
    return err ? err : elf_plan(&p->elf, p->phdr, size, &p->plan);
}

/* What the plan shows of the file, or NULL, which is nothing. */
static int map_pages(struct node *file, const struct elf_plan *plan, struct object **pages) {
    *pages = NULL;
    return plan->pages > 0 ? program_ops(file)->map(file, plan->pages, pages) : 0;
}

int program_load(struct aspace *as, struct node *file, const struct elf_plan *plan, paddr_t stack) {
    struct object *pages;
    int err = map_pages(file, plan, &pages);
    if (err)
        return err;
    err = aspace_load(as, plan, pages, stack);
    if (pages)
        object_put(pages);
    return err;
}

int program_load_more(struct aspace *as, struct node *file, const struct elf_plan *plan) {
    struct object *pages;
    int err = map_pages(file, plan, &pages);
    if (err)
        return err;
    err = aspace_load_more(as, plan, pages);
    if (pages)
        object_put(pages);
    return err;
}

static int copy_segment(struct aspace *as, struct node *file, const struct elf_segment *s) {
    struct elf_pages p = elf_pages(s);
    uint64_t end = s->vaddr + s->filesz, at = MAX(p.shown, s->vaddr), stop;
    int err = 0;
    for (; at < end && !err; at = stop) {
        void *page;
        stop = MIN(end, ROUND_DOWN(at, PAGE_SIZE) + PAGE_SIZE);
        err = aspace_copied_page(as, at, &page);
        if (!err)
            err = program_read(file, s->offset + (at - s->vaddr), (char *)page + at % PAGE_SIZE,
                               stop - at);
    }
    return err;
}

int program_copy(struct aspace *as, struct node *file, const struct elf_plan *plan) {
    int err = 0;
    for (uint32_t i = 0; i < plan->segments && !err; i++)
        err = copy_segment(as, file, &plan->segment[i]);
    return err;
}
