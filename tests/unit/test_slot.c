/* test_slot.c - http/slot.c: a connection's place: its deadline, which http.c's beats bring, and whom news of its client concern.
 *
 * SPDX-License-Identifier: MIT */
#include "http/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bobbin/event.h>
#include <bobbin/thread.h>
#include <cmocka.h>

#define FACT(name) static void name(void **state __attribute__((unused)))

struct place {
    struct slots *slots;
    struct slot *slot;
    int here, there; /* our end and the client's */
    int watch_fd;
};

static struct place
make_place(void)
{
    struct place p = {.slots = slots_new(1024), .watch_fd = epoll_create1(EPOLL_CLOEXEC)};
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    p.here = pair[0];
    p.there = pair[1];
    assert_true(p.slots && slots_prepare(p.slots, p.here));
    p.slot = slots_at(p.slots, p.here);
    slot_open(p.slot, 0);
    return p;
}

static void
end_place(struct place *p)
{
    slot_close(p->slot);
    (void)close(p->here);
    (void)close(p->there);
    (void)close(p->watch_fd);
    slots_free(p->slots);
}

FACT(a_slot_is_found_by_its_descriptor)
{
    struct slots *slots = slots_new(8);

    assert_true(slots_prepare(slots, 5));
    assert_int_equal(slots_used(slots), 6);
    assert_true(slots_prepare(slots, 3));
    assert_int_equal(slots_used(slots), 6);
    assert_false(slots_prepare(slots, 8));
    assert_false(slots_prepare(slots, -1));
    assert_int_equal(slots_at(slots, 3)->fd, 3);
    assert_ptr_equal(slots_at(slots, 3)->req.slot, slots_at(slots, 3));
    slots_free(slots);
}

FACT(a_deadline_cuts_when_it_has_come_and_only_then)
{
    struct place p = make_place();
    char c;

    assert_false(slot_cut(p.slot, 1000)); /* none is set */
    slot_deadline(p.slot, 10);
    assert_false(slot_cut(p.slot, 9));
    assert_int_equal(recv(p.there, &c, 1, MSG_DONTWAIT), -1);
    assert_true(slot_cut(p.slot, 10));
    assert_int_equal(recv(p.there, &c, 1, MSG_DONTWAIT), 0); /* its end */
    assert_false(slot_cut(p.slot, 11));                      /* once */
    end_place(&p);
}

FACT(a_closed_connection_is_not_cut)
{
    struct place p = make_place();
    char c;

    slot_deadline(p.slot, 10);
    slot_close(p.slot);
    slot_deadline(p.slot, 10); /* as if it had been set while it closed */
    assert_false(slot_cut(p.slot, 20));
    assert_int_equal(recv(p.there, &c, 1, MSG_DONTWAIT), -1);
    end_place(&p);
}

/* A deadline is a number of beats: whoever comes between two of them must find a second between any two that count. */
FACT(a_beat_right_behind_a_late_one_does_not_count)
{
    static const struct {
        int ms; /* after the last that counted */
        bool counts;
    } ticks[] = {{1000, true}, {1002, true}, {998, true}, {1600, true}, {400, false},
                 {1400, true}, {5000, true}, {1, false},  {970, true},  {900, false}};
    struct place p = make_place();
    static struct http h;
    int counted = 0;

    h.slots = p.slots;
    http_tick(&h);
    slot_deadline(p.slot, http_beat(&h) + 3);
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        uint32_t before = http_beat(&h);

        h.beat_at = bob_now() - ticks[i].ms * NS_PER_MS;
        http_tick(&h);
        counted += ticks[i].counts;
        assert_int_equal(http_beat(&h), before + ticks[i].counts);
        assert_int_equal(atomic_load(&p.slot->deadline) == 0, counted >= 3);
    }
    end_place(&p);
}

/* ---- the client ---- */

static struct {
    int calls;
    void *app, *room;
    uint64_t ticket;
} left;

static void
leave(void *app, void *room, uint64_t ticket)
{
    left.calls++;
    left.app = app;
    left.room = room;
    left.ticket = ticket;
}

/* What the epoll says within a moment; 0: nothing. */
static uint64_t
news(const struct place *p)
{
    struct epoll_event e;

    return epoll_wait(p->watch_fd, &e, 1, 0) == 1 ? e.data.u64 : 0;
}

/* The events of an edge-triggered epoll, as MHD's is. */
static unsigned
edges(int epoll_fd)
{
    struct epoll_event e = {0};

    return epoll_wait(epoll_fd, &e, 1, 0) == 1 ? e.events : 0;
}

FACT(a_client_that_closed_its_side_is_told_of_again_and_loses_nothing)
{
    struct place p = make_place();
    struct epoll_event want = {.events = EPOLLIN | EPOLLET};
    char got[8];

    assert_int_equal(epoll_ctl(p.watch_fd, EPOLL_CTL_ADD, p.here, &want), 0);
    assert_int_equal(edges(p.watch_fd), 0);
    slot_hang_up(p.slot);
    assert_int_equal(edges(p.watch_fd), 0); /* it has not */

    assert_int_equal(write(p.there, "ab", 2), 2);
    assert_int_equal(shutdown(p.there, SHUT_WR), 0);
    assert_true(edges(p.watch_fd) & EPOLLIN);
    assert_int_equal(edges(p.watch_fd), 0); /* its end came with the rest */
    slot_hang_up(p.slot);
    assert_true(edges(p.watch_fd) & EPOLLIN);
    assert_int_equal(read(p.here, got, sizeof got), 2);
    slot_hang_up(p.slot);
    assert_true(edges(p.watch_fd) & EPOLLIN);
    assert_int_equal(read(p.here, got, sizeof got), 0);
    assert_int_equal(write(p.here, "c", 1), 1); /* an answer */
    assert_int_equal(read(p.there, got, sizeof got), 1);
    end_place(&p);
}

FACT(a_client_that_leaves_is_told_of_once)
{
    struct place p = make_place();
    int app;

    left.calls = 0;
    slot_watch(p.slot, p.watch_fd, leave, 77);
    assert_int_equal(news(&p), 0);
    (void)shutdown(p.there, SHUT_WR);
    uint64_t n = news(&p);
    assert_int_equal((int)(uint32_t)n, p.here);
    slot_client_left(p.slot, (uint32_t)(n >> 32), &app);
    assert_int_equal(left.calls, 1);
    assert_ptr_equal(left.app, &app);
    assert_ptr_equal(left.room, p.slot->req.room);
    assert_int_equal(left.ticket, 77);
    assert_true(atomic_load(&p.slot->req.gone));
    slot_client_left(p.slot, (uint32_t)(n >> 32), &app);
    assert_int_equal(left.calls, 1);
    assert_int_equal(news(&p), 0);
    end_place(&p);
}

FACT(one_that_left_before_it_was_watched_is_not_missed)
{
    struct place p = make_place();

    (void)shutdown(p.there, SHUT_WR);
    slot_watch(p.slot, p.watch_fd, leave, 1);
    assert_int_not_equal(news(&p), 0);
    slot_unwatch(p.slot);
    slot_watch(p.slot, p.watch_fd, leave, 2); /* the next request of the same connection */
    assert_int_not_equal(news(&p), 0);
    end_place(&p);
}

FACT(old_news_concern_nobody)
{
    struct place p = make_place();
    int app;

    left.calls = 0;
    slot_watch(p.slot, p.watch_fd, leave, 1);
    (void)shutdown(p.there, SHUT_WR);
    uint64_t n = news(&p);
    slot_unwatch(p.slot);
    slot_client_left(p.slot, (uint32_t)(n >> 32), &app); /* the request is over */
    assert_int_equal(left.calls, 0);

    slot_close(p.slot);
    slot_open(p.slot, 0); /* another connection, the same descriptor */
    slot_watch(p.slot, p.watch_fd, leave, 2);
    slot_client_left(p.slot, (uint32_t)(n >> 32), &app);
    assert_int_equal(left.calls, 0);
    end_place(&p);
}

static struct bob_event in_leave, go_on;

static void
leave_slowly(void *app, void *room, uint64_t ticket)
{
    leave(app, room, ticket);
    bob_event_set(&in_leave);
    (void)!bob_event_wait(&go_on, BOB_FOREVER);
}

static void *
watcher(void *arg)
{
    struct place *p = arg;
    uint64_t n = news(p);

    slot_client_left(p->slot, (uint32_t)(n >> 32), NULL);
    return NULL;
}

static void *
unwatcher(void *arg)
{
    struct place *p = arg;

    slot_unwatch(p->slot);
    return NULL;
}

FACT(a_request_does_not_end_while_its_leave_is_called)
{
    struct place p = make_place();
    struct bob_thread *calls, *ends;

    left.calls = 0;
    bob_event_init(&in_leave);
    bob_event_init(&go_on);
    slot_watch(p.slot, p.watch_fd, leave_slowly, 1);
    (void)shutdown(p.there, SHUT_WR);
    assert_int_equal(bob_thread_start(&calls, "watcher", watcher, &p, NULL), BOB_OK);
    assert_int_equal(bob_event_wait(&in_leave, BOB_FOREVER), BOB_OK);
    assert_int_equal(bob_thread_start(&ends, "unwatcher", unwatcher, &p, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(ends, bob_in_ms(20), NULL), BOB_ERR_TIMEOUT);
    bob_event_set(&go_on);
    assert_int_equal(bob_thread_join(ends, BOB_FOREVER, NULL), BOB_OK);
    bob_thread_free(ends);
    bob_thread_free(calls);
    assert_int_equal(left.calls, 1);
    bob_event_fini(&in_leave);
    bob_event_fini(&go_on);
    end_place(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_is_found_by_its_descriptor),
        cmocka_unit_test(a_deadline_cuts_when_it_has_come_and_only_then),
        cmocka_unit_test(a_closed_connection_is_not_cut),
        cmocka_unit_test(a_beat_right_behind_a_late_one_does_not_count),
        cmocka_unit_test(a_client_that_closed_its_side_is_told_of_again_and_loses_nothing),
        cmocka_unit_test(a_client_that_leaves_is_told_of_once),
        cmocka_unit_test(one_that_left_before_it_was_watched_is_not_missed),
        cmocka_unit_test(old_news_concern_nobody),
        cmocka_unit_test(a_request_does_not_end_while_its_leave_is_called),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
