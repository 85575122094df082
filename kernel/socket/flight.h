/* Sockets on their way in messages.
 *
 * A socket that is in a message of which its own queue has a part would never be closed: nobody
 * could read it, and nothing would end it. So of two rules one is kept at each moment for every
 * socket: it is not on its way, or no sockets are on their way to it. Then there is no circle, and
 * closing a message's files goes one step deep. All other files may go anywhere: they carry none.
 *
 * A connection that nobody has accepted yet takes no sockets at all, since it is part of the
 * socket that listens, which may be on its way. */
#pragma once
#include "socket/sock.h"

/* The files are going to be in the queue of `to`. -K_ETOOMANYREFS: that would break the rule; they
 * are not. */
int flight_begin(struct socket *to, const struct carried *files) must_check;
/* They have left it. */
void flight_end(struct socket *to, const struct carried *files);
/* s has a file now. */
void flight_accepted(struct socket *s);
