/* views.js - what the page shows, in this order: a view is one file of views/ and one row of names.
 *
 * A view ends in one object, named as its file. All but `markup` may be left out; functions are called with the page
 * (page.js).
 *
 *     markup     its section: static HTML, with nothing of the service's in it
 *     mount      once, when the markup is there
 *     start      a key has been given, and the board can be seen
 *     wants      the measures that it shows, asked for every second: an array of canonical texts,
 *                or EVERY
 *     measures   an answer has come; `all`: of every measure, so that there may be new ones
 *     index      another index has been chosen
 *     refresh    every few seconds; may ask the service, and let a Failure pass
 *     alerts     there are alerts; `arrived`: the stream_no of one that has just come, or 0
 *     returned   the page was out of sight for a while
 *     forget     nothing of one key's answers stays for who comes next
 *     hooks      functions of no argument, to be read at the console as tocsin.NAME
 *
 * A view that counts the alerts, whole:
 *
 *     import { $, say } from '../dom.js';
 *     export const count = {
 *         markup: '<section class="card" id="count"><h2>Count</h2><p id="count-n">0</p></section>',
 *         alerts(page) { say($('count-n'), String(page.alerts.size)); },
 *         forget() { say($('count-n'), '0'); },
 *     };
 */
const names = [
    'tiles',
    'chart',
    'alerts',
    'rules',
    'top',
    'moved',
    'news',
    'quality',
    'all',
];

async function load(name) {
    const file = `./views/${name}.js`;
    const view = (await import(file))[name];
    if (!view?.markup) throw new Error(`${file} has no view named ${name}`);
    return view;
}

export const views = await Promise.all(names.map(load));
