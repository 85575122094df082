/* A machine that is taken from snapshot to snapshot beside one that never was.
 *
 *     detours s KERNEL DISK HARTS SEED PIECE APPEND
 *     detours m KERNEL DISK ...                        a kernel of M-mode
 *     detours f KERNEL DISK ...                        the same; it needs no fence.i
 *
 * Both run in pieces of PIECE instructions, until they have powered off. Before each piece the one
 * goes astray: it runs on for some pieces, with keys that nobody has typed for the other, goes back
 * to older snapshots, or goes on as a new machine. Then it is restored to where it was, and has to
 * do in its piece what the other does. Status 1, and a sentence: it did not. */
#include "machine/machine.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OLDER = 4, ASTRAY_MOST = 3 };

struct side {
    struct sim *sim;
    uint64_t printed, findings; /* what was, in one number */
    struct sim_end end;
};

static struct sim_options options;
static uint64_t piece_length;

static void printed(void *context, uint8_t byte) {
    struct side *side = context;
    side->printed = (side->printed ^ byte) * 0x100000001b3;
}
static void finding(void *context, const struct sim_finding *finding) {
    struct side *side = context;
    for (const char *text = finding->text; *text; text++)
        side->findings = (side->findings ^ (uint8_t)*text) * 0x100000001b3;
}

static void make(struct side *side) {
    char error[256];
    options.context = side;
    side->sim = sim_create(&options, error, sizeof(error));
    if (!side->sim) {
        fprintf(stderr, "detours: %s\n", error);
        exit(2);
    }
}

static void run_piece(struct side *side) {
    side->end = sim_run(side->sim, piece_length);
    if (side->end.how == SIM_WAITS && side->end.next_ns != UINT64_MAX)
        sim_skip(side->sim, side->end.next_ns);
}

/* ---- compared ---------------------------------------------------------------------------------
 */
static uint64_t at; /* the piece */

static void same(bool is, const char *what) {
    if (is)
        return;
    fprintf(stderr, "detours: after piece %" PRIu64 " the machines differ in %s\n", at, what);
    exit(1);
}
#define SAME(a, b, what) same(sizeof(a) == sizeof(b) && memcmp(&(a), &(b), sizeof(a)) == 0, what)

static void same_keeper(const struct keeper *a, const struct keeper *b) {
    same(a->count == b->count && memcmp(a->live, b->live, a->count * sizeof(a->live[0])) == 0,
         "which entries are kept");
    SAME(a->by_pa, b->by_pa, "how kept entries are found");
    for (unsigned i = 0; i < a->count; i++) {
        const struct kept *k = &a->entries[a->live[i]], *l = &b->entries[a->live[i]];
        same(k->va == l->va && k->pa == l->pa && k->value == l->value && k->when == l->when &&
                 k->asid == l->asid && k->level == l->level && k->global == l->global,
             "a kept entry");
    }
}

static void same_hart(const struct hart *a, const struct hart *b) {
    SAME(a->pc, b->pc, "pc");
    same(memcmp(a->x, b->x, 32 * sizeof(a->x[0])) == 0, "x");
    SAME(a->f, b->f, "f");
    SAME(a->instret, b->instret, "instret");
    same(a->priv == b->priv && a->state == b->state && a->waiting == b->waiting,
         "privilege, state");
    same(memcmp(&a->mstatus, &b->mstatus,
                offsetof(struct hart, seip) - offsetof(struct hart, mstatus)) == 0,
         "control and status registers");
    same(a->fflags == b->fflags && a->frm == b->frm, "fcsr");
    SAME(a->random, b->random, "the hart's choices");
    same(a->stale_count == b->stale_count && a->spurious.pending == b->spurious.pending,
         "uses of kept entries");
    SAME(a->caches.code_pages, b->caches.code_pages, "the number of pages it fetched from");
    same_keeper(&a->keeper, &b->keeper);
}

static void same_sides(const struct side *a, const struct side *b) {
    const struct sim *s = a->sim, *t = b->sim;
    same(a->printed == b->printed, "what was printed");
    same(a->findings == b->findings, "what was found");
    same(a->end.how == b->end.how && a->end.next_ns == b->end.next_ns, "how it ended");
    for (unsigned i = 0; i < options.harts; i++)
        same_hart(&s->harts[i], &t->harts[i]);
    SAME(s->frames.hooks, t->frames.hooks, "the hooks of the allocator's functions");
    if (s->frames.pages != NULL)
        same(memcmp(s->frames.pages, t->frames.pages,
                    (options.ram_bytes >> 12) * sizeof(struct frame)) == 0,
             "who has which page");
    SAME(s->executed, t->executed, "instructions");
    SAME(s->skipped, t->skipped, "time");
    SAME(s->random, t->random, "the machine's choices");
    SAME(s->clint, t->clint, "the CLINT");
    SAME(s->plic, t->plic, "the PLIC");
    same(s->blk[0].waiting == t->blk[0].waiting && s->blk[0].next_ns == t->blk[0].next_ns &&
             s->blk[0].seed == t->blk[0].seed && s->blk[0].used_next == t->blk[0].used_next,
         "the disk's queue");
    same(s->disk[0].requests == t->disk[0].requests && s->disk[0].written == t->disk[0].written &&
             s->disk[0].cached == t->disk[0].cached,
         "the disk");
    same(memcmp(s->ram, t->ram, options.ram_bytes) == 0, "RAM");
}

static void same_disks(const struct sim *s, const struct sim *t) {
    static uint8_t a[4096], b[4096];
    for (uint64_t i = 0; sim_disk_read(s, 0, i, a, sizeof(a)); i += sizeof(a))
        same(sim_disk_read(t, 0, i, b, sizeof(b)) && memcmp(a, b, sizeof(a)) == 0,
             "the disk's bytes");
}

/* ---- detours ----------------------------------------------------------------------------------
 */
static uint64_t random_state = 1;
static uint64_t below(uint64_t end) { return choose(&random_state) % end; }

static void must(bool good) {
    if (good)
        return;
    fprintf(stderr, "detours: no memory\n");
    exit(2);
}

static void go_astray(struct side *side) {
    const uint8_t keys[] = "ls; echo astray > f\n";
    sim_input(side->sim, keys, sizeof(keys) - 1);
    for (uint64_t left = below(ASTRAY_MOST + 1); left > 0; left--)
        run_piece(side);
}

/* Away from here and back; the ring has the last snapshots. */
static void detour(struct side *side, struct sim_snapshot *ring[OLDER]) {
    const struct side then = *side;
    struct sim_snapshot *here = sim_snapshot(side->sim), *older = ring[below(OLDER)];
    must(here != NULL);
    go_astray(side);
    if (older && below(2)) {
        must(sim_restore(side->sim, older));
        go_astray(side);
    }
    if (below(4) == 0) {
        sim_destroy(side->sim);
        make(side);
        if (below(2))
            go_astray(side);
    }
    must(sim_restore(side->sim, here));
    side->printed = then.printed;
    side->findings = then.findings;
    side->end = then.end;
    unsigned place = (unsigned)below(OLDER);
    sim_snapshot_free(ring[place]);
    ring[place] = here;
}

static struct sim_image read_image(const char *path) {
    struct sim_image image = {.name = path};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    image.size = (uint64_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(image.size);
    must(bytes && fread(bytes, 1, image.size, file) == image.size);
    fclose(file);
    image.bytes = bytes;
    return image;
}

int main(int argc, char **argv) {
    static struct side plain, restored;
    struct sim_snapshot *ring[OLDER] = {0};
    if (argc != 8)
        return 2;
    options = sim_defaults();
    options.kernel = read_image(argv[2]);
    options.disks[0] = read_image(argv[3]);
    options.harts = (unsigned)atoi(argv[4]);
    options.seed = strtoull(argv[5], NULL, 10);
    piece_length = strtoull(argv[6], NULL, 10);
    options.append = argv[7];
    options.ram_bytes = 64 << 20;
    options.machine_mode = argv[1][0] != 's';
    options.stale_code = argv[1][0] != 'f';
    options.misaligned = !options.machine_mode;
    options.console = printed;
    options.finding = finding;
    make(&plain);
    make(&restored);
    for (at = 1; plain.end.how == SIM_RUNS || plain.end.how == SIM_WAITS; at++) {
        detour(&restored, ring);
        run_piece(&plain);
        run_piece(&restored);
        same_sides(&plain, &restored);
    }
    same_disks(plain.sim, restored.sim);
    printf("%" PRIu64 " pieces, %" PRIu64 " instructions, %" PRIu64 " findings, status %u\n",
           at - 1, sim_instructions(plain.sim), sim_findings(plain.sim), plain.end.code);
    for (unsigned i = 0; i < OLDER; i++)
        sim_snapshot_free(ring[i]);
    sim_destroy(plain.sim);
    sim_destroy(restored.sim);
    return 0;
}
