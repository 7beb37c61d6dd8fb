#include "ingest/record.h"

const char *record_kind_name(enum record_kind k)
{
    static const char *const names[RECORD_KIND_COUNT] = {
        [RECORD_TRADE] = "trade",
        [RECORD_CLOSE] = "close",
        [RECORD_CLOCK] = "clock",
        [RECORD_ISSUER] = "issuer",
        [RECORD_INSTRUMENT] = "instrument",
        [RECORD_SHARES] = "shares",
        [RECORD_INDEX] = "index",
        [RECORD_MEMBERSHIP] = "membership",
        [RECORD_ARTICLE] = "article",
        [RECORD_EXPOSURE] = "exposure",
        [RECORD_POSITION] = "position",
        [RECORD_RULE_PUT] = "rule_put",
        [RECORD_RULE_DELETE] = "rule_delete",
        [RECORD_TRACK] = "track",
        [RECORD_SETTINGS] = "settings",
    };
    return (unsigned)k < RECORD_KIND_COUNT ? names[k] : NULL;
}
