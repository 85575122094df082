/* The environment: an array of strings NAME=VALUE that ends with NULL. At first it is the one that
 * exec has put on the stack; what adds to it makes one of the heap's. Strings of setenv's are
 * remembered, so that they are freed when they are replaced; putenv's are the program's own. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char **environ;

static char **own; /* the array of the heap's; environ may be another one */
static size_t own_room;
static char **made; /* strings of setenv's that are in use */
static size_t made_n, made_room;

static size_t length(void) {
    size_t n = 0;
    while (environ && environ[n])
        n++;
    return n;
}

/* The length of a name that may be one; 0 with EINVAL. */
static size_t name_length(const char *name) {
    size_t n = name ? strcspn(name, "=") : 0;
    if (n > 0 && !name[n])
        return n;
    errno = EINVAL;
    return 0;
}

/* Where the string of this name stands, or the end of the array. */
static size_t find(const char *name, size_t n) {
    size_t i = 0;
    while (environ && environ[i] && (strncmp(environ[i], name, n) || environ[i][n] != '='))
        i++;
    return i;
}

static void free_if_made(char *string) {
    for (size_t i = 0; i < made_n; i++) {
        if (made[i] == string) {
            made[i] = made[--made_n];
            free(string);
            return;
        }
    }
}

/* Room for one more in an array of pointers; false: ENOMEM. */
static bool reserve(char ***array, size_t *room, size_t n) {
    if (n < *room)
        return true;
    size_t more = *room ? *room * 2 : 16;
    while (more <= n)
        more *= 2;
    char **p = realloc(*array, more * sizeof *p);
    if (!p)
        return false;
    *array = p;
    *room = more;
    return true;
}

/* Makes environ an array that has room for one string more. */
static bool reserve_string(size_t n) {
    bool was_own = environ && environ == own;
    if (!reserve(&own, &own_room, n + 1))
        return false;
    if (!was_own && n > 0)
        memcpy(own, environ, n * sizeof *own);
    own[n] = NULL;
    environ = own;
    return true;
}

/* Puts a string in the place of the one of the same name, or behind the last. */
static bool put(char *string, size_t name) {
    size_t at = find(string, name), n = length();
    if (at < n) {
        char *old = environ[at];
        environ[at] = string;
        if (old != string)
            free_if_made(old);
        return true;
    }
    if (!reserve_string(n))
        return false;
    environ[n] = string;
    environ[n + 1] = NULL;
    return true;
}

char *getenv(const char *name) {
    size_t n = strlen(name);
    size_t at = find(name, n);
    return environ && environ[at] ? environ[at] + n + 1 : NULL;
}

int setenv(const char *name, const char *value, int replace) {
    size_t n = name_length(name), bytes;
    if (n == 0)
        return -1;
    if (!replace && getenv(name))
        return 0;
    bytes = strlen(value) + 1;
    char *string = malloc(n + 1 + bytes);
    if (!string || !reserve(&made, &made_room, made_n)) {
        free(string);
        return -1;
    }
    memcpy(string, name, n);
    string[n] = '=';
    memcpy(string + n + 1, value, bytes);
    if (!put(string, n)) {
        free(string);
        return -1;
    }
    made[made_n++] = string;
    return 0;
}

int putenv(char *string) {
    size_t n = strcspn(string, "=");
    if (n > 0 && string[n])
        return put(string, n) ? 0 : -1;
    errno = EINVAL;
    return -1;
}

int unsetenv(const char *name) {
    size_t n = name_length(name);
    if (n == 0)
        return -1;
    for (size_t at = find(name, n); environ && environ[at]; at = find(name, n)) {
        char *old = environ[at];
        for (size_t i = at; environ[i]; i++)
            environ[i] = environ[i + 1];
        free_if_made(old);
    }
    return 0;
}

int clearenv(void) {
    while (made_n > 0)
        free(made[--made_n]);
    environ = NULL;
    return 0;
}
