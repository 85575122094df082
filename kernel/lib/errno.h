/* Errors inside the kernel: calls return 0 or the negative of one of these.
 * A program sees it, or the -1 of the xv6 interface (lib/abi.h). */
#pragma once

enum kernel_errno {
    K_EPERM = 1,            /* not permitted */
    K_ENOENT = 2,           /* no such file or directory */
    K_ESRCH = 3,            /* no such process */
    K_EINTR = 4,            /* a signal came while it waited */
    K_EIO = 5,              /* device error, or a disk image that contradicts itself */
    K_ENXIO = 6,            /* beyond the end of what is mapped; no driver */
    K_E2BIG = 7,            /* argument list too long */
    K_ENOEXEC = 8,          /* not an executable that can run here */
    K_EBADF = 9,            /* bad file descriptor, or not open for this */
    K_ECHILD = 10,          /* no children */
    K_EAGAIN = 11,          /* no process slot; it would wait, and is not to */
    K_ENOMEM = 12,          /* memory cannot be promised */
    K_EACCES = 13,          /* the file is not open for this */
    K_EFAULT = 14,          /* bad user address */
    K_EBUSY = 16,           /* in use */
    K_EEXIST = 17,          /* exists already */
    K_EXDEV = 18,           /* in another file system */
    K_ENODEV = 19,          /* no such device */
    K_ENOTDIR = 20,         /* not a directory */
    K_EISDIR = 21,          /* is a directory */
    K_EINVAL = 22,          /* invalid argument */
    K_ENFILE = 23,          /* file table full */
    K_EMFILE = 24,          /* too many open files in this process */
    K_ENOTTY = 25,          /* not a terminal */
    K_ETXTBSY = 26,         /* the file is run as a program, or open for writing */
    K_EFBIG = 27,           /* beyond the largest file */
    K_ENOSPC = 28,          /* no free block or inode */
    K_ESPIPE = 29,          /* a pipe or device has no offset */
    K_EROFS = 30,           /* the disk takes no more changes */
    K_EMLINK = 31,          /* too many links */
    K_EPIPE = 32,           /* nobody reads this pipe */
    K_ERANGE = 34,          /* it does not fit */
    K_EDEADLK = 35,         /* it would wait for itself */
    K_ENAMETOOLONG = 36,    /* path too long */
    K_ENOLCK = 37,          /* no memory for a lock */
    K_ENOSYS = 38,          /* no such system call */
    K_ENOTEMPTY = 39,       /* directory not empty */
    K_ELOOP = 40,           /* too many symbolic links on a path */
    K_EIDRM = 43,           /* it was removed meanwhile */
    K_EOVERFLOW = 75,       /* beyond the largest offset */
    K_ELIBBAD = 80,         /* a program's interpreter is damaged */
    K_ENOTSOCK = 88,        /* not a socket */
    K_EDESTADDRREQ = 89,    /* nobody to send to */
    K_EMSGSIZE = 90,        /* too long for a message */
    K_EPROTOTYPE = 91,      /* a socket of another type */
    K_ENOPROTOOPT = 92,     /* no such option */
    K_EPROTONOSUPPORT = 93, /* no such protocol */
    K_ESOCKTNOSUPPORT = 94, /* no such type of socket */
    K_ENOTSUP = 95,         /* not done here */
    K_EAFNOSUPPORT = 97,    /* no such sort of addresses */
    K_EADDRINUSE = 98,      /* the address is another socket's */
    K_EADDRNOTAVAIL = 99,   /* not an address of this machine, or none is left */
    K_ENETUNREACH = 101,    /* an address of another machine */
    K_ECONNRESET = 104,     /* the other end did not read all */
    K_ENOBUFS = 105,        /* no memory for a socket or a message */
    K_EISCONN = 106,        /* connected already */
    K_ENOTCONN = 107,       /* not connected */
    K_ETOOMANYREFS = 109,   /* a socket in a message would carry sockets (flight.h) */
    K_ETIMEDOUT = 110,      /* the time is over */
    K_ECONNREFUSED = 111,   /* nobody listens there */
    K_EALREADY = 114,       /* another thread is doing it */
    K_EINPROGRESS = 115,    /* it goes on, and how it ends is told later */
};
