/* What a program finds when it starts, and whether its memory is as glibc expects it. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

extern const char __ehdr_start[]; /* the linker's: where the program begins */
void _start(void);

static _Thread_local int of_thread = 17;
static char zeros[100000];

/* 4 MiB, in steps that do not jump over a guard page. */
static int deep(int n) {
    volatile char room[4096];
    room[0] = (char)n;
    return n ? deep(n - 1) + room[0] - (char)n : 0;
}

static void check_memory(void) {
    char *before = sbrk(0), *room;
    CHECK(sbrk(1 << 20) == before);
    memset(before, 1, 1 << 20);
    CHECK(sbrk(-(1 << 20)) == before + (1 << 20));
    CHECK(brk((void *)(1UL << 60)) == -1);
    room = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    CHECK(room != MAP_FAILED && room < (char *)&before && room > before);
    CHECK(munmap(room, 1 << 20) == 0);
    CHECK(malloc(300 << 10) && malloc(10));
    CHECK(deep(1024) == 0);
}

int main(int argc, char **argv, char **envp) {
    CHECK(argc == 3 && !strcmp(argv[1], "one") && !strcmp(argv[2], "") && !argv[3]);
    CHECK(envp == argv + 4 && getenv("NAME") && !strcmp(getenv("NAME"), "value"));
    CHECK(getauxval(AT_PAGESZ) == 4096 && getauxval(AT_ENTRY) == (uintptr_t)_start);
    CHECK(getauxval(AT_PHDR) == (uintptr_t)__ehdr_start + 64);
    CHECK(!getauxval(AT_BASE) == !strstr(argv[0], "dynamic"));
    CHECK(!strcmp((const char *)getauxval(AT_EXECFN), argv[0]));
    CHECK(getauxval(AT_RANDOM) && !getauxval(AT_SECURE) && getauxval(AT_CLKTCK) == 100);
    CHECK((uintptr_t)argv % 16 == 8);
    CHECK(of_thread == 17 && zeros[0] == 0 && zeros[sizeof(zeros) - 1] == 0);
    check_memory();
    errno = 0;
    CHECK(syscall(444) == -1 && errno == ENOSYS);
    CHECK(syscall(1000000) == -1 && errno == ENOSYS);
    return tell_end() ? 1 : 42;
}
