/* dispatch.c - the list of resources, and which route answers a request.
 *
 * The table is walked from its beginning; there are some thirty rows, and a request costs a hundred times that.
 * "/v1/rules/7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11" meets "/v1/rules/{id}", which takes any uuid and gives it back;
 * "/v1/rules/x" meets nothing, since an id of another shape is no such path. */
#include "api/resource.h"
#include "api/web_assets.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define RESOURCE(name) extern const struct resource resource_##name;
#include "api/resources.def"
#undef RESOURCE

const struct resource *const resources[] = {
#define RESOURCE(name) &resource_##name,
#include "api/resources.def"
#undef RESOURCE
};
const size_t resources_n = ARRAY_LEN(resources);

const struct schema *schema_find(const char *name)
{
    for (size_t i = 0; i < resources_n; i++)
        for (size_t k = 0; k < resources[i]->schemas_n; k++)
            if (strcmp(resources[i]->schemas[k].name, name) == 0) return &resources[i]->schemas[k];
    assert(false && "a schema that nobody has");
    return NULL;
}

const char *method_name(enum method m)
{
    static const char *const names[METHOD_COUNT] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    return names[m];
}

/* Template and path are compared character by character, but {id} takes a part of the path, up to a slash or a colon, and {file} all of it. */
static bool path_matches(const char *template, const char *path, struct uuid *out)
{
    while (*template) {
        if (strcmp(template, "{file}") == 0) return web_asset_find(path) != NULL;
        if (strncmp(template, "{id}", 4) != 0) {
            if (*template ++ != *path++) return false;
            continue;
        }
        size_t n = strcspn(path, "/:");
        if (uuid_parse(path, n, out)) return false;
        template += 4;
        path += n;
    }
    return *path == '\0';
}

/* "GET, HEAD, PUT": what is there, in the order of enum method. */
static void format_methods(unsigned there, char out[ALLOW_MAX])
{
    size_t n = 0;
    out[0] = '\0';
    for (int m = 0; m < METHOD_COUNT; m++)
        if (there & 1u << m)
            n += (size_t)snprintf(out + n, ALLOW_MAX - n, "%s%s%s", n ? ", " : "",
                                  method_name((enum method)m), m == METHOD_GET ? ", HEAD" : "");
    assert(n < ALLOW_MAX); /* room for every method */
}

const struct route *route_find(const char *path, int method, struct uuid *out_id,
                               char allow[ALLOW_MAX])
{
    unsigned there = 0;
    allow[0] = '\0';
    for (size_t i = 0; i < resources_n; i++)
        for (size_t k = 0; k < resources[i]->routes_n; k++) {
            const struct route *route = &resources[i]->routes[k];
            if (!path_matches(route->path, path, out_id)) continue;
            if ((int)route->method == method) return route;
            there |= 1u << route->method;
        }
    format_methods(there, allow);
    return NULL;
}

const char *header_wanted(const char *name)
{
    static const char *const always[] = { "Authorization", "Content-Type", "If-None-Match" };
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        if (strcasecmp(always[i], name) == 0) return always[i];
    for (size_t i = 0; i < resources_n; i++)
        for (size_t k = 0; k < resources[i]->routes_n; k++)
            for (const struct arg_spec *a = resources[i]->routes[k].args; a && a->name; a++)
                if (a->where == IN_HEADER && strcasecmp(a->name, name) == 0) return a->name;
    return NULL;
}
