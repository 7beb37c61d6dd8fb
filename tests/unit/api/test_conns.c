/* Absolute deadlines: what is past its own is shut once, what has none is left alone. */
#include "api/conns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void sweep(void **state)
{
    (void)state;
    struct conns c;
    int pair[3][2];
    struct conn *one[3];
    static const int64_t deadline[] = { 100, 200, 0 };
    conns_init(&c);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]), 0);
        one[i] = conns_add(&c, pair[i][0], deadline[i]);
    }
    assert_int_equal(conns_sweep(&c, 99), 0);
    assert_int_equal(conns_sweep(&c, 100), 1);
    assert_int_equal(conns_sweep(&c, 150), 0); /* once */
    char byte;
    assert_int_equal(recv(pair[0][1], &byte, 1, MSG_DONTWAIT), 0); /* the peer sees the end */
    assert_int_equal(recv(pair[1][1], &byte, 1, MSG_DONTWAIT), -1);
    atomic_store(&one[1]->deadline_ns, 300); /* it made progress */
    assert_int_equal(conns_sweep(&c, 250), 0);
    assert_int_equal(conns_sweep(&c, INT64_MAX), 1);
    for (int i = 0; i < 3; i++) {
        conns_remove(&c, one[(i + 1) % 3]); /* middle, last, first */
        close(pair[i][0]);
        close(pair[i][1]);
    }
    assert_null(c.first);
    conns_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sweep) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
