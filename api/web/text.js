/* text.js - how values, times and measures are written on the page. Pure functions. */

const UNITS = { '-1..1': 'on \u22121 to 1', '0..1': 'of 1', '0-10000': 'of 10,000' };

/* "f(SP500, n=5)" -> { name: "f", subject: "SP500", options: "n=5" }. The subject may be a measure with commas of its own. */
export function measure(text) {
    const m = /^(\w+)\(((?:[^()]|\(.*\))*?)(?:, *([^()]*))?\)$/.exec(text);
    return m ? { name: m[1], subject: m[2], options: m[3] ?? '' } : { name: text, subject: '', options: '' };
}

export const unit = u => UNITS[u] ?? u;

/* The title of a measure's definition for these options, "n=5" or "": "Top {n} weight" -> "Top 5 weight". A parameter that is
 * left out has its default, and the words of a choice may have a {name} themselves. */
export const title = (definition, options) => fillIn(definition, options, definition.page.title);

/* What it says in another's tile: "percentile {} of {over}" -> "percentile 97.2 of 1y". */
export const words = (definition, options, value) => fillIn(definition, options, definition.page.words).replace('{}', value);

function fillIn(definition, options, whole) {
    const given = Object.fromEntries(options.split(/, */).map(o => o.split('=')));
    const said = {};
    for (const p of definition.parameters) {
        const value = given[p.name] ?? p.default;
        said[p.name] = p.words?.[p.choices.indexOf(value)] ?? value;
    }
    const fill = text => text.replace(/\{(\w+)\}/g, (all, name) => said[name] ?? all);
    return fill(fill(whole));
}

export function number(v, digits, signed = false) {
    if (v === null || v === undefined || !Number.isFinite(v)) return '–';
    const s = Math.abs(v).toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    const zero = !/[1-9]/.test(s);
    return (zero ? '' : v < 0 ? '\u2212' : signed ? '+' : '') + s;
}

/* As its measure's definition has it; for one that does not say, three significant digits at least are kept. */
export function value(v, definition) {
    const fallback = Math.abs(v) >= 1000 ? 2 : Math.abs(v) >= 1 ? 3 : 5;
    const { decimals, sign = false } = definition?.page ?? {};
    const whole = decimals === 0 && !Number.isInteger(v) ? 1 : decimals;      /* years since, of a count of sessions since */
    return number(v, whole ?? fallback, sign);
}

export const percent = (fraction, digits = 1) => `${number(100 * fraction, digits)}\u2009%`;

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
