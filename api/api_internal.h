/* api_internal.h - the parts that one running API is made of. Internal to api/. */
#ifndef TOCSIN_API_API_INTERNAL_H
#define TOCSIN_API_API_INTERNAL_H
#include "api/api.h"
#include "api/auth.h"
#include "api/conns.h"
#include "api/quota.h"
#include "api/stream.h"
#include "api/work.h"

#include <stdatomic.h>

struct MHD_Daemon;

struct api {
    struct api_config cfg;
    char *database, *bind_address; /* copies */
    struct api_backend backend;
    struct conns conns;
    struct auth_cache auth;
    struct quotas *quotas;
    struct hub *hub;
    struct work *work, *engine_work; /* the second for what waits for the engine or its commit */
    struct MHD_Daemon *daemon;
    pthread_t ticker;
    bool ticking;
    pthread_mutex_t stop_lock;
    pthread_cond_t stop_wake;
    atomic_bool stopping;
    struct buf openapi;
    atomic_uint_fast64_t requests; /* for request ids */
    uint32_t run;
};
#endif
