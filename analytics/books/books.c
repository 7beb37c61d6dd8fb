/* books.c - books and their positions. A book of 10 A at 100.00 and -5 B at 40.00: A weighs 1000, B
 * 200 of gross 1200. Nothing is kept up to date a tick: a book's measures move with news and facts,
 * and weigh the prices of then.
 *
 * A position says what is held and not what was traded: 10 A, then 4 A, is 4 A. One of 0 weighs
 * nothing, and its line stays. Two tenants may have a book of one name; a book is found by both. */
#include "analytics/books/books.h"

#include "analytics/symbols.h"
#include "core/vec.h"

#include <string.h>

uint32_t books_number(const struct market *m, struct uuid owner, struct str name)
{
    for (size_t i = 0; i < m->universes_n; i++) {
        const struct universe *u = &m->universes[i];
        if (u->book && uuid_equal(u->owner, owner) && str_is(name, u->name)) return (uint32_t)i;
    }
    return NONE;
}

enum err books_find(struct market *m, struct uuid owner, struct str name, uint32_t *out)
{
    *out = books_number(m, owner, name);
    if (*out != NONE) return ERR_OK;
    if (!VEC_GROW(&m->universes, &m->universes_cap, m->universes_n + 1)) return ERR_NOMEM;
    struct universe *u = &m->universes[m->universes_n];
    *u = (struct universe){
        .book = true, .owner = owner, .first_line = NONE, .first_slot = NONE, .first_series = NONE
    };
    copy_name(u->name, sizeof u->name, name);
    *out = (uint32_t)m->universes_n++;
    return ERR_OK;
}

enum err books_position(struct market *m, const struct record *r, struct why *why)
{
    uint32_t no, instrument = market_instrument(m, &r->u.position.symbol);
    if (instrument == NONE) return symbols_unknown(m, &r->u.position.symbol, why);
    enum err e = books_find(m, r->u.position.tenant, r->u.position.book, &no);
    if (e) return e;
    struct universe *u = &m->universes[no];
    uint32_t l = u->first_line;
    while (l != NONE && m->store.lines[l].instrument != instrument)
        l = m->store.lines[l].next_of_universe;
    if (l == NONE) {
        if (!VEC_GROW(&m->store.lines, &m->store.lines_cap, m->store.lines_n + 1)) return ERR_NOMEM;
        l = (uint32_t)m->store.lines_n++;
        m->store.lines[l] = (struct line){ .universe = no,
                                           .instrument = instrument,
                                           .slot = NONE,
                                           .next_of_instrument = NONE,
                                           .next_of_universe = u->first_line,
                                           .active = true };
        u->first_line = l;
        u->lines_n++;
    }
    m->store.lines[l].quantity_e8 = r->u.position.quantity_e8;
    if (r->event_ns > u->last_ns) u->last_ns = r->event_ns;
    return ERR_OK;
}
