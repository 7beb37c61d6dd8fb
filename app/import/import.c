/* import.c - `tocsin import`: reference data, corporate actions and prices from CSV straight into the database, through the same step and the same
 * write batches as live. Everything is checked, compared with what is stored, applied and laid out in memory before the first row
 * is written; then whole sessions go in, so that an import that was killed goes on where it stopped. */
#include "app/app.h"
#include "app/import/action_file.h"
#include "app/import/history_file.h"
#include "app/import/known.h"
#include "app/import/layout.h"
#include "app/import/reference.h"
#include "app/recover.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/formats/json.h"
#include "ingest/symbol.h"
#include "store/history.h"
#include "store/questions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char import_usage[] =
    "usage: tocsin import -c FILE [--calendar CSV ...] [--reference CSV] [--actions CSV] [--prices CSV] [--history CSV --measure MEASURE [--source TEXT]] [--as-of DATE] [options of how the files are written]\n\n"
    "  --calendar CSV       sessions of a venue, as tocsin calendar check reads them; several may be given\n"
    "  --reference CSV      columns by header: symbol, and if wanted name, issuer (default: the symbol), sector, shares, float, venue (default:\n"
    "                       engine.calendar), index (several with | between), base, negative_prices (true: closes of 0 and below are data), date (since when the row is so); makes issuer, instrument, shares, index and membership records\n"
    "  --actions CSV        a column kind (split, dividend, spin_off, merger, delisting, rename) and of the fields of these messages those that are\n"
    "                       needed, by their names (tocsin --help-messages): symbol, new, old, effective, amount, ex, to ...; known before the open\n"
    "                       of its session; rows in any order\n"
    "  --prices CSV         columns date, close, and symbol or Name; sorted by date; official closes and a session end behind each date\n"
    "  --history CSV        columns date and value, sorted by date: what --measure was before it is measured here, in its unit, by the word of\n"
    "                       --source; highest_since and lowest_since look back into it, and say so. Known from now on: a back-test of prices\n"
    "                       that were stored before does not see it. It replaces what was imported of that measure\n"
    "  --as-of DATE         when reference rows without a date were known (default: where stored time stands, and in an empty database the\n"
    "                       first session of the prices)\n\n"
#define DIALECT(option, value, set, help) help
#include "app/import/dialect.def"
#undef DIALECT
    "\nNothing is written unless every row of all files is right. What is stored already is left alone: the same files again change nothing,\n"
    "and an import that was interrupted goes on behind the last whole session. The service must not be running.\n";

enum { CALENDARS_MAX = 64 };

struct arguments {
    const char *config, *reference, *actions, *prices, *calendars[CALENDARS_MAX];
    const char *history, *measure, *source; /* source "": nobody is named */
    size_t calendars_n;
    int32_t as_of;
    struct dialect dialect;
};

static bool complain(const char *text)
{
    fprintf(stderr, "tocsin import: %s\n", text);
    return false;
}

static bool read_argument(struct arguments *a, int argc, char **argv, int *i)
{
    struct why why = { 0 };
    enum err e = dialect_option(&a->dialect, argc, argv, i, &why);
    if (e != ERR_NOT_FOUND) return e ? complain(why.text) : true;
    const char *name = argv[(*i)++], *v = *i < argc ? argv[*i] : NULL;
    if (v && strcmp(name, "-c") == 0) a->config = v;
    else if (v && strcmp(name, "--reference") == 0) a->reference = v;
    else if (v && strcmp(name, "--actions") == 0) a->actions = v;
    else if (v && strcmp(name, "--prices") == 0) a->prices = v;
    else if (v && strcmp(name, "--history") == 0) a->history = v;
    else if (v && strcmp(name, "--measure") == 0) a->measure = v;
    else if (v && strcmp(name, "--source") == 0) a->source = v;
    else if (v && strcmp(name, "--calendar") == 0 && a->calendars_n < CALENDARS_MAX)
        a->calendars[a->calendars_n++] = v;
    else if (v && strcmp(name, "--as-of") == 0
             && date_parse(v, strlen(v), &a->as_of, NULL) == ERR_OK && a->as_of >= 0)
        return true;
    else {
        fprintf(stderr, "tocsin import: %s%s%s is not understood; try --help\n", name, v ? " " : "",
                v ? v : "");
        return false;
    }
    return true;
}

static bool read_arguments(struct arguments *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!read_argument(a, argc, argv, &i)) return false;
    if (dialect_conflicts(&a->dialect))
        return complain("--thousands and --decimal are the same character; try --help");
    if (!a->config) return complain("-c FILE is missing; try --help");
    if (!a->history != !a->measure)
        return complain("--history CSV and --measure MEASURE go together; try --help");
    if (!a->reference && !a->actions && !a->prices && !a->calendars_n && !a->history)
        return complain(
            "give --reference CSV, --actions CSV, --prices CSV or several of them, --calendar CSV or --history CSV; try --help");
    return true;
}

struct import {
    struct arguments *a;
    const struct config *c;
    struct problems *problems;
    struct price_file prices;
    struct reference reference;
    struct action_file actions;
    struct history_file history;
    struct known known;
    uint64_t last_seq; /* where the order stood */
    size_t closes_stored, statements_stored, actions_stored,
        calendars_stored; /* of what the files say */
    struct layout layout;
    const struct price_row **closed; /* the newest row of each instrument */
    size_t closed_n, closed_cap;
    struct writer *writer;
};

/* ---- the files: the problems of all in one go ---- */
static enum err read_history(struct import *m, struct why *why)
{
    const struct arguments *a = m->a;
    struct measure of;
    enum err e = measure_parse(a->measure, strlen(a->measure), &of, why);
    if (!e && measure_is_book(&of)) e = err_set(why, ERR_INVALID, "a book has no imported history");
    if (e) {
        problem_add(m->problems, "--measure %s: %s", a->measure, why->text);
        return ERR_INVALID;
    }
    return history_file_load(a->history, &m->a->dialect, &of, &m->history, m->problems, why);
}

static enum err read_files(struct import *m, struct why *why)
{
    struct arguments *a = m->a;
    enum err e = ERR_OK;
    const struct price_options o = { &a->dialect, NO_DAY, NO_DAY };
    m->reference = (struct reference){ .problems = m->problems, .dialect = &a->dialect };
    if (a->prices) e = prices_load(a->prices, &o, &m->prices, m->problems, why);
    if (e && e != ERR_INVALID) return e;
    e = a->reference ? reference_load(a->reference, &m->reference, why) : ERR_OK;
    if (e && e != ERR_INVALID) return e;
    if (a->actions) e = action_file_load(a->actions, &a->dialect, &m->actions, m->problems, why);
    if (e && e != ERR_INVALID) return e;
    if (a->history) e = read_history(m, why);
    if (e && e != ERR_INVALID) return e;
    if (!m->problems->count && dialect_unused(&a->dialect))
        problem_add(m->problems, "--column: no file has a column '%s'",
                    dialect_unused(&a->dialect));
    return m->problems->count ? ERR_INVALID : ERR_OK;
}

/* ---- what is stored of them ---- */
/* The backend of a service's writer. One that has just ended may still be seen for a moment. */
static enum err running_writer(struct db *d, char backend[BACKEND_TEXT], struct why *why)
{
    for (int tries = 0; tries < 10; tries++) {
        if (tries) nanosleep(&(struct timespec){ 0, 200000000 }, NULL);
        enum err e = ask_writer(d, backend, why);
        if (e) return e;
        if (!backend[0]) break;
    }
    return ERR_OK;
}

/* When rows without a date were known: as said, or with the first session of an empty database; else it stays open, to be where
 * the stored records stand. */
static enum err date_reference(struct import *m, struct why *why)
{
    const struct price_file *f = &m->prices;
    int64_t at = REFERENCE_UNDATED;
    if (m->a->as_of != NO_DAY) at = m->a->as_of * NS_PER_DAY;
    else if (m->last_seq == 0 && f->n) at = f->rows[0].day * NS_PER_DAY;
    reference_date(&m->reference, at);
    if (m->last_seq || !m->reference.n || m->reference.messages[0].event_ns != REFERENCE_UNDATED)
        return ERR_OK;
    return err_set(
        why, ERR_INVALID,
        "nothing is stored yet, so nothing says when the rows of %s were known: give --as-of DATE, a column date, or --prices with it",
        m->reference.name);
}

/* Memberships that ended as their symbol went to another issuer are stored when that is: it is said right behind them. */
static void find_leaves(struct reference *r)
{
    bool stored = false;
    for (size_t i = r->n; i-- > 0;) {
        struct reference_message *x = &r->messages[i];
        if (x->kind == RECORD_INSTRUMENT) stored = x->stored;
        if (x->first_leaves) x->stored = stored;
    }
}

/* In the order in which they would be applied, so that each is compared with those before it too. */
static enum err find_statements(struct import *m, struct why *why)
{
    AUTO_BUF struct buf text = { 0 };
    struct arena arena = { 0 };
    enum err e = ERR_OK;
    for (size_t i = 0; i < m->reference.n && !e; i++) {
        struct reference_message *x = &m->reference.messages[i];
        struct record r;
        if (x->first_leaves) continue;
        buf_clear(&text);
        arena_clear(&arena);
        const int64_t at = x->event_ns;
        if (at == REFERENCE_UNDATED) x->event_ns = REFERENCE_ANY_NS;
        reference_message_text(&m->reference, i, &text);
        x->event_ns = at;
        if (!buf_ok(&text)) e = err_set(why, ERR_NOMEM, "out of memory");
        if (!e) e = record_decode(text.data, text.len, &arena, &r, why);
        if (e) break;
        step_name_calendar(&r, m->c->engine_calendar);
        r.event_ns = at == REFERENCE_UNDATED ? INT64_MAX : at;
        e = known_says(&m->known, &r, &x->stored, why);
        if (!e && !x->stored) e = known_say(&m->known, &r, why);
    }
    find_leaves(&m->reference);
    for (size_t i = 0; i < m->reference.n; i++)
        m->statements_stored += m->reference.messages[i].stored;
    arena_release(&arena);
    return e;
}

/* Before the shard is taken, which would end a service that runs. */
static enum err compare(struct import *m, struct why *why)
{
    struct db d;
    char backend[BACKEND_TEXT] = "";
    enum err e = db_open(m->c->database_conninfo, "tocsin_engine", "tocsin import", &d, why);
    if (!e) e = running_writer(&d, backend, why);
    if (!e && backend[0])
        e = err_set(
            why, ERR_CONFLICT,
            "a service is running on this database (backend %s): stop it first, or send the prices through Kafka with tocsin replay",
            backend);
    if (!e) e = history_last_seq(&d, &m->last_seq, why);
    if (!e) e = date_reference(m, why);
    if (!e) e = known_load(&m->known, &d, m->prices.n ? m->prices.rows[0].day : NO_DAY, why);
    db_close(&d);
    if (!e) e = find_statements(m, why);
    if (!e) e = known_actions(&m->known, &m->actions, &m->actions_stored, why);
    if (!e) m->closes_stored = known_prices(&m->known, &m->prices, m->problems);
    return !e && m->problems->count ? ERR_INVALID : e;
}

static bool session_is_over(const struct import *m, size_t i)
{
    return known_session_ended(&m->known, m->prices.rows[i].day);
}

static bool nothing_new(const struct import *m)
{
    if (m->a->calendars_n || m->a->history) return false; /* only the state knows */
    if (m->closes_stored < m->prices.n || m->statements_stored < m->reference.n) return false;
    for (size_t i = 0; i < m->actions.n; i++)
        if (!m->actions.rows[i].stored && !m->actions.rows[i].before) return false;
    for (size_t i = 0; i < m->prices.n; i++)
        if (prices_ends_day(&m->prices, i) && !session_is_over(m, i)) return false;
    return true;
}

/* ---- what actions are too early ---- */
/* The day on which the reference file says a symbol for the first time; NO_DAY: it does not. */
static int32_t first_said(const struct import *m, const struct symbol *s)
{
    const uint32_t no = reference_find(&m->reference, s);
    return no == MAP_NONE ? NO_DAY : day_of_ns(m->reference.symbols[no].first_ns);
}

/* Of instruments that come with this import: what is known of them then is of after their earlier splits. */
static void leave_out_early(struct import *m)
{
    for (size_t i = 0; i < m->actions.n; i++) {
        struct action_row *row = &m->actions.rows[i];
        const struct symbol *s = action_symbols(&row->record).of;
        if (row->stored || known_symbol(&m->known, s)) continue;
        const int32_t day = first_said(m, s);
        if (day != NO_DAY && row->day <= day) row->before = true;
    }
}

/* ---- through the step ---- */
/* Takes the shard and the state it stands at. The sink is set only then: recovering is silent. */
static enum err begin(struct import *m, struct why *why)
{
    struct layout *l = &m->layout;
    uint64_t last_seq = 0;
    enum err e = step_init(&l->step);
    if (!e) e = writer_open(m->c->database_conninfo, &m->writer, &last_seq, why);
    if (!e) e = snapshots_new(&l->snapshots);
    if (!e) e = recover_state(m->c->database_conninfo, &l->step, l->snapshots, why);
    if (!e && engine_seq(l->step.engine) != last_seq)
        e = err_set(why, ERR_DB,
                    "the order stands at %" PRIu64 ", the stored records end at %" PRIu64, last_seq,
                    engine_seq(l->step.engine));
    if (!e && last_seq != m->last_seq)
        e = err_set(why, ERR_CONFLICT, "something else wrote to this database meanwhile");
    if (!e) {
        l->calendar = m->c->engine_calendar;
        layout_hear(l);
        reference_date(&m->reference, engine_now_ns(l->step.engine));
        action_file_date(&m->actions, engine_now_ns(l->step.engine));
        leave_out_early(m);
    }
    return e;
}

static enum err apply_text(struct import *m, const struct buf *text, struct why *why)
{
    if (!buf_ok(text)) return err_set(why, ERR_NOMEM, "out of memory");
    return layout_apply(&m->layout, text->data, text->len, why);
}

static bool is_called(const struct import *m, const struct symbol *s)
{
    return engine_instrument(m->layout.step.engine, s) >= 0;
}

static enum err apply_statement(struct import *m, size_t i, struct why *why)
{
    const struct reference *r = &m->reference;
    const struct reference_message *x = &r->messages[i];
    AUTO_BUF struct buf text = { 0 };
    enum err e = layout_next(&m->layout, why);
    if (e) return e;
    reference_message_text(r, i, &text);
    if (x->first_leaves && !is_called(m, &r->symbols[x->symbol].symbol))
        return ERR_OK; /* renamed */
    if (x->event_ns < engine_now_ns(m->layout.step.engine)) {
        char now[WHEN_TEXT_MAX];
        when_format(engine_now_ns(m->layout.step.engine), now);
        e = err_set(why, ERR_INVALID,
                    "is dated before %s, where time stands: what became known late is dated late",
                    now);
    } else e = apply_text(m, &text, why);
    if (e == ERR_NOMEM) return e;
    if (e) problem_add(m->problems, "%s:%ld: %s", r->name, x->line, why->text);
    return ERR_OK;
}

/* The symbol of an action's session becomes the one that its instrument has now, by which the engine finds it. */
static enum err call_as_now(const struct import *m, struct symbol *s, int32_t day, struct why *why)
{
    const struct engine *e = m->layout.step.engine;
    char date[DATE_TEXT_MAX];
    const int32_t no = engine_instrument_on(e, s, day);
    date_format(day, date);
    if (no < 0)
        return err_set(why, ERR_UNKNOWN_SYMBOL, "no instrument was called %.15s on %s", s->s, date);
    const char *now = engine_instrument_facts(e, no).symbol;
    return symbol_from(now, strlen(now), s);
}

/* One whose session is over while stored time stands behind it is known from now on. */
static enum err apply_action(struct import *m, const struct action_row *row, struct why *why)
{
    struct record r = row->record;
    const struct action_symbols symbols = action_symbols(&r);
    const int32_t day = row->day - action_row_is_rename(row);
    enum err e = layout_next(&m->layout, why);
    if (e) return e;
    if (r.event_ns > row->day * NS_PER_DAY) {
        e = call_as_now(m, symbols.of, day, why);
        if (!e && symbols.child) e = call_as_now(m, symbols.child, day, why);
    }
    if (!e) e = layout_apply_record(&m->layout, &r, why);
    if (e == ERR_NOMEM) return e;
    if (e) problem_add(m->problems, "%s:%ld: %s", m->actions.name, row->line, why->text);
    return ERR_OK;
}

/* How far the files have been applied. */
struct place {
    size_t message, action;
};

/* The next of them of up to that moment is an action; false: it is a statement, or there is none. */
static bool action_is_next(const struct import *m, const struct place *p, int64_t until_ns)
{
    if (p->action == m->actions.n) return false;
    const struct action_row *row = &m->actions.rows[p->action];
    if (row->record.event_ns > until_ns) return false;
    if (p->message == m->reference.n) return true;
    const int64_t other = m->reference.messages[p->message].event_ns;
    return row->record.event_ns < other
           || (row->record.event_ns == other && action_row_is_rename(row));
}

/* Statements and actions of up to that moment. */
static enum err apply_until(struct import *m, struct place *p, int64_t until_ns, struct why *why)
{
    enum err e = ERR_OK;
    while (!e) {
        if (action_is_next(m, p, until_ns)) {
            const struct action_row *row = &m->actions.rows[p->action++];
            if (!row->stored && !row->before) e = apply_action(m, row, why);
        } else if (p->message < m->reference.n
                   && m->reference.messages[p->message].event_ns <= until_ns) {
            const size_t i = p->message++;
            if (!m->reference.messages[i].stored) e = apply_statement(m, i, why);
        } else return ERR_OK;
    }
    return e;
}

/* Two spellings of one instrument, of which each is a close of the date. The engine would take the second for a correction. */
static enum err once_a_day(struct import *m, const struct price_row *row, bool *again)
{
    const int32_t no = engine_instrument(m->layout.step.engine, &row->symbol);
    *again = false;
    if (no < 0) return ERR_OK;
    if (!VEC_GROW(&m->closed, &m->closed_cap, (size_t)no + 1)) return ERR_NOMEM;
    while (m->closed_n <= (size_t)no) m->closed[m->closed_n++] = NULL;
    const struct price_row *other = m->closed[no];
    *again = other && other->day == row->day;
    if (*again)
        problem_add(m->problems,
                    "%s:%" PRId64 ": symbol %s is another spelling of %s, which has a row of this "
                    "date already, line %" PRId64,
                    m->prices.name, row->line, row->symbol.s, other->symbol.s, other->line);
    m->closed[no] = row;
    return ERR_OK;
}

static enum err apply_close(struct import *m, size_t i, struct why *why)
{
    const struct price_file *f = &m->prices;
    AUTO_BUF struct buf text = { 0 };
    bool again;
    if (f->rows[i].stored) return ERR_OK;
    if (once_a_day(m, &f->rows[i], &again)) return err_set(why, ERR_NOMEM, "out of memory");
    if (again) return ERR_OK;
    prices_close_message(f, i, &text);
    enum err e = apply_text(m, &text, why);
    if (e == ERR_NOMEM) return e;
    if (e) problem_add(m->problems, "%s:%" PRId64 ": %s", f->name, f->rows[i].line, why->text);
    return ERR_OK;
}

static enum err apply_session_end(struct import *m, size_t i, struct why *why)
{
    AUTO_BUF struct buf text = { 0 };
    if (!prices_ends_day(&m->prices, i) || session_is_over(m, i)) return ERR_OK;
    prices_clock_message(&m->prices, i, &text);
    return apply_text(m, &text, why);
}

static bool begins_session(const struct import *m, size_t i)
{
    return i == 0 || prices_ends_day(&m->prices, i - 1);
}

static void tell_calendar(struct import *m, const char *file, const char *lines)
{
    while (*lines) {
        const size_t n = strcspn(lines, "\n");
        problem_add(m->problems, "%s: %.*s", file, (int)n, lines);
        lines += n + (lines[n] == '\n');
    }
}

static enum err apply_calendar(struct import *m, const char *file, struct why *why)
{
    AUTO_BUF struct buf text = { 0 }, problems = { 0 };
    bool same = false;
    enum err e = calendar_file(file, &text, why);
    if (!e)
        e = layout_calendar(&m->layout, (struct str){ text.data, (uint32_t)text.len }, &same,
                            &problems, why);
    m->calendars_stored += same;
    if (e == ERR_NOMEM) return e;
    if (e) tell_calendar(m, file, buf_ok(&problems) && problems.len ? problems.data : why->text);
    return ERR_OK;
}

static enum err apply_calendars(struct import *m, struct why *why)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < m->a->calendars_n && !e; i++)
        e = apply_calendar(m, m->a->calendars[i], why);
    return e;
}

static enum err apply_history(struct import *m, struct why *why)
{
    const struct history_file *f = &m->history;
    const struct str measure = str_of(m->a->measure),
                     source = str_of(m->a->source ? m->a->source : "");
    return layout_history(&m->layout, measure, source,
                          (struct str){ f->text.data, (uint32_t)f->text.len }, &m->history.known,
                          why);
}

static enum err apply_files(struct import *m, struct why *why)
{
    struct place place = { 0 };
    enum err e = layout_next(&m->layout, why);
    if (!e) e = layout_settings(&m->layout, m->c);
    if (!e) e = apply_calendars(m, why);
    if (!e && m->a->history)
        e = apply_history(m, why); /* known before the prices: a back-test of them sees it */
    for (size_t i = 0; i < m->prices.n && !e; i++) {
        e = apply_until(m, &place, m->prices.rows[i].day * NS_PER_DAY, why);
        if (!e && begins_session(m, i)) e = layout_next(&m->layout, why);
        if (!e) e = apply_close(m, i, why);
        if (!e) e = apply_session_end(m, i, why);
    }
    if (!e) e = apply_until(m, &place, INT64_MAX, why);
    return !e && m->problems->count ? ERR_INVALID : e;
}

/* ---- what was done ---- */
static void print_reference(const struct reference *r)
{
    static const enum record_kind kinds[] = { RECORD_ISSUER, RECORD_INSTRUMENT, RECORD_SHARES,
                                              RECORD_INDEX, RECORD_MEMBERSHIP };
    size_t stored = 0;
    for (size_t i = 0; i < r->n; i++) stored += r->messages[i].stored;
    printf("%s: %zu rows:", r->name, r->rows);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        size_t n = 0;
        for (size_t i = 0; i < r->n; i++)
            n += r->messages[i].kind == kinds[k] && !r->messages[i].stored;
        printf("%s %zu %s", k ? "," : "", n, record_kind_name(kinds[k]));
    }
    printf(" records; %zu stored already\n", stored);
}

static void print_actions(const struct import *m)
{
    const struct action_file *f = &m->actions;
    size_t before = 0;
    long line = 0;
    printf("%s: %zu rows:", f->name, f->n);
    for (size_t k = 0; k < ACTION_KINDS; k++) {
        size_t n = 0;
        for (size_t i = 0; i < f->n; i++) n += f->rows[i].record.kind == action_kinds[k];
        printf("%s %zu %s", k ? "," : "", n, record_kind_name(action_kinds[k]));
    }
    for (size_t i = 0; i < f->n; i++) {
        if (!f->rows[i].before) continue;
        if (!before++ || f->rows[i].line < line) line = f->rows[i].line;
    }
    printf("; %zu stored already", m->actions_stored);
    if (before)
        printf("; %zu left out, dated no later than their instruments were first known (line %ld)",
               before, line);
    printf("\n");
}

static void print_history(const struct import *m)
{
    const struct history_file *f = &m->history;
    char from[DATE_TEXT_MAX], to[DATE_TEXT_MAX];
    date_format(f->first_day, from);
    date_format(f->last_day, to);
    printf("%s: %zu points of %s, %s to %s, %zu rows without a value left out%s\n", f->name, f->n,
           m->a->measure, from, to, f->skipped, f->known ? "; stored already" : "");
}

static void print_summary(const struct import *m)
{
    const struct price_file *f = &m->prices;
    if (m->a->reference) print_reference(&m->reference);
    if (m->a->actions) print_actions(m);
    if (m->a->prices)
        printf(
            "%s: %zu rows: %zu closes of %zu sessions, %zu rows without a close left out; %zu closes stored already\n",
            f->name, f->read, f->n, f->days, f->skipped, m->closes_stored);
    prices_print_rounding(f, &m->a->dialect);
    if (m->a->calendars_n)
        printf("%zu calendars; %zu stored already\n", m->a->calendars_n, m->calendars_stored);
    if (m->a->history) print_history(m);
    if (m->layout.records == 0)
        printf("nothing new: the order stands at %" PRIu64 "\n", m->last_seq);
    else
        printf("%zu records: the order stands at %" PRIu64 "\n", m->layout.records,
               engine_seq(m->layout.step.engine));
}

static enum err import(struct import *m, struct why *why)
{
    enum err e = read_files(m, why);
    if (!e) e = compare(m, why);
    if (!e && !nothing_new(m)) {
        e = begin(m, why);
        if (!e) e = apply_files(m, why);
        if (!e && m->layout.records) e = layout_commit(&m->layout, m->writer, why);
        if (!e && m->layout.records && layout_snapshot(&m->layout, m->c, why))
            fprintf(
                stderr,
                "tocsin import: all is stored, but no snapshot behind it, so that the next start"
                " replays it: %s\n",
                why->text);
    }
    if (!e) print_summary(m);
    writer_close(m->writer);
    layout_release(&m->layout);
    free(m->closed);
    known_release(&m->known);
    reference_release(&m->reference);
    action_file_release(&m->actions);
    history_file_release(&m->history);
    prices_release(&m->prices);
    return e;
}

static int exit_code(enum err e, const struct problems *problems)
{
    if (!e) return EXIT_FINE;
    if (problems->count || e == ERR_IO || e == ERR_INVALID) return EXIT_BAD_DATA;
    return e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN;
}

int cmd_import(int argc, char **argv)
{
    struct arguments a = { .as_of = NO_DAY, .dialect = dialect_plain };
    if (!read_arguments(&a, argc, argv)) return EXIT_WRONG_USAGE;
    struct config c;
    int code = load_config(a.config, &c);
    if (!code) {
        struct problems problems = { 0 };
        struct why why = { 0 };
        enum err e = import(&(struct import){ .a = &a, .c = &c, .problems = &problems }, &why);
        problems_print(&problems);
        if (problems.count) fprintf(stderr, "tocsin import: nothing was written\n");
        else if (e) fprintf(stderr, "tocsin import: %s\n", why.text[0] ? why.text : err_text(e));
        code = exit_code(e, &problems);
        buf_release(&problems.text);
    }
    config_release(&c);
    return code;
}
