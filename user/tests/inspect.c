/* vmtable and vmregions: what a process is told about its own memory and others'. */
#include "inspect.h"
#include <string.h>

static struct abi_vmtable t;
static struct abi_vmregion regions[REGIONS_MAX];

/* ---- reading ---- */
/* The leaf that translates va, or 0. */
static uint64_t leaf(int pid, const void *p, uint32_t view) {
    uint64_t va = (uint64_t)p;
    for (int level = (int)ROOT_LEVEL; level >= 0; level--) {
        int r = table_at(&t, pid, va, level, view);
        CHECK_MSG(r >= 0, "process %d has no table for 0x%lx", pid, (long)va);
        if (r == 0)
            return 0;
        uint64_t pte = t.entry[index_of(va, level)];
        if (is_leaf(pte))
            return pte;
    }
    return 0;
}

static uint64_t frame(int pid, const void *p) {
    uint64_t pte = leaf(pid, p, ABI_VIEW_USER);
    CHECK_MSG(pte, "process %d has nothing at 0x%lx", pid, (long)p);
    return frame_of(pte);
}

static const struct abi_vmregion *region(int pid, const void *p) {
    int n = sys_vmregions(pid, regions, REGIONS_MAX);
    CHECK(n > 0 && n <= REGIONS_MAX);
    for (int i = 0; i < n; i++)
        if ((uint64_t)p >= regions[i].start && (uint64_t)p < regions[i].end)
            return &regions[i];
    FAIL("process %d has no region at 0x%lx", pid, (long)p);
}

/* ---- errors ---- */
static void inspect_nobody(void) {
    int pid = must_fork();
    if (pid == 0)
        sys_exit(0);
    CHECK_EQ(reap(pid), 0);
    const int nobody[] = {pid, -1, 0x7fffffff, -0x7fffffff - 1};
    for (unsigned i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
        CHECK_EQ(table_at(&t, nobody[i], 0, ROOT_LEVEL, ABI_VIEW_USER), -ESRCH);
        CHECK_EQ(table_at(&t, nobody[i], 0, ROOT_LEVEL, ABI_VIEW_KERNEL), -ESRCH);
        CHECK_EQ(sys_vmregions(nobody[i], regions, REGIONS_MAX), -ESRCH);
    }
}

static void bad_level_and_view(void) {
    const uint32_t bad[] = {ROOT_LEVEL + 1, 64, 0x80000000, 0xffffffff};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(table_at(&t, 0, 0, bad[i], ABI_VIEW_USER), -EINVAL);
        CHECK_EQ(table_at(&t, 0, 0, 0, bad[i]), -EINVAL);
    }
    CHECK_EQ(table_at(&t, 0, 0, 0, 2), -EINVAL);
    CHECK_EQ(table_at(&t, 0, 0, 0, ABI_VIEW_USER), 1);
}

/* A walk that ends above tells nothing; one that does not exist neither. */
static void walk_ends_above(void) {
    uint64_t nothing = USER_LIMIT - PAGE;
    CHECK_EQ(table_at(&t, 0, nothing, ROOT_LEVEL, ABI_VIEW_USER), 1);
    CHECK_EQ(t.entry[index_of(nothing, ROOT_LEVEL)], 0);
    memset(&t, 0x55, sizeof(t));
    for (int level = 0; level < (int)ROOT_LEVEL; level++)
        CHECK_EQ(table_at(&t, 0, nothing, level, ABI_VIEW_USER), 0);
    CHECK_EQ(t.head.table, 0);
    CHECK(all_zero(&t.head.satp, 8) && t.entry[0] == 0x5555555555555555);
    const uint64_t beyond[] = {LOW_HALF_END, LOW_HALF_END << 1, 1ULL << 63, -LOW_HALF_END - 1};
    for (unsigned i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
        CHECK_EQ(table_at(&t, 0, beyond[i], ROOT_LEVEL, ABI_VIEW_KERNEL), 0);
}

/* The structure at `to` cannot be read, or cannot be written as a whole. */
static void refused(uint64_t to) {
    CHECK_MSG(sys_vmtable(0, opaque(to)) == -EFAULT, "vmtable at 0x%lx", (long)to);
    CHECK_MSG(sys_vmregions(0, opaque(to), REGIONS_MAX) == -EFAULT, "vmregions at 0x%lx", (long)to);
}

static void bad_pointers_to_tables(void) {
    static const struct abi_vmtable readonly; /* asks for a table that is there */
    char *a = pages(4), *end = a + 4 * PAGE;
    static const unsigned parts[] = {
        0, 8, 12, 16, 24, sizeof(t.head), sizeof(t.head) + 8, PAGE, sizeof(t) - 8, sizeof(t) - 1};
    for (const uint64_t *bad = bad_addresses(); *bad; bad++)
        refused(*bad);
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        memset(a, 0, 4 * PAGE);
        CHECK_EQ(sys_vmtable(0, opaque((uint64_t)end - parts[i])), -EFAULT);
    }
    for (unsigned room = 0; room < 2 * sizeof(regions[0]); room += 8)
        CHECK_EQ(sys_vmregions(0, opaque((uint64_t)end - room), REGIONS_MAX), -EFAULT);
    CHECK_EQ(sys_vmtable(0, opaque((uint64_t)end - sizeof(t))), 1);
    refused((uint64_t)&readonly);
}

/* ---- the caller's memory takes what it is told ---- */
static void table_to_untouched_pages(void) {
    char *a = pages(8);
    struct abi_vmtable *fresh = (struct abi_vmtable *)(a + 3 * PAGE - 16);
    CHECK_EQ(leaf(0, a + 3 * PAGE, ABI_VIEW_USER), 0);
    CHECK_EQ(sys_vmtable(0, fresh), 1); /* zeros: the user's last table for address 0 */
    CHECK_EQ(table_at(&t, 0, 0, 0, ABI_VIEW_USER), 1);
    CHECK_EQ(memcmp(&fresh->head, &t.head, sizeof(t.head)), 0);
    CHECK_EQ(memcmp(fresh->entry, t.entry, sizeof(t.entry)), 0);
}

static void table_to_shared_pages(void) {
    struct abi_vmtable *shared = (struct abi_vmtable *)pages(3);
    memset(shared, 0, 3 * PAGE);
    int pid = must_fork();
    if (pid == 0) {
        CHECK_EQ(sys_vmtable(0, shared), 1);
        CHECK(shared->head.table != 0);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    CHECK(all_zero(shared, 3 * PAGE));
}

/* ---- what is told is so ---- */
static void satp_and_root(void) {
    CHECK_EQ(table_at(&t, 0, 0, ROOT_LEVEL, ABI_VIEW_USER), 1);
    CHECK_EQ(t.head.satp >> 60, 8 + paging_levels - 3); /* Sv39 is 8 */
    CHECK_EQ((t.head.satp << 20 >> 20) * PAGE, t.head.table);
    uint64_t satp = t.head.satp, root = t.head.table;
    CHECK_EQ(table_at(&t, 0, DIRECT_MAP, ROOT_LEVEL, ABI_VIEW_KERNEL), 1);
    CHECK_EQ((t.head.satp << 20 >> 20) * PAGE, t.head.table);
    CHECK_EQ(t.head.satp == satp, t.head.table == root);
    CHECK_EQ(table_at(&t, 1, DIRECT_MAP, ROOT_LEVEL, ABI_VIEW_KERNEL), 1);
    CHECK(t.head.table != 0 && t.entry[index_of(DIRECT_MAP + 0x80000000, ROOT_LEVEL)] & 1);
}

/* The kernel sees the same frame, with U or without, or none. */
static void views_agree(const char *p) {
    uint64_t user = leaf(0, p, ABI_VIEW_USER), kernel = leaf(0, p, ABI_VIEW_KERNEL);
    CHECK(user & 0x10);
    CHECK(kernel == 0 || (kernel | 0x10) == user);
}

static void touched_is_present(void) {
    char *a = pages(4);
    uint64_t present = region(0, a)->present;
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(leaf(0, a + i * PAGE, ABI_VIEW_USER), 0);
        CHECK_EQ(leaf(0, a + i * PAGE, ABI_VIEW_KERNEL), 0);
        a[i * PAGE] = 1;
        views_agree(a + i * PAGE);
        CHECK_EQ(region(0, a)->present, present + i + 1);
        CHECK_EQ(region(0, a)->shared, 0);
    }
    CHECK(frame(0, a) != frame(0, a + PAGE));
    must_sbrk(-2 * (int)PAGE);
    CHECK_EQ(region(0, a)->present, present + 2);
    CHECK_EQ(region(0, a)->end, (uint64_t)a + 2 * PAGE);
    CHECK_EQ(leaf(0, a + 2 * PAGE, ABI_VIEW_USER), 0);
    CHECK_EQ(leaf(0, a + 2 * PAGE, ABI_VIEW_KERNEL), 0);
    views_agree(a);
}

static void large_page_is_told(void) {
    uint64_t brk = (uint64_t)sys_sbrk(0);
    must_sbrk((2 * MB - brk % (2 * MB)) % (2 * MB));
    char *a = must_sbrk(2 * MB);
    memset(a, 1, 2 * MB);
    CHECK_EQ(region(0, a)->present, 512);
    CHECK_EQ(region(0, a)->shared, 0);
    int r = table_at(&t, 0, (uint64_t)a, 0, ABI_VIEW_USER); /* small ones where RAM is in pieces */
    CHECK_EQ(table_at(&t, 0, (uint64_t)a, 1, ABI_VIEW_USER), 1);
    CHECK_EQ(r, !is_leaf(t.entry[index_of((uint64_t)a, 1)]));
    int pid = must_fork();
    if (pid == 0) {
        sys_sleep(100000);
        sys_exit(0);
    }
    CHECK_EQ(region(pid, a)->shared, 512);
    a[PAGE] = 2;
    CHECK(frame(pid, a + PAGE) != frame(0, a + PAGE)); /* copied, alone or with the others */
    CHECK_EQ(sys_kill(pid), 0);
    CHECK_EQ(reap(pid), KILLED);
    CHECK_EQ(region(0, a)->shared, 0);
}

/* Frames after fork: the same, then the writer's own; what the other is told follows. */
static void forked_is_shared(void) {
    int go[2], done[2];
    char c = 0;
    char *a = pages(3);
    memset(a, 'a', 3 * PAGE);
    must_pipe(go);
    must_pipe(done);
    uint64_t frames = region(0, a)->present;
    int parent = sys_getpid(), pid = must_fork();
    if (pid == 0) {
        CHECK_EQ(frame(0, a), frame(parent, a));
        read_all(go[0], &c, 1);
        a[PAGE] = 'c';
        CHECK(frame(0, a + PAGE) != frame(parent, a + PAGE));
        write_all(done[1], &c, 1);
        read_all(go[0], &c, 1);
        sys_exit(0);
    }
    for (int i = 0; i < 3; i++)
        CHECK_EQ(frame(0, a + i * PAGE), frame(pid, a + i * PAGE));
    CHECK_EQ(region(0, a)->shared, frames);
    CHECK_EQ(region(pid, a)->shared, frames);
    uint64_t before = frame(0, a + PAGE);
    write_all(go[1], "1", 1);
    read_all(done[0], &c, 1);
    CHECK_EQ(frame(0, a + PAGE), before);
    CHECK(frame(pid, a + PAGE) != before);
    CHECK_EQ(frame(pid, a), frame(0, a));
    CHECK_EQ(region(0, a)->shared, frames - 1);
    CHECK_EQ(region(pid, a)->shared, frames - 1);
    write_all(go[1], "2", 1);
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(region(0, a)->shared, 0);
}

static void written_is_copied(void) {
    char *data = initialised;
    CHECK_EQ(*(volatile char *)(data + PAGE), INITIALISED(1)); /* then it is there */
    struct abi_vmregion before = *region(0, data + PAGE);
    uint64_t program = frame(0, data + PAGE);
    CHECK(strcmp(before.name, "data") == 0 && !(before.flags & ABI_VM_ZEROS));
    CHECK_EQ(before.perm, 2 | 4);
    CHECK_EQ(frame(sys_getpid(), data + PAGE), program);
    data[PAGE] = 'w';
    const struct abi_vmregion *after = region(0, data + PAGE);
    CHECK(frame(0, data + PAGE) != program);
    CHECK_EQ(after->copied, before.copied + 1);
    CHECK_EQ(after->shared, before.shared - 1);
    CHECK_EQ(after->present, before.present);
}

/* Text has no frame of its own: it shows the file's. */
static void text_is_the_files(void) {
    const void *text = (const void *)text_is_the_files;
    const struct abi_vmregion *r = region(0, text);
    uint64_t offset = r->offset + ((uint64_t)text - r->start) / PAGE * PAGE;
    CHECK(strcmp(r->name, "text") == 0 && r->copied == 0);
    int fd = must_open(SELF, ABI_O_RDONLY);
    char *m = sys_mmap(NULL, PAGE, ABI_PROT_READ, ABI_MAP_SHARED, fd, (int64_t)offset);
    CHECK_EQ(m[(uint64_t)text % PAGE], *(const char *)text);
    CHECK_EQ(frame(0, text), frame(0, m));
    must_close(fd);
    CHECK_EQ(sys_munmap(m, PAGE), 0);
}

static void regions_are_in_order(void) {
    struct abi_procinfo pi;
    uint64_t present = 0, end = 0;
    memset(regions, 0, sizeof(regions)); /* what is told shall not need a page more */
    int n = sys_vmregions(0, NULL, 0);
    CHECK_EQ(sys_vmregions(0, regions, -1), n);
    CHECK_EQ(sys_vmregions(0, regions, REGIONS_MAX), n);
    for (int i = 0; i < n; i++) {
        CHECK(regions[i].start >= end && regions[i].end >= regions[i].start);
        CHECK_EQ(regions[i].start % PAGE, 0);
        CHECK_EQ(regions[i].end % PAGE, 0);
        CHECK(regions[i].present <= (regions[i].end - regions[i].start) / PAGE);
        CHECK(regions[i].shared <= regions[i].present && regions[i].copied <= regions[i].present);
        present += regions[i].present;
        end = regions[i].end;
    }
    for (int slot = 0; sys_procinfo(slot, &pi) != 1 || pi.pid != sys_getpid();)
        slot++;
    CHECK_EQ(pi.frames, present);
    CHECK(strcmp(region(0, &n)->name, "stack") == 0);
    CHECK(region(0, &n)->flags & ABI_VM_GUARDED);
    CHECK_EQ(region(0, &n)->start, stack_page());
    CHECK_EQ(region(0, opaque((uint64_t)inspect_nobody))->perm, 2 | 8);
    memset(regions, 0x55, sizeof(regions));
    CHECK_EQ(sys_vmregions(0, regions, 1), n);
    CHECK(regions[0].end % PAGE == 0 && regions[1].start == 0x5555555555555555);
}

const struct test inspect_tests[] = {
    {"inspect_nobody", inspect_nobody, false},
    {"bad_level_and_view", bad_level_and_view, false},
    {"walk_ends_above", walk_ends_above, false},
    {"bad_pointers_to_tables", bad_pointers_to_tables, false},
    {"table_to_untouched_pages", table_to_untouched_pages, false},
    {"table_to_shared_pages", table_to_shared_pages, false},
    {"satp_and_root", satp_and_root, false},
    {"touched_is_present", touched_is_present, false},
    {"large_page_is_told", large_page_is_told, false},
    {"forked_is_shared", forked_is_shared, false},
    {"written_is_copied", written_is_copied, false},
    {"text_is_the_files", text_is_the_files, false},
    {"regions_are_in_order", regions_are_in_order, false},
    {0},
};
