/* Sockets on their way in messages.
 *
 * If a socket were in its own queue, or by way of others' queues, nobody could read it out, and
 * nothing would close it. So for every socket one of two things is true at each moment: it is not
 * on its way, or no sockets are on their way to it. That is asked when one is sent, of both: either
 * question alone keeps circles out; with both, what is closed with a message closes no more
 * messages that have sockets in them, so closing is no deep recursion. All other files may go
 * anywhere: they carry none.
 *
 * A connection that nobody has accepted yet is part of the socket that listens, which may be on its
 * way: what is on its way to the one is on its way to the other, too, until it is accepted. */
#pragma once
#include "socket/sock.h"

/* The files are going to be in the queue of `to`. -K_ETOOMANYREFS: that would break the rule; they
 * are not. */
int flight_begin(struct socket *to, const struct carried *files) must_check;
/* They have left it. */
void flight_end(struct socket *to, const struct carried *files);
/* They are closed where they are, and the record is given back. Each is on its way until it is
 * closed: else others could send sockets to it meanwhile, and closing would go ever deeper. */
void flight_drop(struct socket *to, struct carried *files);
/* s, which nobody knows yet, is part of the socket that listens until it has a file. */
void flight_wait(struct socket *s, struct socket *listener);
void flight_accepted(struct socket *s);
