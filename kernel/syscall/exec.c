/* exec. The new address space is built aside, from a program image and a stack
 * page; there is one commit point, after which nothing can fail, and one exit for
 * every failure before it. */
#include "syscall/exec.h"
#include "arch/cpu.h"
#include "fs/data.h"
#include "fs/filemap.h"
#include "fs/path.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/elf.h"
#include "mm/frame.h"
#include "mm/uaccess.h"
#include "proc/proc.h"
#include "syscall/syscall.h"

/* ---- the program ------------------------------------------------------------ */

/* All n bytes, or an error: a file that ends too early is no executable. */
static int read_fully(struct inode *ip, uint64_t offset, void *dst, size_t n) {
    size_t done;
    int err = data_read_kernel(ip, offset, dst, n, &done);
    return err ? err : done == n ? 0 : -K_ENOEXEC;
}

/* What stands in the file's headers; too large together for a kernel stack. */
struct headers {
    struct elf_header elf;
    struct elf_phdr phdr[ELF_MAX_PHDRS];
    struct elf_plan plan;
};
_Static_assert(sizeof(struct headers) <= PAGE_SIZE, "headers fit a frame");

static int read_headers(struct inode *ip, struct headers *h) {
    int err = read_fully(ip, 0, &h->elf, sizeof(h->elf));
    if (!err)
        err = elf_check_header(&h->elf, ip->d.size);
    if (!err)
        err = read_fully(ip, h->elf.phoff, h->phdr, h->elf.phnum * sizeof(h->phdr[0]));
    return err ? err : elf_plan(&h->elf, h->phdr, ip->d.size, &h->plan);
}

static int read_segment(struct inode *ip, const struct elf_segment *s, struct image *image,
                        uint32_t first_page) {
    uint64_t in_page = s->vaddr & (PAGE_SIZE - 1), n;
    const paddr_t *page = &image->page[first_page];
    for (uint64_t done = 0; done < s->filesz; done += n) {
        n = MIN(s->filesz - done, PAGE_SIZE - in_page);
        int err = read_fully(ip, s->offset + done, (char *)pa_ptr(*page++) + in_page, n);
        if (err)
            return err;
        in_page = 0;
    }
    return 0;
}

static int fill_image(struct inode *ip, const struct elf_plan *plan, struct image *image) {
    uint32_t page = 0;
    image->entry = plan->entry;
    image->end = plan->end;
    image->stack = plan->stack;
    for (uint32_t i = 0; i < plan->segments; i++) {
        const struct elf_segment *s = &plan->segment[i];
        uint64_t start = ROUND_DOWN(s->vaddr, PAGE_SIZE), file_pages = elf_file_pages(s);
        image->segment[image->segments++] = (struct image_segment){
            .start = start,
            .file_end = start + file_pages * PAGE_SIZE,
            .end = ROUND_UP(s->vaddr + s->memsz, PAGE_SIZE),
            .perm = s->perm,
            .first_page = page};
        int err = read_segment(ip, s, image, page);
        if (err)
            return err;
        page += (uint32_t)file_pages;
    }
    return 0;
}

static int load_image(struct inode *ip, struct headers *h, struct image **out) {
    int err = read_headers(ip, h);
    if (err)
        return err;
    err = image_create(h->plan.pages, out);
    if (err)
        return err;
    err = fill_image(ip, &h->plan, *out);
    if (err)
        image_put(*out);
    return err;
}

/* The image of a file: from the cache, else from the disk. The inode is locked. */
static int image_of(struct inode *ip, struct image **out) {
    struct image_key key = {.dev = FS_DEV, .inum = ip->inum, .version = filemap_version(ip)};
    int err = image_find(key, out);
    if (err || *out)
        return err;
    paddr_t scratch;
    err = frame_alloc(&scratch);
    if (err)
        return err;
    err = load_image(ip, pa_ptr(scratch), out);
    frame_free(scratch);
    if (!err)
        image_publish(*out, key);
    return err;
}

static int image_of_path(const char *path, struct image **out) {
    struct inode *ip;
    int err = path_lookup(path, &ip);
    if (err)
        return err;
    err = inode_lock(ip);
    if (!err) {
        err = ip->d.type == ABI_T_FILE ? image_of(ip, out) : -K_ENOEXEC;
        inode_unlock(ip);
    }
    inode_put(ip);
    inode_reap();
    return err;
}

/* ---- the stack page ----------------------------------------------------------- */

/* The stack page while it is filled from the top: strings, then the array of
 * their addresses. Everything lies on this page or the arguments are too long. */
struct stack {
    paddr_t frame;
    uint64_t sp;     /* offset in the page of what was pushed last */
    uint64_t soiled; /* bytes from the page's start that strings have passed through */
    uint64_t argc;
    uint64_t string[ABI_MAXARG]; /* offsets */
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
    s->string[s->argc++] = place;
    return 0;
}

static int push_kernel_string(struct stack *s, const char *string) {
    size_t bytes = strlen(string) + 1;
    if (s->argc == ABI_MAXARG || bytes > s->sp)
        return -K_E2BIG;
    memcpy(stack_at(s, 0), string, bytes);
    return push_string(s, bytes);
}

static int push_user_string(struct stack *s, uaddr_t string) {
    if (s->argc == ABI_MAXARG)
        return -K_E2BIG;
    int err = copyinstr(stack_at(s, 0), string, s->sp);
    if (err)
        return err == -K_ENAMETOOLONG ? -K_E2BIG : err;
    return push_string(s, strlen(stack_at(s, 0)) + 1);
}

static int push_user_strings(struct stack *s, uaddr_t argv) {
    for (;; argv.v += sizeof(uint64_t)) {
        uint64_t string;
        int err = copyin(&string, argv, sizeof(string));
        if (err || !string)
            return err;
        err = push_user_string(s, UA(string));
        if (err)
            return err;
    }
}

/* The array, and nothing of the strings' way left below it. base: the page's
 * address in the new space. */
static int push_array(struct stack *s, uint64_t base) {
    uint64_t bytes = (s->argc + 1) * sizeof(uint64_t);
    if (bytes > s->sp)
        return -K_E2BIG;
    s->sp = ROUND_DOWN(s->sp - bytes, 16);
    uint64_t *argv = (uint64_t *)stack_at(s, s->sp);
    for (uint64_t i = 0; i < s->argc; i++)
        argv[i] = base + s->string[i];
    argv[s->argc] = 0;
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
    str_copy(p->name, name, sizeof(p->name));
    p->manages_jobs = false;
}

static void enter_program(struct proc *p, const struct image *image, const struct stack *s) {
    uint64_t base = aspace_stack(image).v;
    struct trapframe *tf = p->tf;
    memset(&tf->ra, 0, sizeof(*tf) - offsetof(struct trapframe, ra));
    tf->epc = image->entry;
    tf->sp = base + s->sp;
    tf->a0 = s->argc;
    tf->a1 = tf->sp;
    proc_fpu_reset();
    fence_i();
}

/* With the image found and the strings pushed. */
static int replace(const char *path, struct image *image, struct stack *s) {
    struct proc *p = proc_self();
    struct aspace *as;
    int err = push_array(s, aspace_stack(image).v);
    if (err)
        return err;
    err = proc_spare_space(p, &as);
    if (err)
        return err;
    err = aspace_load(as, image, s->frame);
    if (err) {
        aspace_destroy(as);
        return err;
    }
    proc_replace_space(p); /* the commit point */
    enter_program(p, image, s);
    set_name(p, path);
    return 0;
}

static int stack_begin(struct stack *s) {
    s->sp = PAGE_SIZE;
    s->argc = s->soiled = 0;
    return frame_alloc(&s->frame);
}

/* err: what pushing the strings gave. The stack's frame goes to the new space, or
 * back. */
static int exec_with(const char *path, struct stack *s, int err) {
    struct image *image;
    if (!err)
        err = image_of_path(path, &image);
    if (!err) {
        err = replace(path, image, s);
        image_put(image);
        inode_reap(); /* files that the program before had mapped */
    }
    if (err)
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
    return exec_with(path, &s, err);
}

int sys_exec(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    struct stack s;
    int err = copyinstr(path, UA(arg[0]), sizeof(path));
    if (err)
        return err;
    err = stack_begin(&s);
    if (err)
        return err;
    err = exec_with(path, &s, push_user_strings(&s, UA(arg[1])));
    if (!err)
        *result = proc_self()->tf->a0; /* argc, where the program expects it */
    return err;
}
