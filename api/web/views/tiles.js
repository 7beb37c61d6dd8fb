/* tiles.js - the measures of the index, a tile each, with their evidence. */
import { $, el, say } from '../dom.js';
import * as text from '../text.js';

const MIDDLE = '-1..1';                  /* the unit whose values a meter shows, 0 in its middle */

const shown = new Map();                /* canonical text -> its tile's nodes; null: in another's */

/* In the order of the definitions. A measure may be tracked with several parameters: each has its
 * tile. One that every index has is announced before there is an index. */
function wanted(page) {
    const out = [];
    for (const definition of page.definitions.values()) {
        if (!definition.page.title) continue;
        const found = page.named(definition.name);
        if (found.length === 0 && definition.standard) out.push({ definition, text: null });
        for (const m of found) out.push({ definition, text: m });
    }
    return out;
}

/* Definitions of what is said in this one's tile. */
function beside(page, definition) {
    return [...page.definitions.values()].filter(d => d.page.beside === definition.name);
}

/* Measures of this one that have words for its tile: how it stands against its own past. */
function ofIt(page, name) {
    return [...page.measures.keys()].filter(m => {
        const { words, beside: other } = page.definition(m)?.page ?? {};
        return words && !other && text.measure(m).subject === name;
    }).sort();
}

function build(page) {
    const list = wanted(page);
    const signature = list.flatMap(w => w.text ? [w.text, ...ofIt(page, w.text)] : [w.definition.name]).join();
    if ($('tiles').dataset.built === signature && shown.size) return;
    $('tiles').dataset.built = signature;
    shown.clear();
    $('tiles').replaceChildren(...list.map(tile));
    for (const w of list) {
        for (const d of beside(page, w.definition))
            for (const m of page.named(d.name)) shown.set(m, null);
        for (const m of w.text ? ofIt(page, w.text) : []) shown.set(m, null);
    }
}

const optionsOf = m => text.measure(m).options;

function tile(w) {
    const { line } = w.definition.page;
    const title = text.title(w.definition, w.text ? optionsOf(w.text) : '');
    const n = {
        value: el('span', { className: 'value', textContent: '–' }),
        unit: el('span', { className: 'unit' }),
        more: el('span', { className: 'more' }),
        evidence: el('span', { className: 'evidence', textContent: w.text ? '' : 'not tracked' }),
        needle: w.definition.unit === MIDDLE ? el('span', { className: 'needle' }) : null,
    };
    const swatch = line ? [el('span', { className: `swatch ${line}` })] : [];
    n.box = el('article', { className: 'tile' },
        el('h2', {}, ...swatch, title),
        el('p', { className: 'figure' }, n.value, ' ', n.unit, ' ', n.more),
        n.needle ? el('div', { className: 'meter', ariaHidden: 'true' }, n.needle) : null,
        el('p', { className: 'facts-line' },
            el('code', { textContent: w.text ?? '' }), ' ', n.evidence));
    if (w.text) shown.set(w.text, n);
    else n.box.classList.add('stale');
    return n.box;
}

/* "100 % covered, 0.3 s old", or the reason why not. */
function evidence(page, m) {
    const facts = `${text.coverage(m.coverage)} covered, ${text.age(m.staleness_ms)} old`;
    const words = page.words(m.status);
    return words ? `${words}; ${facts}` : facts;
}

function show(page) {
    for (const [name, n] of shown) {
        const m = page.measures.get(name);
        if (!n || !m) continue;
        say(n.value, page.value(m.value, name));
        say(n.unit, m.value === null ? '' : text.unit(m.unit));
        say(n.evidence, evidence(page, m));
        n.evidence.title = page.help(m.status);
        n.box.classList.toggle('stale', m.status !== 'ok');
        n.box.dataset.status = m.status;
        if (n.needle) point(n.needle, m.value);
        say(n.more, saidBeside(page, name));
    }
}

/* -1 is at the left end of the meter, 1 at the right. */
function point(needle, value) {
    const at = Math.max(-1, Math.min(1, value ?? 0));
    needle.hidden = value === null;
    needle.style.left = `${50 + 50 * at}%`;
}

/* What other measures of the same parameters have to say in the tile of this one. */
function saidBeside(page, name) {
    const same = beside(page, page.definition(name))
        .map(d => page.named(d.name).find(m => optionsOf(m) === optionsOf(name)));
    return [...same, ...ofIt(page, name)].map(m => {
        const value = page.measures.get(m)?.value ?? null;
        return value === null ? '' : text.words(page.definition(m), optionsOf(m), page.value(value, m));
    }).filter(words => words).join(', ');
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
