/* outbox.h - alerts/delivery/outbox.h on PostgreSQL, role tocsin_engine. One session of its own;
 * reconnects by itself. Thread: one at a time.
 *
 * Leases and due times are the database's clock alone. A claim runs under an advisory lock, so
 * that two processes (one of them about to learn that it has been fenced) never lease two
 * deliveries of one channel; losing a claim in a crash is harmless, so it does not wait for the
 * disk, and a mark does. The claim leans on two indexes of tocsin.outbox: (tenant_id,
 * channel_id, stream_no) of what waits, and lease_until of what is leased; without them it is
 * right, and slow once thousands wait. */
#ifndef TOCSIN_STORE_OUTBOX_H
#define TOCSIN_STORE_OUTBOX_H
#include "alerts/delivery/outbox.h"

struct outbox;

struct seal_keys;

/* Connects at the first use, not here. `keys` open the channels' secrets and outlive it; NULL:
 * there are none, and a delivery whose secrets are sealed says so. */
MUST_USE enum err outbox_new(const char *conninfo, const struct seal_keys *keys,
                             struct outbox **out);
void outbox_free(struct outbox *o); /* NULL is fine */

/* The outbox as delivery takes it; valid as long as `o`. */
struct outbox_calls outbox_calls(struct outbox *o);

/* What the calls do, for whoever has no struct of them in hand; contracts in
 * alerts/delivery/outbox.h. */
MUST_USE enum err outbox_release_all(struct outbox *o, struct why *why);
MUST_USE enum err outbox_claim(struct outbox *o, const struct uuid *busy, size_t busy_n,
                               struct delivery *out, size_t max, size_t *out_n,
                               int64_t *next_due_ms, struct why *why);
MUST_USE enum err outbox_mark(struct outbox *o, const struct delivery_mark *marks, size_t n,
                              struct why *why);
#endif
