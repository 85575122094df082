/* The shell.
 *
 *     sh                      commands from standard input, with a prompt if it
 *                             is the console
 *     sh FILE [ARG...]        commands from a file
 *     sh -c COMMANDS [ARG...]
 *
 * shparse.h has the grammar, shexpand.h the expansions, shexec.h says where programs
 * are looked for, shbuiltins.h has its own commands. With a prompt, ^C ends
 * the command that runs in the foreground and what would follow it, or drops the line.
 *
 * The status of a command is its exit value; 255 when it was killed, 127 when it
 * was not found, 126 when it could not run, 2 after a syntax error. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>
#include "../lib/shbackground.h"
#include "../lib/shbuiltins.h"
#include "../lib/shell.h"
#include "../lib/shexec.h"
#include "../lib/shexpand.h"
#include "../lib/shjobs.h"
#include "../lib/shparse.h"
#include "../lib/shredirect.h"

static struct shell_args shell; /* the arguments, and the last status */
static bool interactive;
static FILE *script_file; /* children close it */

static int run(const struct node *node);
static void run_and_exit(const struct node *node) __attribute__((noreturn));

/* ---- children ------------------------------------------------------------ */

static const char *running; /* the part of the list that was started last */

/* A child that shares nothing more with this shell than it has to. */
static pid_t fork_child(struct job *job) {
    pid_t pid = fork();
    if (pid < 0)
        complain("cannot fork", strerror(errno));
    job_join(job, pid);
    if (pid == 0) {
        background_forget_all();
        interactive = false;
        if (script_file)
            close(fileno(script_file));
    }
    return pid;
}

/* Waits for n children in the foreground, those of a job; the status of the one named last. When
 * they stop they are in the background. */
static int wait_for(int n, pid_t last, const struct job *job) {
    int status = 0, result = 255;
    bool group = jobs_managed() && job->group > 0;
    while (n > 0) {
        pid_t pid = waitpid(group ? -job->group : -1, &status, group ? WUNTRACED : 0);
        if (pid < 0 && !group)
            break;
        if (pid < 0) {
            group = false; /* one has gone into a group of its own */
            continue;
        }
        if (WIFSTOPPED(status)) {
            background_add_stopped(last, job->group, running);
            shell.interrupted = true;
            result = JOB_STOPPED;
            break;
        }
        if (background_ended(pid, status))
            continue;
        n--;
        if (pid == last)
            result = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
    }
    shell.interrupted |= jobs_end_foreground();
    return result;
}

/* ---- commands ------------------------------------------------------------ */

/* What it prints goes where its output goes now, and before that of a child. */
static int run_builtin(builtin fn, char **argv) {
    int status = fn(&shell, argv);
    fflush(stdout);
    return status;
}

/* Runs fn in this very process with redirections, and undoes them afterwards. */
static int run_redirected(const struct redirect *r, builtin fn, char **argv) {
    struct saved saved[SAVED_MAX];
    int n = 0, status = 1;
    if (!r)
        return run_builtin(fn, argv);
    if (save_all(r, saved, &n) && redirect_all(r, &shell))
        status = run_builtin(fn, argv);
    restore_all(saved, n);
    return status;
}

static bool is_exec(const struct fields *f) { return f->n > 0 && !strcmp(f->argv[0], "exec"); }

/* This process becomes the command; without one the redirections stay. When it cannot start, the
 * shell ends with the status that a child would have had. */
static int do_exec(const struct fields *f, const struct redirect *redirects) {
    const struct fields command = {.argv = f->argv + 1, .n = f->n - 1};
    if (!redirect_all(redirects, &shell))
        return 1;
    if (command.n == 0)
        return 0;
    if (script_file)
        close(fileno(script_file));
    execute(&command);
}

/* The words of a command without the assignments that stand in front. */
static const struct word *behind_assignments(const struct node *node) {
    const struct word *word = node->words;
    while (word && is_assignment(word))
        word = word->next;
    return word;
}

/* Makes those assignments, in this process. */
static bool assign(const struct node *node) {
    bool ok = true;
    for (const struct word *word = node->words; ok && word && is_assignment(word);
         word = word->next) {
        struct fields f = {0};
        ok = expand_value(&f, word, &shell);
        if (!ok)
            complain(NULL, "out of memory");
        ok = ok && set_variable(f.argv[0]);
        fields_free(&f);
    }
    return ok;
}

/* A command that is a program, in a child; its assignments are the child's alone. */
static int run_program(const struct node *node, const struct fields *f) {
    struct job job = {0};
    pid_t pid = fork_child(&job);
    if (pid == 0) {
        if (!assign(node) || !redirect_all(node->redirects, &shell))
            _exit(1);
        execute(f);
    }
    return pid > 0 ? wait_for(1, pid, &job) : 1;
}

static int run_command(const struct node *node) {
    struct fields f = {0};
    int status = 1;
    if (!expand_words(&f, behind_assignments(node), &shell)) {
        complain(NULL, "out of memory");
    } else if (f.n > 0 && !is_exec(&f) && !find_builtin(f.argv[0])) {
        status = run_program(node, &f);
    } else if (assign(node)) {
        if (is_exec(&f))
            status = do_exec(&f, node->redirects);
        else
            status = run_redirected(node->redirects, find_builtin(f.n > 0 ? f.argv[0] : ":"),
                                    f.argv);
    }
    fields_free(&f);
    return status;
}

/* ---- trees --------------------------------------------------------------- */

/* Runs a part in a process of its own, which does not come back. A command need
 * not fork again. */
static void run_and_exit(const struct node *node) {
    struct fields f = {0};
    if (node->kind == NODE_GROUP) {
        if (!redirect_all(node->redirects, &shell))
            _exit(1);
        _exit(node->child ? run(node->child) : 0);
    }
    if (node->kind != NODE_COMMAND)
        _exit(run(node));
    if (!expand_words(&f, behind_assignments(node), &shell)) {
        complain(NULL, "out of memory");
        _exit(1);
    }
    if (!assign(node) || !redirect_all(node->redirects, &shell))
        _exit(1);
    if (f.n == 0)
        _exit(0);
    if (is_exec(&f))
        _exit(do_exec(&f, NULL));
    if (find_builtin(f.argv[0]))
        _exit(run_builtin(find_builtin(f.argv[0]), f.argv));
    execute(&f);
}

static int run_group(const struct node *node) {
    struct job job = {0};
    pid_t pid = fork_child(&job);
    if (pid == 0)
        run_and_exit(node);
    return pid > 0 ? wait_for(1, pid, &job) : 1;
}

/* In the child: input from the pipe before, output to the pipe behind. */
static void connect_pipes(int before, const int behind[2]) {
    if (before >= 0) {
        dup2(before, 0);
        close(before);
    }
    if (behind[0] >= 0) {
        close(behind[0]);
        dup2(behind[1], 1);
        close(behind[1]);
    }
}

static int run_pipeline(const struct node *node) {
    int before = -1, started = 0;
    struct job job = {0};
    pid_t pid = -1;
    for (const struct node *part = node->child; part; part = part->next) {
        int behind[2] = {-1, -1};
        pid = -1;
        if (part->next && pipe(behind) < 0) {
            complain("cannot make a pipe", strerror(errno));
            break;
        }
        pid = fork_child(&job);
        if (pid == 0) {
            connect_pipes(before, behind);
            run_and_exit(part);
        }
        started += pid > 0;
        if (before >= 0)
            close(before);
        if (behind[1] >= 0)
            close(behind[1]);
        before = behind[0];
        if (pid < 0)
            break;
    }
    if (before >= 0)
        close(before);
    int status = wait_for(started, pid, &job);
    return pid < 0 ? 1 : status;
}

static int run_and_or(const struct node *node) {
    int status = 0;
    for (const struct node *part = node->child; part && !shell.interrupted; part = part->next)
        if (part->join == JOIN_FIRST || (part->join == JOIN_AND) == (status == 0))
            status = shell.status = run(part);
    return status;
}

/* Starts a part and does not wait. It finds its input at the end: what is typed
 * is for the shell. */
static int run_in_background(const struct node *node) {
    struct job job = {.background = true};
    int empty[2];
    pid_t pid = -1;
    if (!background_reserve())
        complain(NULL, "out of memory");
    else
        pid = fork_child(&job);
    if (pid == 0) {
        if (pipe(empty) == 0) {
            dup2(empty[0], 0);
            close(empty[0]);
            close(empty[1]);
        }
        run_and_exit(node);
    }
    if (pid < 0)
        return 1;
    background_add(pid, node->text);
    shell.background = pid;
    return 0;
}

static int run_list(const struct node *node) {
    for (const struct node *part = node->child; part && !shell.interrupted; part = part->next) {
        running = part->text;
        shell.status = part->background ? run_in_background(part) : run(part);
    }
    return shell.status;
}

static int run(const struct node *node) {
    switch (node->kind) {
    case NODE_LIST: return run_list(node);
    case NODE_AND_OR: return run_and_or(node);
    case NODE_PIPELINE: return run_pipeline(node);
    case NODE_GROUP: return run_group(node);
    case NODE_COMMAND: return run_command(node);
    }
    return 1;
}

/* ---- reading ------------------------------------------------------------- */

struct text {
    char *p;
    size_t n, room;
};

static bool text_add(struct text *t, char c) {
    if (t->n + 2 > t->room) {
        size_t room = t->room ? t->room * 2 : 256;
        char *p = realloc(t->p, room);
        if (!p)
            return false;
        t->p = p;
        t->room = room;
    }
    t->p[t->n++] = c;
    t->p[t->n] = 0;
    return true;
}

/* The next byte of the commands, or EOF. From standard input one at a time:
 * what stands behind a command is the command's input. */
static int next_byte(void) {
    unsigned char c;
    if (script_file)
        return getc(script_file);
    ssize_t n = read(0, &c, 1);
    shell.interrupted |= n < 0 && interactive;
    return n == 1 ? c : EOF;
}

/* Appends a line with its newline; false at the end of input. */
static bool read_line(struct text *t) {
    int c;
    bool any = false;
    while ((c = next_byte()) != EOF) {
        any = true;
        if (c != 0 && !text_add(t, (char)c)) {
            complain(NULL, "out of memory");
            return false;
        }
        if (c == '\n')
            break;
    }
    return any;
}

/* Runs a parsed text or says what is wrong with it, unless that was told. */
static void run_script_text(struct script *s, enum parse_result result, bool told) {
    if (result != PARSE_OK) {
        if (!told)
            complain(NULL, s->error);
        shell.status = 2;
        if (!interactive)
            exit(2);
    } else if (s->root) {
        run(s->root);
    }
}

static void prompt(const char *text) {
    if (interactive)
        write(2, text, strlen(text));
}

/* With a command's first line: reads the others, and runs it. False: no more input. Who types
 * learns of a word that is refused before its end is typed. */
static bool read_rest_and_run(struct text *t, bool more) {
    struct script s = {0};
    enum parse_result result;
    bool told = false;
    while ((result = script_parse(&s, t->p)) == PARSE_INCOMPLETE && more) {
        if (s.refused && interactive && !told)
            complain(NULL, s.error);
        told |= s.refused && interactive;
        script_free(&s);
        prompt("> ");
        more = read_line(t);
        if (shell.interrupted)
            return true;
        if (!more)
            prompt("\n");
    }
    run_script_text(&s, result, told);
    script_free(&s);
    return more || (interactive && result != PARSE_OK); /* ^D ended the command only */
}

/* Reads and runs commands, each as soon as it is complete, until the end. */
static void read_and_run(void) {
    struct text t = {0};
    for (bool more = true; more; t.n = 0) {
        background_reap();
        prompt("$ ");
        shell.interrupted = false;
        more = read_line(&t);
        if (!more && t.n == 0 && !shell.interrupted)
            break;
        if (!shell.interrupted)
            more = read_rest_and_run(&t, more);
        more |= shell.interrupted;
    }
    free(t.p);
}

static void run_string(const char *commands) {
    struct script s;
    run_script_text(&s, script_parse(&s, commands), false);
    script_free(&s);
}

int main(int argc, char *argv[]) {
    shell = (struct shell_args){.pid = getpid(), .argc = argc, .argv = argv};
    if (argc >= 2 && strcmp(argv[1], "-c") == 0) {
        if (argc < 3) {
            complain("usage", "sh -c COMMANDS [ARG...]");
            return 2;
        }
        shell.argc = argc > 3 ? argc - 3 : 1; /* as in other shells: $0 is the first ARG */
        shell.argv = argc > 3 ? argv + 3 : argv;
        run_string(argv[2]);
        return shell.status;
    }
    if (argc >= 2) {
        script_file = fopen(argv[1], "r");
        if (!script_file) {
            complain(argv[1], strerror(errno));
            return 127;
        }
        shell.argc--;
        shell.argv++;
    }
    interactive = argc < 2 && isatty(0);
    if (interactive)
        jobs_manage();
    read_and_run();
    prompt("\n");
    return shell.status;
}
