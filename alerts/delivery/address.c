/* address.c - the table of addresses nobody may send us to.
 *
 * 169.254.169.254 (a cloud's metadata service) shares its first 16 bits with 169.254.0.0/16: "link
 * local". ::ffff:169.254.169.254 is the same host as the kernel connects to it, so the mapped
 * address is taken out and looked up as IPv4. 64:ff9b::a9fe:a9fe would be translated to it by a
 * gateway: the whole of 64:ff9b::/96 is there, whatever it carries. */
#include "alerts/delivery/address.h"

#include "core/err.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* The IANA special-purpose registries, and what translates to IPv4 on its way: a gateway could
 * lead it back inside. */
static const struct range {
    int family;
    const char *net;
    int bits;
    const char *use;
} denied[] = {
    { AF_INET, "0.0.0.0", 8, "this network" },
    { AF_INET, "10.0.0.0", 8, "private use" },
    { AF_INET, "100.64.0.0", 10, "carrier-grade NAT" },
    { AF_INET, "127.0.0.0", 8, "loopback" },
    { AF_INET, "169.254.0.0", 16, "link local" },
    { AF_INET, "172.16.0.0", 12, "private use" },
    { AF_INET, "192.0.0.0", 24, "protocol assignments" },
    { AF_INET, "192.0.2.0", 24, "documentation" },
    { AF_INET, "192.88.99.0", 24, "6to4 relay" },
    { AF_INET, "192.168.0.0", 16, "private use" },
    { AF_INET, "198.18.0.0", 15, "benchmarking" },
    { AF_INET, "198.51.100.0", 24, "documentation" },
    { AF_INET, "203.0.113.0", 24, "documentation" },
    { AF_INET, "224.0.0.0", 4, "multicast" },
    { AF_INET, "240.0.0.0", 4, "reserved" }, /* with 255.255.255.255, broadcast */
    { AF_INET6, "::", 96, "loopback, unspecified or IPv4-compatible" },
    { AF_INET6, "::ffff:0:0:0", 96, "IPv4-translated" },
    { AF_INET6, "64:ff9b::", 96, "NAT64" },
    { AF_INET6, "64:ff9b:1::", 48, "local NAT64" },
    { AF_INET6, "100::", 64, "discard" },
    { AF_INET6, "100:0:0:1::", 64, "dummy" },
    { AF_INET6, "2001::", 23, "protocol assignments, Teredo among them" },
    { AF_INET6, "2001:db8::", 32, "documentation" },
    { AF_INET6, "2002::", 16, "6to4" },
    { AF_INET6, "3fff::", 20, "documentation" },
    { AF_INET6, "5f00::", 16, "segment routing" },
    { AF_INET6, "fc00::", 7, "private use" },
    { AF_INET6, "fe80::", 10, "link local" },
    { AF_INET6, "fec0::", 10, "site local" },
    { AF_INET6, "ff00::", 8, "multicast" },
};

/* Whole bytes first, then the bits of the one that is left. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, int bits)
{
    size_t whole = (size_t)bits / 8;
    if (memcmp(a, b, whole) != 0) return false;
    unsigned rest = (unsigned)bits % 8;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

const char *address_denied(int family, const void *bytes)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };
    const uint8_t *address = bytes;

    if (family == AF_INET6 && memcmp(address, mapped, sizeof mapped) == 0)
        return address_denied(AF_INET, address + sizeof mapped);
    if (family != AF_INET && family != AF_INET6) return "not an internet address";
    for (size_t i = 0; i < ARRAY_LEN(denied); i++) {
        if (denied[i].family != family) continue;
        uint8_t net[16];
        int ok = inet_pton(family, denied[i].net, net);
        assert(ok == 1);
        (void)ok;
        if (same_prefix(address, net, denied[i].bits)) return denied[i].use;
    }
    return NULL;
}
