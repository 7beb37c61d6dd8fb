/* address.h - may Tocsin send a tenant's webhook to this IP address? Pure; the deny list is a
 * table in address.c.
 *
 * This is the check that counts against server-side request forgery: it sees the address a
 * socket is about to connect to, behind every disguise a URL or a name server can put on it. */
#ifndef TOCSIN_ALERTS_DELIVERY_ADDRESS_H
#define TOCSIN_ALERTS_DELIVERY_ADDRESS_H

/* What the address is reserved for ("loopback", "private use" ...), or NULL when it is an
 * ordinary public address. `bytes` are in network order: 4 for AF_INET, 16 for AF_INET6. Every
 * other family is refused. An IPv4-mapped IPv6 address is judged as the IPv4 address it carries. */
const char *address_denied(int family, const void *bytes);
#endif
