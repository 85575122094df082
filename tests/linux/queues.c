/* flags: -static -pthread */
/* Queues of messages of System V. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <time.h>
#include "threads.h"

#define KEY 0x78
#define LONGEST 8192

static int queue;

struct letter {
    long type;
    char text[LONGEST];
};

static struct letter got;

static int send(long type, const char *text, size_t n, int flags) {
    static struct letter l;
    l.type = type;
    memcpy(l.text, text, n);
    return msgsnd(queue, &l, n, flags);
}

static int say(long type, const char *text) { return send(type, text, strlen(text) + 1, 0); }

static int hear(long type, int flags) {
    got.type = 0;
    return (int)msgrcv(queue, &got, sizeof(got.text), type, flags | IPC_NOWAIT);
}

static int hears(long type, int flags, const char *text) {
    return hear(type, flags) == (int)strlen(text) + 1 && strcmp(got.text, text) == 0;
}

static void check_queues(void) {
    struct msqid_ds ds;
    struct msginfo info;
    CHECK(msgget(KEY, 0) == -1 && errno == ENOENT);
    queue = msgget(KEY, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(queue >= 0 && msgget(KEY, 0) == queue && msgget(KEY, IPC_CREAT) == queue);
    CHECK(msgget(KEY, IPC_CREAT | IPC_EXCL) == -1 && errno == EEXIST);
    CHECK(msgctl(queue, IPC_STAT, &ds) == 0 && ds.msg_perm.__key == KEY);
    CHECK(ds.msg_perm.mode == 0640 && ds.msg_qbytes == 16384 && ds.msg_qnum == 0);
    CHECK(ds.msg_stime == 0 && ds.msg_lspid == 0);
    CHECK(say(3, "three") == 0 && msgctl(queue, IPC_STAT, &ds) == 0);
    CHECK(ds.msg_qnum == 1 && ds.__msg_cbytes == 6 && ds.msg_lspid == getpid() && ds.msg_stime);
    CHECK(msgctl(queue, MSG_INFO, (void *)&info) >= 0 && info.msgpool >= 1 && info.msgmap >= 1);
    CHECK(msgctl(0, IPC_INFO, (void *)&info) >= 0 && info.msgmax == LONGEST);
    CHECK(hears(0, 0, "three") && got.type == 3);
    CHECK(msgctl(queue, IPC_STAT, &ds) == 0 && ds.msg_qnum == 0 && ds.msg_lrpid == getpid());
    ds.msg_qbytes = 100;
    ds.msg_perm.mode = 0600;
    CHECK(msgctl(queue, IPC_SET, &ds) == 0 && msgctl(queue, IPC_STAT, &ds) == 0);
    CHECK(ds.msg_qbytes == 100 && ds.msg_perm.mode == 0600);
    ds.msg_qbytes = 16385;
    CHECK(msgctl(queue, IPC_SET, &ds) == -1 && errno == EPERM);
    ds.msg_qbytes = 0;
    CHECK(msgctl(queue, IPC_SET, &ds) == 0);
    CHECK(msgsnd(queue, &got, 1, IPC_NOWAIT) == -1 && errno == EAGAIN);
    CHECK(msgctl(queue, 99, &ds) == -1 && errno == EINVAL);
    CHECK(msgctl(queue, IPC_STAT, (void *)8) == -1 && errno == EFAULT);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
    CHECK(msgctl(queue, IPC_STAT, &ds) == -1 && errno == EINVAL);
    CHECK(hear(0, 0) == -1 && errno == EINVAL);
}

static void check_types(void) {
    CHECK(say(5, "a") == 0 && say(2, "b") == 0 && say(9, "c") == 0 && say(2, "d") == 0);
    CHECK(hear(7, 0) == -1 && errno == ENOMSG && hear(-1, 0) == -1 && errno == ENOMSG);
    CHECK(hears(-8, 0, "b") && got.type == 2); /* the lowest, and of these the first */
    CHECK(hears(5, MSG_EXCEPT, "c") && hears(2, 0, "d") && hears(0, 0, "a"));
    CHECK(hear(0, 0) == -1 && errno == ENOMSG);
    CHECK(say(0, "x") == -1 && errno == EINVAL && say(-1, "x") == -1 && errno == EINVAL);
    /* Of none, and of the most that there is. */
    CHECK(send(1, "", 0, 0) == 0 && hear(0, 0) == 0 && got.type == 1);
    static char all[LONGEST + 1];
    for (int i = 0; i < LONGEST; i++)
        all[i] = (char)(i * 7 / 3);
    CHECK(send(1, all, LONGEST, 0) == 0 && hear(0, 0) == LONGEST);
    CHECK(memcmp(all, got.text, LONGEST) == 0);
    CHECK(msgsnd(queue, all, LONGEST + 1, 0) == -1 && errno == EINVAL);
    /* Too long for who receives it: it stays, or is cut. */
    CHECK(say(1, "abcdef") == 0);
    CHECK(msgrcv(queue, &got, 3, 0, IPC_NOWAIT) == -1 && errno == E2BIG);
    CHECK(msgrcv(queue, &got, 3, 0, IPC_NOWAIT | MSG_NOERROR) == 3);
    CHECK(memcmp(got.text, "abc", 3) == 0 && hear(0, 0) == -1 && errno == ENOMSG);
    CHECK(msgsnd(queue, (void *)8, 1, 0) == -1 && errno == EFAULT);
    CHECK(say(1, "lost") == 0 && msgrcv(queue, (void *)8, 9, 0, 0) == -1 && errno == EFAULT);
    CHECK(hear(0, 0) == -1 && errno == ENOMSG);
}

/* As many as there is room for; and one that waits for it. */
static void *send_one_more(void *arg) {
    CHECK(say(4, "late") == 0);
    return NULL;
}

static void check_room(void) {
    static char half[LONGEST];
    CHECK(send(1, half, LONGEST, 0) == 0 && send(2, half, LONGEST, IPC_NOWAIT) == 0);
    CHECK(send(3, half, 1, IPC_NOWAIT) == -1 && errno == EAGAIN);
    pthread_t t = begin(send_one_more, NULL);
    CHECK(msgrcv(queue, &got, LONGEST, 2, 0) == LONGEST);
    CHECK(msgrcv(queue, &got, LONGEST, 4, 0) == 5 && strcmp(got.text, "late") == 0);
    end_of(t);
    CHECK(hear(1, 0) == LONGEST);
    int n = 0;
    while (send(1, half, 1, IPC_NOWAIT) == 0)
        n++;
    int err = errno;
    CHECK(err == EAGAIN && n >= 512);
    while (n > 0 && hear(0, 0) == 1)
        n--;
    CHECK_EQ(n, 0);
}

/* Ping and pong between processes. */
static void check_processes(void) {
    int status;
    if (fork() == 0) {
        for (int i = 0; i < 100; i++) {
            if (msgrcv(queue, &got, LONGEST, 1, 0) != sizeof(int))
                _exit(1);
            if (send(2, got.text, sizeof(int), 0))
                _exit(2);
        }
        _exit(0);
    }
    for (int i = 0; i < 100; i++) {
        int back = -1;
        CHECK(send(1, (char *)&i, sizeof(i), 0) == 0);
        CHECK(msgrcv(queue, &got, LONGEST, 2, 0) == sizeof(int));
        memcpy(&back, got.text, sizeof(back));
        CHECK_EQ(back, i);
    }
    CHECK(wait(&status) > 0 && status == 0);
}

static void nothing(int signal) {}

static void *receive_none(void *arg) {
    long err = msgrcv(queue, &got, LONGEST, 77, 0) == -1 ? errno : 0;
    return (void *)err;
}

/* Who waits is interrupted, whatever the handler says; and learns of the end. */
static void check_waits(void) {
    struct sigaction a = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    timer_t timer;
    CHECK(sigaction(SIGALRM, &a, NULL) == 0 && timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
    const struct itimerspec soon = {{0, 20000000}, {0, 20000000}};
    CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
    CHECK(receive_none(NULL) == (void *)EINTR);
    CHECK(timer_delete(timer) == 0);
    pthread_t one = begin(receive_none, NULL), two = begin(receive_none, NULL);
    struct timespec nap = {0, 20000000}; /* so that they probably wait: else it is EINVAL */
    nanosleep(&nap, NULL);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
    long first = (long)end_of(one), second = (long)end_of(two);
    CHECK(first == EIDRM || first == EINVAL);
    CHECK(second == EIDRM || second == EINVAL);
}

int main(void) {
    check_queues();
    queue = msgget(IPC_PRIVATE, 0600);
    CHECK(queue >= 0);
    check_types();
    check_room();
    check_processes();
    check_waits();
    return tell_end();
}
