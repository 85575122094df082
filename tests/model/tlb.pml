/* The protocol of docs/tlb.md: what mm/tlb, mm/aspace and the switches of satp do so
 * that no hart uses a stale translation. Checked by spin; test_model.py runs it, and
 * leaves out each step in turn (-DNO_...), after which spin must find a violation.
 *
 * A space has one page: an entry in a table, dir, of which each is 0 (invalid) or
 * one of two values, so that a replaced frame or table is told from its successor.
 * It has two views, the user's and the kernel's, each with its ASID. Without ASIDs
 * (-DNOASID) it is 0, as the kernel's own table's is always; where there are too few of
 * them (-DFEW), space 0 has its own and space 1 has 0.
 *
 * What a hart keeps is a set of values for each ASID. It may read at any time; but
 * what the software does never depends on what is kept, and all claims say that
 * something is not kept. So it is enough that every hart keeps everything that it
 * could read at every moment. */

#define HARTS 2 /* some places below know that it is two */
#define NONE 255
#define VIEWS 2
#define KERNEL_VIEW 0
#define USER_VIEW 1

/* Spaces with ASIDs of their own have nothing in common: one is enough, which ends
 * and is made again. */
#if defined(NOASID)
#define SPACES 2
#define ASIDS 1
#define ASID(s, v) 0
#elif defined(FEW)
#define SPACES 2
#define ASIDS (1 + VIEWS)
#define ASID(s, v) ((s) -> 0 : 1 + (v))
#else
#define SPACES 1
#define ASIDS (1 + VIEWS)
#define ASID(s, v) (1 + (v))
#endif
#define AT(h, a) ((h) * ASIDS + (a))

byte entry[SPACES], dir[SPACES], last_dir[SPACES];
bool alive[SPACES];
byte runs_on[SPACES] = NONE, says_active[SPACES] = NONE;
bool locked[SPACES]; /* somebody takes a page away from outside, and has not finished */

byte satp[HARTS] = NONE, view[HARTS];   /* NONE: the kernel's own table */
byte entries[HARTS * ASIDS];            /* kept: one bit for each value */
byte dirs[HARTS * ASIDS];
bool behind[HARTS * SPACES];            /* the generation that the hart has seen is old */

/* ---- hardware -------------------------------------------------------------------- */

#define ACTIVE(h) AT(h, ASID(satp[h], view[h]))
/* The views have entries of their own (mirror), so they are told apart too. */
#define BIT(x, v) (1 << ((x) -> (x) + 2 * (v) : 0))
#define VALID_BITS 30

/* The hart reads what it can. Nothing changes for the others: they run other spaces. */
inline keep(h) {
    if
    :: satp[h] != NONE ->
        dirs[ACTIVE(h)] = dirs[ACTIVE(h)] | BIT(dir[satp[h]], view[h]);
        entries[ACTIVE(h)] = entries[ACTIVE(h)] |
                             (dir[satp[h]] -> BIT(entry[satp[h]], view[h]) : 0)
    :: else
    fi
}

inline sfence_asid(h, a) { entries[AT(h, a)] = 0; dirs[AT(h, a)] = 0; keep(h) }
/* One address: leaves only. */
inline sfence_page(h, a) { entries[AT(h, a)] = 0; keep(h) }

/* Valid entries that are kept are those that stand in memory. */
#define HOLDS(h) (satp[h] == NONE \
    -> ((entries[AT(h, 0)] | dirs[AT(h, 0)]) & VALID_BITS) == 0 \
    : (entries[ACTIVE(h)] & VALID_BITS & ~BIT(entry[satp[h]], view[h])) == 0 && \
      (dirs[ACTIVE(h)] & VALID_BITS & ~BIT(dir[satp[h]], view[h])) == 0)

/* Until who takes a page away has finished, it may still be used. */
#define MAY_HOLD(h) (HOLDS(h) || (satp[h] != NONE && locked[satp[h]]))

/* A repaired access cannot fault again, in either view. */
#define REPAIRED(h, s) (((entries[AT(h, ASID(s, 0))] | dirs[AT(h, ASID(s, 0))] | \
                          entries[AT(h, ASID(s, 1))] | dirs[AT(h, ASID(s, 1))]) & 1) == 0)

/* ---- mm/tlb ----------------------------------------------------------------------- */

inline flush_local(h, s) {
#ifndef NO_USER_FLUSH
    sfence_asid(h, ASID(s, USER_VIEW));
#endif
#ifndef NO_KERNEL_FLUSH
    sfence_asid(h, ASID(s, KERNEL_VIEW));
#endif
    skip
}

inline fence_page(h, s) {
    sfence_page(h, ASID(s, USER_VIEW));
    sfence_page(h, ASID(s, KERNEL_VIEW))
}

/* Which every other hart has not seen. */
inline new_generation(h, s) {
    if
    :: ASID(s, 0) -> behind[(1 - h) * SPACES + s] = true
    :: else /* every switch flushes, as if it were always behind */
    fi
}

inline tlb_activate(h, s) {
    if
    :: behind[h * SPACES + s] ->
#ifndef NO_ACTIVATE_FLUSH
        flush_local(h, s);
#endif
        behind[h * SPACES + s] = false
    :: else
    fi
}

/* Before any fence the hart may walk from the new root through what it has kept under
 * its ASID: that must be tables still, though they may be another space's. With
 * -DNOASID those are alive, since nothing happens between leaving and loading. */
#ifdef FEW
#define MAY_WALK(h) (ASID_NOW(h) != 0 || (dirs[AT(h, 0)] & VALID_BITS & \
                                          ~(BIT(dir[1], 0) | BIT(dir[1], 1))) == 0)
#else
#define MAY_WALK(h) true
#endif
#define ASID_NOW(h) (satp[h] == NONE -> 0 : ASID(satp[h], view[h]))

inline load_satp(h, s, v) { satp[h] = s; view[h] = v; assert(MAY_WALK(h)); keep(h) }

/* ASID 0 belongs to many tables: who leaves it empties it. */
inline switch_satp(h, s, v) {
#ifdef FLUSH_WHAT_IS_ENTERED
    load_satp(h, s, v);
    left_0 = ASID_NOW(h) == 0;
#else
    left_0 = ASID_NOW(h) == 0;
    load_satp(h, s, v);
#endif
    if
    :: left_0 -> sfence_asid(h, 0)
    :: else
    fi;
    left_0 = false
}

/* A frame or table is given back. Nobody but this hart may have reached it: the
 * others say so for themselves after each of their steps. */
#define FREE(h) assert(HOLDS(h))

/* ---- mm/aspace, on the hart that runs s ---------------------------------------------- */

/* A touch of what is granted and not there. */
inline fill(h, s) {
    made = dir[s] == 0;
    if
    :: made ->
        last_dir[s] = 3 - last_dir[s];
        dir[s] = last_dir[s];
        keep(h)
    :: else
    fi;
    if
    :: entry[s] = 1
    :: entry[s] = 2
    fi;
    keep(h);
#ifndef NO_FENCE_NEW
    fence_page(h, s);
#endif
    if
    :: made ->
#ifndef NO_TABLE_GENERATION
        new_generation(h, s);
#endif
#ifndef NO_TABLE_FLUSH
        flush_local(h, s);
#endif
        skip
    :: else
    fi;
    made = false;
    assert(REPAIRED(h, s))
}

/* The hart has faulted at an entry that is good. */
inline repair_spurious(h, s) {
#ifndef NO_SPURIOUS_FENCE
    fence_page(h, s);
#endif
    assert(REPAIRED(h, s))
}

/* Another frame, or less permission: copy on write, fork. */
inline replace(h, s) {
    entry[s] = 3 - entry[s];
    keep(h);
#ifndef NO_REPLACE_GENERATION
    new_generation(h, s);
#endif
#ifndef NO_REPLACE_FLUSH
    fence_page(h, s);
#endif
    FREE(h)
}

/* sbrk down: the table may fall empty. */
inline unmap(h, s) {
    entry[s] = 0;
    keep(h);
    if
    :: dir[s] = 0; fell_empty = true
    :: fell_empty = false
    fi;
    keep(h);
#ifdef FREE_BEFORE_FLUSH
    FREE(h);
#endif
#ifndef NO_UNMAP_GENERATION
    new_generation(h, s);
#endif
#ifdef LEAVES_ONLY
    fell_empty = false;
#endif
#ifndef NO_UNMAP_FLUSH
    if
    :: fell_empty -> flush_local(h, s)
    :: else -> fence_page(h, s)
    fi;
#endif
    fell_empty = false;
    FREE(h)
}

/* ---- proc ---------------------------------------------------------------------------- */

inline create(h, s) {
    alive[s] = true;
    entry[s] = 0;
    dir[s] = 0;
#ifndef NO_REUSE_GENERATION
    new_generation(h, s);
    behind[h * SPACES + s] = ASID(s, 0) != 0;
#endif
    skip
}

/* To say that one is active, and to look at the generation, are two steps: who takes a page
 * away may come in between. */
inline choose(h, s) {
    runs_on[s] = h;
#ifdef LOOK_BEFORE_ACTIVE
    was_behind = behind[h * SPACES + s]
#else
    says_active[s] = h
#endif
}

inline enter(h, s) {
#ifdef LOOK_BEFORE_ACTIVE
    says_active[s] = h;
    if
    :: was_behind -> tlb_activate(h, s)
    :: else
    fi;
    was_behind = false;
#else
    tlb_activate(h, s);
#endif
#ifdef NO_ENTER_FLUSH
    load_satp(h, s, KERNEL_VIEW);
#else
    switch_satp(h, s, KERNEL_VIEW);
#endif
    assert(MAY_HOLD(h))
}

inline leave(h, s) {
#ifdef NO_LEAVE_FLUSH
    load_satp(h, NONE, KERNEL_VIEW);
#else
    switch_satp(h, NONE, KERNEL_VIEW);
#endif
    assert(HOLDS(h))
}

/* With too few ASIDs there would be too many states. That somebody else has an ASID changes
 * nothing of how a page is taken away, so there nobody does, and to enter is one step. */
#ifdef FEW
#define begin(h, s) choose(h, s); enter(h, s)
#else
#define begin(h, s) choose(h, s); entering = true
#endif

/* mm/rmap, from a hart that does not run s: a page goes in four steps, in between which
 * whoever runs s goes on, enters or leaves it, but changes no mapping. */
#define OTHER(h) (1 - (h))
inline new_generation_for_all(h, s) {
    new_generation(h, s);
    behind[h * SPACES + s] = behind[OTHER(h) * SPACES + s]
}

inline take_page(h, s) {
    locked[s] = true;
    entry[s] = 0;
    keep(OTHER(h))
}

inline fence_elsewhere(h, s) {
    if
    :: says_active[s] == OTHER(h) ->
        for (a : 0 .. ASIDS - 1) {
            entries[AT(OTHER(h), a)] = 0
        }
        keep(OTHER(h))
    :: else
    fi
}

/* An operation of the hart that runs the space is one step: it has the space's lock, so that no
 * other hart sees it halfway. */
proctype hart(byte h) {
    byte s, a;
    bool made, fell_empty, left_0, was_behind, entering, taking;
end: do
    :: entering -> atomic { enter(h, s); entering = false }
#ifndef FEW
    :: taking ->
#ifndef NO_TAKE_GENERATION
        atomic { new_generation_for_all(h, 0) }
#endif
#ifndef NO_TAKE_FENCE
        atomic { fence_elsewhere(h, 0) }
#endif
        atomic { locked[0] = false; taking = false; assert(HOLDS(OTHER(h))) }
#endif
    :: satp[h] == NONE && !entering && !taking -> atomic {
        assert(HOLDS(h));
        if
        :: alive[0] && runs_on[0] == NONE -> s = 0; begin(h, s)
#if SPACES == 2
        :: alive[1] && runs_on[1] == NONE -> s = 1; begin(h, s)
        :: !alive[1] -> create(h, 1)
#endif
        :: !alive[0] -> create(h, 0)
#ifndef FEW
        :: alive[0] && !locked[0] && entry[0] -> take_page(h, 0); taking = true
#endif
        :: else
        fi }
    :: satp[h] != NONE && !entering -> atomic {
        assert(MAY_HOLD(h)); /* an access may happen now, in the view that is loaded */
        if
#ifdef NO_TRAMPOLINE_FLUSH
        :: load_satp(h, s, 1 - view[h]);
#else
        :: switch_satp(h, s, 1 - view[h]);
#endif
            assert(MAY_HOLD(h))
        :: view[h] == KERNEL_VIEW && !locked[s] && entry[s] == 0 -> fill(h, s)
        :: view[h] == KERNEL_VIEW && !locked[s] && entry[s] && !REPAIRED(h, s) ->
            repair_spurious(h, s)
        :: view[h] == KERNEL_VIEW && !locked[s] && entry[s] -> replace(h, s)
        :: view[h] == KERNEL_VIEW && !locked[s] && entry[s] -> unmap(h, s)
        :: view[h] == KERNEL_VIEW ->
            leave(h, s);
            runs_on[s] = NONE;
            says_active[s] = NONE;
            s = 0
#if SPACES == 2
        :: view[h] == KERNEL_VIEW && alive[1 - s] && runs_on[1 - s] == NONE ->
            runs_on[s] = NONE;
            says_active[s] = NONE;
            s = 1 - s;
            choose(h, s);
            enter(h, s)
#endif
        :: view[h] == KERNEL_VIEW && !locked[s] -> /* exit: its memory is given back when it has left */
            leave(h, s);
            entry[s] = 0;
            dir[s] = 0;
            keep(h);
            FREE(h);
            alive[s] = false;
            runs_on[s] = NONE;
            says_active[s] = NONE;
            last_dir[s] = 2;
            s = 0
        fi }
    od
}

init {
    atomic {
        last_dir[0] = 2;
        last_dir[SPACES - 1] = 2;
        run hart(0); run hart(1)
    }
}
