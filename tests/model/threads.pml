/* The protocol of docs/tlb.md for a space whose threads run on several harts at once: what
 * mm/tlb, mm/fault, mm/change and mm/turn do so that no hart uses a stale translation, no write is
 * lost, and no frame is given back that a hart still copies. Checked by spin; test_model.py runs
 * it, and leaves out each step in turn (-DNO_...), after which spin must find a violation. tlb.pml
 * has what happens between spaces: ASIDs, switches of satp, two views.
 *
 * There would be too many states for all at once, so there are two cases: pages come and go, with
 * tables, code, and the stack of a second thread (-DPAGES); and fork, copy on write, and copies of
 * the kernel (-DCOPIES), where a table is there always. Two harts do all of it; with -DTHREE a
 * third one runs the space, too, and copies: for hand (COPIES takes some seconds, PAGES minutes).
 *
 * The space has one page: an entry in a table, dir. A hart keeps everything that it could read at
 * every moment (tlb.pml says why that is enough), as a set of values. The space's lock is given
 * back between the steps of fork alone; in between those of an operation other harts begin to run
 * the space, leave it, translate, and copy. */

#define HARTS 3
#define NOBODY 3

/* Entries: nothing, or frame A or B, to be read or to be written too. */
#define A_R 1
#define A_W 2
#define B_R 3
#define B_W 4
#define IS_WRITABLE(e) ((e) == A_W || (e) == B_W)
#define WITHOUT_W(e) (IS_WRITABLE(e) -> (e) - 1 : (e))
#define WITH_W(e) ((e) -> (IS_WRITABLE(e) -> (e) : (e) + 1) : 0)
#define OTHER_FRAME(e) ((e) < B_R -> B_W : A_W)
#define FRAME(e) (((e) + 1) / 2) /* 0: none */
#define BIT(x) (1 << (x))
#define WRITABLE_BITS (BIT(A_W) | BIT(B_W))
#define VALID_BITS 30
#define FRAME_BITS(f) (3 << (2 * (f) - 1))

byte entry, dir;             /* dir: 0 no table, 1 or 2: one of two */
byte last_dir;
byte lock = NOBODY;
bool closed;                 /* to faults, by a fork that has its turn */
byte from[HARTS];            /* copied without the lock, to replace what shows it: a frame, or 0 */
bool is_old[HARTS];          /* that may have been written since */
bool has_stack;                /* of the second thread: is mapped */

bool running[HARTS];         /* satp has the space's table */
bool says_active[HARTS];          /* what tlb_activate says */
bool missed[HARTS];          /* the hart has not seen the generation */
byte entries[HARTS];         /* kept: one bit for each value */
byte dirs[HARTS];
bool no_stack[HARTS];        /* kept: that the stack is not mapped */
bool old_code[HARTS];        /* kept: instructions that a frame had before */
bool marked[HARTS];          /* copies, or is about to (walk): page_of */
byte copies[HARTS];          /* a frame */

/* ---- hardware -------------------------------------------------------------------- */

inline keep(h) {
    if
    :: running[h] ->
        dirs[h] = dirs[h] | BIT(dir);
        entries[h] = entries[h] | (dir -> BIT(entry) : 0);
#ifdef PAGES
        no_stack[h] = no_stack[h] || !has_stack
#endif
    :: else
    fi
}

inline keep_all() { keep(0); keep(1); keep(2) }

inline sfence_all(h) { entries[h] = 0; dirs[h] = 0; no_stack[h] = false; keep(h) }
/* One address: leaves only. */
inline sfence_page(h) { entries[h] = 0; keep(h) }

/* What is kept and grants something stands in memory, or less does than memory grants. */
#define HOLDS(h) (!running[h] || \
                  ((entries[h] & VALID_BITS & ~(BIT(entry) | BIT(WITHOUT_W(entry)))) == 0 && \
                   (dirs[h] & VALID_BITS & ~BIT(dir)) == 0))
#define ALL_HOLD (HOLDS(0) && HOLDS(1) && HOLDS(2))

/* The access that was repaired cannot fault again. */
#define REPAIRED(h) (((entries[h] | dirs[h]) & 1) == 0 && \
                     (entries[h] & ~BIT(entry) & VALID_BITS) == 0)

#define HELD_BY(h, f) (from[h] == (f))
#define IS_COPIED(f) (HELD_BY(0, f) || HELD_BY(1, f) || HELD_BY(2, f))
#define OTHERS_COPY(h, f) ((h != 0 && HELD_BY(0, f)) || (h != 1 && HELD_BY(1, f)) || \
                           (h != 2 && HELD_BY(2, f)))

#define MAY_WRITE(h) (running[h] && (entries[h] & WRITABLE_BITS))
#define REACHES(h, f) ((running[h] && (entries[h] & FRAME_BITS(f))) || copies[h] == (f))
#define FREE(f) assert(!REACHES(0, f) && !REACHES(1, f) && !REACHES(2, f))
#define WALKS(h, d) (running[h] && (dirs[h] & BIT(d)))

/* ---- mm/tlb, with the lock --------------------------------------------------------- */

inline catch_up(h) {
#ifndef NO_CATCH_UP
    sfence_all(h);
    old_code[h] = false;
#endif
    missed[h] = false
}

/* For all but the hart that makes it, which goes on to fence. */
inline new_generation(h) {
    was_missed = missed[h];
    missed[0] = true; missed[1] = true; missed[2] = true
}

inline seen(h) {
#ifdef SEEN_WITHOUT_CATCHING_UP
    missed[h] = false
#else
    if
    :: was_missed -> catch_up(h)
    :: else -> missed[h] = false
    fi
#endif
}

inline read_active(h) {
    tell[0] = says_active[0] && h != 0;
    tell[1] = says_active[1] && h != 1;
    tell[2] = says_active[2] && h != 2
}

inline flush_all_told() {
    if :: tell[0] -> sfence_all(0) :: else fi;
    if :: tell[1] -> sfence_all(1) :: else fi;
    if :: tell[2] -> sfence_all(2) :: else fi
}
inline flush_page_told() {
    if :: tell[0] -> sfence_page(0) :: else fi;
    if :: tell[1] -> sfence_page(1) :: else fi;
    if :: tell[2] -> sfence_page(2) :: else fi
}
inline fence_code_told() {
    if :: tell[0] -> old_code[0] = false :: else fi;
    if :: tell[1] -> old_code[1] = false :: else fi;
    if :: tell[2] -> old_code[2] = false :: else fi
}

inline fence_new(h) {
#ifndef NO_MISSED_FENCE
    if
    :: missed[h] -> catch_up(h)
    :: else -> sfence_page(h)
    fi
#else
    sfence_page(h)
#endif
}

/* change_wait_for_copies: the other active harts have no mark. */
#define NOT_MARKED(h, i) (i == h || !marked[i] || !says_active[i])
#define NO_COPIES(h) (NOT_MARKED(h, 0) && NOT_MARKED(h, 1) && NOT_MARKED(h, 2))

inline flush(h, tables) {
#ifdef ACTIVE_BEFORE_GENERATION
    atomic { read_active(h) }
    atomic {
#ifndef NO_GENERATION
        new_generation(h)
#endif
    }
#else
    atomic {
#ifndef NO_GENERATION
        new_generation(h)
#else
        was_missed = missed[h]
#endif
    }
#endif
    atomic {
#ifndef ACTIVE_BEFORE_GENERATION
        read_active(h);
#endif
        if
        :: running[h] && tables -> sfence_all(h)
        :: running[h] && !tables -> sfence_page(h)
        :: else
        fi;
        if
        :: says_active[h] -> seen(h)
        :: else
        fi
    }
    atomic {
#ifndef NO_REQUEST
#ifdef LEAVES_ONLY
        flush_page_told()
#else
        if
        :: tables -> flush_all_told()
        :: else -> flush_page_told()
        fi
#endif
#endif
        skip
    }
#ifndef NO_WAIT_FOR_COPIES
    NO_COPIES(h);
#endif
    skip
}

/* ---- faults -------------------------------------------------------------------------- */

/* There is an entry with W. */
inline written(f) {
    is_old[0] = is_old[0] || from[0] == f;
    is_old[1] = is_old[1] || from[1] == f;
    is_old[2] = is_old[2] || from[2] == f
}

/* A page that the space has alone comes, with a table if there is none. It is code: its frame has
 * had something else. */
inline fill(h) {
#ifdef PAGES
    atomic { old_code[0] = true; old_code[1] = true; old_code[2] = true; old_code[h] = false }
    atomic { new_generation(h); seen(h) }
    atomic { read_active(h) }
#ifndef NO_CODE_REQUEST
    atomic { fence_code_told() }
#endif
#endif
    atomic {
        made = dir == 0;
        if
        :: made -> last_dir = 3 - last_dir; dir = last_dir; keep_all()
        :: else
        fi;
        if
        :: entry = A_W
        :: entry = B_W
        fi;
        keep_all();
        assert(!(running[0] && old_code[0]) && !(running[1] && old_code[1]) &&
               !(running[2] && old_code[2]))
    }
    atomic {
        fence_new(h);
        if
        :: made ->
#ifndef NO_TABLE_GENERATION
            new_generation(h);
            seen(h);
#endif
            sfence_all(h)
        :: else
        fi;
        made = false;
        assert(REPAIRED(h))
    }
}

/* The entry is good, or only lacks W, which nobody else needs to know. */
inline widen(h) {
    atomic {
        entry = WITH_W(entry);
        written(FRAME(entry));
        keep_all();
#ifndef NO_FENCE_WIDER
        fence_new(h);
#endif
        assert(REPAIRED(h))
    }
}

/* Where there is no fork, of this model, some other one has taken W away. */
inline replace(h) {
    atomic {
        old = FRAME(entry);
        entry = OTHER_FRAME(entry);
        written(FRAME(entry));
        keep_all()
    }
    flush(h, false);
    atomic { FREE(old); old = 0 }
}

/* Copy on write: others have the frame, too. It is copied without the lock (mm/ready), and nobody
 * writes meanwhile. Then the entry has to show it still; and a frame that somebody else copies is
 * not free to take its place. */
inline copy_and_replace(h) {
    atomic {
        assert(!MAY_WRITE(0) && !MAY_WRITE(1) && !MAY_WRITE(2));
        from[h] = FRAME(entry);
        is_old[h] = false;
        lock = NOBODY
    }
    atomic { lock == NOBODY -> lock = h }
    if
#ifndef NO_SECOND_LOOK
    :: FRAME(entry) != from[h] || IS_WRITABLE(entry) -> skip /* another thread was first */
#endif
#ifndef NO_LOOK_FOR_CLOSED
    :: closed -> skip
#endif
    :: else ->
        if
#ifndef NO_REFERENCE
        :: OTHERS_COPY(h, FRAME(OTHER_FRAME(entry))) -> skip
#endif
        :: else ->
            atomic {
                assert(FRAME(entry) == from[h] && !IS_WRITABLE(entry) && !is_old[h]);
                from[h] = 0
            };
            replace(h)
        fi
    fi;
    atomic { from[h] = 0; is_old[h] = false }
}

inline fault(h) {
    if
    :: closed -> skip /* waits, without the lock, and comes again */
    :: !closed && entry == 0 -> fill(h)
    :: !closed && entry && !REPAIRED(h) ->
        atomic { fence_new(h); assert(REPAIRED(h)) }
#ifdef NO_REFERENCE
    :: !closed && entry && !IS_WRITABLE(entry) -> widen(h)
#else
    :: !closed && entry && !IS_WRITABLE(entry) && !IS_COPIED(FRAME(entry)) -> widen(h)
#endif
#ifdef COPIES
    :: !closed && entry && !IS_WRITABLE(entry) -> copy_and_replace(h)
#else
    :: entry -> replace(h)
#endif
    :: else
    fi
}

/* ---- changes --------------------------------------------------------------------------- */

inline unmap(h) {
    atomic {
        old = FRAME(entry);
        old_dir = dir;
        entry = 0;
        keep_all();
        if
        :: dir = 0
        :: skip
        fi;
        keep_all()
    }
    flush(h, dir == 0);
    atomic {
        FREE(old);
        assert(dir || !(WALKS(0, old_dir) || WALKS(1, old_dir) || WALKS(2, old_dir)));
        old = 0;
        old_dir = 0
    }
}

/* fork: with a break, in which others have the lock. */
inline fork(h) {
    atomic {
#ifndef NO_CLOSE
        closed = true;
#endif
        entry = WITHOUT_W(entry);
        shared = entry;
        keep_all()
    }
    atomic { lock = NOBODY }
    atomic { lock == NOBODY -> lock = h }
    flush(h, true);
    /* It is what the child has. */
    atomic { assert(entry == shared); assert(ALL_HOLD); closed = false; shared = 0 }
}

/* ---- threads ---------------------------------------------------------------------------- */

inline map_stack(h) {
    atomic {
        has_stack = true;
#ifndef NO_STACK_GENERATION
        missed[0] = true; missed[1] = true; missed[2] = true
#endif
    }
}

/* tlb_activate, whether the hart runs another thread of the space or not. */
inline activate(h) {
#ifdef LOOK_BEFORE_ACTIVE
    atomic { was_missed = missed[h] }
    atomic {
        says_active[h] = true;
        if
        :: was_missed -> catch_up(h)
        :: else
        fi
    }
#else
    atomic { says_active[h] = true }
    atomic {
        if
        :: missed[h] ->
#ifndef NO_ACTIVATE_FLUSH
            catch_up(h);
#endif
            missed[h] = false
        :: else
        fi
    }
#endif
}

inline enter(h) {
    activate(h);
    atomic {
        running[h] = true;
        keep(h);
        assert(lock != NOBODY || closed || HOLDS(h));
        assert(entry == 0 || !old_code[h])
    }
}

/* On a hart that runs the space: the second thread, whose stack must be there. */
inline switch_thread(h) {
    activate(h);
    atomic { assert(!no_stack[h]) }
}

/* walk's copy: the mark, then the walk. */
inline copy_some(h) {
#ifdef MARK_AFTER_WALK
    atomic { copies[h] = FRAME(entry) }
    atomic { marked[h] = true }
#else
    atomic { marked[h] = true }
    atomic { copies[h] = FRAME(entry) }
#endif
    atomic { copies[h] = 0; marked[h] = false }
}

proctype hart(byte h) {
    bool was_missed, made, tell[HARTS];
    byte old, old_dir, shared;
end: do
    :: !running[h] -> enter(h)
    :: running[h] -> atomic { running[h] = false; says_active[h] = false }
#ifdef PAGES
    :: running[h] && has_stack -> switch_thread(h)
#endif
#ifdef COPIES
    :: running[h] -> copy_some(h)
#endif
    :: atomic { h != 2 && lock == NOBODY && running[h] -> assert(closed || ALL_HOLD); lock = h };
        if
        :: fault(h)
#ifdef COPIES
        :: !closed && entry -> fork(h)
#else
        :: entry -> unmap(h)
#endif
#ifdef PAGES
        :: !has_stack -> map_stack(h)
#endif
        fi;
        atomic { lock = NOBODY; was_missed = false;
                 tell[0] = false; tell[1] = false; tell[2] = false }
    od
}

init {
    atomic {
        missed[0] = true; missed[1] = true; missed[2] = true;
#ifdef COPIES
        dir = 1;
        entry = A_W;
#endif
        last_dir = 2;
        run hart(0); run hart(1);
#ifdef THREE
        run hart(2)
#endif
    }
}
