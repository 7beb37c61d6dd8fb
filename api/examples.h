/* examples.h - the files of api/examples, which api/embed.py turns into build/FLAVOUR/examples.c.
 *
 * examples/Rule.json is the example of the schema Rule, without its blanks; a .txt is an answer that is no JSON. */
#ifndef TOCSIN_API_EXAMPLES_H
#define TOCSIN_API_EXAMPLES_H
#include <stdbool.h>
#include <stddef.h>

struct example {
    const char *name; /* "Rule" */
    const char *text;
    bool is_json;
};
extern const struct example examples[];
extern const size_t examples_n;
#endif
