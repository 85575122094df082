/* exec. The new address space is built aside, from a program's file and the strings
 * that it is given; there is one commit point, after which nothing can fail, and one exit for
 * every failure before it. */
#include "syscall/exec.h"
#include "arch/cpu.h"
#include "vfs/descriptor.h"
#include "vfs/path.h"
#include "vfs/where.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/uaccess.h"
#include "proc/signal.h"
#include "syscall/program.h"
#include "syscall/syscall.h"

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

/* The process is another program now: not the shell any more, if it was one. file: the program's,
 * which a script's path is not, from the root; empty: it is not known. */
static void set_name(struct proc *p, const char *path, const char *file,
                     const struct proc_strings *arguments) {
    const char *name = path;
    for (const char *c = path; *c; c++)
        if (*c == '/' && c[1])
            name = c + 1;
    spin_lock(&p->lock); /* proc_info may be reading them */
    str_copy(p->name, name, sizeof(p->name));
    str_copy(p->program, file, sizeof(p->program));
    p->arguments = *arguments;
    spin_unlock(&p->lock);
    p->manages_jobs = false;
}

/* What load has found out for the rest of exec. */
struct start {
    const struct interface *interface;
    uint64_t entry, sp;
    uint64_t a0, a1, a2;
    bool other; /* it is started as another system has it */
    struct foreign_start foreign;
    struct proc_strings arguments;
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
static int load_own(struct aspace *as, struct node *file, const struct elf_plan *plan,
                    struct arguments *a, struct start *start) {
    uint64_t sp;
    int err = plan->movable ? -K_ENOEXEC : make_stack_page(a, plan, &sp);
    if (!err)
        err = program_load(as, file, plan, a->frame[0]);
    if (err)
        return err;
    a->frame[0] = PA(0);
    *start = (struct start){.interface = &interface_own,
                            .entry = plan->entry,
                            .sp = aspace_stack(plan).v + sp,
                            .a0 = a->argc};
    start->arguments.start = aspace_stack(plan).v + PAGE_SIZE - a->bytes;
    start->arguments.end = start->arguments.start + a->argument_bytes;
    start->a1 = start->sp;
    start->a2 = a->environment ? start->sp + (a->argc + 1) * sizeof(uint64_t) : 0;
    return 0;
}

/* ---- programs of another system ---- */

static const struct foreign_programs *foreign;

void exec_add_foreign(const struct foreign_programs *programs) { foreign = programs; }

static int load_foreign(struct aspace *as, struct node *file, struct program *p,
                        const struct arguments *a, const char *path, struct start *start) {
    *start = (struct start){.interface = foreign->interface, .other = true};
    int err = foreign->plan(file, p, a, path, &start->foreign);
    if (!err)
        err = program_load(as, file, &p->plan, PA(0));
    start->entry = p->plan.entry;
    start->sp = start->foreign.sp;
    return err;
}

/* In the file of the interpreter, which does not change meanwhile. What is no program would be
 * taken for a script, or for a mistake of who asked for the program. */
static int load_more(struct aspace *as, struct node *file, uint64_t size, struct program *p,
                     struct start *start) {
    int err = program_read_headers(file, size, p);
    if (!err)
        err = foreign->place(as, p, &start->foreign);
    if (!err)
        err = program_load_more(as, file, &p->plan);
    if (!err)
        err = program_copy(as, file, &p->plan);
    start->entry = p->plan.entry;
    return err == -K_ENOEXEC || err == -K_EEXIST ? -K_ELIBBAD : err;
}

/* The program that is entered in the place of the one that asks for it, and finds that one by what
 * is on the stack. */
static int load_interpreter(struct aspace *as, struct program *p, struct start *start) {
    struct node *file;
    uint64_t size;
    int err = path_lookup(p->interpreter, &file);
    if (err)
        return err;
    err = program_begin(file, &size);
    if (err) {
        err = err == -K_ENOEXEC ? -K_EACCES : err;
    } else {
        err = load_more(as, file, size, p, start);
        program_end(file);
    }
    node_put(file);
    return err;
}

/* What does not need the program's file any more, which its interpreter may be, too. The stack's
 * pages are filled in the new space. */
static int finish_foreign(struct aspace *as, struct program *p, const struct arguments *a,
                          const char *path, struct start *start) {
    int err = p->interpreter[0] ? load_interpreter(as, p, start) : 0;
    start->arguments.start = start->foreign.end - a->bytes;
    start->arguments.end = start->arguments.start + a->argument_bytes;
    return err ? err : foreign->fill_stack(as, a, path, &start->foreign);
}

/* ---- one of either sort ---- */

/* Fills an empty space with the program in a file, which is locked. */
static int load(struct aspace *as, struct node *file, uint64_t size, struct program *p,
                struct arguments *a, const char *path, struct start *start) {
    bool other = false;
    int err = program_read_headers(file, size, p);
    if (!err && foreign)
        err = foreign->is_one(file, p, &other);
    if (err)
        return err;
    if (other)
        err = load_foreign(as, file, p, a, path, start);
    else
        err = load_own(as, file, &p->plan, a, start);
    return err ? err : program_copy(as, file, &p->plan);
}

/* After an error the space is to be destroyed. */
static int lock_and_load(struct aspace *as, struct node *file, struct program *p,
                         struct arguments *a, const char *path, struct start *start) {
    uint64_t size;
    p->interpreter[0] = '\0';
    int err = program_begin(file, &size);
    if (err)
        return err;
    err = load(as, file, size, p, a, path, start);
    program_end(file);
    if (!err && start->other)
        err = finish_foreign(as, p, a, path, start);
    return err;
}

/* The path from the root of what was run as `name`; empty: it is not known. It takes a walk, which
 * is for programs that ask for it: of ours it is told when they were run so. */
static void find_path(bool other, const char *name, char *full, size_t size) {
    bool known = other ? !path_from_root(name, full, size)
                       : *name == '/' && str_copy(full, name, size) < size;
    if (!known)
        full[0] = '\0';
}

static int replace_program(const char *path, const char *name, struct node *file,
                           struct program *program, struct arguments *a) {
    struct proc *p = proc_self();
    struct start start;
    struct aspace *as;
    char full[sizeof(p->program)];
    int err = proc_spare_space(p, &as);
    if (err)
        return err;
    err = lock_and_load(as, file, program, a, path, &start);
    if (!err)
        err = thread_be_alone();
    if (err) {
        aspace_destroy(as);
        return err;
    }
    find_path(start.other, name, full, sizeof(full));
    proc_replace_space(p);                                              /* the commit point */
    __atomic_store_n(&p->interface, start.interface, __ATOMIC_RELAXED); /* senders look at it */
    enter_program(&start);
    set_name(p, path, full, &start.arguments);
    return 0;
}

static int replace_by_file(const char *path, const char *name, struct program *program,
                           struct arguments *a) {
    struct node *file;
    program->script.name = 0;
    int err = path_lookup(name, &file);
    if (err)
        return err;
    err = replace_program(path, name, file, program, a);
    if (!err)
        fd_exec();
    node_put(file);
    return err;
}

/* The script with this name is read by the program that it asks for, whose arguments are its own
 * path, the one that the script has for it, the script, and what the script was given. */
static int follow_script(struct program *p, const char *name, struct arguments *a) {
    const char *first[3], *reader = p->script.line + p->script.name;
    unsigned n = 0;
    first[n++] = reader;
    if (p->script.argument)
        first[n++] = p->script.line + p->script.argument;
    first[n++] = name;
    int err = arguments_replace_first(a, first, n);
    str_copy(p->file, reader, sizeof(p->file));
    return err;
}

static bool attr_of(const char *path, struct node_attr *a) {
    struct node *n;
    if (path_lookup(path, &n))
        return false;
    int err = n->ops->attr(n, a);
    node_put(n);
    return !err;
}

bool exec_is_no_file(const char *path) {
    struct node_attr a;
    return attr_of(path, &a) && a.type != NODE_FILE;
}

bool exec_is_forbidden(const char *path) {
    struct node_attr a;
    return attr_of(path, &a) && node_attr_forbids_exec(&a);
}

static int replace_by_path(const char *path, struct arguments *a) {
    const char *name = path;
    paddr_t scratch;
    int err = frame_alloc(&scratch);
    if (err)
        return err;
    struct program *program = pa_ptr(scratch);
    for (unsigned scripts = 0;; scripts++) {
        err = replace_by_file(path, name, program, a);
        if (err != -K_ENOEXEC || !program->script.name)
            break;
        err = scripts < SCRIPT_DEPTH ? follow_script(program, name, a) : -K_ELOOP;
        if (err)
            break;
        name = program->file;
    }
    if (err == -K_ENOEXEC && name != path && exec_is_no_file(name))
        err = -K_EACCES;
    frame_free(scratch);
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

/* Those of an array, or none. */
static int add_array(struct arguments *a, uint64_t array) {
    return array ? arguments_add_array(a, UA(array)) : 0;
}

int exec_path(const char *path, const struct exec_strings *s, uint64_t *result) {
    struct arguments a;
    int err = arguments_begin(&a);
    if (err)
        return err;
    err = s->argv || !s->empty_argv ? arguments_add_array(&a, UA(s->argv)) : 0;
    if (!err && s->empty_argv && a.count == 0)
        err = arguments_add(&a, "");
    arguments_begin_environment(&a);
    a.environment = s->environment;
    if (!err)
        err = add_array(&a, s->envp);
    err = exec_with(path, &a, err);
    if (!err)
        *result = thread_self()->tf->a0; /* argc, where the program expects it */
    return err;
}

/* envp: 0 for a program that gets no environment. */
static int exec_user(const uint64_t arg[2], uint64_t envp, uint64_t *result) {
    const struct exec_strings strings = {.argv = arg[1], .envp = envp, .environment = envp != 0};
    char path[ABI_MAXPATH];
    int err = copyinstr(path, UA(arg[0]), sizeof(path));
    return err ? err : exec_path(path, &strings, result);
}

int sys_exec(const uint64_t arg[6], uint64_t *result) { return exec_user(arg, 0, result); }

int sys_execve(const uint64_t arg[6], uint64_t *result) { return exec_user(arg, arg[2], result); }
