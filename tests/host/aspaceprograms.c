/* The programs of aspaceprograms.h, and their exec: in the order of syscall/exec.c. */
#include "aspaceprograms.h"
#include "hostarch.h"
#include "mm/elf.h"
#include "mm/frame.h"
#include "mm/tlb.h"
#include <string.h>

#define RX (PTE_R | PTE_X)
#define RW (PTE_R | PTE_W)
#define P PAGE_SIZE

const struct env_program env_programs[ENV_PROGRAMS] = {
    {2, {{0, 3, 3, RX, 0}, {3 * P, 2, 5, RW, 0}}},
    {1, {{0, 2, 4, PTE_RWX, 1}}}, /* as older linkers make it */
    {1, {{0, 1, 1, RX, 0}}},
    {2, {{0, 1, 1, RX, 0}, {LARGE_SIZE, 0, 600, RW, 0}}},   /* no byte of the file; two tables */
    {2, {{0, 1, 1, RX, 0}, {LARGE_SIZE - P, 2, 3, RW, 0}}}, /* across the border of two tables */
    {3, {{P, 1, 2, PTE_R, 0}, {MIB(1), 2, 2, RW, 0}, {MIB(6), 1, 1, RX, 0}}}, /* gaps */
    {2, {{0, 2, 2, RX, 2}, {LARGE_SIZE - P, 3, 4, RW, 1}}}, /* text that lies askew in the file */
};

uint64_t env_program_word(unsigned program, uint32_t page) {
    return 0x9a9e000000000000 | (uint64_t)program << 32 | page;
}

static void stamp(paddr_t pa, uint64_t word) {
    uint64_t *page = pa_ptr(pa);
    page[0] = page[PAGE_SIZE / 8 - 1] = word;
}

static struct env_file files[2 * ENV_PROGRAMS];

void env_forget_programs(void) { memset(files, 0, sizeof files); }

static struct env_file *file_of(struct object *o) {
    return CONTAINER_OF(o, struct env_file, object);
}

static void get_file(struct object *o) { file_of(o)->users++; }

static void put_file(struct object *o) {
    struct env_file *file = file_of(o);
    env_must(file->users > 0, "nobody runs the program");
    if (--file->users > 0)
        return;
    for (uint32_t i = 0; i < file->pages; i++)
        frame_put(frame_single(file->page[i]));
    frame_uncommit(file->pages);
}

static paddr_t peek_file(struct object *o, uint64_t index) {
    const struct env_file *file = file_of(o);
    if (index >= file->pages)
        return PA(0);
    frame_get(frame_single(file->page[index]));
    return file->page[index];
}

static const struct object_ops file_ops = {.get = get_file, .put = put_file, .peek = peek_file};

static uint32_t file_pages(const struct env_program *program) {
    uint64_t pages = 0;
    for (uint32_t i = 0; i < program->segments; i++)
        pages += program->segment[i].file_pages;
    return (uint32_t)pages;
}

/* With one user more. */
static int find_file(unsigned program, uint64_t version, struct env_file **out) {
    struct env_file *file = files;
    for (struct env_file *i = files; i < files + ARRAY_LEN(files); i++)
        if (i->users > 0 && i->program == program && i->version == version)
            file = i;
        else if (file->users > 0 && i->users == 0)
            file = i;
    *out = file;
    if (file->users++ > 0)
        return 0;
    uint32_t pages = file_pages(&env_programs[program]);
    int err = frame_commit(pages);
    *file = (struct env_file){.object = {.ops = &file_ops, .name = "program"},
                              .users = !err,
                              .pages = pages,
                              .program = program,
                              .version = version};
    for (uint32_t i = 0; i < pages && !err; i++) {
        file->page[i] = frame_take();
        frame_zero(file->page[i], 0);
        stamp(file->page[i], env_program_word(program, i));
    }
    return err;
}

/* As mm/elf.c would see the file. */
static struct elf_plan plan_of(const struct env_program *from) {
    struct elf_plan plan = {.segments = from->segments, .pages = file_pages(from)};
    uint64_t page = 0;
    for (uint32_t i = 0; i < from->segments; i++) {
        uint64_t start = from->segment[i].start, file = from->segment[i].file_pages;
        uint64_t askew = from->segment[i].copied > 1 ? 16 : 0;
        plan.segment[i] = (struct elf_segment){.offset = page * P + askew,
                                               .filesz = file * P - from->segment[i].copied * 8,
                                               .vaddr = start,
                                               .memsz = from->segment[i].pages * P,
                                               .perm = from->segment[i].perm};
        page += file;
        plan.end = start + from->segment[i].pages * P;
    }
    return plan;
}

/* What exec reads into pages of the process's own. */
static int copy_pages(struct aspace *as, unsigned program, const struct elf_plan *plan) {
    int err = 0;
    uint32_t page = 0;
    for (uint32_t i = 0; i < plan->segments; i++) {
        struct elf_pages p = elf_pages(&plan->segment[i]);
        env_must((p.copied - p.shown) / P == env_programs[program].segment[i].copied, "elf_pages");
        page += (uint32_t)((p.shown - p.start) / P);
        for (uint64_t va = p.shown; va < p.copied && !err; va += P) {
            void *at;
            err = aspace_copied_page(as, va + 8, &at);
            if (!err)
                stamp(ptr_pa(at), env_program_word(program, page++));
        }
    }
    return err;
}

int env_exec(struct env_proc *p, unsigned program, uint64_t version) {
    struct aspace *as = &p->spaces[p->as == &p->spaces[0]];
    const struct elf_plan plan = plan_of(&env_programs[program]);
    struct env_file *file;
    paddr_t stack;
    int err = frame_alloc(&stack);
    if (err)
        return err;
    stamp(stack, ENV_STACK_WORD);
    memset((char *)pa_ptr(stack) + 8, 0, P - 16);
    err = find_file(program, version, &file);
    if (!err) {
        err = env_create_space(p, as);
        if (!err && (err = aspace_load(as, &plan, &file->object, stack)))
            aspace_destroy(as);
        if (!err)
            env_must(!copy_pages(as, program, &plan), "pages that were promised");
        if (!err)
            env_replace_space(p);
        put_file(&file->object);
    }
    if (err)
        frame_free(stack);
    return err;
}
