/* exec from a file of a mounted disk into real memory, under every design: when the n-th promise of
 * memory is refused, all is as it was, for n = 1, 2, 3 ... until it succeeds. */
/* sources: kernel/vfs/mount.c kernel/vfs/where.c kernel/vfs/listing.c */
/* sources: kernel/vfs/filelock.c */
/* sources: kernel/mm/pagetree.c */
/* sources: kernel/vfs/node.c kernel/vfs/names.c kernel/fs/fsnode.c kernel/fs/step.c */
/* sources: kernel/syscall/exec.c kernel/syscall/arguments.c */
/* sources: kernel/syscall/program.c kernel/syscall/script.c */
/* sources: kernel/syscall/sysfile.c */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/pagefile.c */
/* sources: kernel/fs/filewrite.c kernel/fs/filemap.c kernel/fs/inodemap.c */
/* sources: kernel/fs/inode.c kernel/fs/data.c kernel/fs/dir.c kernel/vfs/path.c */
/* sources: kernel/fs/namecache.c kernel/fs/nameop.c kernel/fs/rename.c */
/* sources: kernel/fs/entries.c kernel/vfs/file.c kernel/vfs/open.c kernel/fs/inodefile.c */
/* sources: kernel/vfs/devfile.c kernel/vfs/pipe.c kernel/fs/fs.c kernel/vfs/descriptor.c */
/* sources: kernel/mm/populate.c kernel/mm/withdraw.c */
/* sources: kernel/mm/load.c */
/* sources: kernel/mm/aspace.c kernel/mm/change.c kernel/mm/heap.c kernel/mm/slab.c */
/* sources: kernel/mm/rmap.c kernel/mm/pieces.c kernel/mm/fault.c kernel/mm/elf.c kernel/mm/pt.c */
/* sources: kernel/mm/uaccess.c kernel/mm/kernel_view.c */
/* sources: kernel/mm/design_mirror.c kernel/mm/design_share.c kernel/mm/design_unify.c */
/* sources: kernel/mm/design_walk.c kernel/mm/design.c kernel/mm/sumcopy.c */
/* sources: kernel/mm/check.c kernel/mm/commit.c kernel/mm/mmap.c kernel/mm/shm.c */
/* sources: kernel/mm/turn.c kernel/mm/move.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/execenv.c tests/host/aspaceenv.c tests/host/aspaceprograms.c */
/* sources: tests/host/aspacehash.c tests/host/tlbmodel.c tests/host/walker.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c */
#include "execenv.h"
#include "fs/inodemap.h"
#include "fs/inode.h"
#include "hostarch.h"
#include "inodeof.h"
#include "lib/errno.h"
#include "mm/elf.h"
#include "mm/mmap.h"
#include "mm/zeros.h"
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

/* ---- the programs ---- */

#define PT_LOAD 1
#define PT_GNU_STACK 0x6474e551
#define TEXT 0x10000UL
#define CONSTANTS 0x20000UL
#define DATA (LARGE_SIZE - 2 * PAGE_SIZE + 0x800) /* across the border of two tables */
#define FILE_BYTES 0x6000
#define DATA_BYTES 0x1800
#define DATA_MEMORY 0x5000
#define STACK MIB(8)

static const struct elf_phdr phdrs[] = {
    {PT_LOAD, 5, 0, TEXT, 0, 0x2800, 0x2800, PAGE_SIZE},
    {PT_LOAD, 4, 0x3000, CONSTANTS, 0, 0x1000, 0x1000, PAGE_SIZE},
    {PT_LOAD, 6, 0x4800, DATA, 0, DATA_BYTES, DATA_MEMORY, PAGE_SIZE},
    {PT_GNU_STACK, 6, 0, 0, 0, 0, STACK, 16},
};

static uint64_t word_of(unsigned program, uint64_t offset) {
    return (uint64_t)program << 56 | 0xc0deUL << 16 | offset;
}

/* After the headers each word of it says which program's it is, and where it stands. */
static void make_program(unsigned program, uint8_t file[FILE_BYTES]) {
    const struct elf_header header = {.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
                                      .type = 2,
                                      .machine = 243,
                                      .version = 1,
                                      .entry = TEXT + 0x200,
                                      .phoff = sizeof(header),
                                      .ehsize = sizeof(header),
                                      .phentsize = sizeof(phdrs[0]),
                                      .phnum = ARRAY_LEN(phdrs)};
    for (uint64_t at = 0; at < FILE_BYTES; at += 8) {
        uint64_t word = word_of(program, at);
        memcpy(file + at, &word, 8);
    }
    memcpy(file, &header, sizeof(header));
    memcpy(file + sizeof(header), phdrs, sizeof(phdrs));
}

static const char *const names[] = {"/first", "/second"};
static const char *const arguments[][4] = {{"first", "one", NULL},
                                           {"second", "a longer argument", "", NULL}};

static void assert_runs(unsigned program) {
    const struct trapframe *tf = thread_self()->tf;
    assert_int_equal(tf->epc, TEXT + 0x200);
    for (unsigned i = 0; i < 3; i++)
        for (uint64_t at = i ? 0 : 0x200; at < phdrs[i].filesz; at += 0x1f8)
            assert_int_equal(user_word(phdrs[i].vaddr + at),
                             word_of(program, phdrs[i].offset + at));
    for (uint64_t at = DATA_BYTES; at < DATA_MEMORY; at += 8)
        assert_int_equal(user_word(DATA + at), 0);
    uint64_t argc = 0;
    for (; arguments[program][argc]; argc++) {
        char text[32] = "";
        const char *wanted = arguments[program][argc];
        user_read(text, user_word(tf->a1 + 8 * argc), strlen(wanted) + 1);
        assert_string_equal(text, wanted);
    }
    assert_int_equal(user_word(tf->a1 + 8 * argc), 0);
    user_write(tf->sp - STACK + 2 * PAGE_SIZE, "deep", 4);
}

/* ---- what a refused exec must not change, besides the memory ---- */

static struct inode *inodes[2];

/* So many mappings that the next record of one needs a frame. */
static void fill_records(void) {
    uint64_t frames = mapping_frames(), at = 0;
    struct map_request r = {
        .bytes = PAGE_SIZE, .place = MAP_HINT, .object = &zeros_mapped, .limit = ABI_PROT_READ};
    while (mapping_frames() == frames) {
        r.prot ^= ABI_PROT_READ; /* else it would be joined with the one before */
        assert_int_equal(aspace_map(exec_proc->as, &r, &at), 0);
    }
    assert_int_equal(aspace_unmap(exec_proc->as, at, at + PAGE_SIZE), 0);
    assert_int_equal(mapping_frames(), frames);
}

/* The n-th promise is refused, for n = 1, 2, 3 ...; still: called after each, in the process that
 * goes on. promises: that it makes. */
static void exec_until_it_succeeds(uint64_t heap, unsigned program, unsigned promises,
                                   void (*still)(void)) {
    assert_int_equal(user_execs(heap, "/none", arguments[program]), -K_ENOENT); /* it is touched */
    unsigned n = 1;
    for (;; n++) {
        struct execenv_state before = execenv_state(inodes, 2), after;
        frame_fail_countdown = n;
        int err = user_execs(heap, names[program], arguments[program]);
        bool refused = frame_fail_countdown == 0;
        frame_fail_countdown = 0;
        assert_int_equal(err, refused ? -K_ENOMEM : 0);
        if (!refused)
            break;
        after = execenv_state(inodes, 2);
        assert_memory_equal(&before, &after, sizeof(before));
        still();
    }
    assert_int_equal(n, promises + 1);
    assert_string_equal(proc_self()->name, names[program] + 1);
}

/* And nobody runs the second, which somebody maps. */
static void runs_the_first(void) {
    assert_runs(0);
    assert_int_equal(inodemap_begin_writes(inodes[1]), 0);
    inodemap_end_writes(inodes[1]);
}
static void runs_nothing(void) { assert_int_equal(thread_self()->tf->epc, 0); }

static void a_refused_exec_changes_nothing(void **state) {
    static uint8_t file[FILE_BYTES];
    for (unsigned design = 0; execenv_fresh(design); design++) {
        struct object *mapped;
        uint64_t heap = user_sbrk(MIB(1));
        for (unsigned i = 0; i < 2; i++) {
            make_program(i, file);
            user_makes_file(heap, names[i], file, FILE_BYTES);
            inodes[i] = inode_of(names[i]);
        }
        exec_until_it_succeeds(heap, 0, 6, runs_nothing); /* one for the file's record */
        assert_runs(0);
        heap = user_sbrk(MIB(1));
        fill_records();
        /* All of it: what was promised for a file stays as long as somebody maps it. */
        assert_int_equal(inodemap_create(inodes[1], FILE_BYTES / PAGE_SIZE, &mapped), 0);
        exec_until_it_succeeds(heap, 1, 6, runs_the_first); /* one for a mapping's */
        assert_runs(1);
        object_put(mapped);
        assert_null(inodes[0]->mapped.map);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(inodes[i]->refs, 1 + i);
            inode_put(inodes[i]);
        }
        execenv_end();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_exec_changes_nothing),
    };
    host_random_seed(20261126);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
