/* list.h - an intrusive doubly linked list: a ring through a head that holds no item.
 *
 *     struct bob_list all;                         // the head
 *     bob_list_init_(&all);
 *     bob_list_append_(&all, &thing->in_all);      // thing has a field: struct bob_list in_all;
 *     for (struct bob_list *i = all.next; i != &all; i = i->next)
 *         use(BOB_OWNER(i, struct thing, in_all));
 *     bob_list_remove_(&thing->in_all);
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_LIST_H
#define BOB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct bob_list {
    struct bob_list *next, *prev;
};

#define BOB_LIST_EMPTY(head)                                                                       \
    {                                                                                              \
        &(head), &(head)                                                                           \
    }

/* The struct whose field @field is *@link. */
#define BOB_OWNER(link, type, field) ((type *)(void *)((char *)(link)-offsetof(type, field)))

static inline void
bob_list_init_(struct bob_list *head)
{
    head->next = head->prev = head;
}

static inline bool
bob_list_is_empty_(const struct bob_list *head)
{
    return head->next == head;
}

static inline void
bob_list_append_(struct bob_list *head, struct bob_list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* Afterwards @link is a ring of its own, so that removing it again does nothing. */
static inline void
bob_list_remove_(struct bob_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    bob_list_init_(link);
}

/* Removes and returns the first, or NULL. */
static inline struct bob_list *
bob_list_pop_(struct bob_list *head)
{
    struct bob_list *first = head->next;

    if (first == head)
        return NULL;
    bob_list_remove_(first);
    return first;
}

/* Moves all of @from to the end of @to, in order. */
static inline void
bob_list_splice_(struct bob_list *to, struct bob_list *from)
{
    if (bob_list_is_empty_(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    bob_list_init_(from);
}

#endif
