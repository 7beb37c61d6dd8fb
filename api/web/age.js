/* age.js - how old the data of the chosen index are, in words and colour: silence is a state.
 *
 * A clock record moves the time of the engine and brings no data, so what counts is the newest input
 * of a measure. Whether a silence is too long is the engine's to say: it calls the measures stale, or
 * the members no longer priced. */
import { $, say } from './dom.js';
import * as text from './text.js';

const FRESH_MS = 10000;
const TOO_OLD = ['stale', 'low_coverage'];
const WORDS = { none: 'No data yet', unknown: 'Not known', fresh: 'Up to date', quiet: 'Quiet',
                silent: 'Silent' };

/* Those of the chosen index; without one, all. */
function looked(page) {
    const all = [...page.measures.values()];
    const own = all.filter(m => text.measure(m.measure).subject === page.index);
    return own.length ? own : all;
}

function stateOf(measures, age, known) {
    if (!known) return 'unknown';
    if (!Number.isFinite(age)) return 'none';
    if (age <= FRESH_MS) return 'fresh';
    return measures.some(m => TOO_OLD.includes(m.status)) ? 'silent' : 'quiet';
}

/* known: the service answers. now: its clock, ms. */
export function showAge(page, known, now) {
    const measures = looked(page);
    const newest = Math.max(...measures.map(m => text.ms(m.time)).filter(Number.isFinite));
    const age = Math.max(0, now - newest);
    const state = stateOf(measures, age, known);
    const since = { fresh: `${text.age(age)} old`, quiet: `for ${text.age(age)}`,
                    silent: `for ${text.age(age)}`,
                    unknown: Number.isFinite(age) ? `last ${text.age(age)} ago` : '' };
    $('age').dataset.age = state;
    say($('age-state'), WORDS[state]);
    say($('age-since'), since[state] ?? '');
    say($('clock'), Number.isFinite(newest) ? `${text.when(newest)} UTC` : '');
}
