/* Text about a process's memory: see vmtext.h. */
#include "vmtext.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trellis.h>
#include <unistd.h>

unsigned vm_levels = 3;

const char *vm_flags(uint64_t entry, char text[VM_FLAGS_TEXT]) {
    static const char letters[VM_FLAGS_TEXT] = "VRWXUGAD";
    for (unsigned bit = 0; bit < VM_FLAGS_TEXT - 1; bit++)
        text[bit] = entry >> bit & 1 ? letters[bit] : '-';
    text[VM_FLAGS_TEXT - 1] = 0;
    return text;
}

const char *vm_size_name(unsigned level) {
    static const char *const names[] = {"4 KiB", "2 MiB", "1 GiB", "512 GiB", "256 TiB"};
    return names[level];
}

static bool find(pid_t pid, struct abi_procinfo *p) {
    for (int slot = 0, r; (r = procinfo(slot, p)) >= 0; slot++)
        if (r == 1 && p->pid == pid)
            return true;
    return false;
}

bool vm_find(const char *program, pid_t pid, struct abi_procinfo *p) {
    struct abi_sysinfo s;
    pid_t wanted = pid ? pid : getpid();
    if (sysinfo(&s) == 0)
        vm_levels = (unsigned)s.levels;
    bool found = find(wanted, p);
    if (!found)
        fprintf(stderr, "%s: no process %d\n", program, wanted);
    return found;
}

void vm_say_gone(const char *program, pid_t pid) {
    struct abi_procinfo p;
    bool there = find(pid, &p) && p.state != ABI_P_ZOMBIE;
    fprintf(stderr, "%s: process %d %s\n", program, pid,
            there ? "cannot be looked at: it has yet to start, or memory is short" : "has ended");
}

const char *vm_title(const struct abi_procinfo *p, enum abi_vmview view) {
    static char text[80];
    if (view == ABI_VIEW_KERNEL && p->kernel_view == ABI_KERNEL_VIEW_OF_ALL)
        snprintf(text, sizeof text, "kernel view of all processes, %s", p->design);
    else
        snprintf(text, sizeof text, "%s view of process %d (%s), %s",
                 view == ABI_VIEW_USER                     ? "user"
                 : p->kernel_view == ABI_KERNEL_VIEW_USERS ? "user and kernel"
                                                           : "kernel",
                 p->pid, p->name, p->design);
    return text;
}

bool vm_parse_address(const char *text, uint64_t *va, const char **rest) {
    char *end;
    errno = 0;
    *va = strtoull(text, &end, 0);
    *rest = end;
    return isdigit((unsigned char)*text) && errno == 0;
}

bool vm_parse_pid(const char *text, pid_t *pid) {
    char *end;
    long n = strtol(text, &end, 10);
    *pid = (pid_t)n;
    return isdigit((unsigned char)*text) && *end == 0 && n <= INT_MAX;
}

void vm_usage(const char *usage, const char *argument) {
    bool help = argument && strcmp(argument, "--help") == 0;
    fprintf(help ? stdout : stderr, "usage: %s\n", usage);
    exit(help ? 0 : 2);
}
