/* Sockets: what is on the way is never lost or kept, whoever closes first, and when memory is
 * refused. What programs see is in tests/linux; many at once: test_socket_threads.c. */
/* sources: kernel/vfs/mount.c */
/* sources: kernel/vfs/filelock.c */
/* sources: kernel/vfs/node.c kernel/vfs/names.c kernel/fs/fsnode.c kernel/fs/step.c */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/pagefile.c */
/* sources: kernel/fs/filewrite.c kernel/fs/inode.c kernel/fs/data.c */
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
#include "mm/pieces.h"
#include "socket/port.h"
#include "socketenv.h"
#include "vfs/pipe.h"

/* ---- the end ---- */

static char byte;
static struct file *shared[2]; /* used by two at once */

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
    if (i == 0) {
        assert_int_equal(receive(shared[0], &byte, 1, true, NULL), 0);
    } else {
        kstub_until_asleep(kstub_proc(1));
        file_put(shared[1]);
    }
}
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

static void acceptor(unsigned i) { /* 0 waits, and 1 shuts it */
    struct file *f;
    if (i == 0) {
        assert_int_equal(file_alloc(&f), 0);
        assert_int_equal(socket_accept(socket_of(shared[0]), true, f), -K_EINVAL);
        file_put(f);
    } else {
        kstub_until_asleep(kstub_proc(1));
        assert_int_equal(socket_shutdown(socket_of(shared[0]), SOCKET_SHUT_IN), 0);
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
    assert_int_equal(new_of(&socket_inet, SOCKET_STREAM, &shared[0]), 0);
    assert_int_equal(socket_listen(socket_of(shared[0]), 1), 0);
    kstub_parallel(2, acceptor);
    file_put(shared[0]);
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

/* The first ports of those that are given have others, who stand in a few lists. */
static void a_search_for_a_port_has_breaks(void **state) {
    enum { BOUND = 1500 };
    static struct file *all[BOUND];
    struct socket_address a = {.length = sizeof(struct inet_end)};
    a.inet = (struct inet_end){.ip = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
    for (unsigned i = 0; i < BOUND; i++) {
        assert_int_equal(new_of(&socket_inet, SOCKET_STREAM, &all[i]), 0);
        a.inet.port = (uint16_t)(32768 + i);
        assert_int_equal(socket_bind(socket_of(all[i]), NULL, &a, 0), 0);
    }
    struct file *last = NULL;
    assert_int_equal(new_of(&socket_inet, SOCKET_STREAM, &last), 0);
    a.inet.port = 0;
    piece_break = count_break;
    breaks = 0;
    assert_int_equal(socket_bind(socket_of(last), NULL, &a, 0), 0);
    piece_break = NULL;
    assert_true(breaks >= 3 * BOUND / PIECE - 1); /* each list has five or six */
    struct inet_end end;
    assert_true(port_has(socket_of(last), &end) && end.port >= 32768 + BOUND);
    file_put(last);
    for (unsigned i = 0; i < BOUND; i++)
        file_put(all[i]);
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

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(either_end_first),
        T(who_waits_hears_of_it),
        T(a_listener_is_closed),
        T(no_circle_is_left),
        T(one_step_deep),
        T(memory_is_refused),
        T(nothing_comes_to_what_is_closed),
        T(half_is_nothing),
        T(a_long_end_has_breaks),
        T(a_search_for_a_port_has_breaks),
    };
    host_random_seed(7);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
