/* The interface to user programs and disk images, as numbers and layouts: the
 * one header that kernel, user library and tools share. Everything up to 99 is
 * xv6's interface; from 100 on it is Trellis's own. */
#pragma once
#include <stdint.h>

/* System call numbers (in a7): SYS_fork and so on. */
#define CALL(number, type, name, arguments) SYS_##name = (number),
enum {
#include "lib/calls.def"
};

/* An error of a call is the negative of its number for errno; but -1, whatever it is, when the call
 * was made by a number of xv6's, or by one that there is not, since that is what its programs
 * expect. Each of xv6's calls has a second number for programs that want to know. */
#define SYSCALL_OWN 100 /* xv6's numbers lie below */
#define TELLING_NUMBER(number) ((number) + 200)

/* sbrk's second argument: pages come when they are touched, if there is memory then. Any
 * other value: they are promised now. */
#define ABI_SBRK_EAGER 1
#define ABI_SBRK_LAZY 2

/* open */
#define ABI_O_RDONLY 0x000
#define ABI_O_WRONLY 0x001
#define ABI_O_RDWR 0x002
#define ABI_O_CREATE 0x200
#define ABI_O_TRUNC 0x400
#define ABI_O_APPEND 0x800    /* ours: every write goes to the end */
#define ABI_O_SYNC 0x1000     /* ours: every write is on the disk when it returns */
#define ABI_O_CLOEXEC 0x2000  /* ours: exec closes it; also of dup3 and pipe2 */
#define ABI_O_NONBLOCK 0x4000 /* ours: what would wait is EAGAIN; of pipes and the console */

/* fcntl's commands */
#define ABI_F_DUPFD 0
#define ABI_F_GETFD 1
#define ABI_F_SETFD 2
#define ABI_F_GETFL 3
#define ABI_F_SETFL 4
#define ABI_F_DUPFD_CLOEXEC 1030
#define ABI_FD_CLOEXEC 1 /* exec closes the descriptor */

/* mmap's and its kin's */
#define ABI_PROT_NONE 0
#define ABI_PROT_READ 1
#define ABI_PROT_WRITE 2
#define ABI_PROT_EXEC 4
#define ABI_MAP_SHARED 0x01
#define ABI_MAP_PRIVATE 0x02
#define ABI_MAP_FIXED 0x10
#define ABI_MAP_ANONYMOUS 0x20
#define ABI_MAP_NORESERVE 0x4000
#define ABI_MAP_POPULATE 0x8000
#define ABI_MAP_FIXED_NOREPLACE 0x100000
#define ABI_MREMAP_MAYMOVE 1
#define ABI_MREMAP_FIXED 2
#define ABI_MREMAP_DONTUNMAP 4
#define ABI_MS_ASYNC 1
#define ABI_MS_INVALIDATE 2
#define ABI_MS_SYNC 4
#define ABI_MADV_NORMAL 0
#define ABI_MADV_RANDOM 1
#define ABI_MADV_SEQUENTIAL 2
#define ABI_MADV_WILLNEED 3
#define ABI_MADV_DONTNEED 4

/* Signals: ABI_SIGHUP and so on. Those without a name end a program. */
#define SIGNAL(number, name, action, text) ABI_##name = (number),
enum {
#include "lib/signals.def"
};
#define ABI_SIGNALS 64 /* the highest number; bit number - 1 of a set is for it */

#define ABI_SIG_DFL 0 /* handlers that are none */
#define ABI_SIG_IGN 1

#define ABI_SIG_BLOCK 0 /* sigprocmask's how */
#define ABI_SIG_UNBLOCK 1
#define ABI_SIG_SETMASK 2

/* What sigaction is told; layout and numbers as Linux has them on RISC-V. */
struct abi_sigaction {
    uint64_t handler; /* an address, ABI_SIG_DFL or ABI_SIG_IGN */
    uint64_t flags;   /* ABI_SA_... */
    uint64_t mask;    /* blocked, too, while it runs */
};

#define ABI_SA_NOCLDSTOP 1 /* SIGCHLD: not for a child that stops or continues */
#define ABI_SA_NOCLDWAIT 2 /* SIGCHLD: children are nobody's to wait for */
#define ABI_SA_SIGINFO \
    4 /* for the program: the handler takes three arguments; it gets them always */
#define ABI_SA_ONSTACK 0x08000000
#define ABI_SA_RESTART 0x10000000
#define ABI_SA_NODEFER 0x40000000
#define ABI_SA_RESETHAND 0x80000000

/* The alternate stack of a thread. */
struct abi_sigstack {
    uint64_t sp; /* its lowest address */
    uint32_t flags, pad;
    uint64_t size;
};
#define ABI_SS_ONSTACK 1 /* out: the thread is on it */
#define ABI_SS_DISABLE 2
#define ABI_SIGSTACK_MIN 2048

/* What a handler is told, in its second argument. */
struct abi_siginfo {
    int32_t signal, error, code, pad; /* code: ABI_SI_..., or one of those behind it */
    union {
        uint64_t address; /* SIGSEGV, SIGBUS, SIGILL, SIGTRAP */
        struct {
            int32_t pid; /* who sent it, or the child */
            uint32_t uid;
            int32_t status; /* SIGCHLD */
        } from;
        uint64_t room[14];
    } u;
};
_Static_assert(sizeof(struct abi_siginfo) == 128, "siginfo_t");

#define ABI_SI_USER 0 /* by kill */
#define ABI_SI_TIMER (-2)
#define ABI_SI_TKILL (-6)
#define ABI_SI_KERNEL 128 /* by a timer or the console */
#define ABI_ILL_ILLOPC 1
#define ABI_TRAP_BRKPT 1
#define ABI_SEGV_MAPERR 1 /* nothing is mapped there */
#define ABI_SEGV_ACCERR 2 /* what is there does not permit it */
#define ABI_BUS_ADRALN 1  /* misaligned */
#define ABI_BUS_ADRERR 2  /* behind the file's end */
#define ABI_BUS_OBJERR 3  /* the page cannot be had */
#define ABI_CLD_EXITED 1
#define ABI_CLD_KILLED 2
#define ABI_CLD_STOPPED 5
#define ABI_CLD_CONTINUED 6

/* What a handler goes back to, in its third argument, where it may change it. */
struct abi_ucontext {
    uint64_t
        flags; /* ABI_UC_FP: f is meant; else no floating-point instruction was ever executed */
    uint64_t link;
    struct abi_sigstack stack;
    uint64_t mask, room[16];
    uint64_t pc, x[31]; /* x1 to x31 */
    uint64_t f[32];
    uint64_t fcsr, more[33];
};
_Static_assert(sizeof(struct abi_ucontext) == 960, "ucontext_t");
#define ABI_UC_FP 1

struct abi_itimerval {
    int64_t interval, interval_us; /* seconds and microseconds */
    int64_t value, value_us;
};
#define ABI_ITIMER_REAL 0
#define ABI_ITIMER_VIRTUAL 1
#define ABI_ITIMER_PROF 2

/* waitpid */
#define ABI_WNOHANG 1
#define ABI_WUNTRACED 2
#define ABI_WCONTINUED 8

/* inode types */
#define ABI_T_DIR 1
#define ABI_T_FILE 2
#define ABI_T_DEVICE 3

/* clock_gettime */
#define ABI_CLOCK_REALTIME 0
#define ABI_CLOCK_MONOTONIC 1

struct abi_timespec {
    int64_t sec, nsec; /* nsec below 1000000000 */
};

#define ABI_NOFILE 1024 /* open files a process */
#define ABI_MAXARG 32   /* arguments of exec */
#define ABI_MAXENV 64   /* strings of an environment */
#define ABI_MAXPATH 128 /* with the terminator */
#define ABI_DIRSIZ 14   /* bytes of a name */
#define ABI_TICKS_PER_SECOND 10

#define ABI_DESIGN_SIZE 16 /* a design's name, terminated */
#define ABI_VM_NAME_SIZE 32

struct abi_stat {
    int32_t dev;
    uint32_t ino;
    int16_t type;
    int16_t nlink;
    uint64_t size; /* bytes */
};

struct abi_sysinfo {
    uint64_t frames_total; /* of 4 KiB */
    uint64_t frames_free;  /* with those that are only a cache */
    uint64_t frames_committed;
    uint64_t procs; /* slots in use */
    uint64_t procs_max;
    uint64_t harts;
    uint64_t inodes_free; /* on the root disk */
    uint64_t blocks_free;
    uint64_t files_open;          /* objects in the system's table */
    uint64_t idle;                /* time that harts had nothing to do, by the time counter */
    uint64_t frames_cached;       /* of the free ones, those that are only a cache */
    char design[ABI_DESIGN_SIZE]; /* the first process's */
    uint64_t levels;              /* of page tables: 3, 4 or 5 */
};

/* What happened to user memory since the boot, on all harts. A fault may come to more than one
 * thing: a page of a file that is written first is shown, and copied. */
struct abi_vmstat {
    uint64_t faults;         /* of programs, and of the kernel on behalf of them */
    uint64_t zeroed;         /* pages filled with zeros */
    uint64_t zeroed_large;   /* ranges of 2 MiB filled with zeros, one leaf each */
    uint64_t shown;          /* pages of files and of shared memory that were mapped */
    uint64_t shown_beside;   /* more of them, mapped by the same faults */
    uint64_t copied;         /* pages copied at the first write, after fork or of a file */
    uint64_t taken_over;     /* the same of pages that nobody else had any more */
    uint64_t permitted;      /* leaves that permit more, as their mapping does */
    uint64_t tables;         /* page tables made */
    uint64_t fence_requests; /* that other harts forget translations */
    uint64_t fenced_harts;   /* harts that were asked */
    uint64_t bytes_in;       /* copied from programs; the strings of paths are not counted */
    uint64_t bytes_out;      /* copied to programs */
};

enum abi_procstate {
    ABI_P_RUNNABLE = 1,
    ABI_P_RUNNING,
    ABI_P_SLEEPING,
    ABI_P_ZOMBIE,
    ABI_P_STOPPED
};

struct abi_procinfo {
    int32_t pid, parent;
    uint32_t state;        /* enum abi_procstate */
    uint32_t hart;         /* where it runs or ran last */
    uint64_t size;         /* bytes that it was granted: program, stack, heap */
    uint64_t frames;       /* present in its user table */
    uint64_t table_frames; /* page-table frames, both views */
    uint64_t committed;    /* frames promised to it */
    uint64_t ticks;        /* processor time */
    char name[16];
    uint64_t brk;                 /* the break */
    char design[ABI_DESIGN_SIZE]; /* its address space's */
    uint32_t kernel_view;         /* enum abi_kernel_view */
    uint32_t threads;             /* that have not ended */
};

/* Which tree the kernel's translations of a process go through. */
enum abi_kernel_view { ABI_KERNEL_VIEW_OWN, ABI_KERNEL_VIEW_USERS, ABI_KERNEL_VIEW_OF_ALL };

/* One page table of a process. A process that runs may change it right after: what is
 * told was so at one moment. */
struct abi_vmtable {
    struct abi_vmtable_head {
        uint64_t va;    /* in: an address; the table is one that its walk passes */
        uint32_t level; /* in: the root's is abi_sysinfo's levels - 1 */
        uint32_t view;  /* in: enum abi_vmview */
        uint64_t satp;  /* out: of the view */
        uint64_t table; /* out: physical address */
    } head;
    uint64_t entry[512]; /* out */
};

enum abi_vmview { ABI_VIEW_USER, ABI_VIEW_KERNEL };

/* A range of addresses that a process was granted, a mapping; in order of address. Counts are
 * in pages of 4 KiB. */
struct abi_vmregion {
    uint64_t start, end;
    uint32_t perm;    /* the bits R, W and X of a page table's entry */
    uint32_t flags;   /* ABI_VM_... */
    uint64_t offset;  /* bytes from the beginning of what is mapped to start */
    uint64_t present; /* mapped */
    uint64_t shared;  /* of them, on frames that others use too */
    uint64_t copied;  /* of a private mapping's pages: replaced by the process's own copies */
    char name[ABI_VM_NAME_SIZE]; /* what is mapped, terminated: "text", "heap" */
};

#define ABI_VM_LAZY 1    /* nothing is promised; a touch takes what memory is left then */
#define ABI_VM_SHARED 2  /* writes are seen by all that map it */
#define ABI_VM_ZEROS 4   /* its pages are zero until they are written; offset means nothing */
#define ABI_VM_GUARDED 8 /* a touch of the page below is an overflow */

/* Disk format: blocks of 1024 bytes, little-endian. */
#define FS_BLOCK_SIZE 1024
#define FS_MAGIC 0x10203040
#define FS_ROOT_INODE 1
#define FS_NDIRECT 12
#define FS_NINDIRECT (FS_BLOCK_SIZE / 4)
#define FS_MAX_FILE_BLOCKS (FS_NDIRECT + FS_NINDIRECT)

struct fs_superblock { /* block 1 */
    uint32_t magic, size, nblocks, ninodes, nlog, logstart, inodestart, bmapstart;
};

struct fs_dinode {
    _Alignas(8) int16_t type; /* copied often: by words, if it begins with one */
    int16_t major, minor, nlink;
    uint32_t size; /* bytes */
    uint32_t addrs[FS_NDIRECT + 1];
};
_Static_assert(sizeof(struct fs_dinode) == 64, "inodes are 64 bytes");

struct fs_dirent {
    uint16_t inum; /* 0: free */
    char name[ABI_DIRSIZ];
};
_Static_assert(sizeof(struct fs_dirent) == 16, "directory entries are 16 bytes");
