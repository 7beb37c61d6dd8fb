/* conns.h - every open connection and the moment it must be done, whatever its peer dribbles.
 *
 * libmicrohttpd's own timeout is idle-only: a byte every other second keeps a connection for ever. Here each phase has an
 * absolute deadline; the sweep shuts the socket of what is past it, and libmicrohttpd sees the end. Thread: any. */
#ifndef TOCSIN_API_CONNS_H
#define TOCSIN_API_CONNS_H
#include "core/uuid.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct conn {
    struct conn *prev, *next;
    int fd;
    _Atomic int64_t deadline_ns; /* on mono_ns(); 0: none */
    bool counted; /* among the connections of `tenant`; both are of who has the request */
    struct uuid tenant;
    void *request; /* the request in hand: of the thread that serves the connection */
};

struct conns {
    pthread_mutex_t lock;
    struct conn *first;
};

void conns_init(struct conns *c);
void conns_release(struct conns *c);                                  /* no connection is left */
struct conn *conns_add(struct conns *c, int fd, int64_t deadline_ns); /* NULL when out of memory */
void conns_remove(struct conns *c, struct conn *one); /* before its fd is closed; frees it */
void conns_shut(
    struct conn *
        one); /* ends the traffic both ways; the owner closes. The caller knows that it is still open. */
size_t conns_sweep(struct conns *c, int64_t now_ns); /* shuts what is past its deadline; how many */
#endif
