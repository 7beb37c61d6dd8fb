#include "ingest/record.h"

#include <assert.h>
#include <stddef.h>

/* A row's number is its place in the list: so none is used twice, none is left out, and one that
 * went is missed. */
enum {
#define RECORD(number, id, name, origin, place, owner) ROW_##id,
#include "ingest/records.def"
#undef RECORD
};
#define RECORD(number, id, name, origin, place, owner)                                             \
    static_assert((number) == ROW_##id + 1,                                                        \
                  "records.def: number of " #name " is used, left out or out of order");
#include "ingest/records.def"
#undef RECORD

static_assert(offsetof(struct record, u.trade.symbol) == offsetof(struct record, u.symbol)
                  && offsetof(struct record, u.close.symbol) == offsetof(struct record, u.symbol),
              "a tick begins with its symbol");
static_assert(offsetof(struct record, u.position.tenant) == offsetof(struct record, u.tenant)
                  && offsetof(struct record, u.rule.tenant) == offsetof(struct record, u.tenant),
              "what a tenant owns begins with the tenant");

static const struct {
    const char *name;
    enum record_origin origin;
    enum record_place place;
    enum record_ownership owner;
} kinds[RECORD_KIND_COUNT] = {
#define RECORD(number, id, name, origin, place, owner)                                             \
    [RECORD_##id] = { #name, ORIGIN_##origin, PLACE_##place, OWNER_##owner },
#include "ingest/records.def"
#undef RECORD
};

const char *record_kind_name(enum record_kind k)
{
    return (unsigned)k < RECORD_KIND_COUNT ? kinds[k].name : NULL;
}

enum record_origin record_origin(enum record_kind k)
{
    assert(record_kind_name(k));
    return kinds[k].origin;
}

enum record_place record_place(enum record_kind k)
{
    assert(record_kind_name(k));
    return kinds[k].place;
}

const struct uuid *record_owner(const struct record *r)
{
    assert(record_kind_name(r->kind));
    return kinds[r->kind].owner == OWNER_TENANT ? &r->u.tenant : NULL;
}
