/* The memory of threads: from its start a guard that nobody may touch, the stack, and at its end
 * the thread-local variables, of which the thread's record is one.
 *
 *     memory          stack              tp = end of the stack
 *     | guard         |                  | .tdata, .tbss |
 *
 * Some of the usual size are kept for the next threads, with the pages that they have. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "lock.h"
#include "thread.h"

#define PAGE 4096ul
#define BLOCK_ALIGN 64ul /* as user.ld promises */
#define USUAL_STACK (128ul * 1024)
#define KEPT_MOST 16

/* Made by the linker. */
extern char thread_data[], thread_data_end[], thread_block_size[], first_thread_block[];
#define DATA_SIZE ((size_t)(thread_data_end - thread_data))
#define BLOCK_SIZE ((size_t)thread_block_size)

uint32_t thread_memory_lock;
static struct pthread *kept; /* of the usual size */
static unsigned kept_count;

static const pthread_attr_t usual = {USUAL_STACK, PAGE, NULL, PTHREAD_CREATE_JOINABLE};

/* ---- the record and its block --------------------------------------------------- */

char *thread_pointer_of(struct pthread *t) {
    return (char *)t - ((char *)&thread_record - (char *)__builtin_thread_pointer());
}

/* The block that begins at tp, as at the start of a program. */
static struct pthread *begin_block(char *tp) {
    memcpy(tp, thread_data, DATA_SIZE);
    memset(tp + DATA_SIZE, 0, BLOCK_SIZE - DATA_SIZE);
    return (void *)(tp + ((char *)&thread_record - (char *)__builtin_thread_pointer()));
}

static char *block_below(char *end) {
    return (char *)(((uintptr_t)end - BLOCK_SIZE) & ~(BLOCK_ALIGN - 1));
}

/* ---- kept ones ------------------------------------------------------------------- */

static size_t whole_pages(size_t n) { return (n + PAGE - 1) & ~(PAGE - 1); }

static size_t usual_size(void) {
    return PAGE + whole_pages(USUAL_STACK + BLOCK_SIZE + BLOCK_ALIGN);
}

static struct pthread *take_kept(void) {
    lock_take(&thread_memory_lock);
    struct pthread *t = kept;
    if (t) {
        kept = t->next;
        kept_count--;
    }
    lock_give(&thread_memory_lock);
    return t;
}

static bool keep(struct pthread *t) {
    lock_take(&thread_memory_lock);
    bool room = kept_count < KEPT_MOST;
    if (room) {
        t->next = kept;
        kept = t;
        kept_count++;
    }
    lock_give(&thread_memory_lock);
    return room;
}

/* ---- taking and giving ------------------------------------------------------------- */

/* NULL: there is none. */
static char *map(size_t guard, size_t size) {
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (guard > 0 && mprotect(memory, guard, PROT_NONE) < 0) {
        munmap(memory, size);
        return NULL;
    }
    return memory;
}

int thread_memory_take(const pthread_attr_t *attr, struct pthread **out) {
    attr = attr ? attr : &usual;
    if (attr->stack) {
        *out = begin_block(block_below((char *)attr->stack + attr->stack_size));
        return 0;
    }
    size_t guard = whole_pages(attr->guard_size);
    size_t size = guard + whole_pages(attr->stack_size + BLOCK_SIZE + BLOCK_ALIGN);
    bool is_usual = guard == PAGE && size == usual_size();
    struct pthread *t = is_usual ? take_kept() : NULL;
    char *memory = t ? t->memory : size < attr->stack_size ? NULL : map(guard, size);
    if (!memory)
        return EAGAIN;
    t = begin_block(block_below(memory + size));
    t->memory = memory;
    t->size = size;
    t->usual = is_usual;
    *out = t;
    return 0;
}

void thread_memory_give(struct pthread *t) {
    if (!t->memory || (t->usual && keep(t)))
        return;
    munmap(t->memory, t->size);
}

/* ---- attributes --------------------------------------------------------------------- */

int pthread_attr_init(pthread_attr_t *attr) {
    *attr = usual;
    return 0;
}

int pthread_attr_destroy(pthread_attr_t *attr) { return 0; }

int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state) {
    *state = attr->detached;
    return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attr, int state) {
    if (state != PTHREAD_CREATE_JOINABLE && state != PTHREAD_CREATE_DETACHED)
        return EINVAL;
    attr->detached = state;
    return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *restrict attr, size_t *restrict size) {
    *size = attr->stack_size;
    return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attr, size_t size) {
    if (size < PTHREAD_STACK_MIN)
        return EINVAL;
    attr->stack_size = size;
    return 0;
}

int pthread_attr_getguardsize(const pthread_attr_t *restrict attr, size_t *restrict size) {
    *size = attr->guard_size;
    return 0;
}

int pthread_attr_setguardsize(pthread_attr_t *attr, size_t size) {
    attr->guard_size = size;
    return 0;
}

int pthread_attr_getstack(const pthread_attr_t *restrict attr, void **restrict stack,
                          size_t *restrict size) {
    *stack = attr->stack;
    *size = attr->stack_size;
    return 0;
}

int pthread_attr_setstack(pthread_attr_t *attr, void *stack, size_t size) {
    if (size < PTHREAD_STACK_MIN)
        return EINVAL;
    attr->stack = stack;
    attr->stack_size = size;
    return 0;
}
