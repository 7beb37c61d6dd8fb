/* claim.h - the statement that leases what is due, and a delivery from each row it gives. For
 * outbox.c.
 *
 * Channel A is owed alerts 7 and 8, both due; channel B alert 7, which waits for its retry, and
 * 8; channel C alert 7, and its worker is still at alert 6. A claim for two workers goes
 *
 *     owed    A, B, C        who waits at all: one index probe a channel, however long its queue is
 *     held    C              somebody has a lease there
 *     head    (A, 7) (B, 8)  of each channel that is free, enabled and not named busy, the lowest
 *                            stream_no that is due; those due longest, as many as there are workers
 *     leased  (A, 7) (B, 8)  lease_until = now + 30 s
 *
 * and each row comes back with its channel and its alert, which is all that sending needs. */
#ifndef TOCSIN_STORE_CLAIM_H
#define TOCSIN_STORE_CLAIM_H
#include "alerts/delivery/outbox.h"
#include "core/seal.h"
#include "store/pg.h"

/* The statement: $1 the channels that get nothing, an array of uuid; $2 how many at most; $3 the
 * lease in seconds. Its result is to be asked for in the binary format. */
void claim_sql(struct buf *out);

/* Row `i` of it. *out is the caller's, to end with delivery_release(). What is wrong with one
 * channel or one alert is in the delivery and fails nothing else: secrets that do not open are
 * its `problem`, an alert with a value that this program does not know is `unreadable`. */
MUST_USE enum err claim_read(const struct seal_keys *keys, const PGresult *r, int i,
                             struct delivery *out, struct why *why);
/* Who is owed something (`owed`), and where one delivery is under way (`held`). The probes walk from channel to channel: each step asks
 * the index for the next one behind it. */
#define SQL_OWED_CHANNELS                                                                          \
    "WITH RECURSIVE owed AS ("                                                                     \
    "  (SELECT tenant_id, channel_id FROM tocsin.outbox WHERE status = 'waiting'"                  \
    "    ORDER BY tenant_id, channel_id LIMIT 1)"                                                  \
    "  UNION ALL"                                                                                  \
    "  SELECT n.tenant_id, n.channel_id FROM owed, LATERAL ("                                      \
    "    SELECT o.tenant_id, o.channel_id FROM tocsin.outbox o WHERE o.status = 'waiting'"         \
    "       AND (o.tenant_id, o.channel_id) > (owed.tenant_id, owed.channel_id)"                   \
    "     ORDER BY o.tenant_id, o.channel_id LIMIT 1) n"                                           \
    "), held AS MATERIALIZED ("                                                                    \
    "  SELECT tenant_id, channel_id FROM tocsin.outbox"                                            \
    "   WHERE status = 'waiting' AND lease_until > now()"                                          \
    ")"
#endif
