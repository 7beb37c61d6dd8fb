/* instrument.c - a symbol exists, and who its issuer is. It comes before the first tick of the
 * symbol.
 *
 *     {"kind":"instrument","ts":1704200000000000000,"symbol":"GOOGL","issuer":"ALPHABET",
 *      "name":"Alphabet Inc. Class A","venue":"XNAS"}
 */
#include "core/calendar.h"
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(instrument.symbol) },
    { .name = "issuer",
      .type = &field_text,
      .at = AT(instrument.issuer),
      .min = 1,
      .max = NAME_MAX_BYTES },
    { .name = "name",
      .type = &field_text,
      .at = AT(instrument.name),
      .max = TITLE_MAX,
      .about = "shown to 63 bytes" },
    { .name = "venue",
      .type = &field_text,
      .at = AT(instrument.venue),
      .max = CALENDAR_NAME_MAX,
      .about = "whose calendar its sessions go by, such as XNYS; default `engine.calendar`" },
    { .name = "negative_prices",
      .type = &field_flag,
      .at = AT(instrument.negative_prices),
      .missing = false,
      .about =
          "prices of 0 and below are data (oil, power, spreads, rates), from now on; it can be in no index" },
};

const struct record_type kind_instrument = { .about = "a symbol and its issuer", FIELDS(fields) };
