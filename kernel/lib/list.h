/* Circular doubly linked lists whose links stand inside their elements. A list
 * head is a link too; an empty list's head points to itself. */
#pragma once
#include "lib/types.h"

struct list {
    struct list *prev, *next;
};

#define LIST_INIT(head) \
    { &(head), &(head) }
#define LIST_ENTRY(link, type, member) CONTAINER_OF(link, type, member)
#define LIST_EACH(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)

static inline void list_init(struct list *l) { l->prev = l->next = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_insert(struct list *link, struct list *prev, struct list *next) {
    link->prev = prev;
    link->next = next;
    prev->next = link;
    next->prev = link;
}

static inline void list_push_front(struct list *head, struct list *link) {
    list_insert(link, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *link) {
    list_insert(link, head->prev, head);
}

/* Takes the link out of its list and leaves it a list of itself, so that
 * removing twice is harmless and list_empty(link) says "in no list". */
static inline void list_remove(struct list *link) {
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* place is another one. */
static inline void list_move_behind(struct list *link, struct list *place) {
    list_remove(link);
    list_insert(link, place, place->next);
}

/* The first link, taken out, or NULL. */
static inline struct list *list_pop_front(struct list *head) {
    struct list *link = head->next;
    if (link == head)
        return NULL;
    list_remove(link);
    return link;
}
