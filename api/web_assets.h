/* web_assets.h - the files of api/web, which api/embed.py turns into build/web_assets.c. */
#ifndef TOCSIN_API_WEB_ASSETS_H
#define TOCSIN_API_WEB_ASSETS_H
#include <stddef.h>

struct web_asset {
    const char *path, *type;
    const unsigned char *data;
    size_t size;
    const char *etag;
}; /* path: "/index.html" */
extern const struct web_asset web_assets[];
extern const size_t web_assets_n;

/* The file of a path: "/" and "/index.html" are one, and what the page calls "/web/x" is "/x". NULL: no such file. */
const struct web_asset *web_asset_find(const char *path);
#endif
