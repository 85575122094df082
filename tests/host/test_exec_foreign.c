/* exec of programs of Linux that may be loaded anywhere and ask for an interpreter, from a mounted
 * disk into real memory, under every design: with a promise of memory that is refused, and with
 * headers of either file that are damaged at random, all is as it was. */
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
/* sources: kernel/linux/start.c */
#include "execenv.h"
#include "arch/pte.h"
#include "hostarch.h"
#include "inodeof.h"
#include "fs/inode.h"
#include "lib/errno.h"
#include "linux/linux.h"
#include "lib/abi.h"
#include "mm/elf.h"
#include "mm/mmap.h"
#include "mm/zeros.h"
#include "proc/limits.h"
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define PT_LOAD 1
#define PT_INTERP 3
#define FILE_BYTES 0x6000
#define ENTRY 0x400
#define NAME 0x300 /* the interpreter's, in the file */
#define DATA (LARGE_SIZE - 2 * PAGE_SIZE + 0x800)
#define ROUNDS 150

uint64_t limit_stack_bytes(void) { return MIB(8); }

/* ---- the files ---- */

enum { PROGRAM, LINKER, PLAIN, FILES };
static const char *const names[FILES] = {"/program", "/linker", "/plain"};

struct image {
    struct elf_header h;
    struct elf_phdr p[4];
    uint8_t rest[FILE_BYTES - 64 - 4 * 56];
};

static uint64_t word_of(unsigned file, uint64_t offset) {
    return (uint64_t)(file + 1) << 56 | 0xc0deUL << 16 | offset;
}

/* Each word behind the headers says whose it is, and where it stands. PLAIN is linked for one
 * place, and needs nobody. */
static struct image image_of(unsigned file) {
    uint64_t start = file == PLAIN ? 0x10000 : 0;
    struct image im;
    for (uint64_t at = 0; at < FILE_BYTES; at += 8) {
        uint64_t word = word_of(file, at);
        memcpy((char *)&im + at, &word, 8);
    }
    im.h = (struct elf_header){.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
                               .type = file == PLAIN ? 2 : 3,
                               .machine = 243,
                               .version = 1,
                               .entry = start + ENTRY,
                               .phoff = sizeof(im.h),
                               .ehsize = sizeof(im.h),
                               .phentsize = sizeof(im.p[0]),
                               .phnum = 4};
    im.p[0] = (struct elf_phdr){file == PROGRAM ? PT_INTERP : 0, 4, NAME, NAME, 0, 8, 8, 1};
    im.p[1] = (struct elf_phdr){PT_LOAD, 5, 0, start, 0, 0x2800, 0x2800, PAGE_SIZE};
    im.p[2] = (struct elf_phdr){PT_LOAD, 4, 0x3000, start + 0x4000, 0, 0x1000, 0x1000, PAGE_SIZE};
    im.p[3] = (struct elf_phdr){PT_LOAD, 6, 0x4800, start + DATA, 0, 0x1700, 0x5000, PAGE_SIZE};
    strcpy((char *)&im + NAME, "/linker");
    return im;
}

/* Memory of the process's own: its stack; or, if that is small, as ours without a size, its heap.
 */
static uint64_t memory(void) {
    uint64_t sp = thread_self()->tf->sp;
    return sp > USER_MAX - MIB(8) ? ROUND_DOWN(sp - 0x9000, PAGE_SIZE) : user_sbrk(MIB(1));
}

static void put_file(unsigned file, const struct image *im) {
    user_makes_file(memory(), names[file], im, FILE_BYTES);
}

/* ---- what runs ---- */

static uint64_t auxiliary(uint64_t what) {
    uint64_t at = thread_self()->tf->sp + 8;
    for (unsigned arrays = 2; arrays > 0; at += 8)
        arrays -= user_word(at) == 0;
    while (user_word(at) != what && user_word(at) != 0)
        at += 16;
    return user_word(at + 8);
}

static void assert_is(unsigned file, uint64_t start) {
    const struct image im = image_of(file);
    for (unsigned i = 1; i < 4; i++)
        for (uint64_t at = i == 1 ? ENTRY : 0; at < im.p[i].filesz; at += 0x1f8)
            assert_int_equal(user_word(start + im.p[i].vaddr + at),
                             word_of(file, im.p[i].offset + at));
    for (uint64_t at = 0x1700; at < 0x5000; at += 8)
        assert_int_equal(user_word(start + im.p[3].vaddr + at), 0);
}

static void assert_both_run(void) {
    uint64_t program = auxiliary(9) - ENTRY, linker = auxiliary(7); /* AT_ENTRY, AT_BASE */
    assert_int_equal(thread_self()->tf->epc, linker + ENTRY);
    assert_true(program > GIB(1) && linker > program && linker < USER_MAX - MIB(8));
    assert_int_equal(auxiliary(3), program + sizeof(struct elf_header)); /* AT_PHDR */
    assert_int_equal(auxiliary(5), 4);                                   /* AT_PHNUM */
    assert_ptr_equal(mapping_at(&aspace_self()->mappings, auxiliary(33))->object,
                     &zeros_mapped); /* AT_SYSINFO_EHDR */
    assert_is(PROGRAM, program);
    assert_is(LINKER, linker);
    assert_int_equal(user_word(thread_self()->tf->sp), 1);
}

/* ---- what a refused exec must not change ---- */

static struct inode *inodes[FILES];

/* exec of the program, with the n-th promise refused, if n is not 0: its error, after which nothing
 * has changed. */
static int exec_program(unsigned n) {
    const char *const argv[] = {"program", NULL};
    uint64_t at = memory();
    (void)user_execs(at, "/none", argv); /* the memory is touched */
    struct execenv_state before = execenv_state(inodes, FILES), after;
    frame_fail_countdown = n;
    int err = user_execs(at, names[PROGRAM], argv);
    if (err) {
        after = execenv_state(inodes, FILES);
        assert_memory_equal(&before, &after, sizeof(before));
    }
    return err;
}

static void exec_plain(void) {
    const char *const argv[] = {"plain", NULL};
    assert_int_equal(user_execs(memory(), names[PLAIN], argv), 0);
    assert_int_equal(thread_self()->tf->epc, 0x10000 + ENTRY);
    assert_is(PLAIN, 0);
}

/* ---- the vDSO: two pages of zeros ---- */

int linux_vdso_map(struct aspace *as, uint64_t *start) {
    const struct map_request r = {.bytes = 2 * PAGE_SIZE,
                                  .object = &zeros_mapped,
                                  .prot = ABI_PROT_READ,
                                  .limit = ABI_PROT_READ};
    return aspace_map(as, &r, start);
}

/* ---- random_bytes: the dice ---- */

void random_bytes(void *to, size_t n) {
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = (uint8_t)host_random();
}

/* ---- tests ---- */

static const struct interface interface; /* nobody looks into it */

static void begin(unsigned design) {
    thread_self()->tf->sp = 0;
    for (unsigned i = 0; i < FILES; i++) {
        struct image im = image_of(i);
        put_file(i, &im);
        inodes[i] = inode_of(names[i]);
    }
    exec_plain();
}

static void end(void) {
    for (unsigned i = 0; i < FILES; i++)
        inode_put(inodes[i]);
    execenv_end();
}

static void refused_promises(void **state) {
    for (unsigned design = 0; execenv_fresh(design); design++) {
        unsigned n = 1;
        begin(design);
        for (int err = -K_ENOMEM; err; n++) {
            err = exec_program(n);
            assert_int_equal(err, frame_fail_countdown == 0 ? -K_ENOMEM : 0);
            frame_fail_countdown = 0;
        }
        assert_int_equal(n, 9); /* of both files, and of the space */
        assert_both_run();
        exec_plain();
        end();
    }
}

static uint64_t odd_value(uint64_t old) {
    const uint64_t special[] = {0,        1,       0xfff,    0x1000,     FILE_BYTES,
                                USER_MAX, GIB(40), MIB(255), UINT64_MAX, (uint64_t)INT64_MAX + 1};
    switch (host_random_below(4)) {
    case 0: return special[host_random_below(ARRAY_LEN(special))];
    case 1: return old + host_random_below(9) - 4;
    case 2: return old + (host_random_below(9) - 4) * PAGE_SIZE;
    default: return host_random() >> host_random_below(64);
    }
}

static void damage(struct image *im) {
    struct elf_phdr *p = &im->p[host_random_below(4)];
    switch (host_random_below(12)) {
    case 0: im->h.entry = odd_value(im->h.entry); break;
    case 1: im->h.phoff = odd_value(im->h.phoff); break;
    case 2: im->h.phnum = (uint16_t)host_random_below(40); break;
    case 3: im->h.type = 2; break;
    case 4: p->type = host_random_below(5); break;
    case 5: p->flags = host_random_below(8); break;
    case 6: p->offset = odd_value(p->offset); break;
    case 7: p->vaddr = odd_value(p->vaddr); break;
    case 8: p->filesz = odd_value(p->filesz); break;
    case 9: p->memsz = odd_value(p->memsz); break;
    case 10: p->align = odd_value(p->align); break;
    default: ((uint8_t *)im)[host_random_below(sizeof(im->h) + sizeof(im->p))] ^= 1;
    }
}

/* Whether the error is one of those that there are for this. */
static bool fits(int err, unsigned file) {
    bool named = err == -K_ENOENT || err == -K_EACCES; /* another interpreter, by chance */
    if (file == LINKER)
        return err == -K_ENOMEM || err == -K_ELIBBAD;
    return err == -K_ENOMEM || err == -K_ENOEXEC || named;
}

static void damaged_headers(void **state) {
    for (unsigned design = 0; execenv_fresh(design); design++) {
        unsigned ran = 0;
        begin(design);
        for (unsigned round = 0; round < ROUNDS; round++) {
            unsigned file = round % 2 ? LINKER : PROGRAM;
            const struct image good = image_of(file);
            struct image bad = good;
            for (unsigned n = host_random_below(2) + 1; n > 0; n--)
                damage(&bad);
            put_file(file, &bad);
            int err = exec_program(0);
            if (err && !fits(err, file))
                fail_msg("round %u: %d", round, err);
            ran += !err;
            exec_plain();
            put_file(file, &good);
        }
        assert_true(ran > ROUNDS / 20 && ran < ROUNDS * 19 / 20); /* the dice reach both */
        assert_int_equal(exec_program(0), 0);
        assert_both_run();
        exec_plain();
        end();
    }
}

/* It has a place of its own, where something may be already. */
static void fixed_interpreter(void **state) {
    for (unsigned design = 0; execenv_fresh(design); design++) {
        struct image im = image_of(LINKER);
        begin(design);
        im.h.type = 2;
        put_file(LINKER, &im);
        assert_int_equal(exec_program(0), 0);
        assert_int_equal(thread_self()->tf->epc, ENTRY);
        assert_int_equal(auxiliary(7), 0);
        assert_is(LINKER, 0);
        exec_plain();
        im = image_of(PROGRAM);
        im.h.type = 2;
        put_file(PROGRAM, &im);
        assert_int_equal(exec_program(0), -K_ELIBBAD);
        end();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_promises),
        cmocka_unit_test(damaged_headers),
        cmocka_unit_test(fixed_interpreter),
    };
    host_random_seed(20261127);
    linux_programs.interface = &interface;
    exec_add_foreign(&linux_programs);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
