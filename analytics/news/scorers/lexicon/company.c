#include "analytics/news/scorers/lexicon/company.h"

#include "analytics/news/scorers/lexicon/glyph.h"

#include <assert.h>
#include <string.h>

/* ---- names to forms ---- */
/* What a name ends in and nobody says: legal forms, classes of shares, "holdings". */
static const char endings[] =
    "|inc|incorporated|corp|corporation|co|company|companies|ltd|limited|plc|llc|lp|sa|ag|nv|se|"
    "spa|oyj|oy|ab|asa|as|group|holdings|holding|trust|class|a|b|c|common|stock|ordinary|ord|"
    "shares|share|adr|ads|depositary|the|cl|and|international|technologies|technology|gmbh|kgaa|"
    "bhd|pt|tbk|jsc|pjsc|reit|units|series|sponsored|new|del|";

/* First words that are not the company when they stand alone: "Bank of ..", "General ..". */
static const char too_common[] =
    "|advanced|american|america|applied|first|general|global|international|national|united|bank|"
    "best|home|public|southern|northern|western|eastern|north|south|west|east|central|pacific|"
    "atlantic|royal|british|china|india|indian|japan|european|digital|energy|electronic|electric|"
    "health|consolidated|standard|state|street|service|services|capital|financial|morgan|johnson|"
    "smith|williams|texas|california|dollar|great|people|power|quest|realty|republic|under|union|"
    "universal|water|waste|world|tata|adani|housing|industrial|motor|motors|steel|real|data|open|"
    "blue|gold|life|city|high|next|range|constellation|citizens|church|automatic|alliance|allied|";

/* Founders' first names: the last word is what the company is called. */
static const char given_names[] =
    "|walt|eli|estee|ralph|charles|philip|henry|jack|john|robert|martin|raymond|arthur|";

/* Words from..to-1 of a name become a form, unless there already, too long or a single letter. */
static void add_form(struct company *c, const struct sentence *s, int from, int to)
{
    const struct token *first = &s->t[from], *last = &s->t[to - 1];
    const char *text = s->norm + first->at;
    size_t n = (size_t)(last->at + last->n - first->at);
    if (n > FORM_BYTES_MAX || n < 2) return;
    for (int i = 0; i < c->forms_n; i++)
        if (c->form[i].bytes == n && memcmp(c->form[i].text, text, n) == 0) return;
    assert(c->forms_n < FORMS_MAX); /* four names, and two forms of each */
    struct form *f = &c->form[c->forms_n++];
    memcpy(f->text, text, n);
    f->bytes = (uint8_t)n;
    f->words = (uint8_t)(to - from);
    f->first_hash = first->hash;
    f->any_case = !(first->flags & HAS_CAPITAL);
    for (int i = to; i < s->n; i++) { /* whole words only */
        size_t had = strlen(f->rest);
        if (had + s->t[i].n + 1 >= sizeof f->rest) return;
        memcpy(f->rest + had, s->norm + s->t[i].at, s->t[i].n + 1u);
    }
}

/* The mark behind the last word, which might end a sentence where the name stands in a text. */
static void note_stop(struct company *c, const struct reader *r, const struct sentence *s)
{
    if (s->edition == EDITION_FIRST || s->n == 0) return;
    const struct token *last = &s->t[s->n - 1];
    if (last->src + last->src_n != r->at) return;
    if (c->stops.n < NAME_STOPS_MAX) c->stops.hash[c->stops.n++] = last->hash;
}

/* A name's words without "The" before them, and how many of them stand before a bracket: 2 of
 * "Alphabet Inc (Class A)". Dots end nothing here, and a comma means nothing. */
static int read_name(struct company *c, struct str name, struct sentence *s)
{
    struct reader r = { .p = name.p, .n = name.n };
    int before = -1;
    sentence_clear(s);
    while (r.at < r.n && s->n < TOKENS_MAX) {
        struct glyph g = glyph_at(r.p + r.at, r.n - r.at);
        bool bracket = g.class == GLYPH_BREAK && g.bytes == 1;
        if (g.class == GLYPH_BREAK && s->edition == EDITION_FIRST) break;
        if (bracket && before < 0) before = s->n;
        if (g.class == GLYPH_STOP) note_stop(c, &r, s);
        if (g.class != GLYPH_LETTER && g.class != GLYPH_DIGIT) {
            r.at += g.bytes;
            continue;
        }
        sentence_add_token(&r, s, 0);
        if (s->n == 1 && r.at < r.n && token_in(s, &s->t[0], "|the|")) sentence_clear(s);
    }
    return before < 0 ? s->n : before;
}

static void add_name(struct company *c, struct str name, struct sentence *s)
{
    int words = read_name(c, name, s), all = words;
    if (words == 0) return;
    const struct token *first = &s->t[0];
    bool common = token_in(s, first, too_common);
    while (words > 1 && token_in(s, &s->t[words - 1], endings)) words--;
    if (words == 1 && common && all > 1) words = 2; /* "General Group" */
    add_form(c, s, 0, words);
    if (words < 2) return;
    if (token_in(s, first, given_names)) add_form(c, s, words - 1, words); /* "Disney" */
    else if (first->n >= 4 && !common) add_form(c, s, 0, 1);               /* "Keurig" */
}

void company_init(struct company *c, const struct sentiment_target *t, struct sentence *scratch)
{
    *c = (struct company){ .symbol = t->symbol };
    for (uint32_t i = 0; i < t->symbol.n; i++)
        if (t->symbol.p[i] == ':')
            c->symbol = (struct str){ t->symbol.p + i + 1, t->symbol.n - i - 1 };
    add_name(c, t->issuer, scratch);
    add_name(c, t->instrument, scratch);
    for (uint32_t i = 0; i < t->former_n; i++) add_name(c, t->former[i], scratch);
}

/* ---- the symbol ---- */
/* Symbols that are more often a word or another thing's short name. */
static const char acronyms[] = "|CEO|CFO|COO|IPO|ETF|GDP|FDA|SEC|USA|EPS|CPI|ECB|IMF|FED|RBI|EUR|"
                               "USD|GBP|INR|ALL|AND|ARE|FOR|HAS|NOW|NEW|LOW|KEY|ONE|WELL|REAL|";

static const char exchanges[] = "|nyse|nasdaq|nasdaqgs|amex|lse|tsx|asx|nse|bse|xnas|xnys|otc|arca|"
                                "omx|hkex|six|nysearca|nysemkt|";

static bool alnum_at(const struct reader *r, uint32_t at)
{
    if (at >= r->n) return false;
    uint8_t c = (uint8_t)r->p[at];
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

/* $F, (F), (NYSE: F), NYSE:F; `end` is the byte behind the symbol. */
static bool marked_as_symbol(const struct reader *r, const struct sentence *s, int i, uint32_t end)
{
    uint32_t at = s->t[i].src;
    if (at > 0 && r->p[at - 1] == '$') return true;
    if (at > 0 && r->p[at - 1] == '(' && end < r->n && r->p[end] == ')') return true;
    while (at > 0 && r->p[at - 1] == ' ') at--;
    return i > 0 && at > 0 && r->p[at - 1] == ':' && token_in(s, &s->t[i - 1], exchanges);
}

int company_symbol_at(const struct company *c, const struct reader *r, const struct sentence *s,
                      int i, bool shouting)
{
    const struct token *t = &s->t[i];
    uint32_t n = c->symbol.n, end = t->src + n;
    if (n == 0 || end > r->n || memcmp(r->p + t->src, c->symbol.p, n) != 0) return 0;
    if (alnum_at(r, end)) return 0;                                       /* "AAPLX" */
    if (end < r->n && r->p[end] == '.' && alnum_at(r, end + 1)) return 0; /* BRK of "BRK.B" */
    bool doubtful = n <= 2 || shouting || word_in(acronyms, c->symbol.p, n);
    if (doubtful && !marked_as_symbol(r, s, i, end)) return 0;
    int words = 1;
    while (i + words < s->n && s->t[i + words].src < end) words++; /* "BRK.B" is two tokens */
    return words;
}

/* ---- the names ---- */
static int form_at(const struct form *f, const struct sentence *s, int i)
{
    const struct token *t = &s->t[i];
    if (t->hash != f->first_hash || !(t->flags & HAS_CAPITAL || f->any_case)) return 0;
    if (i + f->words > s->n) return 0;
    const struct token *last = &t[f->words - 1];
    if (last->at + last->n - t->at != f->bytes || memcmp(s->norm + t->at, f->text, f->bytes) != 0)
        return 0;
    for (int k = 1; k < f->words; k++)
        if (t[k].flags & AFTER_BREAK) return 0; /* "Bank; of America" */
    return f->words;
}

/* Legal forms and the like, which belong to the name before them whatever the name on file is. */
static const char suffixes[] =
    "|inc|incorporated|corp|corporation|co|company|companies|ltd|limited|plc|llc|lp|sa|ag|nv|se|spa|"
    "oyj|oy|ab|asa|as|group|holdings|holding|international|technologies|gmbh|kgaa|bhd|pt|tbk|jsc|"
    "pjsc|bancorp|bancorporation|bancshares|laboratories|industries|enterprises|systems|"
    "pharmaceuticals|therapeutics|brands|partners|";

/* The word of `rest` that this token is, as the bytes up to behind it; 0: none. Endings may be left
 * out before it: "Alphabet Class A" of "alphabet", rest "inc class a". */
static size_t rest_word(const char *rest, const struct sentence *s, const struct token *t)
{
    size_t at = 0;
    while (rest[at]) {
        size_t n = strcspn(rest + at, " ");
        if (n == t->n && memcmp(rest + at, s->norm + t->at, n) == 0) return at + n + 1;
        if (!word_in(endings, rest + at, n)) return 0;
        at += n + 1;
    }
    return 0;
}

static bool joins_suffix(const struct sentence *s, int i)
{
    return token_in(s, &s->t[i], "|and|") && i + 1 < s->n
           && token_in(s, &s->t[i + 1], "|co|company|companies|sons|")
           && s->t[i + 1].flags & HAS_CAPITAL;
}

/* What the words are worth that a share is quoted by: "Apple Inc. stock falls" speaks of a stock. */
static bool is_quoted_thing(const struct sentence *s, const struct token *t)
{
    return token_in(s, t, "|stock|share|shares|units|common|ordinary|");
}

/* The tokens from i on that are endings of the form that was found before them. */
static int endings_at(const struct form *f, const struct sentence *s, int i)
{
    const char *rest = f->rest;
    int from = i;
    for (; i < s->n; i++) {
        const struct token *t = &s->t[i];
        size_t of_rest = rest_word(rest, s, t);
        if ((t->flags & AFTER_BREAK && !of_rest) || is_quoted_thing(s, t)) break;
        if (!(t->flags & HAS_CAPITAL) && !joins_suffix(s, i)) break;
        rest += of_rest;
        if (!of_rest && !joins_suffix(s, i) && !token_in(s, t, suffixes)) break;
    }
    return i - from;
}

int company_name_at(const struct company *c, const struct sentence *s, int i)
{
    int longest = 0;
    for (int k = 0; k < c->forms_n; k++) {
        int words = form_at(&c->form[k], s, i);
        if (words && s->edition > EDITION_FIRST) words += endings_at(&c->form[k], s, i + words);
        if (words > longest) longest = words;
    }
    return longest;
}
