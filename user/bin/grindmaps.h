/* grind's mappings: of anonymous memory and of a file, private and shared. The model knows of each
 * page what may be done with it and what stands at both of its ends. What a child stores in shared
 * pages follows from a seed, so that the parent knows it, too. */
#pragma once

#define MAPS 6
#define MAP_PAGES 8
#define FILE_PAGES 12
#define RW (PROT_READ | PROT_WRITE)
#define GONE (-1) /* a page's permissions when it is not mapped any more */

static struct map {
    char *at; /* NULL: there is none */
    unsigned pages, first;
    bool shared, of_file;
    struct {
        int prot;
        bool own; /* of a private mapping of the file: it does not show the file's page any more */
        uint64_t tag;
    } page[MAP_PAGES];
} maps[MAPS];

static int map_fd;
static uint64_t file_tags[FILE_PAGES];
static bool is_child; /* its parent knows nothing of what it does */

static uint64_t new_tag(void) { return (uint64_t)rnd(1u << 30) << 20 | 1; }

/* Where the model has what stands in a page. */
static uint64_t *tag_of(struct map *m, unsigned i) {
    return m->of_file && !m->page[i].own ? &file_tags[m->first + i] : &m->page[i].tag;
}

static volatile uint64_t *begin_of(struct map *m, unsigned i) {
    return (uint64_t *)(m->at + i * PAGE);
}
static volatile uint64_t *end_of(struct map *m, unsigned i) {
    return (uint64_t *)(m->at + (i + 1) * PAGE - sizeof(uint64_t));
}

static void store_tag(struct map *m, unsigned i, uint64_t tag) {
    *begin_of(m, i) = tag;
    *end_of(m, i) = tag;
    m->page[i].own = m->of_file && !m->shared;
    *tag_of(m, i) = tag;
}

static struct map *any_map(void) { return &maps[rnd(MAPS)]; }

/* A part of a mapping. */
static void any_part(const struct map *m, unsigned *from, unsigned *to) {
    *from = rnd(m->pages);
    *to = *from + 1 + rnd(m->pages - *from);
}

static bool part_is_mapped(const struct map *m, unsigned from, unsigned to) {
    while (from < to && m->page[from].prot != GONE)
        from++;
    return from == to;
}

static void file_page_write(unsigned page, uint64_t tag) {
    uint64_t *words = (uint64_t *)buffer;
    memset(buffer, 0, PAGE);
    words[0] = words[PAGE / sizeof(uint64_t) - 1] = tag;
    expect(lseek(map_fd, page * PAGE, SEEK_SET) == page * PAGE, "lseek in its mapped file");
    expect(write(map_fd, buffer, PAGE) == PAGE, "write to its mapped file");
    file_tags[page] = tag;
}

static void maps_start(void) {
    char name[8];
    snprintf(name, sizeof(name), "m%d", worker);
    map_fd = open(name, O_CREATE | O_RDWR);
    expect(map_fd >= 0 && unlink(name) == 0, "its mapped file cannot be made");
    for (unsigned i = 0; i < FILE_PAGES; i++)
        file_page_write(i, new_tag());
}

/* What cannot be done with a page the kernel refuses to do for the process, too. */
static void page_check(struct map *m, unsigned i) {
    int prot = m->page[i].prot;
    uint64_t *begin = (uint64_t *)begin_of(m, i);
    if (prot == GONE)
        return; /* another mapping may have the place */
    if (prot == PROT_NONE) {
        expect(write(pipe_fd[1], begin, 1) == -1 && errno == EFAULT, "a page without R is read");
        return;
    }
    expect(*begin == *tag_of(m, i) && *end_of(m, i) == *tag_of(m, i), "a page has other contents");
    if (!(prot & PROT_WRITE))
        expect(fstat(map_fd, (struct stat *)begin) == -1 && errno == EFAULT,
               "a page without W is written");
}

static void maps_check(void) {
    for (unsigned k = 0; k < MAPS; k++)
        for (unsigned i = 0; maps[k].at && i < maps[k].pages; i++)
            page_check(&maps[k], i);
}

static void map_new(void) {
    struct map *m = any_map(), fresh = {.pages = 1 + rnd(MAP_PAGES), .shared = rnd(2)};
    int prot = rnd(4) ? RW : PROT_READ;
    int flags = fresh.shared ? MAP_SHARED : MAP_PRIVATE;
    fresh.of_file = rnd(2);
    if (m->at)
        return;
    fresh.first = rnd(FILE_PAGES - fresh.pages + 1);
    fresh.at = mmap(NULL, fresh.pages * PAGE, prot, flags | (fresh.of_file ? 0 : MAP_ANONYMOUS),
                    fresh.of_file ? map_fd : -1, fresh.of_file ? fresh.first * PAGE : 0);
    if (fresh.at == MAP_FAILED) {
        expect(errno == ENOMEM, "mmap");
        return;
    }
    for (unsigned i = 0; i < fresh.pages; i++)
        fresh.page[i].prot = prot;
    *m = fresh;
}

static void map_write(void) {
    struct map *m = any_map();
    unsigned i = m->at ? rnd(m->pages) : 0;
    if (m->at && m->page[i].prot == RW && !(m->shared && is_child))
        store_tag(m, i, new_tag());
}

static void map_protect(void) {
    static const int prots[] = {PROT_NONE, PROT_READ, RW, RW};
    struct map *m = any_map();
    unsigned from, to;
    int prot = prots[rnd(4)];
    if (!m->at)
        return;
    any_part(m, &from, &to);
    if (!part_is_mapped(m, from, to))
        return;
    if (mprotect(m->at + from * PAGE, (to - from) * PAGE, prot) < 0)
        expect(errno == ENOMEM, "mprotect");
    else
        for (; from < to; from++)
            m->page[from].prot = prot;
}

static void map_unmap(void) {
    struct map *m = any_map();
    unsigned from, to;
    if (!m->at)
        return;
    any_part(m, &from, &to);
    if (!part_is_mapped(m, from, to))
        return; /* another mapping may have the place */
    if (munmap(m->at + from * PAGE, (to - from) * PAGE) < 0) {
        expect(errno == ENOMEM, "munmap");
        return;
    }
    for (; from < to; from++)
        m->page[from].prot = GONE;
    for (unsigned i = 0; i < m->pages; i++)
        if (m->page[i].prot != GONE)
            return;
    m->at = NULL;
}

/* Private pages are given back: they are zeros again, or the file's. */
static void map_forget(void) {
    struct map *m = any_map();
    unsigned from, to;
    if (!m->at || m->shared)
        return;
    any_part(m, &from, &to);
    if (!part_is_mapped(m, from, to))
        return;
    expect(madvise(m->at + from * PAGE, (to - from) * PAGE, MADV_DONTNEED) == 0, "madvise");
    for (; from < to; from++) {
        m->page[from].own = false;
        m->page[from].tag = 0;
    }
}

static void map_sync(void) {
    struct map *m = any_map();
    if (m->at && part_is_mapped(m, 0, m->pages))
        expect(msync(m->at, m->pages * PAGE, MS_SYNC) == 0, "msync");
}

/* The file by calls, which its mappings show at once, and the reverse. */
static void map_file(void) {
    uint64_t *words = (uint64_t *)buffer;
    unsigned page = rnd(FILE_PAGES);
    if (rnd(2) && !is_child) {
        file_page_write(page, new_tag());
        return;
    }
    expect(lseek(map_fd, page * PAGE, SEEK_SET) == page * PAGE, "lseek in its mapped file");
    expect(read(map_fd, buffer, PAGE) == PAGE, "read of its mapped file");
    expect(words[0] == file_tags[page] && words[PAGE / sizeof(uint64_t) - 1] == file_tags[page],
           "a mapped file has other contents");
}

/* ---- a child ---- */

/* What a child that begins with this seed stores in a page; 0: nothing. */
static uint64_t childs_tag(uint32_t seed, const struct map *m, unsigned i) {
    unsigned place = m->of_file ? m->first + i : FILE_PAGES + (m - maps) * MAP_PAGES + i;
    uint64_t tag = (uint64_t)(seed ^ place * 2654435761u) * 0x9e3779b97f4a7c15;
    return m->shared && m->page[i].prot == RW && tag >> 63 ? tag : 0;
}

static void map_child(void) {
    static void (*const steps[])(void) = {map_new,   map_write,  map_write, map_protect,
                                          map_unmap, map_forget, map_file};
    uint32_t seed = random_state;
    is_child = true;
    maps_check();
    for (unsigned k = 0; k < MAPS; k++)
        for (unsigned i = 0; maps[k].at && i < maps[k].pages; i++)
            if (childs_tag(seed, &maps[k], i))
                store_tag(&maps[k], i, childs_tag(seed, &maps[k], i));
    for (int i = 0; i < 20; i++)
        steps[rnd(sizeof(steps) / sizeof(steps[0]))]();
    maps_check();
}

/* The child has ended: after all of its stores, or was killed somewhere. */
static void map_child_done(uint32_t seed, bool killed) {
    for (unsigned k = 0; k < MAPS; k++) {
        struct map *m = &maps[k];
        for (unsigned i = 0; m->at && i < m->pages; i++) {
            uint64_t tag = childs_tag(seed, m, i), old = *tag_of(m, i);
            if (tag && killed) {
                expect((*begin_of(m, i) == tag || *begin_of(m, i) == old) &&
                           (*end_of(m, i) == tag || *end_of(m, i) == old),
                       "a child has left something else in a shared page");
                store_tag(m, i, tag);
            } else if (tag) {
                *tag_of(m, i) = tag;
            }
        }
    }
}

static void maps_end(void) {
    maps_check();
    for (unsigned page = 0; page < FILE_PAGES; page++)
        map_file();
}
