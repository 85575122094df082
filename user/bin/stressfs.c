/* Several processes write files of their own at the same time, with contents
 * that name writer, round and place; then each reads them back and compares. In some rounds
 * they are written through a mapping, in others compared in one.
 *     stressfs [PROCESSES [ROUNDS]]      4 and 5 if not said */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 512
#define BLOCKS 40
#define SIZE (BLOCK * BLOCKS)

static char block[BLOCK], expected[BLOCK];

static void make_block(char *to, int writer, int round, int at) {
    unsigned value = (unsigned)writer * 1000003u + (unsigned)round * 10007u + (unsigned)at;
    for (int i = 0; i < BLOCK; i++) {
        value = value * 1664525u + 1013904223u;
        to[i] = (char)(value >> 24);
    }
}

static const char *write_mapped(const char *name, int writer, int round) {
    int fd = open(name, O_RDWR | O_CREATE | O_TRUNC);
    char *p = MAP_FAILED;
    if (fd < 0)
        return "cannot create";
    if (ftruncate(fd, SIZE) == 0)
        p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return "cannot be mapped to write";
    for (int at = 0; at < BLOCKS; at++)
        make_block(p + at * BLOCK, writer, round, at);
    return munmap(p, SIZE) < 0 ? "cannot be unmapped" : NULL;
}

static const char *check_mapped(const char *name, int writer, int round) {
    const char *wrong = NULL;
    int fd = open(name, O_RDONLY);
    char *p = fd < 0 ? MAP_FAILED : mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (p == MAP_FAILED)
        return "cannot be mapped";
    for (int at = 0; at < BLOCKS && !wrong; at++) {
        make_block(expected, writer, round, at);
        if (memcmp(p + at * BLOCK, expected, BLOCK) != 0)
            wrong = "has other contents in a mapping";
    }
    munmap(p, SIZE);
    return wrong;
}

static const char *write_file(const char *name, int writer, int round) {
    int fd = open(name, O_WRONLY | O_CREATE | O_TRUNC);
    if (fd < 0)
        return "cannot create";
    for (int at = 0; at < BLOCKS; at++) {
        make_block(block, writer, round, at);
        if (write(fd, block, BLOCK) != BLOCK) {
            close(fd);
            return "cannot write";
        }
    }
    return close(fd) < 0 ? "cannot close" : NULL;
}

static const char *check_file(const char *name, int writer, int round) {
    const char *wrong = NULL;
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        return "cannot open again";
    for (int at = 0; at < BLOCKS && !wrong; at++) {
        make_block(expected, writer, round, at);
        if (read(fd, block, BLOCK) != BLOCK)
            wrong = "is too short";
        else if (memcmp(block, expected, BLOCK) != 0)
            wrong = "has other contents";
    }
    if (!wrong && read(fd, block, 1) != 0)
        wrong = "is too long";
    close(fd);
    return wrong;
}

static int writer_main(int writer, int rounds) {
    char name[16];
    const char *wrong = NULL;
    snprintf(name, sizeof name, "stressfs%d", writer);
    for (int round = 0; round < rounds && !wrong; round++) {
        wrong = (round % 2 ? write_mapped : write_file)(name, writer, round);
        if (!wrong)
            wrong = check_file(name, writer, round);
        if (!wrong && round % 4 < 2)
            wrong = check_mapped(name, writer, round);
        if (!wrong && unlink(name) < 0)
            wrong = "cannot be removed";
    }
    if (!wrong && open(name, O_RDONLY) >= 0)
        wrong = "is still there";
    if (!wrong)
        return 0;
    fprintf(stderr, "stressfs: %s %s\n", name, wrong);
    unlink(name);
    return 1;
}

static int number(const char *text, int most) {
    char *end;
    long n = strtol(text, &end, 10);
    return *end || n < 1 || n > most ? -1 : (int)n;
}

int main(int argc, char *argv[]) {
    int writers = argc > 1 ? number(argv[1], 50) : 4;
    int rounds = argc > 2 ? number(argv[2], 1000000) : 5;
    int started = 0, failed = 0, status;
    if (argc > 3 || writers < 0 || rounds < 0) {
        fprintf(stderr, "usage: stressfs [PROCESSES [ROUNDS]]\n");
        return 2;
    }
    for (; started < writers; started++) {
        pid_t pid = fork();
        if (pid == 0)
            exit(writer_main(started, rounds));
        if (pid < 0) {
            fprintf(stderr, "stressfs: cannot fork\n");
            failed = 1;
            break;
        }
    }
    for (; started > 0; started--)
        if (wait(&status) < 0 || status != 0)
            failed = 1;
    printf("stressfs: %s\n", failed ? "FAILED" : "OK");
    return failed;
}
