/* backend.h - what the API asks of the running service (api/api.h), answered by the pipeline. */
#ifndef TOCSIN_APP_BACKEND_H
#define TOCSIN_APP_BACKEND_H
#include "api/api.h"

struct pipeline;
/* Its calls are for any thread, while the pipeline lives. */
struct api_backend backend_of(struct pipeline *p);
#endif
