/* Sockets as Linux's programs have them: what its files do for each other. */
#pragma once
#include "linux/linux.h"
#include "socket/socket.h"

#define LINUX_AF_UNSPEC 0

/* Who has sent a message, or has the other end. */
struct ucred {
    int32_t pid;
    uint32_t uid, gid;
};

/* What a program means by a family, a type, and a protocol, 0: any. -K_EAFNOSUPPORT,
 * -K_ESOCKTNOSUPPORT, -K_EPROTONOSUPPORT. */
int linux_socket_kind(uint64_t number, uint32_t type, uint64_t protocol,
                      const struct socket_family **out, enum socket_type *kind) must_check;
int32_t linux_socket_domain(const struct socket *s); /* that number */
int32_t linux_socket_protocol(const struct socket *s);

/* An address of s's family in user memory. -K_EINVAL: too long or too short; -K_EAFNOSUPPORT: of
 * another family; -K_EFAULT. */
int linux_address(const struct socket *s, uint64_t at, uint64_t bytes,
                  struct socket_address *a) must_check;
/* Tells one as far as there is room, whose length is at bytes_at and is the address's afterwards.
 * -K_EFAULT, -K_EINVAL. */
int linux_tell_address(const struct socket *s, const struct socket_address *a, uint64_t at,
                       uint64_t bytes_at) must_check;
/* The same of who has sent a message to s: 0 of one without an address. */
int linux_tell_sender(const struct socket *s, const struct socket_address *a, uint64_t at,
                      uint64_t bytes_at) must_check;

/* The open files of SCM_RIGHTS, from a message's control data; *out is NULL when there are none.
 * -K_EINVAL, -K_EBADF, -K_EFAULT, -K_EPERM: other credentials than the caller's; -K_ENOBUFS. */
int linux_read_control(uint64_t at, uint64_t bytes, struct carried **out) must_check;

/* Tells what came with a message: descriptors for its files, which are opened, and who has sent it.
 * The record of the files is given back. *bytes of room there are, and become what is used; what
 * had no room is closed, and *cut is true. -K_EFAULT. */
struct socket_received;
int linux_tell_control(struct socket_received *r, bool sender, bool on_exec, uint64_t at,
                       uint64_t *bytes, bool *cut) must_check;

/* interface.c: ioctl of a socket about the network's interfaces. -K_ENOTTY: it is about something
 * else; -K_ENODEV: there is no such interface; -K_EPERM: it would change one; -K_EFAULT. */
int linux_interface(uint64_t what, uint64_t at) must_check;

/* The vector of one call as a single message or read; n entries. */
int linux_send_vector(struct file *f, uint64_t vector, uint64_t n, uint64_t *result) must_check;
int linux_receive_vector(struct file *f, uint64_t vector, uint64_t n, uint64_t *result) must_check;
