/* issuers.c - companies are numbers, as instruments are, and their keys are entries of the same
 * array. Companies 0 FACEBOOK, 1 TWITTER and 2 X CORP, each with a line in index X:
 *
 *     issuer_rename FACEBOOK to META      a new entry 3 takes FACEBOOK and means 0, which is META now: no line, sum or article moves
 *     issuer_rename TWITTER to X CORP     1 means 2: lines of 1 are lines of 2's slot, squares go from 3^2 + 4^2 to 7^2, the divisor stays
 *     issuer_rename META to FACEBOOK      a day later: 0 and 3 exchange their keys
 *     exposure of TWITTER                 of 2: a key that was given up means its company
 *     issuer TWITTER, name "Twitter"      names entry 1: news that writes so is of 2
 *
 * So every entry that is given up means one that stands, at one step. */
#include "analytics/issuers.h"

#include "analytics/news/articles.h"
#include "core/vec.h"
#include "core/when.h"

#include <assert.h>
#include <string.h>

/* ---- what is refused ---- */
static enum err may_begin(const struct record *r, struct why *why)
{
    const int32_t day = r->u.issuer_rename.effective_day;
    char date[DATE_TEXT_MAX];
    if (day <= day_of_ns(r->event_ns) + 1) return ERR_OK; /* in Sydney it is tomorrow */
    date_format(day, date);
    return err_set(
        why, ERR_INVALID,
        "effective %s is more than a day after ts: send the issuer_rename when its day has come",
        date);
}

static enum err may_become(const struct market *m, const struct record *r, uint32_t from,
                           uint32_t to, struct why *why)
{
    const struct str said = r->u.issuer_rename.issuer;
    char date[DATE_TEXT_MAX];
    if (from == NONE)
        return err_set(why, ERR_INVALID, "issuer \"%.*s\" is named by no record yet", (int)said.n,
                       said.p);
    const struct issuer *x = &m->issuers[from];
    if (x->became) {
        date_format(x->until_day, date);
        return err_set(why, ERR_INVALID, "issuer \"%s\" is \"%s\" since %s", x->key,
                       m->issuers[x->became - 1].key, date);
    }
    if (to == from) return err_set(why, ERR_INVALID, "issuer \"%s\" is renamed to itself", x->key);
    if (to != NONE && m->issuers[to].became == from + 1
        && m->issuers[to].until_day >= r->u.issuer_rename.effective_day) {
        date_format(m->issuers[to].until_day, date);
        return err_set(why, ERR_INVALID,
                       "a circle: \"%s\" was \"%s\" until %s, and may be again on a later day only",
                       x->key, m->issuers[to].key, date);
    }
    return may_begin(r, why);
}

/* ---- another key ---- */
/* The map has room: one goes before the other comes. */
static void exchange_keys(struct market *m, uint32_t a, uint32_t b)
{
    struct issuer *x = &m->issuers[a], *y = &m->issuers[b];
    char key[sizeof x->key], name[sizeof x->name];
    map_remove(&m->by_issuer, map_hash(x->key, strlen(x->key)), a);
    map_remove(&m->by_issuer, map_hash(y->key, strlen(y->key)), b);
    memcpy(key, x->key, sizeof key);
    memcpy(x->key, y->key, sizeof key);
    memcpy(y->key, key, sizeof key);
    memcpy(name, x->name, sizeof name);
    memcpy(x->name, y->name, sizeof name);
    memcpy(y->name, name, sizeof name);
    const bool had_room = map_add(&m->by_issuer, map_hash(x->key, strlen(x->key)), a)
                          && map_add(&m->by_issuer, map_hash(y->key, strlen(y->key)), b);
    assert(had_room);
}

static enum err give_up(struct market *m, uint32_t entry, uint32_t to, int32_t day)
{
    if (!VEC_GROW(&m->former_issuers, &m->former_issuers_cap, m->former_issuers_n + 1))
        return ERR_NOMEM;
    for (size_t i = 0; i < m->former_issuers_n; i++) {
        struct issuer *x = &m->issuers[m->former_issuers[i]];
        if (x->became == entry + 1) x->became = to + 1;
    }
    m->former_issuers[m->former_issuers_n++] = entry;
    m->issuers[entry].became = to + 1;
    m->issuers[entry].until_day = day;
    return ERR_OK;
}

/* A company that was only ever called by its key is called by the new one; a name that it was
 * given stays. */
static enum err rename_to(struct market *m, uint32_t from, struct str key, int32_t day)
{
    uint32_t entry;
    enum err e = market_issuer(m, key, &entry);
    if (e) return e;
    struct issuer *x = &m->issuers[from];
    if (strcmp(x->name, x->key) != 0) memcpy(m->issuers[entry].name, x->name, sizeof x->name);
    exchange_keys(m, from, entry);
    return give_up(m, entry, from, day);
}

/* ---- two become one ---- */
static enum err merge_into(struct market *m, uint32_t from, uint32_t to, int32_t day)
{
    struct issuer *x = &m->issuers[from], *y = &m->issuers[to];
    enum err e = ERR_OK;
    for (size_t i = 0; i < m->universes_n && !e; i++)
        e = universe_merge_companies(&m->store, &m->universes[i], from, to);
    if (e) return e;
    for (size_t i = 0; i < m->instruments_n; i++)
        if (m->instruments[i].issuer == from) m->instruments[i].issuer = to;
    articles_merge_companies(m, from, to);
    if (y->first_exposure == NONE) y->first_exposure = x->first_exposure; /* its own stand */
    x->first_exposure = NONE;
    return give_up(m, from, to, day);
}

enum err issuers_rename(struct market *m, const struct record *r, uint32_t *out, struct why *why)
{
    const uint32_t from = market_issuer_entry(m, r->u.issuer_rename.issuer),
                   entry = market_issuer_entry(m, r->u.issuer_rename.to),
                   to = market_find_issuer(m, r->u.issuer_rename.to);
    const int32_t day = r->u.issuer_rename.effective_day;
    enum err e = may_become(m, r, from, entry, why);
    if (e) return e;
    *out = to == NONE ? from : to;
    if (to == NONE) e = rename_to(m, from, r->u.issuer_rename.to, day);
    else if (to != from) e = merge_into(m, from, to, day);
    else {
        exchange_keys(m, from, entry);
        m->issuers[entry].until_day = day;
    }
    if (!e && r->u.issuer_rename.name.n)
        copy_name(m->issuers[*out].name, sizeof m->issuers[*out].name, r->u.issuer_rename.name);
    return e;
}

/* ---- a line of another company ---- */
enum err issuers_give(struct market *m, uint32_t instrument, uint32_t issuer)
{
    struct instrument *x = &m->instruments[instrument];
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        const struct line *l = &m->store.lines[no];
        struct universe *u = &m->universes[l->universe];
        const enum err e =
            l->active ? universe_give_line(&m->store, u, no, issuer) : ERR_OK; /* else it rejoins */
        if (e) return e;
    }
    x->issuer = issuer;
    return ERR_OK;
}

/* ---- names of before ---- */
static bool is_newer(const struct market *m, uint32_t a, uint32_t b)
{
    const struct issuer *x = &m->issuers[a], *y = &m->issuers[b];
    return x->until_day > y->until_day || (x->until_day == y->until_day && a > b);
}

uint32_t issuers_former_names(const struct market *m, uint32_t issuer,
                              struct str out[FORMER_NAMES_MAX])
{
    uint32_t best[FORMER_NAMES_MAX], n = 0;
    for (size_t i = 0; i < m->former_issuers_n; i++) {
        const uint32_t no = m->former_issuers[i];
        if (m->issuers[no].became != issuer + 1) continue;
        uint32_t at = n;
        while (at > 0 && is_newer(m, no, best[at - 1])) at--;
        if (at == FORMER_NAMES_MAX) continue;
        if (n < FORMER_NAMES_MAX) n++;
        memmove(&best[at + 1], &best[at], (n - 1 - at) * sizeof best[0]);
        best[at] = no;
    }
    for (uint32_t i = 0; i < n; i++) out[i] = str_of(m->issuers[best[i]].name);
    return n;
}

/* ---- the state that lasts ---- */
bool issuers_restore(struct market *m)
{
    for (uint32_t i = 0; i < m->issuers_n; i++) {
        if (!m->issuers[i].became) continue;
        if (!VEC_GROW(&m->former_issuers, &m->former_issuers_cap, m->former_issuers_n + 1))
            return false;
        m->former_issuers[m->former_issuers_n++] = i;
    }
    return true;
}
