/* page.js - what all views see: who asks, which index is chosen, the newest answers.
 * Only app.js changes it. */
import * as text from './text.js';

/* What a view `wants` when it shows every measure there is. */
export const EVERY = Symbol('every measure');

export const page = {
    service: null,                       /* of the key in use; null: signed out */
    index: '', seq: 0, time: '',
    definitions: new Map(),              /* name of a measure -> what /v1/definitions says of it */
    statuses: new Map(),                 /* name of a status -> its words and help */
    measures: new Map(),                 /* canonical text -> the newest answer */
    alerts: new Map(),                   /* stream_no -> alert */
    wanted: null,                        /* id of the alert that a link leads to */

    definition(m) { return this.definitions.get(text.measure(m).name); },

    /* A value of the measure, as text. */
    value(v, m) { return text.value(v, this.definition(m)); },

    /* Why a measure has no good value, in a few words ('' for one that is ok), and what helps. */
    words(status) { return this.statuses.get(status)?.words ?? status.replaceAll('_', ' '); },
    help(status) { return this.statuses.get(status)?.help ?? ''; },

    /* Of the chosen index, the plainest first: [ "f(SP500)", "f(SP500, n=5)" ] */
    named(name) {
        return [...this.measures.keys()].filter(m => {
            const p = text.measure(m);
            return p.name === name && p.subject === this.index;
        }).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    },
};
