/* One number for all that a failed operation must leave as it was: see aspaceenv.h. */
#include "aspaceenv.h"
#include "mm/shm.h"

/* FNV-1a. */
static void mix(uint64_t *hash, uint64_t value) {
    for (unsigned i = 0; i < 8; i++, value >>= 8)
        *hash = (*hash ^ (value & 0xff)) * 0x100000001b3ULL;
}

static uint64_t hash_of_tree(uint64_t satp) {
    uint64_t root = satp << 20 >> 8;
    return walker_survey(root, 0, 256, NULL, NULL).hash;
}

static void mix_space(uint64_t *hash, const struct aspace *as) {
    mix(hash, hash_of_tree(as->user_satp));
    mix(hash, hash_of_tree(as->kernel_satp));
    mix(hash, as->user_satp);
    mix(hash, as->committed);
    mix(hash, as->present);
    mix(hash, as->brk);
    mix(hash, as->heap_end);
    for (const struct mapping *m = as->mappings.first; m; m = m->next) {
        mix(hash, m->start);
        mix(hash, m->end);
        mix(hash, (uint64_t)m->object);
        mix(hash, m->first);
        mix(hash, (uint64_t)m->limit << 16 | (uint64_t)m->perm << 8);
        mix(hash, m->shared << 3 | m->owns << 2 | m->lazy << 1 | m->lazy_tables);
    }
}

uint64_t env_hash(void) {
    uint64_t hash = 0xcbf29ce484222325ULL;
    struct frame_stats st;
    frame_stats(&st);
    uint64_t records = mapping_frames() + shm_frames();
    mix(&hash, st.total - st.free - st.cached - records);
    mix(&hash, st.committed - records);
    for (const struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++) {
        mix(&hash, p->used);
        if (p->used)
            mix_space(&hash, p->as);
    }
    return hash;
}
