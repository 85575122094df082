/* Sockets, used by many at once: nothing is lost, mixed up, or waited for in vain. */
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
#include "socketenv.h"
#include "socket/sock.h"
#include "vfs/poll.h"
#include <sched.h>

static struct file *shared[2];

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

/* One shuts the socket that the other one wants to listen at: either way, it is found by who
 * connects if it listens, and only then. */
static unsigned listens_after; /* looks at the scheduler */

static void shut_or_listen(unsigned i) {
    for (unsigned n = 0; i && n < listens_after; n++)
        sched_yield();
    if (i)
        assert_int_equal(socket_listen(socket_of(shared[0]), 1), 0);
    else
        (void)!socket_shutdown(socket_of(shared[0]), SOCKET_SHUT_IN);
}

/* TCP, with time for the other one between the two steps of an end. */
static struct socket_family slow_inet;

static void end_slowly(struct socket *s) {
    for (unsigned i = 0; i < 20; i++)
        sched_yield();
    socket_inet.listen_end_locked(s);
}

static void who_listens_is_found(void **state) {
    slow_inet = socket_inet;
    slow_inet.listen_end_locked = end_slowly;
    struct socket_address a = {.length = sizeof a.inet};
    memcpy(a.inet.ip, (uint8_t[INET_BYTES]){[10] = 255, 255, 127, 0, 0, 1}, INET_BYTES);
    a.inet.port = 99;
    for (unsigned round = 0; round < 300; round++) {
        struct file *c;
        assert_int_equal(new_of(&slow_inet, SOCKET_STREAM, &shared[0]), 0);
        assert_int_equal(new_of(&socket_inet, SOCKET_STREAM, &c), 0);
        assert_int_equal(socket_bind(socket_of(shared[0]), NULL, &a, 0), 0);
        assert_int_equal(socket_listen(socket_of(shared[0]), 1), 0);
        listens_after = round % 30;
        kstub_parallel(2, shut_or_listen);
        bool listens = socket_listens(socket_of(shared[0]));
        assert_int_equal(socket_connect(socket_of(c), NULL, &a, true),
                         listens ? 0 : -K_ECONNREFUSED);
        file_put(c);
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
        T(two_bind_one), T(clients_and_servers),  T(datagrams_are_whole),
        T(room_is_told), T(who_listens_is_found),
    };
    host_random_seed(7);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
