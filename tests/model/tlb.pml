/* The protocol of docs/tlb.md: what mm/tlb, mm/aspace and the switches of satp do so
 * that no hart uses a stale translation. Checked by spin; test_model.py runs it, and
 * leaves out each step in turn (-DNO_...), after which spin must find a violation.
 *
 * A space has one page: an entry in a table, dir, of which each is 0 (invalid) or
 * one of two values, so that a replaced frame or table is told from its successor.
 * It has two views, the user's and the kernel's, each with its ASID; without ASIDs
 * (-DNOASID) all are 0, as the kernel's own table's is always.
 *
 * What a hart keeps is a set of values for each ASID. It may read at any time; but
 * what the software does never depends on what is kept, and all claims say that
 * something is not kept. So it is enough that every hart keeps everything that it
 * could read at every moment. */

#define HARTS 2
#define SPACES 2
#define NONE 255
#define VIEWS 2
#define KERNEL_VIEW 0
#define USER_VIEW 1

#ifdef NOASID
#define ASIDS 1
#define ASID(s, v) 0
#else
#define ASIDS (1 + VIEWS * SPACES)
#define ASID(s, v) (1 + VIEWS * (s) + (v))
#endif
#define AT(h, a) ((h) * ASIDS + (a))

byte entry[SPACES], dir[SPACES], last_dir[SPACES];
bool alive[SPACES];
byte runs_on[SPACES] = NONE;

byte satp[HARTS] = NONE, view[HARTS];   /* NONE: the kernel's own table */
byte entries[HARTS * ASIDS];            /* kept: bit v for value v */
byte dirs[HARTS * ASIDS];
bool behind[HARTS * SPACES];            /* the generation that the hart has seen is old */

byte i; /* scratch of atomic steps */

/* ---- hardware -------------------------------------------------------------------- */

/* Every hart reads what it can. */
inline keep_all() {
    i = 0;
    do
    :: i < HARTS && satp[i] != NONE ->
        dirs[AT(i, ASID(satp[i], view[i]))] = dirs[AT(i, ASID(satp[i], view[i]))] | (1 << dir[satp[i]]);
        if
        :: dir[satp[i]] -> entries[AT(i, ASID(satp[i], view[i]))] =
            entries[AT(i, ASID(satp[i], view[i]))] | (1 << entry[satp[i]])
        :: else
        fi;
        i++
    :: i < HARTS && satp[i] == NONE -> i++
    :: else -> break
    od;
    i = 0
}

inline sfence_asid(h, a) { entries[AT(h, a)] = 0; dirs[AT(h, a)] = 0; keep_all() }
/* One address: leaves only. */
inline sfence_page(h, a) { entries[AT(h, a)] = 0; keep_all() }

/* Valid entries that are kept are those that stand in memory. */
#define HOLDS(h) (satp[h] == NONE \
    -> (entries[AT(h, 0)] & 6) == 0 && (dirs[AT(h, 0)] & 6) == 0 \
    : (entries[AT(h, ASID(satp[h], view[h]))] & 6 & ~(1 << entry[satp[h]])) == 0 && \
      (dirs[AT(h, ASID(satp[h], view[h]))] & 6 & ~(1 << dir[satp[h]])) == 0)

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

inline new_generation(s) {
    i = 0;
    do
    :: i < HARTS -> behind[i * SPACES + s] = true; i++
    :: else -> break
    od;
    i = 0
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

inline load_satp(h, s, v) { satp[h] = s; view[h] = v; keep_all() }

/* ASID 0 belongs to many tables. */
inline switch_flush(h) {
#ifdef NOASID
    sfence_asid(h, 0)
#endif
    skip
}

/* A frame or table is given back. Nobody but this hart may have reached it: the
 * others say so for themselves after each of their steps. */
#define FREE(h) assert(HOLDS(h))

/* ---- mm/aspace, on the hart that runs s ---------------------------------------------- */

/* A touch of what is granted and not there. */
inline fill(h, s) {
    made = false;
    if
    :: dir[s] == 0 ->
        last_dir[s] = 3 - last_dir[s];
        dir[s] = last_dir[s];
        made = true;
        keep_all()
    :: else
    fi;    atomic {
        if
        :: entry[s] = 1
        :: entry[s] = 2
        fi;
        keep_all()
    }
#ifndef NO_FENCE_NEW
    fence_page(h, s)
#endif
    if
    :: made ->
#ifndef NO_TABLE_GENERATION
        new_generation(s); behind[h * SPACES + s] = false
#endif
#ifndef NO_TABLE_FLUSH
        flush_local(h, s)
#endif
    :: else
    fi;
    assert(REPAIRED(h, s))
}

/* The hart has faulted at an entry that is good. */
inline repair_spurious(h, s) {
#ifndef NO_SPURIOUS_FENCE
    fence_page(h, s)
#endif
    assert(REPAIRED(h, s))
}

/* Another frame, or less permission: copy on write, fork. */
inline replace(h, s) {
    entry[s] = 3 - entry[s]; keep_all()
#ifndef NO_REPLACE_GENERATION
    new_generation(s); behind[h * SPACES + s] = false
#endif
#ifndef NO_REPLACE_FLUSH
    fence_page(h, s)
#endif
    FREE(h)
}

/* sbrk down: the table may fall empty. */
inline unmap(h, s) {
    fell_empty = false;
    entry[s] = 0; keep_all()
    if
    :: dir[s] = 0; fell_empty = true; keep_all()
    :: skip
    fi;
#ifdef FREE_BEFORE_FLUSH
    FREE(h);
#endif
#ifndef NO_UNMAP_GENERATION
    new_generation(s); behind[h * SPACES + s] = false
#endif
    if
#ifndef LEAVES_ONLY
    :: fell_empty -> flush_local(h, s)
    :: !fell_empty ->
#else
    :: true ->
#endif
#ifndef NO_UNMAP_FLUSH
        fence_page(h, s)
#else
        skip
#endif
    fi;
    FREE(h)
}

/* ---- proc ---------------------------------------------------------------------------- */

inline create(s) {
    alive[s] = true; entry[s] = 0; dir[s] = 0
#ifndef NO_REUSE_GENERATION
    new_generation(s)
#endif
    skip
}

inline enter(h, s) {
    runs_on[s] = h;
    tlb_activate(h, s)
    load_satp(h, s, KERNEL_VIEW);
#ifndef NO_ENTER_FLUSH
    switch_flush(h);
#endif
    assert(HOLDS(h))
}

inline leave(h, s) {
    load_satp(h, NONE, KERNEL_VIEW);
#ifndef NO_LEAVE_FLUSH
    switch_flush(h);
#endif
    assert(HOLDS(h))
}

/* An operation is one step: the space is this hart's alone while it lasts, so no
 * other hart could see it halfway. */
proctype hart(byte h) {
    byte s;
    bool made, fell_empty;
end: do
    :: satp[h] == NONE -> atomic {
        assert(HOLDS(h));
        if
        :: alive[0] && runs_on[0] == NONE -> s = 0; enter(h, s)
        :: alive[1] && runs_on[1] == NONE -> s = 1; enter(h, s)
        :: !alive[0] -> create(0)
        :: !alive[1] -> create(1)
        fi }
    :: satp[h] != NONE -> atomic {
        assert(HOLDS(h)); /* an access may happen now, in the view that is loaded */
        if
        :: load_satp(h, s, 1 - view[h]); /* the trampoline */
#ifndef NO_TRAMPOLINE_FLUSH
            switch_flush(h);
#endif
            assert(HOLDS(h))
        :: view[h] == KERNEL_VIEW && entry[s] == 0 -> fill(h, s)
        :: view[h] == KERNEL_VIEW && entry[s] && !REPAIRED(h, s) -> repair_spurious(h, s)
        :: view[h] == KERNEL_VIEW && entry[s] -> replace(h, s)
        :: view[h] == KERNEL_VIEW && entry[s] -> unmap(h, s)
        :: view[h] == KERNEL_VIEW -> leave(h, s); runs_on[s] = NONE
        :: view[h] == KERNEL_VIEW -> /* exit: its memory is given back when it has left */
            leave(h, s);
            entry[s] = 0;
            dir[s] = 0;
            keep_all();
            FREE(h);
            alive[s] = false;
            runs_on[s] = NONE
        fi }
    od
}

init {
    atomic {
        last_dir[0] = 2; last_dir[1] = 2;
        run hart(0); run hart(1)
    }
}
