/* record_same.h - are two records the same to the last field, wherever their strings live? */
#ifndef TOCSIN_TESTS_RECORD_SAME_H
#define TOCSIN_TESTS_RECORD_SAME_H
#include "core/buf.h"
#include "ingest/record.h"

static inline bool str_same(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool symbol_same(struct symbol a, struct symbol b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Of a kind that has no case below yet. */
static inline bool canonical_same(const struct record *a, const struct record *b)
{
    AUTO_BUF struct buf x = { 0 }, y = { 0 };
    record_write(a, &x);
    record_write(b, &y);
    return buf_ok(&x) && buf_ok(&y) && x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
}

static inline bool record_same(const struct record *a, const struct record *b)
{
    if (a->kind != b->kind || a->seq != b->seq || a->event_ns != b->event_ns
        || a->received_ms != b->received_ms || a->offset != b->offset
        || a->source_id != b->source_id || !str_same(a->message, b->message))
        return false;
#define SAME(kind, field) (a->u.kind.field == b->u.kind.field)
#define SAME_STR(kind, field) str_same(a->u.kind.field, b->u.kind.field)
#define SAME_SYMBOL(kind) symbol_same(a->u.kind.symbol, b->u.kind.symbol)
    switch (a->kind) {
    case RECORD_TRADE: return SAME_SYMBOL(trade) && SAME(trade, price_e8) && SAME(trade, size_e8);
    case RECORD_CLOSE: return SAME_SYMBOL(close) && SAME(close, price_e8) && SAME(close, day);
    case RECORD_CLOCK: return SAME(clock, session_end) && SAME(clock, presumed);
    case RECORD_ISSUER:
        return SAME_STR(issuer, issuer) && SAME_STR(issuer, name) && SAME_STR(issuer, sector);
    case RECORD_INSTRUMENT:
        return SAME_SYMBOL(instrument) && SAME_STR(instrument, issuer) && SAME_STR(instrument, name)
               && SAME_STR(instrument, venue) && SAME_STR(instrument, isin)
               && SAME_STR(instrument, figi);
    case RECORD_RENAME:
        return SAME_SYMBOL(rename) && symbol_same(a->u.rename.to, b->u.rename.to)
               && SAME(rename, effective_day) && SAME_STR(rename, name);
    case RECORD_ALIAS: return SAME_SYMBOL(alias) && symbol_same(a->u.alias.alias, b->u.alias.alias);
    case RECORD_ISSUER_RENAME:
        return SAME_STR(issuer_rename, issuer) && SAME_STR(issuer_rename, to)
               && SAME(issuer_rename, effective_day) && SAME_STR(issuer_rename, name);
    case RECORD_SHARES:
        return SAME_SYMBOL(shares) && SAME(shares, shares) && SAME(shares, float_e8)
               && SAME(shares, day);
    case RECORD_SPLIT:
        return SAME_SYMBOL(split) && SAME(split, to) && SAME(split, from) && SAME(split, day)
               && SAME(split, announced) && SAME_STR(split, source);
    case RECORD_DIVIDEND:
        return SAME_SYMBOL(dividend) && SAME(dividend, amount_e8) && SAME(dividend, special)
               && SAME(dividend, day) && SAME(dividend, announced) && SAME_STR(dividend, currency)
               && SAME_STR(dividend, source);
    case RECORD_MERGER:
    case RECORD_DELISTING:
        return SAME_SYMBOL(delisting) && SAME(delisting, price_e8) && SAME(delisting, day)
               && SAME(delisting, announced) && SAME_STR(delisting, acquirer)
               && SAME_STR(delisting, source);
    case RECORD_INDEX:
        return SAME_STR(index, index) && SAME_STR(index, name) && SAME(index, base_e8)
               && SAME_STR(index, calendar) && SAME(index, spin_offs);
    case RECORD_MEMBERSHIP:
        return SAME_STR(membership, index) && SAME_SYMBOL(membership) && SAME(membership, member)
               && SAME(membership, shares);
    case RECORD_ARTICLE:
        return SAME_STR(article, id) && SAME_STR(article, headline) && SAME_STR(article, body)
               && SAME_STR(article, source) && SAME(article, symbols_n)
               && (a->u.article.symbols_n == 0
                   || memcmp(a->u.article.symbols, b->u.article.symbols,
                             a->u.article.symbols_n * sizeof(struct symbol))
                          == 0);
    case RECORD_RETRACTION: return SAME_STR(retraction, id) && SAME_STR(retraction, source);
    case RECORD_EXPOSURE:
        return SAME_STR(exposure, issuer) && SAME_STR(exposure, theme) && SAME_STR(exposure, source)
               && SAME(exposure, value_e8) && SAME(exposure, effective_day);
    case RECORD_POSITION:
        return uuid_equal(a->u.position.tenant, b->u.position.tenant) && SAME_STR(position, book)
               && SAME_SYMBOL(position) && SAME(position, quantity_e8);
    case RECORD_RULE_PUT:
    case RECORD_RULE_DELETE:
        return uuid_equal(a->u.rule.tenant, b->u.rule.tenant)
               && uuid_equal(a->u.rule.rule, b->u.rule.rule) && SAME_STR(rule, definition)
               && SAME(rule, ends);
    case RECORD_TRACK:
        return uuid_equal(a->u.track.tenant, b->u.track.tenant) && SAME_STR(track, measure);
    case RECORD_SETTINGS:
        return SAME(settings, stale_after_ns) && SAME(settings, sample_ns)
               && SAME(settings, coverage_gate_e8) && SAME(settings, drop_unasked)
               && SAME(settings, meaning) && SAME(settings, hold_shares)
               && SAME(settings, session_grace_ns) && SAME(settings, burst_alerts)
               && SAME(settings, readings_on_change);
    default: return canonical_same(a, b);
    }
#undef SAME
#undef SAME_STR
#undef SAME_SYMBOL
}
/* What a message that is refused leaves of a record whose kind was RECORD_KIND_COUNT: nothing, or whose price it was to be. */
static inline bool record_says_whose(const struct record *r)
{
    const struct record whose = { .kind = r->kind, .u.symbol = r->u.symbol };
    return r->kind == RECORD_KIND_COUNT
           || ((r->kind == RECORD_TRADE || r->kind == RECORD_CLOSE) && r->u.symbol.s[0]
               && memcmp(r, &whose, sizeof whose) == 0);
}
#endif
