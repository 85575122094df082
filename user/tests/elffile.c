/* The file of elffile.h. */
#include "elffile.h"

struct elf elf;

void elf_make(const char *code, unsigned n, unsigned flags) {
    memset(&elf, 0, sizeof(elf));
    elf.eh = (struct ehdr){
        .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
        .type = 2,
        .machine = 243,
        .version = 1,
        .phoff = sizeof(struct ehdr),
        .ehsize = sizeof(struct ehdr),
        .phnum = 1,
        .phentsize = sizeof(struct phdr),
        .shentsize = 64,
    };
    elf.ph[0] = (struct phdr){
        .type = PT_LOAD, .flags = flags, .offset = BODY, .filesz = n, .memsz = n, .align = 4096};
    memcpy(elf.body, code, n);
}

void elf_add_data(unsigned flags, uint32_t word, uint64_t memsz) {
    elf.eh.phnum = 2;
    elf.ph[1] = (struct phdr){.type = PT_LOAD,
                              .flags = flags,
                              .offset = BODY + 4096,
                              .vaddr = 4096,
                              .filesz = 4,
                              .memsz = memsz,
                              .align = 4096};
    memcpy(elf.body + 4096, &word, 4);
}

unsigned elf_size(void) { return BODY + elf.ph[0].filesz + 8; }

void elf_save(const char *path, unsigned n) {
    int fd = must_open(path, ABI_O_CREATE | ABI_O_WRONLY | ABI_O_TRUNC);
    write_all(fd, &elf, n);
    must_close(fd);
}

int elf_run(unsigned n) {
    elf_save("p", n);
    return run_program("p", NULL);
}

void write_program(const char *path, const char *code, const char *end, unsigned flags) {
    elf_make(code, end - code, flags);
    elf_save(path, elf_size());
}
