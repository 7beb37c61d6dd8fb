/* text.js - how values, times and measures are written on the page. Pure functions. */

const DIGITS = { last: 2, level: 2, ew_level: 2, spread: 3, hhi: 1, effective_number: 1, top_weight: 2, ret: 3,
                 sentiment: 3, ai_sentiment: 3, ai_exposure: 3 };
const SIGNED = new Set(['spread', 'ret', 'sentiment', 'ai_sentiment']);
const STATUS = { ok: '', stale: 'stale', no_data: 'no data yet', low_coverage: 'too few members priced', no_history: 'window longer than the history' };

const UNITS = { '-1..1': 'on \u22121 to 1', '0..1': 'of 1', '0-10000': 'of 10,000' };
const KINDS = { geom: 'geometric', arith: 'arithmetic', log: 'log', ann: 'annualised', ratio: 'ratio', points: 'in points' };
const WINDOWS = { ytd: 'year to date', all: 'since the start', d: 'day', mo: 'month' };

/* "spread(SP500, kind=geom)" -> { name: "spread", subject: "SP500", options: "kind=geom" } */
export function measure(text) {
    const m = /^(\w+)\(([^,)]*)(?:, *(.*))?\)$/.exec(text);
    return m ? { name: m[1], subject: m[2], options: m[3] ?? '' } : { name: text, subject: '', options: '' };
}

export const unit = u => UNITS[u] ?? u;

/* "kind=arith, window=20d" -> "Spread 20 days, arithmetic". What is left out has the default of analytics/measure.c. */
export function spreadTitle(options) {
    const p = Object.fromEntries(options.split(/, */).map(o => o.split('=')));
    const { kind = 'geom', window: span = '60d' } = p;
    const [, count, letter] = /^(\d+)(d|mo)$/.exec(span) ?? [];
    const over = WINDOWS[span] ?? (letter ? `${count} ${WINDOWS[letter]}${count === '1' ? '' : 's'}` : span);
    return `Spread ${kind === 'ratio' || kind === 'points' ? KINDS[kind] : `${over}, ${KINDS[kind] ?? kind}`}`;
}

export function number(v, digits, signed = false) {
    if (v === null || v === undefined || !Number.isFinite(v)) return '–';
    const s = Math.abs(v).toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    const zero = !/[1-9]/.test(s);
    return (zero ? '' : v < 0 ? '\u2212' : signed ? '+' : '') + s;
}

/* Six significant digits at least are kept for what we have no rule for. */
export function value(v, measureText) {
    const { name } = measure(measureText);
    const fallback = Math.abs(v) >= 1000 ? 2 : Math.abs(v) >= 1 ? 3 : 5;
    return number(v, DIGITS[name] ?? fallback, SIGNED.has(name));
}

export const percent = (fraction, digits = 1) => `${number(100 * fraction, digits)}\u2009%`;
export const status = s => STATUS[s] ?? String(s).replaceAll('_', ' ');

export function coverage(c) {            /* 99.96 % is not 100 % */
    if (c === null || c === undefined) return '–';
    return c >= 1 ? '100\u2009%' : percent(Math.floor(c * 1000) / 1000);
}

export function age(ms) {
    if (ms === null || ms === undefined) return '–';
    const s = ms / 1000;
    if (s < 10) return `${number(s, 1)}\u2009s`;
    if (s < 120) return `${number(s, 0)}\u2009s`;
    if (s < 7200) return `${number(s / 60, 0)}\u2009min`;
    if (s < 172800) return `${number(s / 3600, 0)}\u2009h`;
    return `${number(s / 86400, 0)}\u2009d`;
}

/* RFC 3339 in, milliseconds out; the engine writes up to nine digits of fraction, Date knows three. */
export const ms = rfc3339 => Date.parse(String(rfc3339).replace(/(\.\d{3})\d+/, '$1'));

export function when(t) {
    const n = typeof t === 'number' ? t : ms(t);
    return Number.isFinite(n) ? new Date(n).toISOString().slice(0, 19).replace('T', ' ') : '–';
}

/* The refused text, and a caret under the character the service points at (1-based, counted in bytes). */
export function caret(text, position) {
    const before = new TextDecoder().decode(new TextEncoder().encode(text).slice(0, Math.max(0, position - 1)));
    return `${text}\n${' '.repeat([...before].length)}^`;
}
