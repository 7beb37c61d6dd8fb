/* tiles.js - the measures of the index, a tile each, with their evidence. */
import { $, el, say } from '../dom.js';
import * as text from '../text.js';

/* name -> how a tile presents the measure; the order is the order on the page. */
const TILES = [
    { name: 'level', title: 'Cap-weighted level', line: 'cap' },
    { name: 'ew_level', title: 'Equal-weighted level', line: 'ew' },
    { name: 'spread', title: 'Spread' },
    { name: 'hhi', title: 'Concentration (HHI)' },
    { name: 'top_weight', title: 'Top 10 weight' },
    { name: 'ai_sentiment', title: 'AI sentiment', meter: true },
    { name: 'ai_exposure', title: 'AI exposure', optional: true },
];

const shown = new Map();                /* canonical text -> its tile's nodes; null: in another's */

/* A measure may be tracked with several parameters: each has its tile. */
function wanted(page) {
    const out = [];
    for (const t of TILES) {
        const found = page.named(t.name);
        if (found.length === 0 && !t.optional) out.push({ ...t, text: null });
        for (const m of found) out.push({ ...t, text: m });
    }
    return out;
}

function build(page) {
    const list = wanted(page);
    const signature = list.map(w => w.text ?? w.name).join();
    if ($('tiles').dataset.built === signature && shown.size) return;
    $('tiles').dataset.built = signature;
    shown.clear();
    $('tiles').replaceChildren(...list.map(tile));
    for (const m of page.named('effective_number')) shown.set(m, null);  /* inside the HHI tile */
}

function titleOf(w) {
    const options = w.text ? text.measure(w.text).options : '';
    if (w.name === 'spread' && w.text) return text.spreadTitle(options);
    return w.title.replace('10', /n=(\d+)/.exec(options)?.[1] ?? '10');
}

function tile(w) {
    const n = {
        value: el('span', { className: 'value', textContent: '–' }),
        unit: el('span', { className: 'unit' }),
        more: el('span', { className: 'more' }),
        evidence: el('span', { className: 'evidence', textContent: w.text ? '' : 'not tracked' }),
        needle: w.meter ? el('span', { className: 'needle' }) : null,
    };
    const swatch = w.line ? [el('span', { className: `swatch ${w.line}` })] : [];
    n.box = el('article', { className: 'tile' },
        el('h2', {}, ...swatch, titleOf(w)),
        el('p', { className: 'figure' }, n.value, ' ', n.unit, ' ', n.more),
        n.needle ? el('div', { className: 'meter', ariaHidden: 'true' }, n.needle) : null,
        el('p', { className: 'facts-line' },
            el('code', { textContent: w.text ?? '' }), ' ', n.evidence));
    if (w.text) shown.set(w.text, n);
    else n.box.classList.add('stale');
    return n.box;
}

/* "100 % covered, 0.3 s old", or the reason why not. */
function evidence(m) {
    const facts = `${text.coverage(m.coverage)} covered, ${text.age(m.staleness_ms)} old`;
    const status = text.status(m.status);
    return status ? `${status}; ${facts}` : facts;
}

function show(page) {
    for (const [name, n] of shown) {
        const m = page.measures.get(name);
        if (!n || !m) continue;
        say(n.value, text.value(m.value, name));
        say(n.unit, m.value === null ? '' : text.unit(m.unit));
        say(n.evidence, evidence(m));
        n.box.classList.toggle('stale', m.status !== 'ok');
        n.box.dataset.status = m.status;
        if (n.needle) point(n.needle, m.value);
        if (text.measure(name).name === 'hhi') showEffective(page, n, name);
    }
}

/* -1 is at the left end of the meter, 1 at the right. */
function point(needle, value) {
    needle.hidden = value === null;
    needle.style.left = `${50 + 50 * Math.max(-1, Math.min(1, value ?? 0))}%`;
}

function showEffective(page, n, hhi) {
    const options = text.measure(hhi).options;
    const same = page.named('effective_number').find(m => text.measure(m).options === options);
    const e = page.measures.get(same);
    const count = e && e.value !== null ? text.value(e.value, 'effective_number()') : '';
    say(n.more, count ? `as ${count} equal companies` : '');
}

export const tiles = {
    markup: '<section class="tiles" id="tiles" aria-label="Measures of the index"></section>',
    wants: () => [...shown.keys()],
    measures(page, every) {
        if (every) build(page);
        show(page);
    },
    index(page) {
        build(page);
        show(page);
    },
    forget() {
        shown.clear();
        $('tiles').replaceChildren();
    },
};
