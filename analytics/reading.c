/* reading.c - see reading.h: the list of statuses as names, and as what a program or a page says
 * of each. */
#include "analytics/reading.h"

#include "core/json_write.h"

NAMES(reading_status, READING_STATUSES);

const char *reading_status_name(enum reading_status s)
{
    return names_text(&reading_status_names, (int)s);
}

static void define(struct json_writer *w, const char *name, const char *words, const char *help)
{
    json_put_object(w, NULL);
    json_put_text(w, "name", name);
    json_put_text(w, "words", words);
    json_put_text(w, "help", help);
    json_put_end(w);
}

#define DEFINE(value, name, words, help) define(w, name, words, help);
void reading_statuses_definitions(struct json_writer *w, const char *key)
{
    json_put_array(w, key);
    READING_STATUSES(DEFINE)
    json_put_end(w);
}
