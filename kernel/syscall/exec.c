/* exec. The new address space is built aside, from a program's file and the strings
 * that it is given; there is one commit point, after which nothing can fail, and one exit for
 * every failure before it. */
#include "syscall/exec.h"
#include "arch/cpu.h"
#include "vfs/descriptor.h"
#include "vfs/path.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/elf.h"
#include "mm/frame.h"
#include "mm/uaccess.h"
#include "proc/signal.h"
#include "syscall/syscall.h"

/* ---- the program ------------------------------------------------------------ */

static const struct program_ops *program_ops(const struct node *program) {
    return program->ops->program;
}

/* All n bytes, or an error: a file that ends too early is no executable. */
static int read_fully(struct node *program, uint64_t offset, void *dst, size_t n) {
    size_t done;
    int err = program_ops(program)->read(program, offset, dst, n, &done);
    return err ? err : done == n ? 0 : -K_ENOEXEC;
}

/* What stands in the file's headers; too large together for a kernel stack. The program headers
 * nearly always follow the ELF header, and then one read brings both. */
struct headers {
    struct elf_header elf;
    struct elf_phdr phdr[ELF_MAX_PHDRS];
    struct elf_plan plan;
};
_Static_assert(sizeof(struct headers) <= PAGE_SIZE, "headers fit a frame");
_Static_assert(offsetof(struct headers, phdr) == sizeof(struct elf_header), "as in most files");

#define USUAL_PHDRS 6

static int read_headers(struct node *program, uint64_t size, struct headers *h) {
    size_t done, usual = offsetof(struct headers, phdr[USUAL_PHDRS]);
    int err = program_ops(program)->read(program, 0, h, usual, &done);
    if (!err)
        err = done < sizeof(h->elf) ? -K_ENOEXEC : elf_check_header(&h->elf, size);
    if (!err && (h->elf.phoff != sizeof(h->elf) || h->elf.phnum > USUAL_PHDRS))
        err = read_fully(program, h->elf.phoff, h->phdr, h->elf.phnum * sizeof(h->phdr[0]));
    return err ? err : elf_plan(&h->elf, h->phdr, size, &h->plan);
}

/* The bytes of the file that a segment has in pages of its own. */
static int copy_segment(struct aspace *as, struct node *program, const struct elf_segment *s) {
    struct elf_pages p = elf_pages(s);
    uint64_t end = s->vaddr + s->filesz, at = MAX(p.shown, s->vaddr), stop;
    int err = 0;
    for (; at < end && !err; at = stop) {
        void *page;
        stop = MIN(end, ROUND_DOWN(at, PAGE_SIZE) + PAGE_SIZE);
        err = aspace_copied_page(as, at, &page);
        if (!err)
            err = read_fully(program, s->offset + (at - s->vaddr), (char *)page + at % PAGE_SIZE,
                             stop - at);
    }
    return err;
}

static int copy_segments(struct aspace *as, struct node *program, const struct elf_plan *plan) {
    int err = 0;
    for (uint32_t i = 0; i < plan->segments && !err; i++)
        err = copy_segment(as, program, &plan->segment[i]);
    return err;
}

/* Grants what the program wants. The rest of its pages come from the file when they are touched. */
static int grant(struct aspace *as, struct node *program, const struct elf_plan *plan,
                 paddr_t stack) {
    struct object *pages = NULL;
    int err = plan->pages > 0 ? program_ops(program)->map(program, plan->pages, &pages) : 0;
    if (err)
        return err;
    err = aspace_load(as, plan, pages, stack);
    if (pages)
        object_put(pages);
    return err;
}

/* ---- the stack page ----------------------------------------------------------- */

/* The arrays of the strings' addresses, each with a NULL behind it; argv stands below envp. They
 * and the strings have to lie on the page. */
static uint64_t array_bytes(const struct arguments *a) {
    return (a->count + 1 + a->environment) * sizeof(uint64_t);
}

/* `count` strings from *string on as an array; behind it. base: the page's address in the new
 * space. */
static uint64_t *put_array(const struct arguments *a, uint64_t *at, uint64_t count, uint64_t base,
                           uint64_t *string) {
    for (; count > 0; count--) {
        *at++ = base + *string;
        *string = arguments_next(a, *string);
    }
    *at++ = 0;
    return at;
}

/* A program whose stack has no size is one of xv6's: it knows of no environment, and needs what
 * room there is on its page. */
static void drop_environment(struct arguments *a) {
    a->environment = false;
    a->bytes = a->argument_bytes;
    a->count = a->argc;
}

/* Makes the frame with the strings the stack's highest page: they move to its end, and nothing is
 * left where they were. -K_E2BIG. */
static int make_stack_page(struct arguments *a, const struct elf_plan *plan, uint64_t *sp) {
    uint64_t soiled = MIN(a->bytes, PAGE_SIZE);
    if (!plan->stack)
        drop_environment(a);
    if (a->argc > ABI_MAXARG || a->count - a->argc > ABI_MAXENV ||
        a->bytes + array_bytes(a) > PAGE_SIZE)
        return -K_E2BIG;
    uint64_t string = PAGE_SIZE - a->bytes, base = aspace_stack(plan).v;
    *sp = ROUND_DOWN(string - array_bytes(a), 16);
    memmove(arguments_at(a, string), arguments_at(a, 0), a->bytes);
    memset(arguments_at(a, 0), 0, MIN(soiled, string));
    uint64_t *arrays = (uint64_t *)arguments_at(a, *sp);
    uint64_t *behind = put_array(a, arrays, a->argc, base, &string);
    if (a->environment)
        put_array(a, behind, a->count - a->argc, base, &string);
    return 0;
}

/* ---- the change of programs ------------------------------------------------------ */

/* The process is another program now: not the shell any more, if it was one. */
static void set_name(struct proc *p, const char *path) {
    const char *name = path;
    for (const char *c = path; *c; c++)
        if (*c == '/' && c[1])
            name = c + 1;
    spin_lock(&p->lock); /* proc_info may be reading them */
    str_copy(p->name, name, sizeof(p->name));
    str_copy(p->program, *path == '/' ? path : "", sizeof(p->program));
    spin_unlock(&p->lock);
    p->manages_jobs = false;
}

/* What load has found out for the rest of exec. */
struct start {
    const struct interface *interface;
    uint64_t entry, sp;
    uint64_t a0, a1, a2;
};

static void enter_program(const struct start *start) {
    struct trapframe *tf = thread_self()->tf;
    memset(&tf->ra, 0, sizeof(*tf) - offsetof(struct trapframe, ra));
    tf->epc = start->entry;
    tf->sp = start->sp;
    tf->a0 = start->a0;
    tf->a1 = start->a1;
    tf->a2 = start->a2;
    thread_fpu_reset();
    signal_exec();
    fence_i();
}

/* As main of xv6's programs and ours expects its arguments. The first frame becomes the stack's
 * page, which is not among the arguments any more when the space has it. */
static int load_own(struct aspace *as, struct node *program, const struct elf_plan *plan,
                    struct arguments *a, struct start *start) {
    uint64_t sp;
    int err = make_stack_page(a, plan, &sp);
    if (!err)
        err = grant(as, program, plan, a->frame[0]);
    if (err)
        return err;
    a->frame[0] = PA(0);
    *start = (struct start){.interface = &interface_own,
                            .entry = plan->entry,
                            .sp = aspace_stack(plan).v + sp,
                            .a0 = a->argc};
    start->a1 = start->sp;
    start->a2 = a->environment ? start->sp + (a->argc + 1) * sizeof(uint64_t) : 0;
    return 0;
}

static const struct foreign_programs *foreign;

void exec_add_foreign(const struct foreign_programs *programs) { foreign = programs; }

/* The stack's pages are filled in the new space. */
static int load_foreign(struct aspace *as, struct node *program, struct headers *h,
                        const struct arguments *a, const char *path, struct start *start) {
    struct foreign_start at;
    int err = foreign->plan(&h->elf, h->phdr, a, path, &h->plan, &at);
    if (!err)
        err = grant(as, program, &h->plan, PA(0));
    if (!err)
        err = foreign->fill_stack(as, a, path, &at);
    if (err)
        return err;
    *start = (struct start){.interface = foreign->interface, .entry = h->plan.entry, .sp = at.sp};
    return 0;
}

/* Fills an empty space with the program in a file, which is locked. After an error the space is to
 * be destroyed. */
static int load(struct aspace *as, struct node *program, uint64_t size, struct headers *h,
                struct arguments *a, const char *path, struct start *start) {
    int err = read_headers(program, size, h);
    if (err)
        return err;
    if (foreign && foreign->is_one(&h->elf, h->phdr, &h->plan))
        err = load_foreign(as, program, h, a, path, start);
    else
        err = load_own(as, program, &h->plan, a, start);
    return err ? err : copy_segments(as, program, &h->plan);
}

static int lock_and_load(struct aspace *as, struct node *program, struct headers *h,
                         struct arguments *a, const char *path, struct start *start) {
    uint64_t size;
    int err = program_ops(program)->begin(program, &size);
    if (err)
        return err;
    err = load(as, program, size, h, a, path, start);
    program_ops(program)->end(program);
    return err;
}

static int replace_program(const char *path, struct node *program, struct headers *h,
                           struct arguments *a) {
    struct proc *p = proc_self();
    struct start start;
    struct aspace *as;
    int err = proc_spare_space(p, &as);
    if (err)
        return err;
    err = lock_and_load(as, program, h, a, path, &start);
    if (!err)
        err = thread_be_alone();
    if (err) {
        aspace_destroy(as);
        return err;
    }
    proc_replace_space(p); /* the commit point */
    p->interface = start.interface;
    enter_program(&start);
    set_name(p, path);
    return 0;
}

static int replace_by_path(const char *path, struct arguments *a) {
    struct node *program;
    paddr_t scratch;
    int err = path_lookup(path, &program);
    if (err)
        return err;
    err = frame_alloc(&scratch);
    if (!err) {
        err = replace_program(path, program, pa_ptr(scratch), a);
        frame_free(scratch);
    }
    if (!err)
        fd_exec();
    node_put(program);
    node_reap(); /* what the program before had mapped */
    return err;
}

/* err: what gathering the strings gave. */
static int exec_with(const char *path, struct arguments *a, int err) {
    if (!err)
        err = replace_by_path(path, a);
    arguments_end(a);
    return err;
}

int exec_kernel(const char *path, const char *const *argv) {
    struct arguments a;
    int err = arguments_begin(&a);
    if (err)
        return err;
    for (; !err && *argv; argv++)
        err = arguments_add(&a, *argv);
    arguments_begin_environment(&a);
    return exec_with(path, &a, err);
}

/* envp: 0 for a program that gets no environment. */
static int exec_user(const uint64_t arg[2], uint64_t envp, uint64_t *result) {
    char path[ABI_MAXPATH];
    struct arguments a;
    int err = copyinstr(path, UA(arg[0]), sizeof(path));
    if (err)
        return err;
    err = arguments_begin(&a);
    if (err)
        return err;
    err = arguments_add_array(&a, UA(arg[1]));
    arguments_begin_environment(&a);
    a.environment = envp != 0;
    if (!err && envp)
        err = arguments_add_array(&a, UA(envp));
    err = exec_with(path, &a, err);
    if (!err)
        *result = thread_self()->tf->a0; /* argc, where the program expects it */
    return err;
}

int sys_exec(const uint64_t arg[6], uint64_t *result) { return exec_user(arg, 0, result); }

int sys_execve(const uint64_t arg[6], uint64_t *result) { return exec_user(arg, arg[2], result); }
