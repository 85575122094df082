/* The vDSO: found as a C library finds it, called function by function, and compared with the
 * calls. With an argument: the time, as glibc gets it, and no more. */
#define _GNU_SOURCE
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static const char *base;
static const Elf64_Sym *symbols;
static const char *names;
static const uint32_t *hashes;
static const uint16_t *versions;
static const Elf64_Verdef *defined;

static void read_dynamic(const Elf64_Dyn *d) {
    for (; d->d_tag != DT_NULL; d++) {
        const char *p = base + d->d_un.d_ptr;
        switch (d->d_tag) {
        case DT_HASH: hashes = (const uint32_t *)p; break;
        case DT_STRTAB: names = p; break;
        case DT_SYMTAB: symbols = (const Elf64_Sym *)p; break;
        case DT_VERSYM: versions = (const uint16_t *)p; break;
        case DT_VERDEF: defined = (const Elf64_Verdef *)p; break;
        }
    }
}

static void find_library(void) {
    const Elf64_Ehdr *h;
    const Elf64_Phdr *ph;
    int i;
    base = (const char *)getauxval(AT_SYSINFO_EHDR);
    CHECK(base && !memcmp(base, ELFMAG, SELFMAG));
    h = (const Elf64_Ehdr *)base;
    CHECK(h->e_type == ET_DYN && h->e_machine == EM_RISCV && h->e_phnum == 2);
    ph = (const Elf64_Phdr *)(base + h->e_phoff);
    for (i = 0; i < h->e_phnum; i++)
        if (ph[i].p_type == PT_DYNAMIC)
            read_dynamic((const Elf64_Dyn *)(base + ph[i].p_vaddr));
        else
            CHECK(ph[i].p_type == PT_LOAD && ph[i].p_offset == 0 && ph[i].p_vaddr == 0);
    CHECK(symbols && names && hashes && versions && defined);
}

/* The version that a symbol's number stands for. */
static const char *version_of(unsigned i) {
    const Elf64_Verdef *d = defined;
    while (d->vd_ndx != versions[i] && d->vd_next)
        d = (const Elf64_Verdef *)((const char *)d + d->vd_next);
    return names + ((const Elf64_Verdaux *)((const char *)d + d->vd_aux))->vda_name;
}

static void *function(const char *name) {
    unsigned i = hashes[2 + 0];
    CHECK(hashes[0] == 1);
    while (i && strcmp(names + symbols[i].st_name, name))
        i = hashes[2 + 1 + i];
    CHECK(i && !strcmp(version_of(i), "LINUX_4.15") && symbols[i].st_size > 0);
    return (void *)(base + symbols[i].st_value);
}

static int64_t ns(const struct timespec *t) { return t->tv_sec * 1000000000 + t->tv_nsec; }

static void check_clocks(void) {
    int (*gettime)(long, struct timespec *) = function("__vdso_clock_gettime");
    int (*getres)(long, struct timespec *) = function("__vdso_clock_getres");
    struct timespec a, b, c;
    long clock, i;
    for (clock = CLOCK_REALTIME; clock <= CLOCK_MONOTONIC_COARSE; clock++) {
        if (clock > CLOCK_MONOTONIC && clock < CLOCK_REALTIME_COARSE)
            continue;
        for (i = 0; i < 100; i++) {
            CHECK(syscall(SYS_clock_gettime, clock, &a) == 0);
            CHECK(gettime(clock, &b) == 0);
            CHECK(syscall(SYS_clock_gettime, clock, &c) == 0);
            CHECK(ns(&a) <= ns(&b) && ns(&b) <= ns(&c) && b.tv_nsec < 1000000000);
        }
    }
    CHECK(getres(0, &a) == 0 && a.tv_sec == 0 && a.tv_nsec == 1 && getres(1, NULL) == 0);
    CHECK(gettime(99, &a) == -EINVAL); /* as the call says */
    CHECK(gettime(-1, &a) == -EINVAL);
}

static void check_others(void) {
    int (*gettimeofday_)(struct timeval *, struct timezone *) = function("__vdso_gettimeofday");
    int (*getcpu_)(unsigned *, unsigned *, void *) = function("__vdso_getcpu");
    int (*hwprobe)(void *, size_t, size_t, void *, unsigned) = function("__vdso_riscv_hwprobe");
    struct {
        int64_t key;
        uint64_t value;
    } base_behavior = {3, 0};
    struct timeval tv;
    struct timezone tz = {5, 5};
    unsigned cpu = 99, node = 99;
    time_t now = time(NULL);
    CHECK(gettimeofday_(&tv, &tz) == 0 && tz.tz_minuteswest == 0 && tz.tz_dsttime == 0);
    CHECK(tv.tv_sec >= now && tv.tv_sec <= time(NULL) && tv.tv_usec < 1000000);
    CHECK(gettimeofday_(NULL, NULL) == 0);
    CHECK(getcpu_(&cpu, &node, NULL) == 0 && cpu < 8 && node == 0);
    CHECK(hwprobe(&base_behavior, 1, 0, NULL, 0) == 0 && base_behavior.value == 1);
    CHECK(hwprobe(NULL, 1, 0, NULL, 0) == -EFAULT);
    CHECK(((const uint32_t *)function("__vdso_rt_sigreturn"))[0] == 0x08b00893); /* li a7, 139 */
}

/* Code that is stored, executed, and stored anew. */
static void check_code(void) {
    int (*flush)(void *, void *, long) = function("__vdso_flush_icache");
    uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int i;
    CHECK(code != MAP_FAILED);
    for (i = 0; i < 20; i++) {
        code[0] = 0x00000513 | (uint32_t)i << 20; /* li a0, i */
        code[1] = 0x00008067;                     /* ret */
        CHECK(flush(code, code + 2, 0) == 0);
        CHECK(((int (*)(void))code)() == i);
    }
    CHECK(flush(code, code + 2, 2) == -EINVAL);
}

static int child_may_store(char *p) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        *(volatile char *)p = 1;
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status == 0;
}

static void check_protection(void) {
    char line[256], wanted[64];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    snprintf(wanted, sizeof(wanted), "%lx-%lx r-xp", (unsigned long)base,
             (unsigned long)base + 8192);
    while (maps && fgets(line, sizeof(line), maps))
        found += !strncmp(line, wanted, strlen(wanted)) && strstr(line, "[vdso]");
    CHECK(maps && fclose(maps) == 0 && found == 1);
    CHECK(!child_may_store((char *)base) && !child_may_store((char *)base + 4096));
    CHECK(mprotect((void *)base, 8192, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
}

int main(int argc, char **argv) {
    struct timespec t;
    if (argc > 1)
        return clock_gettime(CLOCK_REALTIME, &t) || time(NULL) < t.tv_sec;
    find_library();
    check_clocks();
    check_others();
    check_code();
    check_protection();
    return tell_end();
}
