/* bench's operations on files: made, written, read, mapped, and found by name. */
#pragma once
#include "benchuse.h"

#define FILE_BYTES (200 * 1024)
#define SHORT_CALL 1024

static void create(int durable) {
    int fd = open("bench.tmp", O_CREAT | O_RDWR);
    need(fd >= 0, "open");
    must_write(fd, heap, SHORT_CALL);
    if (durable)
        need(fsync(fd) == 0, "fsync");
    close(fd);
    need(unlink("bench.tmp") == 0, "unlink");
}

static void one_create(void) { create(0); }
static void one_create_durable(void) { create(1); }

static void begin_create(void) { begin_touched(SHORT_CALL); }
static void end_create(void) { give_back(SHORT_CALL); }

static void write_file(int bytes) {
    int fd = open("bench.tmp", O_CREAT | O_RDWR);
    need(fd >= 0, "open");
    for (int done = 0; done < FILE_BYTES; done += bytes)
        must_write(fd, heap + done, bytes);
    close(fd);
}

static void read_file(int bytes) {
    int fd = open("bench.tmp", O_RDONLY);
    need(fd >= 0, "open");
    for (int done = 0; done < FILE_BYTES; done += bytes)
        must_read(fd, heap + done, bytes);
    close(fd);
}

static void remove_file(void) {
    pause_count();
    need(unlink("bench.tmp") == 0, "unlink");
    resume_count();
}

static void one_write_short(void) {
    write_file(SHORT_CALL);
    remove_file();
}

static void one_write_long(void) {
    write_file(FILE_BYTES);
    remove_file();
}

static void one_read_short(void) { read_file(SHORT_CALL); }
static void one_read_long(void) { read_file(FILE_BYTES); }
static void begin_write(void) { begin_touched(FILE_BYTES); }
static void end_write(void) { give_back(FILE_BYTES); }

static void begin_read(void) {
    begin_write();
    write_file(FILE_BYTES);
}

static void end_read(void) {
    need(unlink("bench.tmp") == 0, "unlink");
    end_write();
}

/* ---- mapped files, of which all is in memory; one file for all rounds. xv6 has none. */

#ifndef XV6
#define MAP_PAGES 16

static int mapped_file;
static char *mapped;

static void begin_map(void) {
    begin_touched(MAP_PAGES * PAGE);
    mapped_file = open("bench.tmp", O_CREAT | O_RDWR);
    need(mapped_file >= 0, "open");
    for (int i = 0; i < MAP_PAGES; i++)
        must_write(mapped_file, heap + i * PAGE, PAGE);
    give_back(MAP_PAGES * PAGE);
}

static void end_map(void) {
    close(mapped_file);
    need(unlink("bench.tmp") == 0, "unlink");
}

static void map_file(int prot) {
    mapped = mmap(0, MAP_PAGES * PAGE, prot, MAP_SHARED, mapped_file, 0);
    need(mapped != MAP_FAILED, "mmap");
}

static void unmap_file(void) { need(munmap(mapped, MAP_PAGES * PAGE) == 0, "munmap"); }

static void read_mapped(void) {
    for (int i = 0; i < MAP_PAGES; i++)
        (void)*(volatile char *)(mapped + i * PAGE);
}

static void one_map(void) {
    map_file(PROT_READ);
    read_mapped();
    unmap_file();
}

static void one_fault_file(void) {
    pause_count();
    map_file(PROT_READ);
    resume_count();
    read_mapped();
    pause_count();
    unmap_file();
    resume_count();
}

/* The table that the page's leaf comes into is there already. */
static char *anchor;

static void begin_alone(void) {
    begin_map();
    anchor = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(anchor != MAP_FAILED, "mmap");
    *anchor = 1;
}

static void end_alone(void) {
    need(munmap(anchor, PAGE) == 0, "munmap");
    end_map();
}

/* A mapping of one page, beside which nothing can be shown. */
static void one_fault_alone(void) {
    pause_count();
    mapped = mmap(0, PAGE, PROT_READ, MAP_SHARED, mapped_file, 0);
    need(mapped != MAP_FAILED, "mmap");
    resume_count();
    (void)*(volatile char *)mapped;
    pause_count();
    need(munmap(mapped, PAGE) == 0, "munmap");
    resume_count();
}

/* Pages that are on the disk, and have been read. */
static void one_fault_store(void) {
    pause_count();
    map_file(PROT_READ | PROT_WRITE);
    read_mapped();
    resume_count();
    for (int i = 0; i < MAP_PAGES; i++)
        *(volatile char *)(mapped + i * PAGE) = 1;
    pause_count();
    unmap_file();
    need(fsync(mapped_file) == 0, "fsync");
    resume_count();
}
#endif

/* ---- a directory of many names, all of one file. Its last is opened: the first time
 * somebody must look through all of them, later not. */

#define NAME_LENGTH 24

static char last_name[NAME_LENGTH];
static int names;

static void set_last_name(int k) {
    strcpy(last_name, "bench.d/name00000");
    for (char *p = last_name + strlen(last_name) - 1; k > 0; p--, k /= 10)
        *p = '0' + k % 10;
}

static void begin_names(int n) {
    need(mkdir("bench.d") == 0, "mkdir");
    set_last_name(0);
    int fd = open(last_name, O_CREAT | O_RDWR);
    need(fd >= 0, "open");
    close(fd);
    for (names = 1; names < n; names++) {
        set_last_name(names);
        need(link("bench.d/name00000", last_name) == 0, "link");
    }
}

static void begin_800_names(void) { begin_names(800); }
static void begin_10k_names(void) { begin_names(10000); }

static void one_open_last(void) {
    int fd = open(last_name, O_RDONLY);
    need(fd >= 0, "open");
    close(fd);
}

static void end_names(void) {
    while (names > 0) {
        set_last_name(--names);
        need(unlink(last_name) == 0, "unlink");
    }
    need(unlink("bench.d") == 0, "unlink");
}
