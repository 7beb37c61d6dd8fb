/* engine_state.h - what an engine is, for engine.c, save.c, snapshot.c and the tests of analytics/. */
#ifndef TOCSIN_ANALYTICS_ENGINE_STATE_H
#define TOCSIN_ANALYTICS_ENGINE_STATE_H
#include "analytics/engine.h"

struct engine {
    struct market market;
    struct engine_output out;
};
#endif
