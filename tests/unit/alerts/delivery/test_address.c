/* Which addresses a webhook may reach: one inside every range, and its neighbours. The ranges
 * are those of the IANA special-purpose registries, written here a second time by their first
 * and last address. */
#include "alerts/delivery/address.h"
#include "core/err.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static bool denied(const char *text)
{
    uint8_t bytes[16];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(family, text, bytes) != 1) fail_msg("%s is not an address", text);
    return address_denied(family, bytes) != NULL;
}

static void every_range_ends_where_it_should(void **state)
{
    (void)state;
    static const struct {
        const char *before, *first, *inside, *last, *after;
        bool before_denied, after_denied;
    } ranges[] = {
        { NULL, "0.0.0.0", "0.1.2.3", "0.255.255.255", "1.0.0.0", false, false },
        { "9.255.255.255", "10.0.0.0", "10.20.30.40", "10.255.255.255", "11.0.0.0", false, false },
        { "100.63.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255", "100.128.0.0",
          false, false },
        { "126.255.255.255", "127.0.0.0", "127.0.0.1", "127.255.255.255", "128.0.0.0", false,
          false },
        { "169.253.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "169.255.0.0",
          false, false },
        { "172.15.255.255", "172.16.0.0", "172.17.0.1", "172.31.255.255", "172.32.0.0", false,
          false },
        { "191.255.255.255", "192.0.0.0", "192.0.0.170", "192.0.0.255", "192.0.1.0", false, false },
        { "192.0.1.255", "192.0.2.0", "192.0.2.1", "192.0.2.255", "192.0.3.0", false, false },
        { "192.88.98.255", "192.88.99.0", "192.88.99.1", "192.88.99.255", "192.88.100.0", false,
          false },
        { "192.167.255.255", "192.168.0.0", "192.168.1.1", "192.168.255.255", "192.169.0.0", false,
          false },
        { "198.17.255.255", "198.18.0.0", "198.19.0.1", "198.19.255.255", "198.20.0.0", false,
          false },
        { "198.51.99.255", "198.51.100.0", "198.51.100.7", "198.51.100.255", "198.51.101.0", false,
          false },
        { "203.0.112.255", "203.0.113.0", "203.0.113.9", "203.0.113.255", "203.0.114.0", false,
          false },
        { "223.255.255.255", "224.0.0.0", "239.255.255.250", "239.255.255.255", "240.0.0.0", false,
          true },
        { "239.255.255.255", "240.0.0.0", "250.1.2.3", "255.255.255.255", NULL, true, false },

        { NULL, "::", "::1", "::ffff:ffff", "::1:0:0", false, false },
        { "::fffe:ffff:ffff:ffff", "::ffff:0:0:0", "::ffff:0:7f00:1", "::ffff:0:ffff:ffff",
          "::ffff:1:0:0", false, false },
        { "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "64:ff9b::", "64:ff9b::7f00:1",
          "64:ff9b::ffff:ffff", "64:ff9b::1:0:0", false, false },
        { "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", "64:ff9b:1::", "64:ff9b:1::a00:1",
          "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "64:ff9b:2::", false, false },
        { "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "100::", "100::1",
          "100:0:0:1:ffff:ffff:ffff:ffff", "100:0:0:2::", false, false },
        { "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
          "2001::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
          "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::", false, false },
        { "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8::1",
          "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::", false, false },
        { "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:7f00:1::1",
          "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::", false, false },
        { "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:1::1",
          "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::", false, false },
        { "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f00::", "5f00:1::1",
          "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f01::", false, false },
        { "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fc00::", "fd12:3456::1",
          "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::", false, false },
        { "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::", "fe80::1",
          "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::", false, true },
        { "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::", "fec0:0:0:1::1",
          "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff00::", true, true },
        { "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff00::", "ff02::1",
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, true, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        if (!denied(ranges[i].first) || !denied(ranges[i].inside) || !denied(ranges[i].last))
            fail_msg("%s and on must be denied", ranges[i].first);
        if (ranges[i].before && denied(ranges[i].before) != ranges[i].before_denied)
            fail_msg("%s", ranges[i].before);
        if (ranges[i].after && denied(ranges[i].after) != ranges[i].after_denied)
            fail_msg("%s", ranges[i].after);
    }
}

static void an_ipv4_mapped_address_is_judged_by_what_it_carries(void **state)
{
    (void)state;
    assert_true(denied("::ffff:127.0.0.1"));
    assert_true(denied("::ffff:10.0.0.0"));
    assert_true(denied("::ffff:169.254.169.254"));
    assert_false(denied("::ffff:9.255.255.255"));
    assert_false(denied("::ffff:93.184.216.34"));
    assert_false(
        denied("::fffe:ffff:ffff")); /* the neighbours of ::ffff:0:0/96 are nothing special */
    assert_false(denied("::1:0:0:0"));
}

static void ordinary_addresses_are_allowed_and_other_families_are_not(void **state)
{
    (void)state;
    static const char *const fine[] = { "1.1.1.1",
                                        "8.8.8.8",
                                        "93.184.216.34",
                                        "172.64.0.1",
                                        "2606:4700:4700::1111",
                                        "2a00:1450:4001:81b::200e" };
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        if (denied(fine[i])) fail_msg("%s", fine[i]);
    const uint8_t path[16] = "/run/docker.so";
    assert_non_null(address_denied(AF_UNIX, path));
    assert_non_null(address_denied(AF_UNSPEC, path));
    assert_string_equal(address_denied(AF_INET, "\x7f\0\0\x01"), "loopback");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_range_ends_where_it_should),
        cmocka_unit_test(an_ipv4_mapped_address_is_judged_by_what_it_carries),
        cmocka_unit_test(ordinary_addresses_are_allowed_and_other_families_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
