/* instruments.c - whose a symbol is and was, from the database: FB is META since 2022, and another company's since. */
#include "api/answer.h"
#include "api/render.h"

static const struct field symbol_fields[] = {
    { .name = "symbol", .type = FIELD_TEXT },
    { .name = "from", .type = FIELD_TEXT, .nullable = true, .help = "first day; null: always" },
    { .name = "until",
      .type = FIELD_TEXT,
      .nullable = true,
      .help = "the first day on which it was no longer its; null: it is still" },
    { 0 },
};
static const struct field instrument_fields[] = {
    { .name = "id", .type = FIELD_INT, .help = "stays the same under every symbol" },
    { .name = "symbol", .type = FIELD_TEXT, .help = "the one that it has now" },
    { .name = "issuer", .type = FIELD_TEXT },
    { .name = "name", .type = FIELD_TEXT },
    { .name = "venue", .type = FIELD_TEXT, .help = "empty: its sessions are UTC days" },
    { .name = "isin", .type = FIELD_TEXT, .nullable = true },
    { .name = "figi", .type = FIELD_TEXT, .nullable = true },
    { .name = "symbols", .type = FIELD_LIST, .of = "DatedSymbol" },
    { 0 },
};
static const struct field instruments_fields[] = {
    { .name = "instruments", .type = FIELD_LIST, .of = "Instrument" },
    { 0 },
};
enum { SYMBOL, INSTRUMENT, INSTRUMENTS };
static const struct schema schemas[] = {
    [SYMBOL] = { .name = "DatedSymbol", .fields = symbol_fields },
    [INSTRUMENT] = { .name = "Instrument", .fields = instrument_fields },
    [INSTRUMENTS] = { .name = "Instruments", .fields = instruments_fields },
};

struct listing {
    struct json_writer w;
    int64_t n;
};

static void put_instrument(void *ctx, const char *const *columns)
{
    struct listing *l = ctx;
    l->n++;
    render_row(&l->w, NULL, &schemas[INSTRUMENT], columns);
}

static void get_instruments(struct request *r)
{
    struct picture *p = picture_or_problem(r);
    if (!p) return;
    const char *said = request_arg(r, "symbol")->text, *of = picture_alias(p, said);
    const char *symbol = of ? of : said;
    struct listing l = { .w = json_write(&r->reply.body) };
    struct why why = { 0 };
    json_put_object(&l.w, NULL);
    json_put_array(&l.w, "instruments");
    enum err e =
        reader_rows(r->db, r->tenant, QUERY_INSTRUMENTS, &symbol, put_instrument, &l, &why);
    json_put_end(&l.w);
    json_put_end(&l.w);
    if (!e && l.n == 0) e = err_set(&why, ERR_NOT_FOUND, "symbol %.15s is and was nobody's", said);
    picture_release(p);
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

static const struct arg_spec instruments_args[] = {
    { .name = "symbol",
      .type = ARG_TEXT,
      .min = 1,
      .max = 15,
      .required = true,
      .help = "A symbol of now or of then, or an alias of one",
      .example = "META" },
    { 0 },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/instruments",
      .id = "getInstruments",
      .summary = "Whose a symbol is and was",
      .help =
          "The instruments that have or had that symbol, the newest first, each with all that it was"
          " called and when. A symbol has one instrument at a time.",
      .handler = get_instruments,
      .flags = ROUTE_KEY | ROUTE_DB | ROUTE_404 | ROUTE_503,
      .args = instruments_args,
      .answers = { { .status = 200, .schema = "Instruments" } } },
};

const struct resource resource_instruments = { .name = "instruments",
                                               .help = "What instruments are called",
                                               RESOURCE_TABLES };
