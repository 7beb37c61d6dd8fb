/* state.h - the engine's memory, shared by the files of analytics/ and nobody else. Flat arrays linked by numbers, so that
 * saving it is writing them. */
#ifndef TOCSIN_ANALYTICS_STATE_H
#define TOCSIN_ANALYTICS_STATE_H
#include "analytics/engine.h"
#include "analytics/index.h"
#include "core/map.h"

struct instrument {
    struct symbol symbol;
    uint32_t issuer, first_line, first_series, last_close;
    int64_t price_e8, price_ns; /* 0: never priced */
    int64_t shares, float_e8, shares_max;
    char name[64];
};

struct issuer {
    char key[NAME_MAX_BYTES + 1], name[64];
    uint32_t first_exposure;
    int64_t news_ns;                    /* the sums are as of then */
    double sum, weight, weight_squared; /* of a*s, a, a^2 */
};

struct close {
    int32_t day;
    uint32_t previous;
    int64_t price_e8;
};

struct series {
    struct uuid tenant;
    struct measure measure;
    char text[MEASURE_TEXT_MAX];
    uint32_t subject; /* instrument, index or book number */
    uint32_t next_of_subject;
    int32_t watchers;
    bool book;
};

struct exposure {
    int32_t effective_day;
    uint32_t next;
    int64_t value_e8;
};
struct book {
    struct uuid tenant;
    char name[40];
    uint32_t first_position;
    int64_t last_ns;
};
struct position {
    uint32_t instrument, next;
    int64_t quantity_e8;
};

struct engine {
    struct instrument *instruments;
    size_t instruments_n, instruments_cap;
    struct issuer *issuers;
    size_t issuers_n, issuers_cap;
    struct index *indexes;
    size_t indexes_n, indexes_cap;
    struct index_store store;
    struct close *closes;
    size_t closes_n, closes_cap;
    struct series *series;
    size_t series_n, series_cap;
    struct exposure *exposures;
    size_t exposures_n, exposures_cap;
    struct book *books;
    size_t books_n, books_cap;
    struct position *positions;
    size_t positions_n, positions_cap;

    struct map by_symbol, by_issuer, by_series;
    struct engine_settings settings;
    double gate;
    int64_t now_ns, sampled_ns;
    uint64_t seq;
    int32_t session_day; /* the session in progress, or the last one ended */
    bool in_session;

    uint32_t *moved;
    size_t moved_n, moved_cap;
    struct engine_output out;
};
#endif
