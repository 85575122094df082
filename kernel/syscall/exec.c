/* exec. The new address space is built aside, from a program's file and a stack
 * page; there is one commit point, after which nothing can fail, and one exit for
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

/* The stack page while it is filled from the top: the arguments' strings, those of the
 * environment, then the arrays of their addresses, each with a NULL behind it; argv stands below
 * envp. Everything lies on this page or the arguments are too long. */
struct stack {
    paddr_t frame;
    uint64_t sp;      /* offset in the page of what was pushed last */
    uint64_t soiled;  /* bytes from the page's start that strings have passed through */
    uint64_t strings; /* how many were pushed */
    uint64_t argc;    /* of them, the arguments */
    uint64_t below;   /* offset of the last argument */
    bool environment; /* the program gets one */
    uint16_t string[ABI_MAXARG + ABI_MAXENV]; /* offsets */
};

static char *stack_at(struct stack *s, uint64_t offset) {
    return (char *)pa_ptr(s->frame) + offset;
}

/* A string that has been put at the page's start goes to its place. */
static int push_string(struct stack *s, size_t bytes) {
    uint64_t place = ROUND_DOWN(s->sp - bytes, 16);
    s->soiled = MAX(s->soiled, ROUND_UP((uint64_t)bytes, 16));
    if (bytes > s->sp)
        return -K_E2BIG;
    memmove(stack_at(s, place), stack_at(s, 0), bytes);
    s->sp = place;
    s->string[s->strings++] = (uint16_t)place;
    return 0;
}

static int push_kernel_string(struct stack *s, const char *string) {
    size_t bytes = strlen(string) + 1;
    if (s->strings == ABI_MAXARG || bytes > s->sp)
        return -K_E2BIG;
    memcpy(stack_at(s, 0), string, bytes);
    return push_string(s, bytes);
}

static int push_user_string(struct stack *s, uaddr_t string) {
    int err = copyinstr(stack_at(s, 0), string, s->sp);
    if (err)
        return err == -K_ENAMETOOLONG ? -K_E2BIG : err;
    return push_string(s, strlen(stack_at(s, 0)) + 1);
}

/* The strings of an array, at most so many. */
static int push_user_strings(struct stack *s, uaddr_t array, uint64_t most) {
    for (most += s->strings;; array.v += sizeof(uint64_t)) {
        uint64_t string;
        int err = copyin(&string, array, sizeof(string));
        if (err || !string)
            return err;
        err = s->strings < most ? push_user_string(s, UA(string)) : -K_E2BIG;
        if (err)
            return err;
    }
}

static void end_arguments(struct stack *s) {
    s->argc = s->strings;
    s->below = s->sp;
}

/* Its strings are wiped away, with their way. */
static void drop_environment(struct stack *s) {
    s->environment = false;
    s->strings = s->argc;
    s->sp = s->below;
    s->soiled = 0;
    memset(stack_at(s, 0), 0, s->sp);
}

/* Strings first .. end as an array; behind it. base: the page's address in the new space. */
static uint64_t *put_array(const struct stack *s, uint64_t *at, uint64_t first, uint64_t end,
                           uint64_t base) {
    for (; first < end; first++)
        *at++ = base + s->string[first];
    *at++ = 0;
    return at;
}

/* The arrays, and nothing of the strings' way left below them. */
static int push_array(struct stack *s, uint64_t base) {
    uint64_t bytes = (s->strings + 1 + s->environment) * sizeof(uint64_t);
    if (bytes > s->sp)
        return -K_E2BIG;
    s->sp = ROUND_DOWN(s->sp - bytes, 16);
    uint64_t *behind = put_array(s, (uint64_t *)stack_at(s, s->sp), 0, s->argc, base);
    if (s->environment)
        put_array(s, behind, s->argc, s->strings, base);
    memset(stack_at(s, 0), 0, MIN(s->soiled, s->sp));
    return 0;
}

/* ---- the change of programs ------------------------------------------------------ */

/* The process is another program now: not the shell any more, if it was one. */
static void set_name(struct proc *p, const char *path) {
    const char *name = path;
    for (const char *c = path; *c; c++)
        if (*c == '/' && c[1])
            name = c + 1;
    spin_lock(&p->lock); /* proc_info may be reading it */
    str_copy(p->name, name, sizeof(p->name));
    spin_unlock(&p->lock);
    p->manages_jobs = false;
}

static void enter_program(const struct elf_plan *plan, const struct stack *s) {
    uint64_t base = aspace_stack(plan).v;
    struct trapframe *tf = thread_self()->tf;
    memset(&tf->ra, 0, sizeof(*tf) - offsetof(struct trapframe, ra));
    tf->epc = plan->entry;
    tf->sp = base + s->sp;
    tf->a0 = s->argc;
    tf->a2 = s->environment ? tf->sp + (s->argc + 1) * sizeof(uint64_t) : 0;
    tf->a1 = tf->sp;
    thread_fpu_reset();
    signal_exec();
    fence_i();
}

/* A program whose stack has no size is one of xv6's: it knows of no environment, and needs what
 * room there is on its page. */
static int finish_stack(struct stack *s, const struct elf_plan *plan) {
    if (!plan->stack && s->environment)
        drop_environment(s);
    return push_array(s, aspace_stack(plan).v);
}

/* Fills an empty space with the program in a file, which is locked, and the stack's page, which is
 * s->frame no more when the space has it. After an error the space is to be destroyed. */
static int load(struct aspace *as, struct node *program, uint64_t size, struct headers *h,
                struct stack *s) {
    int err = read_headers(program, size, h);
    if (!err)
        err = finish_stack(s, &h->plan);
    if (!err)
        err = grant(as, program, &h->plan, s->frame);
    if (err)
        return err;
    s->frame = PA(0);
    return copy_segments(as, program, &h->plan);
}

static int lock_and_load(struct aspace *as, struct node *program, struct headers *h,
                         struct stack *s) {
    uint64_t size;
    int err = program_ops(program)->begin(program, &size);
    if (err)
        return err;
    err = load(as, program, size, h, s);
    program_ops(program)->end(program);
    return err;
}

static int replace_program(const char *path, struct node *program, struct headers *h,
                           struct stack *s) {
    struct proc *p = proc_self();
    struct aspace *as;
    int err = proc_spare_space(p, &as);
    if (err)
        return err;
    err = lock_and_load(as, program, h, s);
    if (!err)
        err = thread_be_alone();
    if (err) {
        aspace_destroy(as);
        return err;
    }
    proc_replace_space(p); /* the commit point */
    p->interface = &interface_own;
    enter_program(&h->plan, s);
    set_name(p, path);
    return 0;
}

static int replace_by_path(const char *path, struct stack *s) {
    struct node *program;
    paddr_t scratch;
    int err = path_lookup(path, &program);
    if (err)
        return err;
    err = frame_alloc(&scratch);
    if (!err) {
        err = replace_program(path, program, pa_ptr(scratch), s);
        frame_free(scratch);
    }
    if (!err)
        fd_exec();
    node_put(program);
    node_reap(); /* what the program before had mapped */
    return err;
}

static int stack_begin(struct stack *s) {
    s->strings = 0;
    s->environment = false;
    s->sp = PAGE_SIZE;
    s->argc = s->soiled = 0;
    return frame_alloc(&s->frame);
}

/* err: what pushing the strings gave. The stack's frame goes to the new space, or back. */
static int exec_with(const char *path, struct stack *s, int err) {
    if (!err)
        err = replace_by_path(path, s);
    if (s->frame.v)
        frame_free(s->frame);
    return err;
}

int exec_kernel(const char *path, const char *const *argv) {
    struct stack s;
    int err = stack_begin(&s);
    if (err)
        return err;
    for (; !err && *argv; argv++)
        err = push_kernel_string(&s, *argv);
    end_arguments(&s);
    return exec_with(path, &s, err);
}

/* envp: 0 for a program that gets no environment. */
static int exec_user(const uint64_t arg[2], uint64_t envp, uint64_t *result) {
    char path[ABI_MAXPATH];
    struct stack s;
    int err = copyinstr(path, UA(arg[0]), sizeof(path));
    if (err)
        return err;
    err = stack_begin(&s);
    if (err)
        return err;
    err = push_user_strings(&s, UA(arg[1]), ABI_MAXARG);
    end_arguments(&s);
    s.environment = envp != 0;
    if (!err && envp)
        err = push_user_strings(&s, UA(envp), ABI_MAXENV);
    err = exec_with(path, &s, err);
    if (!err)
        *result = thread_self()->tf->a0; /* argc, where the program expects it */
    return err;
}

int sys_exec(const uint64_t arg[6], uint64_t *result) { return exec_user(arg, 0, result); }

int sys_execve(const uint64_t arg[6], uint64_t *result) { return exec_user(arg, arg[2], result); }
