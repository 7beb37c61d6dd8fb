/* fault_server.h - an HTTP receiver on 127.0.0.1 that misbehaves as its path says, and remembers what it was sent.
 *
 *   /ok/..          200                       /status/NNN     that status
 *   /after/NNN/S    status, Retry-After: S    /flaky/K/..     500 to the first K requests of the path, then 200
 *   /hang           never answers             /trickle        a header byte each 20 ms, for ever
 *   /slowbody       200, then half a body     /big            200, then 1 GB
 *   /redirect       302 to /ok/redirected     /reset          TCP reset after the request
 *   /cut            closes without answering  /headers        200 and headers for ever
 *   /1xx            100 Continue for ever     /garbage        not HTTP
 *   /early          103, 100, then 200        /crashbody      500, then reset in mid-body                                */
#ifndef TOCSIN_TESTS_FAULT_SERVER_H
#define TOCSIN_TESTS_FAULT_SERVER_H
#include "core/when.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAULT_REQUESTS_MAX = 2048, FAULT_THREADS_MAX = 2048 };

struct fault_request {
    char path[96], id[64], timestamp[24], signature[256], content_type[64], user_agent[64];
    char headers[2048];
    char *body;
    size_t body_n;
    int64_t at_ns;
};

struct fault_server {
    int fd, port;
    pthread_t acceptor;
    atomic_bool stop;
    atomic_int accepts;
    pthread_mutex_t lock;
    struct fault_request requests[FAULT_REQUESTS_MAX];
    int requests_n;
    pthread_t threads[FAULT_THREADS_MAX];
    int threads_n;
};
struct fault_connection {
    struct fault_server *server;
    int fd;
};

static inline bool fault_send(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k <= 0) return false;
        p += k, n -= (size_t)k;
    }
    return true;
}
static inline bool fault_says(int fd, const char *s) { return fault_send(fd, s, strlen(s)); }

static inline void fault_header(const char *head, const char *name, char *out, size_t cap)
{
    out[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        const char *at = line + 2;
        size_t n = strlen(name);
        if (strncasecmp(at, name, n) != 0 || at[n] != ':') continue;
        at += n + 1;
        while (*at == ' ') at++;
        snprintf(out, cap, "%.*s", (int)strcspn(at, "\r\n"), at);
        return;
    }
}

/* The whole request; false when the peer went away. */
static inline bool fault_read(int fd, struct fault_request *out)
{
    static const size_t cap = 64 * 1024;
    char *data = calloc(1, cap);
    size_t n = 0, head_n = 0, body_n = 0;
    assert(data);
    while (n < cap - 1) {
        ssize_t k = recv(fd, data + n, cap - 1 - n, 0);
        if (k <= 0) break;
        n += (size_t)k;
        char *end = strstr(data, "\r\n\r\n");
        if (!end) continue;
        head_n = (size_t)(end - data) + 4;
        char length[24];
        fault_header(data, "content-length", length, sizeof length);
        body_n = (size_t)strtoul(length, NULL, 10);
        if (n >= head_n + body_n) break;
    }
    bool whole = head_n && n == head_n + body_n;
    if (whole) {
        const char *from = strchr(data, ' ') + 1;
        snprintf(out->path, sizeof out->path, "%.*s", (int)strcspn(from, " "), from);
        fault_header(data, "webhook-id", out->id, sizeof out->id);
        fault_header(data, "webhook-timestamp", out->timestamp, sizeof out->timestamp);
        fault_header(data, "webhook-signature", out->signature, sizeof out->signature);
        fault_header(data, "content-type", out->content_type, sizeof out->content_type);
        fault_header(data, "user-agent", out->user_agent, sizeof out->user_agent);
        snprintf(out->headers, sizeof out->headers, "%.*s", (int)head_n, data);
        out->body = calloc(1, body_n + 1);
        assert(out->body);
        memcpy(out->body, data + head_n, body_n);
        out->body_n = body_n;
        out->at_ns = mono_ns();
    }
    free(data);
    return whole;
}

static inline int fault_keep(
    struct fault_server *s,
    const struct fault_request *r) /* how many there were of this path before */
{
    int before = 0;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->requests_n; i++) before += strcmp(s->requests[i].path, r->path) == 0;
    assert(s->requests_n < FAULT_REQUESTS_MAX);
    s->requests[s->requests_n++] = *r;
    pthread_mutex_unlock(&s->lock);
    return before;
}

/* Until the peer hangs up or the test ends; says `text` each ms when it is not NULL. */
static inline void fault_linger(struct fault_server *s, int fd, const char *text, int ms)
{
    size_t n = text ? strlen(text) : 0;
    for (size_t i = 0; !atomic_load(&s->stop); i++) {
        struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };
        if (poll(&p, 1, ms) > 0) return;
        if (n > 0 && !fault_send(fd, text + i % n, 1)) return;
    }
}

static inline void fault_reset(int fd)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static inline void fault_answer(struct fault_server *s, int fd, const char *path, int before)
{
    char text[256];
    int status = 200, seconds = 0, count = 0;
    if (strncmp(path, "/ok", 3) == 0)
        fault_says(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    else if (sscanf(path, "/status/%d", &status) == 1) {
        snprintf(text, sizeof text, "HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n", status);
        fault_says(fd, text);
    } else if (sscanf(path, "/after/%d/%d", &status, &seconds) == 2) {
        snprintf(text, sizeof text,
                 "HTTP/1.1 %d Later\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n", status,
                 seconds);
        fault_says(fd, text);
    } else if (sscanf(path, "/flaky/%d", &count) == 1) {
        fault_says(fd, before < count ? "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
                                      : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    } else if (strncmp(path, "/hang", 5) == 0) fault_linger(s, fd, NULL, 50);
    else if (strcmp(path, "/trickle") == 0)
        fault_linger(
            s, fd,
            "HTTP/1.1 200 OK\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            20);
    else if (strcmp(path, "/slowbody") == 0) {
        fault_says(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
        fault_linger(s, fd, ".", 20);
    } else if (strcmp(path, "/big") == 0) {
        static const char block[65536];
        bool ok = fault_says(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n");
        for (int i = 0; i < 16384 && ok && !atomic_load(&s->stop); i++)
            ok = fault_send(fd, block, sizeof block);
    } else if (strcmp(path, "/redirect") == 0)
        fault_says(fd,
                   "HTTP/1.1 302 Found\r\nLocation: /ok/redirected\r\nContent-Length: 0\r\n\r\n");
    else if (strcmp(path, "/reset") == 0) fault_reset(fd);
    else if (strcmp(path, "/headers") == 0) {
        bool ok = fault_says(fd, "HTTP/1.1 200 OK\r\n");
        while (ok && !atomic_load(&s->stop))
            ok = fault_says(fd, "X-More: and more and more and more and more and more\r\n");
    } else if (strcmp(path, "/1xx") == 0) {
        bool ok = true;
        while (ok && !atomic_load(&s->stop)) ok = fault_says(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    } else if (strcmp(path, "/early") == 0)
        fault_says(
            fd,
            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    else if (strcmp(path, "/garbage") == 0) fault_says(fd, "220 mail.example.com ESMTP\r\n\r\n");
    else if (strcmp(path, "/crashbody") == 0) {
        fault_says(fd, "HTTP/1.1 500 Oh\r\nContent-Length: 1000\r\n\r\nhalf");
        fault_reset(fd);
    } /* "/cut" and all others: just close */
}

static inline void *fault_serve(void *arg)
{
    struct fault_connection c = *(struct fault_connection *)arg;
    free(arg);
    struct fault_request r = { 0 };
    if (fault_read(c.fd, &r)) {
        int before = fault_keep(c.server, &r);
        fault_answer(c.server, c.fd, r.path, before);
        shutdown(c.fd, SHUT_WR);
    }
    close(c.fd);
    return NULL;
}

static inline void *fault_accept(void *arg)
{
    struct fault_server *s = arg;
    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (atomic_load(&s->stop) || fd < 0) {
            if (fd >= 0) close(fd);
            return NULL;
        }
        atomic_fetch_add(&s->accepts, 1);
        struct fault_connection *c = malloc(sizeof *c);
        assert(c && s->threads_n < FAULT_THREADS_MAX);
        *c = (struct fault_connection){ s, fd };
        int failed = pthread_create(&s->threads[s->threads_n++], NULL, fault_serve, c);
        assert(!failed);
        (void)failed;
    }
}

static inline bool fault_server_try(int port, struct fault_server **out)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    if (bind(fd, (struct sockaddr *)&a, n) || listen(fd, 128)
        || getsockname(fd, (struct sockaddr *)&a, &n)) {
        close(fd);
        return false;
    }
    struct fault_server *s = calloc(1, sizeof *s);
    assert(s);
    s->fd = fd;
    s->port = ntohs(a.sin_port);
    pthread_mutex_init(&s->lock, NULL);
    int failed = pthread_create(&s->acceptor, NULL, fault_accept, s);
    assert(!failed);
    (void)failed;
    *out = s;
    return true;
}
static inline struct fault_server *fault_server_start(void)
{
    struct fault_server *s = NULL;
    bool ok = fault_server_try(0, &s);
    assert(ok);
    (void)ok;
    return s;
}

static inline void fault_server_stop(struct fault_server *s)
{
    atomic_store(&s->stop, true);
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->acceptor, NULL);
    for (int i = 0; i < s->threads_n; i++) pthread_join(s->threads[i], NULL);
    close(s->fd);
    for (int i = 0; i < s->requests_n; i++) free(s->requests[i].body);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static inline void fault_url(const struct fault_server *s, const char *path, char out[128])
{
    snprintf(out, 128, "http://127.0.0.1:%d%s", s->port, path);
}

static inline int fault_count(struct fault_server *s, const char *path)
{
    int n = 0;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->requests_n; i++) n += strcmp(s->requests[i].path, path) == 0;
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* The i-th request (0 ..) of a path; NULL when there was none. Valid until the server stops. */
static inline const struct fault_request *fault_request_at(struct fault_server *s, const char *path,
                                                           int i)
{
    const struct fault_request *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (int k = 0; k < s->requests_n && !found; k++)
        if (strcmp(s->requests[k].path, path) == 0 && i-- == 0) found = &s->requests[k];
    pthread_mutex_unlock(&s->lock);
    return found;
}
#endif
