/* Reading order: the word table, text to tokens, tone of a sentence, who it is about, the masses. */
#include "analytics/news/sentiment.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    TOKENS_MAX = 128,    /* a longer sentence is read in pieces */
    WORD_BYTES_MAX = 40, /* longer words are cut: nothing we know is that long */
    SLOTS = 8192,        /* of the word table, about a third in use */
    FORMS_MAX = 4,
    FORM_BYTES_MAX = 63, /* of a company's name */
};

/* ---- the word table --------------------------------------------------------------------------------------------- */

enum kind {
    K_PREFIX,
    K_TONE,
    K_MOVE,
    K_GRADE,
    K_THING,
    K_SWING,
    K_AIMED,
    K_CALL,
    K_RIVAL,
    K_NOT,
    K_SCALE,
    K_TURN,
    K_COMPARE,
    K_STOP,
    K_QUIET
};

static const struct row {
    enum kind kind;
    double weight, alone;
    const char *forms;
} rows[] = {
#define TONE(weight, forms) { K_TONE, weight, 0, forms },
#define MOVE(strength, alone, forms) { K_MOVE, strength, alone, forms },
#define GRADE(strength, alone, forms) { K_GRADE, strength, alone, forms },
#define THING(sense, alone, forms) { K_THING, sense, alone, forms },
#define SWING(forms) { K_SWING, 0.8, 0, forms },
#define AIMED(weight, forms) { K_AIMED, weight, 0, forms },
#define CALL(weight, forms) { K_CALL, weight, 0, forms },
#define RIVAL(weight, forms) { K_RIVAL, weight, 0, forms },
#define NOT(forms) { K_NOT, 0, 0, forms },
#define SCALE(factor, forms) { K_SCALE, factor, 0, forms },
#define TURN(factor, forms) { K_TURN, factor, 0, forms },
#define COMPARE(forms) { K_COMPARE, 0, 0, forms },
#define STOP(forms) { K_STOP, 0, 0, forms },
#define QUIET(forms) { K_QUIET, 0, 0, forms },
#include "analytics/news/scorers/lexicon.def"
};

struct entry {
    const char *text; /* inside a row's forms; NULL in an empty slot */
    double weight, alone;
    uint32_t hash;
    uint8_t bytes, kind, words_max; /* words of the longest phrase that begins with this word */
};
static struct entry table[SLOTS];
static const struct entry no_word = { .text = "n't", .kind = K_NOT };

static uint32_t hash_more(uint32_t h, const char *p, size_t n) /* FNV-1a */
{
    for (size_t i = 0; i < n; i++) h = (h ^ (uint8_t)p[i]) * 16777619u;
    return h;
}
static uint32_t hash_of(const char *p, size_t n) { return hash_more(2166136261u, p, n); }

static struct entry *slot_of(const char *p, size_t n,
                             uint32_t h) /* where it is, or the empty slot where it belongs */
{
    uint32_t i = (h ^ h >> 15) & (SLOTS - 1);
    while (table[i].text
           && (table[i].hash != h || table[i].bytes != n || memcmp(table[i].text, p, n) != 0))
        i = (i + 1) & (SLOTS - 1);
    return &table[i];
}

static struct entry *slot_for_word(const char *p, size_t n)
{
    struct entry *e = slot_of(p, n, hash_of(p, n));
    if (!e->text)
        *e = (struct entry){
            .text = p, .hash = hash_of(p, n), .bytes = (uint8_t)n, .kind = K_PREFIX, .words_max = 1
        };
    return e;
}

/* Before main, so there is neither a lock nor an init to forget. */
__attribute__((constructor)) static void build_table(void)
{
    for (size_t r = 0; r < ARRAY_LEN(rows); r++)
        for (const char *p = rows[r].forms, *end; *p; p = end + (*end == '|')) {
            end = strchrnul(p, '|');
            size_t first = strcspn(p, " |");
            uint8_t words = 1;
            for (const char *c = p; c < end; c++) words = (uint8_t)(words + (*c == ' '));
            struct entry *e = slot_for_word(p, (size_t)(end - p)), *head = slot_for_word(p, first);
            assert(e->kind == K_PREFIX && "a form appears twice in lexicon.def");
            e->kind = (uint8_t)rows[r].kind;
            e->weight = rows[r].weight;
            e->alone = rows[r].alone;
            if (head->words_max < words) head->words_max = words;
        }
}

/* ---- text to tokens --------------------------------------------------------------------------------------------- */

enum {
    CAP = 1,
    NUMBER = 2,
    PERCENT = 4,
    COMMA = 8,
    BREAK = 16,
    GAP = 32,
    INSIDE = 64,
    BOUND = 128,
    LOWER_SEEN = 256,
    YEAR = 512
};

struct token {
    const struct entry *e; /* what the lexicon says, NULL for nothing */
    double tone;           /* what it adds; 0 for nothing */
    double number;
    uint64_t about;      /* the targets mentioned here, as bits */
    uint32_t src, src_n; /* bytes of the text */
    uint32_t hash;
    uint16_t at,
        flags; /* COMMA, BREAK, GAP: punctuation before it; INSIDE: a later word of a phrase */
    uint8_t n, words, clause, segment;
};

struct sentence {
    struct token t[TOKENS_MAX];
    double factor[TOKENS_MAX + 1]; /* weight of each clause */
    int n;
    uint16_t used;
    char norm[TOKENS_MAX * (WORD_BYTES_MAX + 1)
              + 1]; /* lower case, accents dropped, one space after every word */
};

struct reader {
    const char *p;
    uint32_t n, at;
};

enum glyph { G_LETTER, G_DIGIT, G_SPACE, G_COMMA, G_BREAK, G_STOP, G_APOSTROPHE, G_OTHER };

/* One character of any bytes: its class, its length, its lower-case text without accent. */
static enum glyph glyph_at(const struct reader *r, uint32_t at, uint32_t *len, char out[4],
                           uint32_t *out_n)
{
    static const char latin1[] = "aaaaaaaceeeeiiiidnoooooxouuuuytsaaaaaaaceeeeiiiidnoooooxouuuuyty";
    const uint8_t *p = (const uint8_t *)r->p + at;
    uint32_t left = r->n - at;
    uint8_t c = *p;
    *len = 1;
    *out_n = 1;
    out[0] = (char)c;
    if (c < 0x80) {
        if (c >= 'a' && c <= 'z') return G_LETTER;
        if (c >= 'A' && c <= 'Z') {
            out[0] = (char)(c | 0x20);
            return G_LETTER;
        }
        if (c >= '0' && c <= '9') return G_DIGIT;
        switch (c) {
        case ',': return G_COMMA;
        case ';':
        case ':':
        case '(':
        case ')':
        case '[':
        case ']':
        case '|': return G_BREAK;
        case '.':
        case '!':
        case '?': return G_STOP;
        case '\'': return G_APOSTROPHE;
        case ' ':
        case '\t':
        case '\r':
        case '\n': return G_SPACE;
        default: return G_OTHER;
        }
    }
    if (c == 0xC3 && left > 1 && (p[1] & 0xC0) == 0x80) {
        *len = 2;
        out[0] = latin1[p[1] & 0x3F];
        return G_LETTER;
    }
    if (c == 0xC2 && left > 1) {
        *len = 2;
        return p[1] == 0xA0 ? G_SPACE : G_OTHER;
    }
    if (c == 0xE2 && left > 2) {
        *len = 3;
        if (p[1] == 0x80 && p[2] == 0x99) return G_APOSTROPHE;
        if (p[1] == 0x80 && (p[2] == 0x93 || p[2] == 0x94 || p[2] == 0xA6)) return G_BREAK;
        return G_OTHER;
    }
    if (c == 0xE3 && left > 2 && p[1] == 0x80) {
        *len = 3;
        return p[2] == 0x82 ? G_STOP : G_BREAK;
    }
    return G_LETTER; /* other scripts, and bytes that are no UTF-8, one by one */
}

static bool is_one_of(const char *list, const char *p, size_t n) /* list: "|a|b|" */
{
    char want[WORD_BYTES_MAX + 3] = "|";
    if (n == 0 || n > WORD_BYTES_MAX) return false;
    memcpy(want + 1, p, n);
    want[n + 1] = '|';
    return strstr(list, want) != NULL;
}

static bool ends_sentence(const struct reader *r, uint32_t dot, const struct sentence *s)
{
    static const char short_forms[] =
        "|inc|corp|co|ltd|plc|mr|mrs|ms|dr|st|vs|jr|sr|jan|feb|mar|apr|jun|jul|aug|sep|"
        "sept|oct|nov|dec|approx|est|bros|rs|etc|";
    uint32_t i = dot + 1;
    if (i < r->n && !strchr(" \t\r\n\"')", r->p[i])) return false;
    while (i < r->n && strchr(" \t\r\n\"')", r->p[i]) && r->p[i]) i++;
    if (i >= r->n) return true;
    if (r->p[dot] != '.') return true;
    if (r->p[i] >= 'a' && r->p[i] <= 'z') return false;
    if (s->n == 0) return false;
    const struct token *last = &s->t[s->n - 1];
    if (last->src + last->src_n != dot) return true;
    return last->n > 1 && !is_one_of(short_forms, s->norm + last->at, last->n);
}

static double unit_of(const char *p, size_t n)
{
    if (is_one_of("|m|mn|mln|million|millions|", p, n)) return 1e6;
    if (is_one_of("|b|bn|bln|billion|billions|", p, n)) return 1e9;
    if (is_one_of("|k|thousand|", p, n)) return 1e3;
    if (is_one_of("|crore|crores|cr|", p, n)) return 1e7;
    if (is_one_of("|lakh|lakhs|", p, n)) return 1e5;
    if (is_one_of("|trillion|tn|trn|", p, n)) return 1e12;
    return 1;
}

/* Reads one word or number that begins at r->at. */
static void read_token(struct reader *r, struct sentence *s, uint16_t flags)
{
    struct token *t = &s->t[s->n];
    *t = (struct token){ .src = r->at, .at = s->used, .words = 1, .flags = flags };
    char *to = s->norm + s->used, g[4];
    uint32_t n = 0, len, g_n;
    double number = 0, place = 0;
    size_t letters_at = 0;
    uint8_t lead = (uint8_t)r->p[r->at], second = r->at + 1 < r->n ? (uint8_t)r->p[r->at + 1] : 0;
    if ((lead >= 'A' && lead <= 'Z') || (lead >= '0' && lead <= '9')
        || (lead == 0xC3 && second < 0x9F))
        t->flags |= CAP;
    if (lead >= '0' && lead <= '9') t->flags |= NUMBER;
    while (r->at < r->n) {
        enum glyph c = glyph_at(r, r->at, &len, g, &g_n);
        if (c == G_APOSTROPHE || (c == G_OTHER && g[0] == '&')
            || ((c == G_COMMA || c == G_STOP) && t->flags & NUMBER)) {
            uint32_t after = r->at + len, len2, n2;
            char g2[4];
            if (after >= r->n) break;
            enum glyph next = glyph_at(r, after, &len2, g2, &n2);
            if (c == G_APOSTROPHE || g[0] == '&') {
                if (next != G_LETTER) break;
                g[0] = c == G_APOSTROPHE ? '\'' : '&';
            } else {
                if (next != G_DIGIT || letters_at || g[0] == '!' || g[0] == '?') break;
                if (g[0] == '.' && place == 0) place = 1;
                else if (g[0] == '.') break;
            }
        } else if (c == G_DIGIT) {
            if (t->flags & NUMBER && !letters_at && n < 20) {
                number = number * 10 + (g[0] - '0');
                place *= 10;
            }
        } else if (c == G_LETTER) {
            if (t->flags & NUMBER && !letters_at) letters_at = n;
            if (r->p[r->at] >= 'a' && r->p[r->at] <= 'z') t->flags |= LOWER_SEEN;
        } else break;
        if (n < WORD_BYTES_MAX) to[n++] = g[0];
        r->at += len;
    }
    t->src_n = r->at - t->src;
    if (n > 2 && to[n - 2] == '\'' && to[n - 1] == 's') n -= 2; /* the possessive */
    if (n > 3 && memcmp(to + n - 3, "n't", 3) == 0) t->e = &no_word;
    if (t->flags & NUMBER) {
        t->number = place > 1 ? number / place : number;
        if (!letters_at && place == 0 && number >= 1900 && number <= 2100 && n == 4)
            t->flags |= YEAR;
        if (letters_at && letters_at < n) t->number *= unit_of(to + letters_at, n - letters_at);
        if (r->at < r->n && r->p[r->at] == '%') t->flags |= PERCENT;
    } else if (s->n > 0 && t[-1].flags & NUMBER) {
        t[-1].number *= unit_of(to, n);
        if (is_one_of("|pct|percent|per|", to, n)) t[-1].flags |= PERCENT;
    }
    to[n] = ' ';
    t->n = (uint8_t)n;
    t->hash = hash_of(to, n);
    s->used = (uint16_t)(s->used + n + 1);
    s->n++;
}

/* The next sentence, or false at the end of the text. */
static bool read_sentence(struct reader *r, struct sentence *s)
{
    uint16_t flags = 0;
    s->n = 0;
    s->used = 0;
    while (r->at < r->n && s->n < TOKENS_MAX) {
        char g[4];
        uint32_t len, g_n;
        enum glyph c = glyph_at(r, r->at, &len, g, &g_n);
        if (c == G_LETTER || c == G_DIGIT) {
            read_token(r, s, flags);
            flags = 0;
            continue;
        }
        bool end = c == G_STOP && (len > 1 || ends_sentence(r, r->at, s));
        if (c == G_COMMA) flags |= COMMA | GAP;
        else if (c == G_BREAK) flags |= BREAK | GAP;
        else if (c == G_OTHER && g[0] == '-' && r->at > 0
                 && (r->p[r->at - 1] == ' ' || r->p[r->at - 1] == '-'))
            flags |= BREAK | GAP;
        else if (g[0] == '\n' && r->at + 1 < r->n && r->p[r->at + 1] == '\n') end = true;
        r->at += len;
        if (end && s->n > 0) break;
    }
    s->norm[s->used] = '\0';
    return s->n > 0;
}

static void look_up(struct sentence *s)
{
    for (int i = 0; i < s->n; i++) {
        struct token *t = &s->t[i];
        if (t->about || t->flags & INSIDE || t->e)
            continue; /* a company's name says nothing: "Best Buy" */
        const struct entry *e = slot_of(s->norm + t->at, t->n, t->hash),
                           *best = e->text && e->kind != K_PREFIX ? e : NULL;
        if (!e->text) continue;
        uint32_t h = t->hash;
        int words = 1;
        for (int k = 1; k < e->words_max && i + k < s->n; k++) {
            const struct token *w = &t[k];
            if (w->flags & GAP || w->about) break;
            h = hash_more(h, s->norm + w->at - 1, w->n + 1u); /* with the space before it */
            const struct entry *longer =
                slot_of(s->norm + t->at, (size_t)(w->at + w->n - t->at), h);
            if (longer->text && longer->kind != K_PREFIX) {
                best = longer;
                words = k + 1;
            }
        }
        if (!best) continue;
        t->e = best;
        t->words = (uint8_t)words;
        for (int k = 1; k < words; k++) t[k].flags |= INSIDE;
    }
}

/* ---- the tone of a sentence ------------------------------------------------------------------------------------- */

static bool has_kind(const struct token *t, enum kind k) { return t->e && t->e->kind == k; }

/* Clauses end at strong punctuation and at words such as "but"; segments at commas too. */
static void number_clauses(struct sentence *s)
{
    uint8_t clause = 0, segment = 0;
    s->factor[0] = 1;
    for (int i = 0; i < s->n; i++) {
        struct token *t = &s->t[i];
        bool turn = has_kind(t, K_TURN), aside_over = t->flags & COMMA && s->factor[clause] < 1;
        if (i > 0 && (turn || t->flags & BREAK || aside_over)) {
            s->factor[++clause] = 1;
            segment++;
        } else if (i > 0 && t->flags & COMMA) segment++;
        if (turn) {
            s->factor[clause] = t->e->weight;
            if (t->e->weight > 1 && clause > 0 && s->factor[clause - 1] == 1)
                s->factor[clause - 1] = 0.8;
        }
        t->clause = clause;
        t->segment = segment;
    }
}

static int thing_before(const struct sentence *s, int i, int reach, bool bound)
{
    for (int j = i - 1; j >= 0 && j >= i - reach && s->t[j].clause == s->t[i].clause; j--)
        if (has_kind(&s->t[j], K_THING) && (bound || !(s->t[j].flags & BOUND))) return j;
    return -1;
}

/* The object: "cut costs", "a rise in the number of orders", "eased fears". */
static int thing_after(const struct sentence *s, int i, int reach)
{
    for (int j = i + s->t[i].words; j < s->n && j <= i + reach; j++) {
        const struct token *t = &s->t[j];
        if (t->flags & (NUMBER | GAP) || has_kind(t, K_STOP) || has_kind(t, K_TURN)
            || has_kind(t, K_COMPARE) || has_kind(t, K_MOVE))
            return -1;
        if (has_kind(t, K_THING)
            || (has_kind(t, K_TONE) && t->e->weight < 0 && s->t[i].e->weight < 0))
            return j;
    }
    return -1;
}

static void bind_move(struct sentence *s, int i)
{
    struct token *t = &s->t[i];
    int j = -1;
    if (!has_kind(t, K_GRADE)) j = thing_before(s, i, 2, false);
    if (j < 0) j = thing_after(s, i, 6);
    if (j < 0) j = thing_before(s, i, 24, false);
    if (j >= 0 && has_kind(&s->t[j], K_TONE)) { /* less of something bad */
        t->tone = -0.6 * s->t[j].e->weight;
        s->t[j].flags |= BOUND;
    } else if (j >= 0) {
        double repeat = s->t[j].flags & BOUND ? 0.4 : 1;
        t->tone = t->e->weight * s->t[j].e->weight * repeat;
        s->t[j].flags |= BOUND;
    } else if ((j = thing_before(s, i, 24, true)) >= 0)
        t->tone = 0.4 * t->e->weight * s->t[j].e->weight;
    else t->tone = t->e->alone;
}

static void bind_swing(struct sentence *s, int i)
{
    struct token *t = &s->t[i];
    for (int j = i + t->words; j < s->n && j <= i + 6 && s->t[j].clause == t->clause; j++)
        if (has_kind(&s->t[j], K_THING)) {
            t->tone = t->e->weight * s->t[j].e->weight;
            s->t[j].flags |= BOUND;
            int before = thing_before(s, i, 12, false); /* "profit swung to a loss": said once */
            if (before >= 0) s->t[before].flags |= BOUND;
            return;
        }
}

/* "a profit of 5.1 mn, compared with a loss of 2 mn" or "... with 3.2 mn a year before". */
static void bind_compare(struct sentence *s, int i)
{
    int now = -1, thing = -1;
    for (int j = i - 1; j >= 0 && j >= i - 24 && (thing < 0 || now < 0); j--) {
        const struct token *t = &s->t[j];
        if (has_kind(t, K_MOVE) || has_kind(t, K_GRADE) || has_kind(t, K_SWING)
            || has_kind(t, K_COMPARE))
            return; /* it has been said in words */
        if (now < 0 && t->flags & NUMBER && !(t->flags & YEAR)) now = j;
        if (thing < 0 && has_kind(t, K_THING)) thing = j;
    }
    if (thing < 0 || s->t[thing].flags & BOUND) return;
    double sense = s->t[thing].e->weight;
    for (int j = i + s->t[i].words; j < s->n && j <= i + 10; j++) {
        struct token *t = &s->t[j];
        if (has_kind(t, K_THING) && sense * t->e->weight < 0) {
            s->t[i].tone = 0.8 * sense;
        } else if (now >= 0 && t->flags & NUMBER && !(t->flags & YEAR)) {
            if ((t->flags ^ s->t[now].flags) & PERCENT) return;
            double a = s->t[now].number, b = t->number;
            s->t[i].tone = sense * (a > b ? 0.5 : a < b ? -0.5 : 0);
        } else continue;
        s->t[thing].flags |= BOUND;
        if (has_kind(t, K_THING)) t->flags |= BOUND;
        return;
    }
}

/* Negation, emphasis and doubt around a hit, and the weight of its clause. */
static double modified(const struct sentence *s, int i)
{
    const struct token *t = &s->t[i];
    double tone = t->tone;
    for (int j = i - 1, seen = 0;
         j >= 0 && seen < 4 && s->t[j].clause == t->clause && !(s->t[j + 1].flags & GAP); j--) {
        const struct token *b = &s->t[j];
        if (b->flags & INSIDE) continue;
        if (b->tone != 0) {
            if (seen) break;
            continue; /* next to it: "fails to win approval" negates both */
        }
        seen++;
        if (has_kind(b, K_NOT)) {
            tone *= -0.6;
            break;
        }
        if (has_kind(b, K_SCALE) && seen <= 2) tone *= b->e->weight;
    }
    int next = i + t->words;
    if (next < s->n && has_kind(&s->t[next], K_SCALE) && !(s->t[next].flags & GAP))
        tone *= s->t[next].e->weight;
    return tone * s->factor[t->clause];
}

static void read_tone(struct sentence *s)
{
    look_up(s);
    number_clauses(s);
    for (int i = 0; i < s->n; i++)
        if (has_kind(&s->t[i], K_SWING)) bind_swing(s, i);
    for (int i = 0; i < s->n; i++)
        if (has_kind(&s->t[i], K_COMPARE)) bind_compare(s, i);
    for (int i = 0; i < s->n; i++)
        if (has_kind(&s->t[i], K_MOVE) || has_kind(&s->t[i], K_GRADE)) bind_move(s, i);
    for (int i = 0; i < s->n; i++) {
        struct token *t = &s->t[i];
        if (!t->e || t->flags & BOUND) continue;
        switch (t->e->kind) {
        case K_TONE:
        case K_AIMED:
        case K_RIVAL: t->tone = t->e->weight; break;
        case K_CALL:
            if (i == 0 || t->flags & BREAK) t->tone = t->e->weight;
            break;
        case K_THING: t->tone = t->e->alone; break;
        default: break;
        }
    }
    double tone
        [TOKENS_MAX]; /* all from the unmodified ones: the result must not depend on the direction */
    for (int i = 0; i < s->n; i++) tone[i] = s->t[i].tone == 0 ? 0 : modified(s, i);
    for (int i = 0; i < s->n; i++) s->t[i].tone = tone[i];
}

/* ---- who it is about -------------------------------------------------------------------------------------------- */

struct form {
    char text[FORM_BYTES_MAX + 1];
    uint32_t first_hash;
    uint8_t bytes, words;
    bool any_case;
};
struct finder {
    struct str symbol; /* without an exchange prefix */
    struct form form[FORMS_MAX];
    int forms_n;
    uint64_t bit;
};
struct pool {
    double head_p, head_n, body_p, body_n, body_w;
    bool in_head, in_body;
};
struct about { /* what has been gathered on one target */
    struct pool pool;
    uint64_t first_at;
    uint32_t mentions, head_mentions;
};
struct reading_state {
    struct finder *finder;
    struct about *about;
    size_t n;
    uint64_t first_bits; /* a small filter on the first words of all names */
    uint64_t carry;      /* who the last sentence with a mention was about */
    int carry_left;
    uint64_t base; /* bytes before this text */
    uint32_t mentions;
};

/* Words from..to-1 of a name become a form to look for. */
static void finder_add(struct finder *f, const struct sentence *s, int from, int to)
{
    const struct token *first = &s->t[from], *last = &s->t[to - 1];
    const char *text = s->norm + first->at;
    size_t n = (size_t)(last->at + last->n - first->at);
    if (f->forms_n == FORMS_MAX || n > FORM_BYTES_MAX || n < 2) return;
    for (int i = 0; i < f->forms_n; i++)
        if (f->form[i].bytes == n && memcmp(f->form[i].text, text, n) == 0) return;
    struct form *m = &f->form[f->forms_n++];
    memcpy(m->text, text, n);
    m->bytes = (uint8_t)n;
    m->words = (uint8_t)(to - from);
    m->first_hash = first->hash;
    m->any_case = !(first->flags & CAP); /* "eBay", "lululemon" */
}

/* "Bank of America Corp." gives "bank of america"; "Micron Technology, Inc." also "micron". */
static void finder_add_name(struct finder *f, struct str name, struct sentence *s)
{
    static const char endings[] =
        "|inc|incorporated|corp|corporation|co|company|companies|ltd|limited|plc|llc|lp|sa|ag|nv|se|spa|oyj|oy|ab|asa|as|"
        "group|holdings|holding|trust|class|a|b|c|common|stock|ordinary|ord|shares|share|adr|ads|depositary|the|cl|and|international|"
        "technologies|technology|gmbh|kgaa|bhd|pt|tbk|jsc|pjsc|reit|units|series|sponsored|new|del|";
    static const char too_common[] =
        "|advanced|american|america|applied|first|general|global|international|national|united|bank|"
        "best|home|public|southern|northern|western|eastern|north|south|west|east|central|pacific|atlantic|royal|british|china|india|indian|japan|european|digital|energy|"
        "electronic|electric|health|consolidated|standard|state|street|service|services|capital|financial|morgan|johnson|smith|williams|texas|"
        "california|dollar|great|people|power|quest|realty|republic|under|union|universal|water|waste|world|tata|adani|housing|industrial|motor|"
        "motors|steel|real|data|open|blue|gold|life|city|high|next|range|constellation|citizens|church|automatic|alliance|allied|";
    static const char given_names[] =
        "|walt|eli|estee|ralph|charles|philip|henry|jack|john|robert|martin|raymond|arthur|";
    struct reader r = { name.p, name.n, 0 };
    while (r.at < r.n && s->n < TOKENS_MAX) { /* dots do not end a name */
        char g[4];
        uint32_t len, g_n;
        enum glyph c = glyph_at(&r, r.at, &len, g, &g_n);
        if (c == G_LETTER || c == G_DIGIT) {
            read_token(&r, s, 0);
            if (s->n == 1 && r.at < r.n && is_one_of("|the|", s->norm, s->t[0].n))
                s->n = s->used = 0;     /* "The Boeing Company" */
        } else if (c == G_BREAK) break; /* "(Class A)" and what follows */
        else r.at += len;
    }
    if (s->n == 0) return;
    int words = s->n;
    while (words > 1 && is_one_of(endings, s->norm + s->t[words - 1].at, s->t[words - 1].n))
        words--;
    bool common = is_one_of(too_common, s->norm, s->t[0].n);
    if (words == 1 && common && s->n > 1) words = 2; /* "General Group" is never just "General" */
    finder_add(f, s, 0, words);
    if (words < 2) return;
    if (is_one_of(given_names, s->norm, s->t[0].n))
        finder_add(f, s, words - 1, words); /* "Disney" */
    else if (s->t[0].n >= 4 && !common) finder_add(f, s, 0, 1);
}

static void finder_init(struct finder *f, const struct sentiment_target *t, size_t k)
{
    struct sentence s;
    *f = (struct finder){ .symbol = t->symbol, .bit = 1ull << k };
    for (uint32_t i = 0; i < t->symbol.n; i++)
        if (t->symbol.p[i] == ':')
            f->symbol = (struct str){ t->symbol.p + i + 1, t->symbol.n - i - 1 };
    s.n = 0;
    s.used = 0;
    finder_add_name(f, t->issuer, &s);
    s.n = 0;
    s.used = 0;
    finder_add_name(f, t->instrument, &s);
}

static bool alnum_at(const struct reader *r, int64_t at)
{
    if (at < 0 || at >= r->n) return false;
    uint8_t c = (uint8_t)r->p[at];
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

/* $F, (F), (NYSE: F), NYSE:F. */
static bool marked_as_ticker(const struct reader *r, const struct sentence *s, int i, uint32_t end)
{
    static const char exchanges[] =
        "|nyse|nasdaq|nasdaqgs|amex|lse|tsx|asx|nse|bse|xnas|xnys|otc|arca|omx|hkex|six|nysearca|nysemkt|";
    uint32_t at = s->t[i].src;
    if (at > 0 && r->p[at - 1] == '$') return true;
    if (at > 0 && r->p[at - 1] == '(' && end < r->n && r->p[end] == ')') return true;
    while (at > 0 && r->p[at - 1] == ' ') at--;
    return i > 0 && at > 0 && r->p[at - 1] == ':'
           && is_one_of(exchanges, s->norm + s->t[i - 1].at, s->t[i - 1].n);
}

/* The number of tokens of the symbol at token i, or 0. */
static int symbol_at(const struct finder *f, const struct reader *r, const struct sentence *s,
                     int i, bool shouting)
{
    static const char acronyms[] =
        "|CEO|CFO|COO|IPO|ETF|GDP|FDA|SEC|USA|EPS|CPI|ECB|IMF|FED|RBI|EUR|USD|GBP|INR|"
        "ALL|AND|ARE|FOR|HAS|NOW|NEW|LOW|KEY|ONE|WELL|REAL|";
    const struct token *t = &s->t[i];
    uint32_t n = f->symbol.n, end = t->src + n;
    if (n == 0 || end > r->n || memcmp(r->p + t->src, f->symbol.p, n) != 0) return 0;
    if (alnum_at(r, end) || (end + 1 < r->n && r->p[end] == '.' && alnum_at(r, end + 1))) return 0;
    if ((n <= 2 || shouting || is_one_of(acronyms, f->symbol.p, n))
        && !marked_as_ticker(r, s, i, end))
        return 0;
    int words = 1;
    while (i + words < s->n && s->t[i + words].src < end) words++;
    return words;
}

static int form_at(const struct form *m, const struct sentence *s, int i)
{
    const struct token *t = &s->t[i];
    if (t->hash != m->first_hash || !(t->flags & CAP || m->any_case) || i + m->words > s->n)
        return 0;
    const struct token *last = &t[m->words - 1];
    if (last->at + last->n - t->at != m->bytes || memcmp(s->norm + t->at, m->text, m->bytes) != 0)
        return 0;
    for (int k = 1; k < m->words; k++)
        if (t[k].flags & BREAK) return 0;
    return m->words;
}

/* Marks the mentions; the longest form wins, two targets may share one. */
static uint64_t find_mentions(struct reading_state *st, const struct reader *r, struct sentence *s,
                              bool head)
{
    bool shouting = s->n >= 3;
    uint64_t all = 0;
    for (int i = 0; i < s->n && shouting; i++) shouting = !(s->t[i].flags & LOWER_SEEN);
    for (int i = 0; i < s->n; i++) {
        struct token *t = &s->t[i];
        bool name_possible = st->first_bits >> (t->hash & 63) & 1;
        uint64_t bits = 0;
        int longest = 0;
        if (!(t->flags & CAP) && !name_possible) continue;
        for (size_t k = 0; k < st->n; k++) {
            const struct finder *f = &st->finder[k];
            int words = t->flags & CAP ? symbol_at(f, r, s, i, shouting) : 0;
            for (int m = 0; name_possible && m < f->forms_n; m++) {
                int w = form_at(&f->form[m], s, i);
                if (w > words) words = w;
            }
            if (words > longest) {
                longest = words;
                bits = 0;
            }
            if (words && words == longest) bits |= f->bit;
        }
        if (!bits) continue;
        t->words = (uint8_t)longest;
        all |= bits;
        st->mentions++;
        for (int k = 0; k < longest; k++) {
            t[k].about = bits;
            t[k].e = NULL;
            if (k) t[k].flags |= INSIDE;
        }
        for (size_t k = 0; k < st->n; k++) {
            if (!(bits & st->finder[k].bit)) continue;
            struct about *a = &st->about[k];
            if (a->mentions++ == 0) a->first_at = st->base + t->src;
            a->head_mentions += head;
        }
        i += longest - 1;
    }
    return all;
}

/* "Apple, Intel and AMD": neighbours joined by a comma, "and" or nothing are spoken of together. */
static void join_lists(struct sentence *s)
{
    for (int i = 0; i < s->n; i++) {
        if (!s->t[i].about) continue;
        uint64_t bits = s->t[i].about;
        int end = i + 1, last = i;
        for (; end < s->n && end - last <= 2; end++) {
            struct token *t = &s->t[end];
            if (t->about) {
                bits |= t->about;
                last = end;
            } else if (!is_one_of("|and|or|plus|", s->norm + t->at, t->n) || t->flags & BREAK)
                break;
        }
        for (int j = i; j <= last; j++) {
            s->t[j].about = bits;
            s->t[j].segment = s->t[i].segment;
        }
        for (int j = last + 1; j < s->n && last > i && s->t[j].segment > s->t[i].segment
                               && !(s->t[j].flags & GAP) && !has_kind(&s->t[j], K_TURN);
             j++)
            s->t[j].segment = s->t[i].segment; /* the verb after the list belongs to it */
        i = last;
    }
}

/* A part of a sentence that begins with some other capitalised name is about that one: "..., Tesla slumps". */
static bool foreign(const struct sentence *s, int segment)
{
    for (int i = 0; i < s->n; i++) {
        const struct token *t = &s->t[i];
        if (t->segment != segment || has_kind(t, K_TURN) || (t->flags & INSIDE && !t->about))
            continue;
        bool acts =
            i + 1 < s->n
            && (has_kind(t + 1, K_MOVE) || has_kind(t + 1, K_TONE) || has_kind(t + 1, K_RIVAL));
        return (i > 0 || acts) && t->flags & CAP && !(t->flags & NUMBER) && !t->e && !t->about
               && !is_one_of(
                   "|the|its|it|but|and|their|his|her|this|these|company|in|on|by|a|an|with|q1|q2|q3|q4|net|",
                   s->norm + t->at, t->n);
    }
    return false;
}

static uint64_t mention_from(const struct sentence *s, int from, int step, int reach, int segment)
{
    for (int i = from, k = 0; i >= 0 && i < s->n && k < reach; i += step, k++) {
        if (segment >= 0 && s->t[i].segment != segment) return 0;
        if (s->t[i].about) return s->t[i].about;
    }
    return 0;
}

/* Whom the hit at token i is about, and how surely. */
static uint64_t owner_of(const struct sentence *s, int i, double *sure)
{
    const struct token *t = &s->t[i];
    uint64_t who;
    *sure = 1;
    if (has_kind(t, K_AIMED) || has_kind(t, K_CALL)) {
        who = mention_from(s, i + t->words, 1, 4, t->segment);
        if (who) return who;
    }
    if ((who = mention_from(s, i, -1, TOKENS_MAX, t->segment))) return who;
    if ((who = mention_from(s, i, 1, TOKENS_MAX, t->segment))) return who;
    if (foreign(s, t->segment)) return 0;
    *sure = 0.75;
    if ((who = mention_from(s, i, -1, TOKENS_MAX, -1))) return who;
    return mention_from(s, i, 1, TOKENS_MAX, -1);
}

static void pool_add(struct pool *p, double tone, double weight, bool head)
{
    double *to = head ? (tone > 0 ? &p->head_p : &p->head_n) : (tone > 0 ? &p->body_p : &p->body_n);
    *to += fabs(tone) * weight;
}

static void credit(struct reading_state *st, uint64_t who, double tone, double weight, bool head)
{
    for (size_t k = 0; k < st->n; k++)
        if (who & st->finder[k].bit) pool_add(&st->about[k].pool, tone, weight, head);
}

static void share_out(struct reading_state *st, struct sentence *s, uint64_t named, double weight,
                      bool head)
{
    uint64_t present = named ? named : st->carry_left > 0 ? st->carry : 0;
    double carried = named ? 1 : 0.4;
    for (size_t k = 0; k < st->n; k++)
        if (present & st->finder[k].bit) {
            struct pool *p = &st->about[k].pool;
            if (head) p->in_head = true;
            else {
                p->in_body = true;
                p->body_w += weight * carried;
            }
        }
    if (!present) return;
    if (named) join_lists(s);
    for (int i = 0; i < s->n; i++) {
        const struct token *t = &s->t[i];
        if (t->tone == 0) continue;
        double sure = carried;
        uint64_t who = named ? owner_of(s, i, &sure) : present;
        credit(st, who, t->tone, weight * sure, head);
        if (has_kind(t, K_RIVAL)) {
            uint64_t other = mention_from(s, i + t->words, 1, 3, t->segment) & ~who;
            credit(st, other, -t->tone, weight, head);
        }
    }
    if (named) {
        st->carry = named;
        for (int i = 0; i < s->n; i++)
            if (s->t[i].about && s->t[i].about != named)
                st->carry = 0; /* "the company" would not be clear */
        st->carry_left = 2;
    } else st->carry_left--;
}

/* ---- the masses ------------------------------------------------------------------------------------------------- */

/* Neutral mass is what a reader brings: one unit of evidence for a headline, half a unit and half of every sentence for
 * a body, so that a long body must keep saying it. The headline is 60 % of an article that has both. */
static struct sentiment pool_masses(const struct pool *p)
{
    double head = p->in_head ? (p->in_body ? 0.6 : 1) : 0, body = p->in_body ? 1 - head : 0;
    double head_all = p->head_p + p->head_n + 1,
           body_all = p->body_p + p->body_n + 0.5 + 0.5 * p->body_w;
    struct sentiment m = { .positive = head * p->head_p / head_all + body * p->body_p / body_all,
                           .negative = head * p->head_n / head_all + body * p->body_n / body_all };
    m.neutral = 1 - m.positive - m.negative;
    m.score = m.positive - m.negative;
    m.label = sentiment_label_of(m.positive, m.negative);
    return m;
}

/* Reads one text into the article's pool, and into each target's. */
static void read_text(struct str text, bool head, struct pool *whole, struct reading_state *st)
{
    struct sentence s;
    struct reader r = { text.p, text.n, 0 };
    for (double nth = 0; read_sentence(&r, &s); nth++) {
        double weight = head ? 1 : 1 / (1 + nth / 10); /* what matters comes first */
        uint64_t named = st ? find_mentions(st, &r, &s, head) : 0;
        read_tone(&s);
        if (whole) {
            if (head) whole->in_head = true;
            else {
                whole->in_body = true;
                whole->body_w += weight;
            }
            for (int i = 0; i < s.n; i++)
                if (s.t[i].tone != 0) pool_add(whole, s.t[i].tone, weight, head);
        }
        if (st) share_out(st, &s, named, weight, head);
    }
}

static void score_article(struct str headline, struct str body, struct sentiment *out)
{
    struct pool whole = { 0 };
    read_text(headline, true, &whole, NULL);
    read_text(body, false, &whole, NULL);
    *out = pool_masses(&whole);
}

static double relevance_of(const struct about *a, uint32_t mentions_all, int companies,
                           double bytes)
{
    if (a->mentions == 0) return 0;
    double r = 0.45 * (a->head_mentions > 0) + 0.25 * (1 - (double)a->first_at / bytes)
               + 0.30 * a->mentions / mentions_all;
    return r * (0.6 + 0.4 / companies);
}

static void score_targets(struct str headline, struct str body,
                          const struct sentiment_target *targets, size_t n,
                          struct sentiment_ticker *out)
{
    struct finder finder[ARTICLE_SYMBOLS_MAX];
    struct about about[ARTICLE_SYMBOLS_MAX];
    struct reading_state st = { .finder = finder, .about = about, .n = n };
    assert(n <= ARTICLE_SYMBOLS_MAX);

    for (size_t k = 0; k < n; k++) {
        finder_init(&finder[k], &targets[k], k);
        about[k] = (struct about){ 0 };
        for (int m = 0; m < finder[k].forms_n; m++)
            st.first_bits |= 1ull << (finder[k].form[m].first_hash & 63);
    }
    read_text(headline, true, NULL, &st);
    st.base = headline.n;
    read_text(body, false, NULL, &st);

    int companies = 0; /* share classes of one company are found at the same places, and are one */
    for (size_t k = 0; k < n; k++) {
        bool counted = about[k].mentions == 0;
        for (size_t j = 0; j < k && !counted; j++)
            counted = about[j].mentions > 0 && about[j].first_at == about[k].first_at;
        companies += !counted;
    }
    for (size_t k = 0; k < n; k++)
        out[k] =
            (struct sentiment_ticker){ .tone = pool_masses(&about[k].pool),
                                       .mentions = about[k].mentions,
                                       .relevance = relevance_of(&about[k], st.mentions, companies,
                                                                 (double)headline.n + body.n + 1) };
}

/* version: raised whenever any score can change, lexicon.def included */
const struct scorer scorer_lexicon = {
    .name = "tocsin-lexicon",
    .version = 1,
    .score = score_article,
    .score_targets = score_targets,
};
