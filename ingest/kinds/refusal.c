/* refusal.c - a price was set aside as a dead letter, and the instrument's last price may not be what its feed means. Said by
 * this service where the message came, so that rules and replays know it at the same place.
 *
 *     {"kind":"refusal","ts":1709820000000000000,"symbol":"AAPL","reason":"field \"price\" must be ..."}
 */
#include "ingest/kinds/kind.h"

enum { REASON_MAX = sizeof((struct why *)0)->text - 1 };

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(refusal.symbol) },
    { .name = "reason", .type = &field_text, .at = AT(refusal.reason), .max = REASON_MAX },
};

const struct record_type kind_refusal = { .about = "a price of it was set aside", FIELDS(fields) };
