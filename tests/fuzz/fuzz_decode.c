/* fuzz_decode.c - any bytes at all as a Kafka message.
 *
 * The fast path and the DOM decoder give the same verdict, reason and record; a refusal says why
 * in valid UTF-8 and touches nothing; a record is inside its bounds; and its canonical JSON reads
 * back as the very record, as a replay needs it. The bytes are taken for the stored text of an
 * event of every kind, too. */
#include "core/utf8.h"
#include "ingest/formats/json.h"
#include "ingest/symbol.h"
#include "tests/fuzz/record_same.h"

#include <stdio.h>
#include <stdlib.h>

#define HOLDS(truth)                                                                               \
    ((truth)                                                                                       \
         ? (void)0                                                                                 \
         : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #truth), abort()))

static bool symbol_whole(struct symbol s)
{
    struct symbol again;
    size_t n = strnlen(s.s, sizeof s.s);
    return symbol_from(s.s, n, &again) == ERR_OK && symbol_same(s, again);
}

static bool text_in(struct str s, size_t min, size_t max)
{
    return s.n >= min && s.n <= max && utf8_valid(s.p, s.n) && !memchr(s.p, '\0', s.n);
}

static bool number_in(int64_t v, int64_t min, int64_t max) { return v >= min && v <= max; }

static bool inside_bounds(const struct record *r)
{
    const int64_t e8 = 100000000, price_max = 90000000 * e8, quantity_max = 90000000000 * e8,
                  shares_max = 1ll << 42;
    switch (r->kind) {
    case RECORD_TRADE:
        return symbol_whole(r->u.trade.symbol)
               && number_in(r->u.trade.price_e8, -price_max, price_max)
               && number_in(r->u.trade.size_e8, 0, quantity_max);
    case RECORD_CLOSE:
        return symbol_whole(r->u.close.symbol)
               && number_in(r->u.close.price_e8, -price_max, price_max) && r->u.close.day != NO_DAY;
    case RECORD_CLOCK: return true;
    case RECORD_ISSUER:
        return text_in(r->u.issuer.issuer, 1, NAME_MAX_BYTES) && text_in(r->u.issuer.name, 0, 200)
               && text_in(r->u.issuer.sector, 0, 200);
    case RECORD_INSTRUMENT:
        return symbol_whole(r->u.instrument.symbol)
               && text_in(r->u.instrument.issuer, 1, NAME_MAX_BYTES)
               && text_in(r->u.instrument.name, 0, 200);
    case RECORD_SHARES:
        return symbol_whole(r->u.shares.symbol) && number_in(r->u.shares.shares, 1, shares_max)
               && number_in(r->u.shares.float_e8, 1, e8);
    case RECORD_SPLIT:
        return symbol_whole(r->u.split.symbol) && number_in(r->u.split.to, 1, 1000000)
               && number_in(r->u.split.from, 1, 1000000) && r->u.split.day != NO_DAY
               && text_in(r->u.split.source, 0, 100);
    case RECORD_DIVIDEND:
        return symbol_whole(r->u.dividend.symbol)
               && number_in(r->u.dividend.amount_e8, 1, price_max) && r->u.dividend.day != NO_DAY
               && text_in(r->u.dividend.currency, 0, 3) && text_in(r->u.dividend.source, 0, 100);
    case RECORD_SPIN_OFF:
        return symbol_whole(r->u.spin_off.parent) && symbol_whole(r->u.spin_off.child)
               && number_in(r->u.spin_off.to, 1, 1000000)
               && number_in(r->u.spin_off.from, 1, 1000000)
               && number_in(r->u.spin_off.value_e8, 0, price_max) && r->u.spin_off.day != NO_DAY
               && text_in(r->u.spin_off.source, 0, 100);
    case RECORD_MERGER:
    case RECORD_DELISTING:
        return symbol_whole(r->u.delisting.symbol)
               && number_in(r->u.delisting.price_e8, r->kind == RECORD_MERGER, price_max)
               && r->u.delisting.day != NO_DAY && text_in(r->u.delisting.acquirer, 0, 63)
               && text_in(r->u.delisting.source, 0, 100);
    case RECORD_INDEX:
        return text_in(r->u.index.index, 1, 31) && text_in(r->u.index.name, 0, 200)
               && number_in(r->u.index.base_e8, 1, price_max);
    case RECORD_MEMBERSHIP:
        return text_in(r->u.membership.index, 1, 31) && symbol_whole(r->u.membership.symbol)
               && number_in(r->u.membership.shares, 0, shares_max);
    case RECORD_ARTICLE:
        for (uint32_t i = 0; i < r->u.article.symbols_n; i++)
            if (!symbol_whole(r->u.article.symbols[i])) return false;
        return text_in(r->u.article.id, 1, 128) && text_in(r->u.article.headline, 1, 1000)
               && text_in(r->u.article.body, 0, 100000) && text_in(r->u.article.source, 0, 100)
               && r->u.article.symbols_n <= ARTICLE_SYMBOLS_MAX;
    case RECORD_EXPOSURE:
        return text_in(r->u.exposure.issuer, 1, NAME_MAX_BYTES)
               && text_in(r->u.exposure.theme, 1, 31) && text_in(r->u.exposure.source, 0, 100)
               && number_in(r->u.exposure.value_e8, 0, e8) && r->u.exposure.effective_day != NO_DAY;
    case RECORD_POSITION:
        return !uuid_is_none(r->u.position.tenant) && text_in(r->u.position.book, 1, 31)
               && symbol_whole(r->u.position.symbol)
               && number_in(r->u.position.quantity_e8, -quantity_max, quantity_max);
    default: return false;
    }
}

/* Written and read it is the same record; written again it is the same text. */
static void comes_back(const struct record *r, struct arena *arena)
{
    AUTO_BUF struct buf once = { 0 }, twice = { 0 };
    const struct uuid *owner = record_owner(r);
    struct record row = *r, again;
    memset(&row.u, 0, sizeof row.u);
    record_write(r, &once);
    HOLDS(buf_ok(&once));
    HOLDS(record_from_stored(&row, owner ? *owner : (struct uuid){ { 0 } }, once.data, once.len,
                             arena, &again, NULL)
          == ERR_OK);
    HOLDS(record_same(r, &again));
    record_write(&again, &twice);
    HOLDS(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    if (record_origin(r->kind) != ORIGIN_FEED) return;
    HOLDS(record_decode(once.data, once.len, arena, &again, NULL) == ERR_OK);
    again.seq = r->seq; /* no message has one */
    HOLDS(record_same(r, &again));
}

static void as_stored(const char *bytes, size_t n, struct arena *arena)
{
    const struct uuid tenant = { { 1 } };
    for (enum record_kind k = 1; k < RECORD_KIND_COUNT; k++) {
        const struct record row = { .seq = 7, .event_ns = 1518037200000000005, .kind = k };
        struct record r;
        struct why why = { .text = "" };
        enum err e = record_from_stored(&row, tenant, bytes, n, arena, &r, &why);
        HOLDS(e ? why.text[0] && utf8_valid(why.text, strlen(why.text))
                : r.seq == 7 && r.event_ns == 1518037200000000005);
        if (!e) comes_back(&r, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct arena arena; /* cleared, not freed: a leak in it would be the arena's own */
    const char *bytes = (const char *)data;
    const struct record untouched = { .seq = 0x5A5A, .kind = RECORD_KIND_COUNT };
    struct record fast = untouched, dom = untouched;
    struct why why_fast = { .text = "" }, why_dom = { .text = "" };

    arena_clear(&arena);
    as_stored(bytes, n, &arena);
    enum err verdict = record_decode(bytes, n, &arena, &fast, &why_fast);
    HOLDS(record_decode_dom(bytes, n, &arena, &dom, &why_dom) == verdict);
    if (verdict) {
        HOLDS(verdict == ERR_INVALID || verdict == ERR_SYNTAX || verdict == ERR_UNKNOWN_KIND
              || verdict == ERR_TOO_LARGE);
        HOLDS(record_says_whose(&fast) && record_says_whose(&dom) && fast.kind == dom.kind);
        HOLDS(why_fast.text[0] && strcmp(why_fast.text, why_dom.text) == 0
              && why_fast.at == why_dom.at);
        HOLDS(utf8_valid(why_fast.text, strlen(why_fast.text)));
        return 0;
    }
    HOLDS(record_same(&fast, &dom));
    HOLDS(fast.event_ns >= 0 && inside_bounds(&fast));
    HOLDS(fast.seq == 0 && fast.received_ms == 0 && fast.offset == 0 && fast.source_id == 0);

    HOLDS(fast.message.n == 0);
    comes_back(&fast, &arena);
    return 0;
}
