/* bench_decode.c - nanoseconds a message: the flat scanner beside the DOM decoder, turn about in one run.
 *
 * Each round times both over the same 512 different messages: short, so that an interruption is rare, and turn about, so that
 * what the machine does meanwhile falls on both. The table has the medians over the rounds; the ratio is the median of the
 * rounds' ratios.
 *
 *   bench_decode [rounds]                default 201 */
#include "core/when.h"
#include "ingest/formats/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = 512, ROUNDS_MAX = 999 };
typedef enum err decoder(const char *bytes, size_t n, struct arena *arena, struct record *out,
                         struct why *why);

static struct str messages[MESSAGES];
static struct arena texts, scratch;

struct shape {
    const char *what, *to_symbol, *to_price, *rest;
};

static void make(const struct shape *s)
{
    unsigned x = 12345;
    for (int i = 0; i < MESSAGES; i++) {
        char text[400];
        x = x * 1103515245u + 12345u;
        int n = snprintf(text, sizeof text, "%sSYM%04u%s%u.%02u%s", s->to_symbol, x >> 8 & 4095,
                         s->to_price, (x >> 4 & 511) + 100, x >> 16 & 63, s->rest);
        messages[i] = (struct str){ arena_copy(&texts, text, (size_t)n), (uint32_t)n };
        if (!messages[i].p) abort();
    }
}

static double ns_a_message(decoder *decode)
{
    struct record r;
    const int64_t start = mono_ns();
    uint64_t sum = 0;
    for (int i = 0; i < MESSAGES; i++) {
        if (decode(messages[i].p, messages[i].n, &scratch, &r, NULL)) abort();
        sum += (uint64_t)r.event_ns;
    }
    int64_t took = mono_ns() - start;
    arena_clear(&scratch);
    if (sum == 0) abort(); /* keeps the records from being optimized away */
    return (double)took / MESSAGES;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[n / 2];
}

int main(int argc, char **argv)
{
    static const struct shape shapes[] = {
        { "trade", "{\"kind\":\"trade\",\"symbol\":\"", "\",\"price\":\"",
          "\",\"size\":100,\"ts\":1700000000000000000}" },
        { "trade, price as a number", "{\"kind\":\"trade\",\"symbol\":\"",
          "\",\"price\":", ",\"size\":100,\"ts\":1700000000000000000}" },
        { "trade, blanks after : and ,", "{\"kind\": \"trade\", \"symbol\": \"",
          "\", \"price\": \"", "\", \"size\": 100, \"ts\": 1700000000000000000}" },
        { "close", "{\"kind\":\"close\",\"symbol\":\"", "\",\"price\":\"",
          "\",\"date\":\"2018-02-07\",\"ts\":1700000000000000000}" },
    };
    static double fast[ROUNDS_MAX], dom[ROUNDS_MAX], ratio[ROUNDS_MAX];
    int rounds = argc > 1 ? atoi(argv[1]) : 201;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "rounds: 1 to %d\n", ROUNDS_MAX);
        return 64;
    }

    printf("%-30s %6s %10s %10s %8s\n", "message", "bytes", "scanner ns", "DOM ns", "ratio");
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        make(&shapes[s]);
        for (int i = -1; i < rounds; i++) { /* the first round only warms up */
            double f = ns_a_message(record_decode), d = ns_a_message(record_decode_dom);
            if (i >= 0) {
                fast[i] = f;
                dom[i] = d;
                ratio[i] = d / f;
            }
        }
        double r = median(ratio, rounds);
        printf("%-30s %6" PRIu32 " %10.1f %10.1f %7.1fx\n", shapes[s].what, messages[0].n,
               median(fast, rounds), median(dom, rounds), r);
        arena_clear(&texts);
    }
    arena_release(&texts);
    arena_release(&scratch);
    return 0;
}
