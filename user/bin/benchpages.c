/* For bench: what the first touch of a page of the program itself costs. A program
 * that has just been started reads 16 pages of its constants and writes 16 pages of
 * its data, one after the other, and sends what it counted to descriptor 1. */
#include "bench.h"

#define PAGES 16

static const char constants[PAGES * PAGE] = {1};
static char data[PAGES * PAGE] = {1};

static uint64 read_pages(void) {
    uint64 before = counter_instructions();
    for (int i = 0; i < PAGES; i++)
        (void)((volatile const char *)constants)[i * PAGE];
    return counter_instructions() - before;
}

static uint64 write_pages(void) {
    uint64 before = counter_instructions();
    for (int i = 0; i < PAGES; i++)
        touch(&data[i * PAGE]);
    return counter_instructions() - before;
}

int main(void) {
    uint64 each[2];
    each[0] = read_pages() / PAGES;
    each[1] = write_pages() / PAGES;
    exit(write(1, each, sizeof(each)) != sizeof(each));
}
