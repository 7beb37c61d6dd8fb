#include "api/conns.h"

#include <stdlib.h>
#include <sys/socket.h>

void conns_init(struct conns *c)
{
    pthread_mutex_init(&c->lock, NULL);
    c->first = NULL;
}

void conns_release(struct conns *c) { pthread_mutex_destroy(&c->lock); }

struct conn *conns_add(struct conns *c, int fd, int64_t deadline_ns)
{
    struct conn *one = calloc(1, sizeof *one);
    if (!one) return NULL;
    one->fd = fd;
    atomic_init(&one->deadline_ns, deadline_ns);
    pthread_mutex_lock(&c->lock);
    one->next = c->first;
    if (c->first) c->first->prev = one;
    c->first = one;
    pthread_mutex_unlock(&c->lock);
    return one;
}

void conns_remove(struct conns *c, struct conn *one)
{
    pthread_mutex_lock(&c->lock);
    if (one->prev) one->prev->next = one->next;
    else c->first = one->next;
    if (one->next) one->next->prev = one->prev;
    pthread_mutex_unlock(&c->lock);
    free(one);
}

void conns_shut(struct conn *one) { shutdown(one->fd, SHUT_RDWR); }

size_t conns_sweep(struct conns *c, int64_t now_ns)
{
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    for (struct conn *one = c->first; one; one = one->next) {
        int64_t deadline = atomic_load(&one->deadline_ns);
        if (deadline == 0 || deadline > now_ns
            || !atomic_compare_exchange_strong(&one->deadline_ns, &deadline, 0))
            continue;
        conns_shut(one);
        n++;
    }
    pthread_mutex_unlock(&c->lock);
    return n;
}
