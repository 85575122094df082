/* Threads of one address space, and of its children's, that do things at once: each is a fiber
 * (fibers.h), and who goes on next, at every place where a thread may be held up, is a decision.
 * What each page must hold is known exactly, since a change of mappings counts from the moment at
 * which its turn ends (mm/turn.h), and a store from the moment at which it is made.
 *
 * Held up is a thread
 * - in a break of long work, where it waits for a turn, and where an object is asked for a page:
 * then it has left its hart, and goes on on any;
 * - after a lock has been given back, when it has none; while it waits for a lock or for another
 *   hart's copy; and with locks, where a frame is taken and where another hart is asked to flush:
 * then its hart is held up with it.
 *
 * threadmodel.c knows what must be; threadops.h has what does things. */
#pragma once
#include "aspaceenv.h"
#include "mm/design.h"
#include "mm/object.h"
#include "mm/rmap.h"

/* A number below n for every decision; 0 when nobody decides any more: nobody is held up then, but
 * where he must wait. */
extern uint64_t (*threads_choose)(uint64_t n);

/* A process of this design, and FIBERS threads. Then any number of steps, and the end, which lets
 * all finish what they do, and looks for what is lost. */
void threads_begin(unsigned design, unsigned asid_bits);
void threads_step(void);
void threads_end(void);

/* ---- the model ---- */

#define HEAP_PAGES 16
#define MAP_PAGES (ENV_MAPS / PAGE_SIZE)
#define PAGES (HEAP_PAGES + MAP_PAGES)
#define FILE_PAGES 8
#define SHARED_OBJECTS 16

enum kind { NOTHING, ZEROS, SHARED, FILE_PRIVATE, FILE_SHARED };

/* Words at the ends of a page. */
struct words {
    uint64_t at[2];
};

struct shared {
    struct object *object;
    struct words page[MAP_PAGES];
};

struct page {
    enum kind kind;
    uint8_t perm;          /* PTE_R and so on */
    bool own;              /* of FILE_PRIVATE: it has been copied */
    uint16_t index;        /* of the file's or the shared object's page */
    struct shared *shared; /* of SHARED */
    struct words words;    /* of ZEROS, and of what is its own */
    uint64_t stored;       /* when somebody has stored to it last: threads_now */
};

struct world {
    bool used;
    bool whole; /* it may be looked at: not while it is made or ends */
    uint64_t brk;
    struct page page[PAGES];
};
extern struct world worlds[ENV_PROCS];
static inline struct world *world_of(const struct env_proc *p) { return &worlds[p - env_procs]; }

/* The file that all can map: see aspacetest_files.c. */
struct file {
    struct object object;
    struct rmap rmap;
    int refs;
    uint64_t end; /* pages that it has */
    bool busy;    /* its pages are being taken away or closed for writes, from `from` on */
    uint64_t from;
    uint32_t changes; /* how often that was so */
    unsigned showing; /* a page is shown to somebody */
    paddr_t frame[FILE_PAGES];
    bool writable[FILE_PAGES];
    struct words page[FILE_PAGES];
};
extern struct file the_file;
extern uint64_t threads_now; /* steps so far */

static inline uint64_t va_of(uint64_t page) {
    return page < HEAP_PAGES ? page * PAGE_SIZE : ENV_MAPS_START + (page - HEAP_PAGES) * PAGE_SIZE;
}

/* Where its words stand in the model. */
struct words *words_of(struct page *page);
/* What its words are in memory: through the entry of the user's table, or what would come. */
uint64_t word_in_memory(const struct env_proc *p, uint64_t page, unsigned which);
/* A private page of the file that the space shows, and that is not the file's, is its own. */
void note_copies(const struct env_proc *p);
/* Whether the file's pages are changing where this one is. */
bool is_changing(const struct page *page);

/* All that can be looked at now; `deep` also asks the kernel's own checks. */
void threads_check(bool deep);

#define MUST(cond, fmt, ...) \
    do { \
        if (!(cond)) \
            env_fail("%s: " fmt " (%s)", design_at(env_design)->name, ##__VA_ARGS__, #cond); \
    } while (0)

typedef unsigned long ul;
