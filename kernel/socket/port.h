/* Ports: which sockets of TCP and of UDP have which, and at which addresses.
 *
 * A socket stands in the table from the time that it has an address until it is closed, also as a
 * client: so nobody else gets its port meanwhile. What was accepted does not stand there, for it is
 * found by nobody. Therefore a port is free as soon as the one that was bound to it is closed. */
#pragma once
#include "socket/sock.h"

void port_boot_init(void); /* at boot, once */

/* Gives s the end; the caller has the claim. -K_EADDRINUSE: another socket of its type has the port
 * at an address that is one of these, and either does not permit it. */
int port_enter(struct socket *s, const struct inet_end *end) must_check;
/* At this address, with a port that no socket of its type has; the caller has the claim.
 * -K_EADDRNOTAVAIL: there is none. */
int port_enter_any(struct socket *s, const uint8_t ip[INET_BYTES]) must_check;
/* Whether it has one; constant then. */
bool port_has(struct socket *s, struct inet_end *end) must_check;
/* Takes it back. */
void port_leave(struct socket *s);

/* From now on it is found by who connects. -K_EADDRINUSE: another one is already, and either does
 * not permit it. */
int port_listen(struct socket *s) must_check;
void port_listen_end(struct socket *s);

/* Where datagrams of s go, and from where alone they come; NULL: no longer. */
void port_aim(struct socket *s, const struct inet_end *remote);
/* c, which was never bound, is one end of a connection, of which the other is remote. */
void port_connected(struct socket *c, const struct inet_end *mine, const struct inet_end *remote);
/* false: it is not aimed. */
bool port_remote(struct socket *s, struct inet_end *remote) must_check;

/* The socket with a reference that takes what comes from `from` there: the one that is connected
 * with that before one that is at exactly this address, and that before one that is at any. NULL:
 * there is none. For streams, who listens. */
struct socket *port_find(enum socket_type type, const struct inet_end *to,
                         const struct inet_end *from) must_check;
