/* Watching for the end of processes: see ended.h. A slot's watches are its, whoever is in it: those
 * of an earlier process there have been told. */
#include "proc/ended.h"
#include "lib/errno.h"
#include "proc/ids.h"
#include "proc/table.h"
#include "proc/watch.h"

#define TOLD_AT_ONCE 32 /* with the lock; others come in between */

/* Guards who watches, in all slots. */
static struct spinlock ended_lock = SPINLOCK_INIT(RANK_ENDED);

int ended_hold(int32_t pid, struct proc **out) {
    struct proc *p = proc_find_and_lock(pid);
    if (!p)
        return -K_ESRCH;
    id_hold(pid);
    spin_unlock(&p->lock);
    *out = p;
    return 0;
}

void ended_drop(int32_t pid) { id_give(pid); }

static bool has_ended(struct proc *p, int32_t pid) {
    spin_lock(&family_lock);
    bool ended = p->exited;
    spin_lock(&p->lock);
    ended |= p->pid != pid;
    spin_unlock(&p->lock);
    spin_unlock(&family_lock);
    return ended;
}

bool ended_look(struct proc *p, int32_t pid, struct watch *w) {
    spin_lock(&ended_lock);
    bool ended = has_ended(p, pid);
    if (w)
        watch_begin(w, ended ? &p->watched_before : &p->watched, &ended_lock);
    spin_unlock(&ended_lock);
    return ended;
}

/* Who begins to watch now is among those who were told: there is an end to it. */
void ended_tell(struct proc *p) {
    bool more = true;
    while (more) {
        spin_lock(&ended_lock);
        more = watched_ends(&p->watched, &p->watched_before, TOLD_AT_ONCE);
        spin_unlock(&ended_lock);
    }
}
