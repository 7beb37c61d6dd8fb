/* handlers.h - one function a route; the table of routes.c says which. Each reads the request and leaves a reply in it. */
#ifndef TOCSIN_API_HANDLERS_H
#define TOCSIN_API_HANDLERS_H
#include "api/request.h"

void get_measures(struct request *r);
void get_history(struct request *r);
void get_constituents(struct request *r);
void get_articles(struct request *r);
void get_status(struct request *r);
void list_rules(struct request *r);
void post_rule(struct request *r);
void get_rule(struct request *r);
void put_rule(struct request *r);
void delete_rule(struct request *r);
void get_rule_versions(struct request *r);
void list_alerts(struct request *r);
void get_alert(struct request *r);
void get_stream(struct request *r);
void list_channels(struct request *r);
void post_channel(struct request *r);
void get_channel(struct request *r);
void delete_channel(struct request *r);
void get_deliveries(struct request *r);
void get_openapi(struct request *r);
void get_healthz(struct request *r);
void get_readyz(struct request *r);
void get_metrics(struct request *r);
#endif
