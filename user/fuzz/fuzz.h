/* fuzzcalls and fuzzlinux [CALLS [SEED [ROUND]]]: random system calls of one interface, ours or
 * Linux's: the same program, compiled twice. Nothing of a C library is in between.
 *
 * A round is a process that arranges its memory and files (memory.c), makes some hundred calls from
 * one, two or three threads (flow.c) with arguments that mostly fit (argument.c, linux.c, own.c),
 * and ends. What calls may write to lies apart from all else, and all else is looked at: so are
 * registers after each call, the number of each error, and how the process ends. What waits for
 * nothing is interrupted, then killed (main.c). A round's choices follow from SEED and its number;
 * ROUND does that one alone. The order between threads is the scheduler's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PAGE 4096UL
#define FLOWS 16
#define RECORDS 48
#define MOST_CALLS 512   /* numbers of calls that are counted */
#define END_FAILED 99    /* a process's status: it has found something */
#define END_NO_MEMORY 98 /* it could not begin */

/* ---- the interface (linux.c, own.c) ---- */

/* Arguments are described by a letter each: argument.c. */
struct call {
    uint16_t number;
    const char *name, *arguments;
};
extern const struct call calls[];
extern const unsigned call_count;

/* Whether it is done, now that it was picked: what takes long is done less often. */
bool chosen(const struct call *call);
/* At the start of a round: what the interface has besides files and pipes, some of it kept. */
void open_more(void);
/* A call has succeeded: a descriptor that it gave is kept, for calls that need such a one. */
void remember(uint64_t number, long result);
/* Makes arguments fit each other and the call, which are random ones so far. */
void refine(const struct call *call, uint64_t a[6]);
/* The number by which it is called, of those that it has; and one that no call has. */
uint64_t wanted_number(const struct call *call);
uint64_t unknown_number(void);
/* Does a call that needs more than its number and arguments; false: it is none of these. */
bool special(const struct call *call, const uint64_t a[6]);

/* What the program itself needs; the negative of an error's number. */
long do_fork(void);
long do_wait(long pid, int *status, int options);
long do_kill(long pid, int signal);
long do_sleep(uint64_t nanoseconds);
long do_yield(void);
_Noreturn void do_exit(int status);
_Noreturn void do_thread_exit(void);
long do_mmap(uint64_t at, uint64_t n, int prot, int flags, int fd, uint64_t offset);
long do_mprotect(uint64_t at, uint64_t n, int prot);
long do_open(const char *path, bool create);
long do_pipe(int fds[2], bool waits);
long do_close(int fd);
long do_remove(const char *name, bool directory);
long do_mkdir(const char *name);
long do_chdir(const char *name);
long do_own_group(void);
long do_write(int fd, const void *from, size_t n);
long do_getpid(void);
long do_tid(void);
struct flow;
long do_thread(struct flow *f); /* it begins in flow_entry */
bool do_handler(int signal, void (*handler)(int));

#define O_CREATES true
#define PROT_RW 3
#define MAP_OWN 0x22 /* private and anonymous */
#define MAP_SHARED_OWN 0x21
#define MAP_THERE 0x10 /* fixed */
#define SIGKILL_ 9
#define SIGUSR1_ 10
#define SIGUSR2_ 12
#define SIGALRM_ 14
#define SIGCHLD_ 17
#define SIGCONT_ 18
#define SIGSTOP_ 19
#define NOHANG 1
#define STOPPED_TOO 2 /* of do_wait: it tells of those, too */
#define EINTR_ 4

/* start.S: after: a1 to a5 and a7 as the call has left them */
long raw_call(uint64_t number, const uint64_t a[6], uint64_t after[6]);
long raw_clone(uint64_t flags, uint64_t stack, uint64_t told, uint64_t tp, uint64_t cleared);
_Noreturn void raw_return(uint64_t number, uint64_t sp);
void set_tp(void *to);

static inline long call6(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                         uint64_t e, uint64_t f) {
    const uint64_t args[6] = {a, b, c, d, e, f};
    uint64_t after[6];
    return raw_call(number, args, after);
}
#define CALL_OF(number, a, b, c) call6(number, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0, 0)

/* ---- what all processes of a round share (main.c) ---- */

struct record { /* of a thread: its call */
    int32_t pid, done;
    uint64_t number, a[6];
    long result;
};
#define EXCUSED_FAULT 1  /* a fault may end the process */
#define EXCUSED_MEMORY 2 /* what must stay may have been unmapped */
struct shared {
    uint64_t progress, round, next_record;
    uint32_t excused; /* EXCUSED_...: what it has asked for */
    uint32_t failed;
    uint32_t told; /* how all of it has ended */
    char what[160];
    struct record record[RECORDS];
    uint64_t tried[MOST_CALLS], succeeded[MOST_CALLS];
};
extern struct shared *shared;

/* ---- random numbers: of the thread that asks ---- */
uint64_t random64(void);
static inline uint64_t below(uint64_t n) { return random64() % n; }
static inline bool one_in(unsigned n) { return below(n) == 0; }
#define CHOICE(array) (array)[below(sizeof(array) / sizeof((array)[0]))]

/* ---- threads and processes of a round (flow.c) ---- */

struct flow {
    uint64_t random;
    struct record *record;
    bool is_process; /* it borrows its parent's memory */
    uint32_t taken;
    unsigned calls;
    uint64_t apart[4]; /* a structure that nobody else writes to */
    char stack[24576] __attribute__((aligned(16)));
};
extern struct flow flows[FLOWS];
static inline struct flow *me(void) {
    struct flow *f;
    __asm__ volatile("mv %0, tp" : "=r"(f));
    return f;
}
struct flow *flow_take(unsigned most_calls, bool is_process); /* NULL: all are taken */
void flow_entry(struct flow *f);
_Noreturn void round_run(uint64_t seed, uint64_t number);
void child_goes_on(void); /* after a fork */
void excuse(void);        /* from now on it may jump anywhere, and a fault is no mistake */
void excuse_memory(void); /* nor that memory has changed */
_Noreturn void fail(const char *what, uint64_t a, uint64_t b);
extern bool wild; /* this process alone may */
void on_signal(int signal);

/* ---- memory (memory.c) ---- */
#define ARENA 0x1000000000UL
#define PLAY (ARENA + 64 * PAGE)
#define PLAY_PAGES 64
#define SCRATCH (ARENA + PAGE)
#define SCRATCH_PAGES 8
#define OTHER_STACKS (ARENA + 256 * PAGE) /* for handlers, one for each thread */
#define OTHER_STACK_SIZE (2 * PAGE)
bool memory_arrange(int file);
void memory_check(void);        /* nothing but what calls may write to has changed */
uint64_t scratch(size_t bytes); /* a place that can be written, aligned to 8 */
uint64_t any_address(void);
uint64_t play_address(void);

/* ---- arguments (argument.c) ---- */
uint64_t argument(char letter);
uint64_t any_size(void);
uint64_t any_flags(void);
uint64_t any_pid(void);
uint64_t any_fd(void);
enum kept {
    KEPT_SOCKETS,
    KEPT_SETS,
    KEPT_TIMERS,
    KEPT_QUEUES,    /* of notes */
    KEPT_PROCESSES, /* pidfds */
    KEPT_SEALED,    /* memfds */
    KEPT_TERMINALS, /* both ends of pseudo-terminals */
    KEPT_KINDS
};
void keep_fd(enum kept kind, long fd);
uint64_t any_path(void);
uint64_t any_signal(void);
/* Memory for a structure of these words: mostly there and filled with them, sometimes not. */
uint64_t put_words(const uint64_t *words, unsigned n);

/* ---- of sockets (sockets.c) ---- */
struct socket_name {
    uint64_t at, bytes;
};
struct socket_name any_name(void);
extern uint64_t usual_family; /* of the round's sockets */
uint64_t any_family(void);
uint64_t any_kind(void);
uint64_t any_name_size(void);
uint64_t any_message(void);
uint64_t any_messages(void);
uint64_t any_message_flags(void);
void refine_option(uint64_t a[6]); /* setsockopt's and getsockopt's level, number and value */

/* ---- for the interfaces (special.c) ---- */
void keep_in_play(uint64_t a[6]);      /* a range that is unmapped, replaced or protected */
void keep_move_in_play(uint64_t a[6]); /* mremap's */
void excuse_if_fault(uint64_t signal);
bool records_left(void);
void return_special(uint64_t number);
bool exec_special(uint64_t number, const uint64_t a[6], unsigned path_at);
extern const char end[];
static inline uint64_t program_end(void) { return ((uint64_t)end + PAGE - 1) / PAGE * PAGE; }

/* ---- output (main.c) ---- */
struct text {
    char *at, *end;
};
void put_text(struct text *t, const char *s);
void put_number(struct text *t, uint64_t n, unsigned base);
bool ends_with_name(const char *path); /* this program's */
