/* socket.c - the calls of libc by which MHD waits, reads and wakes itself, answered here:
 * epoll_wait, recv and write.
 *
 * A program's own functions come before those of its libraries, for every library in it (POSIX,
 * dlopen; ld.so(8)).  MHD has no hook for any of them, and two of its faults need one:
 *
 * - Its loop asks for 128 events, and when it gets 128 it asks again, for the timeout of the first
 *   time, before it looks at what it has: with exactly 128 ready and no other, that thread sleeps
 *   beside them, for up to a minute (0.9.75; 1.0.1 alike).  So who has just been given all it asked
 *   for is not made to wait.
 * - It believes what it reads.  So it reads what frame.c has let pass; the rest is refused here,
 *   with all that comes behind it.
 *
 * And where it reads in vain: a connection just resumed is asked for more before its handler is
 * asked for the answer.  That costs a system call for each durable change, and where the client has
 * half-closed, MHD 0.9.75 takes the end of requests for the end of interest and closes.  While an
 * answer is due there is nothing to read.  A thread that resumes many writes to its own eventfd for
 * each, and reads it once, later: the first write is enough.
 *
 * Nothing changes for other threads.
 *
 * SPDX-License-Identifier: MIT */

/* Its headers would make what is defined here inline. */
#undef _FORTIFY_SOURCE

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "http/exchange.h"
#include "http/slot.h"

enum { AHEAD_BYTES = 256 };

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc has __fd */

int
epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
    static _Thread_local bool full; /* the last call gave as many as were asked for */
    bool again = full && exchange_hand();
    int n = epoll_pwait(fd, events, most, again ? 0 : timeout, NULL);

    full = n == most;
    return n;
}

static _Thread_local bool signalled;

void
socket_signalled(bool is_signalled)
{
    signalled = is_signalled;
}

ssize_t
write(int fd, const void *buf, size_t len)
{
    struct iovec one = {(void *)(uintptr_t)buf, len};

    return signalled ? (ssize_t)len : writev(fd, &one, 1);
}

static ssize_t
nothing_yet(void)
{
    errno = EAGAIN;
    return -1;
}

/* Reads and throws away what is still coming, for a while: closed with bytes unread, the kernel
 * would send a reset, and that takes our answer away from a client who has not read it yet (RFC
 * 9112, 9.6). */
static ssize_t
linger(struct slot *s, void *buf, size_t cap)
{
    while (s->thrown_away < LINGER_BYTES) {
        ssize_t got = recvfrom(s->fd, buf, cap, MSG_DONTWAIT, NULL, NULL);

        if (got <= 0)
            return got;
        s->thrown_away += (size_t)got;
    }
    return 0;
}

static ssize_t
refuse(struct hand *hand, struct slot *s, void *buf, size_t cap)
{
    atomic_store_explicit(&s->refused, true, memory_order_relaxed);
    refusal_write(hand, s);
    slot_deadline(s, http_beat(hand->http) + 1 + LINGER_S);
    return linger(s, buf, cap);
}

/* The buffer is full, and blanks at its end are held back: looks at what follows, and takes of it
 * the blanks.  Returns how many bytes are to be handed on now. */
static size_t
settle_held(struct slot *s, char *at)
{
    char next[AHEAD_BYTES];
    size_t blanks, kept = 0;
    ssize_t got;

    do {
        got = recvfrom(s->fd, next, sizeof next, MSG_DONTWAIT | MSG_PEEK, NULL, NULL);
        if (got <= 0)
            return 0; /* there will be news of the socket */
        blanks = frame_settle(&s->frame, at, next, (size_t)got, &kept);
        if (blanks > 0)
            (void)!recvfrom(s->fd, next, blanks, MSG_DONTWAIT, NULL, NULL);
    } while (blanks == (size_t)got && !s->frame.why);
    return kept;
}

/* Reads until there is something to hand on, and for as long as there is: MHD takes a piece that
 * does not fill its buffer for all there is.  What the last piece held back comes first.
 * Returns how many bytes are to be handed on. */
static size_t
read_sound(struct slot *s, char *buf, size_t cap, ssize_t *ret_got)
{
    struct frame *f = &s->frame;
    size_t kept = 0;
    unsigned ended = 0;
    bool all = false;

    while (!f->why && !(kept > 0 && all)) {
        if (f->held > 0 && kept + f->held == cap)
            kept += settle_held(s, buf + kept);
        size_t held = f->held, room = cap - kept - held;
        if (room == 0 || f->why)
            break;
        ssize_t got = *ret_got = recvfrom(s->fd, buf + kept + held, room, MSG_DONTWAIT, NULL, NULL);
        if (got <= 0)
            break;
        all = (size_t)got < room;
        kept += frame_read(f, buf + kept, held + (size_t)got);
        ended += f->ended;
        s->whole += f->ended;
    }
    return f->why && ended == 0 ? 0 : kept; /* else it is all of the request that is refused */
}

/* Without room for what is held back (MHD gives some kilobytes) a head of blanks is cut as any
 * slow one. */
static ssize_t
receive(struct hand *hand, struct slot *s, char *buf, size_t cap)
{
    ssize_t got = nothing_yet();
    size_t kept = s->frame.held <= cap ? read_sound(s, buf, cap, &got) : 0;

    if (kept > 0)
        return (ssize_t)kept;
    if (!s->frame.why)
        return got;
    return s->refused ? linger(s, buf, cap) : refuse(hand, s, buf, cap);
}

/* MHD has answered what was whole before what is refused.  Then it waits for news of the socket, and
 * this is some.  Not before: the watcher of a client would take it for the client's end. */
void
socket_finished(struct slot *s)
{
    if (s->whole > 0 && --s->whole == 0 && s->frame.why)
        (void)shutdown(s->fd, SHUT_RD);
}

ssize_t
recv(int fd, void *buf, size_t cap, int flags)
{
    struct hand *hand = exchange_hand();

    if (!hand)
        return recvfrom(fd, buf, cap, flags, NULL, NULL);
    struct slot *s = slots_at(hand->http->slots, fd);
    if (atomic_load_explicit(&s->req.stage, memory_order_relaxed) == STAGE_ANSWERING)
        return nothing_yet();
    return receive(hand, s, buf, cap);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
