/* page.c - the files of the page (web/), embedded in the program. */
#include "api/answer.h"
#include "api/web_assets.h"

#include <stdio.h>
#include <string.h>

static void get_file(struct request *r)
{
    const struct web_asset *file = web_asset_find(r->target.path);
    const char *known = request_header(r, "If-None-Match");
    bool same = known && strstr(known, file->etag);
    snprintf(r->reply.etag, sizeof r->reply.etag, "%s", file->etag);
    r->reply.cacheable = true;
    r->reply.type = file->type;
    r->reply.status = same ? 304 : 200;
    r->reply.fixed = same ? (const void *)"" : file->data;
    r->reply.fixed_n = same ? 0 : file->size;
}

const struct web_asset *web_asset_find(const char *path)
{
    if (strcmp(path, "/") == 0) path = "/index.html";
    if (strncmp(path, "/web/", 5) == 0) path += 4;
    for (size_t i = 0; i < web_assets_n; i++)
        if (strcmp(web_assets[i].path, path) == 0) return &web_assets[i];
    return NULL;
}

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "{file}",
      .id = "getFile",
      .summary = "A file of the page",
      .help = "Embedded in the program.",
      .handler = get_file,
      .flags = ROUTE_PAGE,
      .answers = { { .status = 200 } } },
};

const struct resource resource_page = { .name = "page", .help = "The page", RESOURCE_ROUTES };
