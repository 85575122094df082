/* Sockets: what is on the way is never lost, kept, or mixed up, whoever closes first, many at once,
 * and when memory is refused. What programs see is tests/linux/sockets.c's. */
/* sources: kernel/vfs/filelock.c */
/* sources: kernel/vfs/node.c kernel/vfs/names.c kernel/fs/fsnode.c kernel/fs/step.c */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/filewrite.c kernel/fs/inode.c kernel/fs/data.c */
/* sources: kernel/fs/dir.c kernel/vfs/path.c kernel/fs/namecache.c kernel/fs/nameop.c */
/* sources: kernel/fs/rename.c kernel/fs/entries.c kernel/vfs/file.c kernel/vfs/open.c */
/* sources: kernel/fs/inodefile.c kernel/vfs/devfile.c kernel/vfs/pipe.c kernel/fs/fs.c */
/* sources: kernel/syscall/sysfile.c kernel/vfs/descriptor.c kernel/syscall/sysfd.c */
/* sources: kernel/mm/slab.c kernel/mm/pt.c kernel/mm/pagetree.c kernel/mm/pieces.c */
/* sources: kernel/vfs/listing.c kernel/vfs/fifo.c kernel/tmpfs/ */
/* sources: kernel/vfs/poll.c kernel/proc/watch.c */
/* sources: kernel/socket/ */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c tests/host/tmpfsenv.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mm/pieces.h"
#include "socket/socket.h"
#include "tmpfsenv.h"
#include "vfs/path.h"
#include "vfs/pipe.h"
#include "vfs/poll.h"
#include <sched.h>
#include <string.h>

/* Nobody sets a time here. */
void clock_set_alarm(uint64_t when) {}
bool clock_alarm_rang(void) { return false; }
bool clock_end_alarm(void) { return false; }
uint64_t clock_after(uint64_t nanoseconds) { return nanoseconds; }

static int64_t promised;

static int setup(void **state) {
    tmpfsenv_setup(state);
    socket_boot_init();
    promised = fsenv_promised();
    return 0;
}

/* All that was promised is given back: no socket, message or file is left. */
static int teardown(void **state) {
    assert_int_equal(file_open_count(), 0);
    fsenv_commit_limit = 4096;
    return tmpfsenv_teardown(state);
}

/* ---- short ---- */

static int new_socket(enum socket_type type, struct file **f) {
    int err = file_alloc(f);
    if (err)
        return err;
    err = socket_create(type, *f);
    if (err)
        file_put(*f);
    return err;
}

static int new_pair(enum socket_type type, struct file *f[2]) {
    int err = file_alloc(&f[0]);
    if (err)
        return err;
    err = file_alloc(&f[1]);
    if (!err) {
        err = socket_pair(type, f);
        if (err)
            file_put(f[1]);
    }
    if (err)
        file_put(f[0]);
    return err;
}

static struct file *must_be(int err, struct file *f) {
    assert_int_equal(err, 0);
    return f;
}

static struct file *must_create(enum socket_type type) {
    struct file *f = NULL;
    int err = new_socket(type, &f);
    return must_be(err, f);
}

static struct socket_address address(const char *name) {
    struct socket_address a = {.length = (uint8_t)(strlen(name + 1) + 1)};
    memcpy(a.bytes, name, a.length);
    return a;
}

static int send(struct file *f, const void *bytes, size_t n, struct carried *files, bool waits) {
    struct socket_sending what = {
        .span = span_of(UA(bytes), n), .bytes = n, .files = files, .waits = waits};
    size_t done;
    int err = socket_send(socket_of(f), &what, &done);
    assert_null(what.files);
    return done ? (int)done : err;
}

static int receive(struct file *f, void *bytes, size_t n, bool waits, struct carried **files) {
    struct socket_received r = {.span = span_of(UA(bytes), n), .bytes = n, .waits = waits};
    int err = socket_receive(socket_of(f), &r);
    if (files)
        *files = r.files;
    else if (r.files)
        carried_free(r.files);
    return err ? err : (int)r.done;
}

/* A record of one file, to which it has a reference. NULL: no memory. */
static struct carried *with(struct file *f) {
    struct carried *c = carried_make(1);
    if (c)
        c->file[c->n++] = file_get(f);
    return c;
}

/* ---- the end ---- */

static char byte;

static void either_end_first(void **state) {
    for (unsigned first = 0; first < 2; first++)
        for (unsigned type = SOCKET_STREAM; type <= SOCKET_SEQPACKET; type++) {
            struct file *s[2];
            if (type != SOCKET_STREAM && type != SOCKET_DATAGRAM && type != SOCKET_SEQPACKET)
                continue;
            assert_int_equal(new_pair((enum socket_type)type, s), 0);
            assert_int_equal(send(s[0], "a", 1, NULL, true), 1);
            assert_int_equal(send(s[1], "b", 1, NULL, true), 1);
            file_put(s[first]);
            file_put(s[1 - first]);
        }
}

static void reader(unsigned i) { /* 0 waits, and 1 closes */
    extern struct file *shared[2];
    if (i == 0) {
        assert_int_equal(receive(shared[0], &byte, 1, true, NULL), 0);
    } else {
        kstub_until_asleep(kstub_proc(1));
        file_put(shared[1]);
    }
}
struct file *shared[2];

static void writer(unsigned i) {
    static char much[300000];
    if (i == 0) {
        int n = send(shared[0], much, sizeof much, NULL, true);
        assert_true(n > 0 && n < (int)sizeof much);
        assert_int_equal(send(shared[0], much, 1, NULL, true), -K_EPIPE);
    } else {
        kstub_until_asleep(kstub_proc(1));
        file_put(shared[1]);
    }
}

static void killed(unsigned i) {
    if (i == 0) {
        assert_int_equal(receive(shared[0], &byte, 1, true, NULL), -K_EINTR);
    } else {
        kstub_until_asleep(kstub_proc(1));
        kstub_kill(kstub_proc(1));
    }
}

static void who_waits_hears_of_it(void **state) {
    assert_int_equal(new_pair(SOCKET_STREAM, shared), 0);
    kstub_parallel(2, reader);
    file_put(shared[0]);
    assert_int_equal(new_pair(SOCKET_STREAM, shared), 0);
    kstub_parallel(2, writer);
    file_put(shared[0]);
    assert_int_equal(new_pair(SOCKET_DATAGRAM, shared), 0);
    kstub_parallel(2, killed);
    file_put(shared[0]);
    file_put(shared[1]);
}

/* Connections that nobody accepts, with bytes and files in them, end with the one that listens. */
static void a_listener_is_closed(void **state) {
    struct socket_address a = address("\0here");
    struct file *listener = must_create(SOCKET_STREAM), *c[3], *ends[2];
    assert_int_equal(socket_bind(socket_of(listener), NULL, &a, 0), 0);
    assert_int_equal(socket_listen(socket_of(listener), 2), 0);
    assert_int_equal(pipe_create(&ends[0], &ends[1]), 0);
    for (unsigned i = 0; i < 3; i++) {
        c[i] = must_create(SOCKET_STREAM);
        assert_int_equal(socket_connect(socket_of(c[i]), NULL, &a, false), 0);
        assert_int_equal(send(c[i], "x", 1, with(ends[1]), false), 1);
    }
    struct file *late = must_create(SOCKET_STREAM);
    assert_int_equal(socket_connect(socket_of(late), NULL, &a, false), -K_EAGAIN);
    assert_int_equal(socket_connect(socket_of(late), NULL, &a, false), -K_EAGAIN);
    file_put(c[1]); /* one of them has gone before */
    file_put(ends[1]);
    file_put(listener);
    size_t done;
    assert_int_equal(file_read(ends[0], UA(&byte), 1, &done), 0); /* its other end is closed */
    assert_int_equal(receive(c[0], &byte, 1, true, NULL), -K_ECONNRESET);
    assert_int_equal(receive(c[0], &byte, 1, true, NULL), 0);
    assert_int_equal(socket_connect(socket_of(late), NULL, &a, false), -K_ECONNREFUSED);
    file_put(late);
    file_put(c[0]);
    file_put(c[2]);
    file_put(ends[0]);
}

/* ---- sockets in messages ---- */

/* Whatever is sent into whatever: all is given back when all is closed. */
static void no_circle_is_left(void **state) {
    enum { N = 6 };
    for (unsigned round = 0; round < 300; round++) {
        struct file *f[N];
        unsigned refused = 0;
        for (unsigned i = 0; i < N; i += 2)
            assert_int_equal(new_pair(SOCKET_STREAM, f + i), 0);
        for (unsigned k = 0; k < 20; k++) {
            struct file *to = f[host_random_below(N)], *what = f[host_random_below(N)];
            struct carried *c = NULL;
            int n = host_random_below(4) ? send(to, "s", 1, with(what), false)
                                         : receive(to, &byte, 1, false, &c);
            refused += n == -K_ETOOMANYREFS;
            if (c)
                carried_free(c);
        }
        assert_true(refused > 0 || round > 0);
        for (unsigned i = 0; i < N; i++)
            file_put(f[i]);
        assert_int_equal(file_open_count(), 0);
    }
}

/* Neither what carries is carried, nor what is carried carries; afterwards it may again. */
static void one_step_deep(void **state) {
    struct file *f[6];
    struct carried *c;
    for (unsigned i = 0; i < 6; i += 2)
        assert_int_equal(new_pair(SOCKET_STREAM, f + i), 0);
    assert_int_equal(send(f[0], "s", 1, with(f[2]), false), 1); /* f[1] has f[2] */
    assert_int_equal(send(f[4], "s", 1, with(f[1]), false), -K_ETOOMANYREFS);
    assert_int_equal(send(f[3], "s", 1, with(f[5]), false), -K_ETOOMANYREFS);
    assert_int_equal(send(f[3], "x", 1, NULL, false), 1);
    assert_int_equal(receive(f[1], &byte, 1, false, &c), 1);
    assert_ptr_equal(c->file[0], f[2]);
    carried_free(c);
    assert_int_equal(send(f[4], "s", 1, with(f[1]), false), 1);
    assert_int_equal(send(f[3], "s", 1, with(f[0]), false), 1);
    for (unsigned i = 0; i < 6; i++)
        file_put(f[i]);
}

/* A file that, when it is closed, sends a socket to one that is closed with it. */
static struct file *into, *late;
static int sent_meanwhile;

static void send_late(struct file *f) { sent_meanwhile = send(into, "s", 1, with(late), false); }

/* It is on its way until it is closed: else its end would close what was sent to it, and so on. */
static void nothing_comes_to_what_is_closed(void **state) {
    static const struct file_ops ops = {.close = send_late};
    struct file *f[2], *carrier[2], *others[2], *closes;
    assert_int_equal(new_pair(SOCKET_STREAM, f), 0);
    assert_int_equal(new_pair(SOCKET_STREAM, carrier), 0);
    assert_int_equal(new_pair(SOCKET_STREAM, others), 0);
    assert_int_equal(file_alloc(&closes), 0);
    closes->ops = &ops;
    struct carried *c = carried_make(2);
    c->file[c->n++] = closes;
    c->file[c->n++] = file_get(f[1]);
    assert_int_equal(send(carrier[0], "x", 1, c, false), 1);
    file_put(f[1]); /* that in the message is the last one */
    into = f[0];
    late = others[0];
    sent_meanwhile = 0;
    file_put(carrier[1]);
    assert_int_equal(sent_meanwhile, -K_ETOOMANYREFS);
    struct file *all[] = {f[0], carrier[0], others[0], others[1]};
    for (unsigned i = 0; i < 4; i++)
        file_put(all[i]);
}

/* ---- errors ---- */

/* A packet that cannot be copied whole is there still, and nothing of it counts as read. */
static void half_is_nothing(void **state) {
    struct file *s[2];
    static char packet[6000] = "packet", got[7000];
    assert_int_equal(new_pair(SOCKET_SEQPACKET, s), 0);
    assert_int_equal(send(s[0], packet, sizeof packet, NULL, false), sizeof packet);
    assert_int_equal(receive(s[1], fsenv_bad - 4096, sizeof packet, false, NULL), -K_EFAULT);
    assert_int_equal(receive(s[1], got, sizeof got, false, NULL), sizeof packet);
    assert_memory_equal(got, packet, sizeof packet);
    file_put(s[0]);
    file_put(s[1]);
}

/* ---- many messages ---- */

static unsigned breaks;

static void count_break(void) {
    spin_expect_none("a break");
    breaks++;
}

/* The end of a socket with thousands of messages, or of connections, lets others in. */
static void a_long_end_has_breaks(void **state) {
    enum { SENDERS = 8 };
    struct socket_address a = address("\0target");
    struct file *to = must_create(SOCKET_DATAGRAM), *from[SENDERS];
    unsigned sent = 0;
    assert_int_equal(socket_bind(socket_of(to), NULL, &a, 0), 0);
    for (unsigned i = 0; i < SENDERS; i++) {
        from[i] = must_create(SOCKET_DATAGRAM);
        assert_int_equal(socket_connect(socket_of(from[i]), NULL, &a, false), 0);
        while (send(from[i], "x", 1, NULL, false) == 1)
            sent++;
    }
    assert_true(sent > 1000);
    piece_break = count_break;
    breaks = 0;
    file_put(to);
    piece_break = NULL;
    assert_true(breaks >= sent / (PIECE / PIECE_FREED));
    for (unsigned i = 0; i < SENDERS; i++)
        file_put(from[i]);
}

/* ---- memory ---- */

/* Much of what there is, as far as it gets. */
static int use_all(void) {
    struct socket_address a = address("\0name");
    struct file *s[2], *listener = NULL, *client = NULL, *served = NULL;
    static char bytes[20000], got[20000];
    int err = new_pair(SOCKET_SEQPACKET, s);
    if (err)
        return err;
    struct carried *c = with(s[0]);
    err = send(s[0], bytes, sizeof bytes, c, false);
    if (err > 0)
        err = receive(s[1], got, sizeof got, false, NULL);
    err = err < 0 ? err : !c ? -K_ENOBUFS : new_socket(SOCKET_STREAM, &listener);
    if (!err)
        err = socket_bind(socket_of(listener), NULL, &a, 0);
    if (!err)
        err = socket_listen(socket_of(listener), 1);
    if (!err)
        err = new_socket(SOCKET_STREAM, &client);
    if (!err) {
        err = socket_connect(socket_of(client), NULL, &a, false);
        if (err)
            assert_int_equal(receive(client, got, 1, false, NULL), -K_EINVAL); /* as it was */
    }
    if (!err)
        err = file_alloc(&served);
    if (!err)
        err = socket_accept(socket_of(listener), false, served);
    if (!err)
        err = send(served, bytes, 3000, NULL, false);
    if (err > 0)
        err = receive(client, got, 4000, false, NULL);
    struct file *all[] = {s[0], s[1], listener, client, served};
    for (unsigned i = 0; i < 5; i++)
        if (all[i])
            file_put(all[i]);
    return err;
}

static void memory_is_refused(void **state) {
    int err = -1;
    unsigned refused = 0;
    for (int64_t more = 0; err < 0; more++, refused++) {
        fsenv_commit_limit = promised + more;
        err = use_all();
        if (err < 0)
            assert_true(err == -K_ENOMEM || err == -K_ENOBUFS);
        assert_int_equal(fsenv_promised(), promised);
        assert_int_equal(file_open_count(), 0);
    }
    assert_int_equal(err, 3000);
    assert_true(refused > 5);
}

/* ---- many at once ---- */

/* Two give one socket a path each: one of them has it, and nothing is left of the other. */
static int bound_to[2];

static void bind_it(unsigned i) {
    struct socket_address a = address(i ? "/right" : "/left");
    bound_to[i] = socket_bind(socket_of(shared[0]), NULL, &a, 0600);
}

static void two_bind_one(void **state) {
    for (unsigned round = 0; round < 200; round++) {
        shared[0] = must_create(SOCKET_STREAM);
        kstub_parallel(2, bind_it);
        assert_int_equal(bound_to[0] + bound_to[1], -K_EINVAL);
        assert_int_equal(t_unlink("/left"), bound_to[0] ? -K_ENOENT : 0);
        assert_int_equal(t_unlink("/right"), bound_to[1] ? -K_ENOENT : 0);
        file_put(shared[0]);
    }
}

#define CLIENTS 3
#define ROUNDS 60
static struct file *listening;
static unsigned served_rounds; /* atomic */

/* A connection, some bytes there and back; now and then it is left in between. */
static void be_client(unsigned i) {
    struct socket_address a = address("\0server");
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct file *c = must_create(SOCKET_STREAM);
        static char out[CLIENTS][40000], back[CLIENTS][40000];
        size_t n = (round * 977 + i * 31) % sizeof out[0] + 1;
        memset(out[i], (int)(round + i), n);
        assert_int_equal(socket_connect(socket_of(c), NULL, &a, true), 0);
        assert_int_equal(send(c, out[i], n, NULL, true), n);
        assert_int_equal(socket_shutdown(socket_of(c), SOCKET_SHUT_OUT), 0);
        if (round % 7 != 3) {
            size_t got = 0;
            for (int m; (m = receive(c, back[i] + got, sizeof back[i] - got, true, NULL)) > 0;)
                got += (size_t)m;
            assert_int_equal(got, n);
            assert_memory_equal(out[i], back[i], n);
        }
        file_put(c);
    }
}

static void be_server(unsigned i) {
    static char bytes[KSTUB_PROCS][7000];
    while (__atomic_fetch_add(&served_rounds, 1, __ATOMIC_RELAXED) < CLIENTS * ROUNDS) {
        struct file *c;
        assert_int_equal(file_alloc(&c), 0);
        assert_int_equal(socket_accept(socket_of(listening), true, c), 0);
        for (int n; (n = receive(c, bytes[i], sizeof bytes[i], true, NULL)) > 0;) {
            int m = send(c, bytes[i], (size_t)n, NULL, true);
            if (m < 0) {
                assert_int_equal(m, -K_EPIPE); /* it has left */
                break;
            }
            assert_int_equal(m, n);
        }
        file_put(c);
    }
}

static void client_or_server(unsigned i) {
    if (i < CLIENTS)
        be_client(i);
    else
        be_server(i);
}

static void clients_and_servers(void **state) {
    struct socket_address a = address("\0server");
    served_rounds = 0;
    listening = must_create(SOCKET_STREAM);
    assert_int_equal(socket_bind(socket_of(listening), NULL, &a, 0), 0);
    assert_int_equal(socket_listen(socket_of(listening), 1), 0);
    kstub_parallel(CLIENTS + 2, client_or_server);
    file_put(listening);
}

/* Several send datagrams to one, who reads them whole, and those of each in order. */
#define DATAGRAMS 400
static struct file *target, *source[2];

static void datagrams(unsigned i) {
    struct {
        unsigned from, number;
        char rest[3000];
    } m;
    memset(&m, 0, sizeof m);
    if (i < 2) {
        m.from = i;
        for (m.number = 0; m.number < DATAGRAMS; m.number++) {
            size_t n = 8 + m.number * 37 % sizeof m.rest;
            assert_int_equal(send(source[i], &m, n, NULL, true), n);
        }
        return;
    }
    unsigned next[2] = {0, 0};
    while (next[0] + next[1] < 2 * DATAGRAMS) {
        int n = receive(target, &m, sizeof m, true, NULL);
        assert_true(m.from < 2);
        assert_int_equal(m.number, next[m.from]++);
        assert_int_equal(n, 8 + m.number * 37 % sizeof m.rest);
    }
}

static void datagrams_are_whole(void **state) {
    struct socket_address a = address("/socket");
    target = must_create(SOCKET_DATAGRAM);
    assert_int_equal(socket_bind(socket_of(target), NULL, &a, 0600), 0);
    for (unsigned i = 0; i < 2; i++) {
        source[i] = must_create(SOCKET_DATAGRAM);
        assert_int_equal(socket_connect(socket_of(source[i]), NULL, &a, true), 0);
        socket_set_room(socket_of(source[i]), 0); /* as little as there may be */
    }
    kstub_parallel(3, datagrams);
    file_put(source[0]);
    file_put(source[1]);
    file_put(target);
}

/* Room that comes right behind the look is not missed by who polls for it. */
static void poll_for_room(unsigned i) {
    static char bytes[5000], got[5000];
    size_t all = 0;
    if (i == 0) {
        while (all < 200000) {
            struct poll_set s;
            unsigned ready;
            int n = send(shared[0], bytes, sizeof bytes, NULL, false);
            if (n > 0) {
                all += (size_t)n;
                continue;
            }
            assert_int_equal(n, -K_EAGAIN);
            poll_begin(&s);
            assert_int_equal(poll_add(&s, shared[0], READY_WRITABLE, 0), 0);
            assert_int_equal(poll_wait(&s, UINT64_MAX, &ready), 0); /* for ever, if it is missed */
            poll_end(&s);
        }
        return;
    }
    while (all < 200000) {
        int n = receive(shared[1], got, all % 4000 + 1, true, NULL);
        assert_true(n > 0);
        all += (size_t)n;
    }
}

static void room_is_told(void **state) {
    assert_int_equal(new_pair(SOCKET_STREAM, shared), 0);
    socket_set_room(socket_of(shared[0]), 0);
    kstub_parallel(2, poll_for_room);
    file_put(shared[0]);
    file_put(shared[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(either_end_first),     T(who_waits_hears_of_it),
        T(a_listener_is_closed), T(no_circle_is_left),
        T(one_step_deep),        T(memory_is_refused),
        T(clients_and_servers),  T(datagrams_are_whole),
        T(room_is_told),         T(nothing_comes_to_what_is_closed),
        T(half_is_nothing),      T(a_long_end_has_breaks),
        T(two_bind_one),
    };
    host_random_seed(7);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
