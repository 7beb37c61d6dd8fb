/* quality.js - what looked wrong in the data, newest first: prices are flagged and never changed. A share count that is held
 * is released by two presses: it changes what everybody's indices are worth. What is said of it stands below, so that the button
 * is under the thumb still. */
import { $, el, empty, put, say, sentence } from '../dom.js';
import { Failure } from '../service.js';
import * as text from '../text.js';

const SHOWN = 50;
const SURE_MS = 6000;                    /* a second press within this means it: there is a sentence to hear first */
const NONE = 'Nothing in the data has looked wrong so far.';

const items = new Map();                 /* id -> the item of a flag: { node, update(flag) } */

/* The node stays while its flag is shown: somebody may be about to press its button. */
function item(page, id) {
    let flag = null;
    const n = { symbol: el('strong'), reason: el('span', { className: 'quality-reason' }), state: el('span'), time: el('time'),
                detail: el('p', { className: 'quality-detail' }), release: el('button', { type: 'button', className: 'plain' }) };
    n.release.onclick = () => press(page, id, flag, n.release);
    n.node = el('li', {}, el('p', { className: 'quality-head' }, n.symbol, n.reason, n.state, n.time), n.detail);
    return { node: n.node, update(f) {
        flag = f;
        say(n.symbol, f.symbol);
        say(n.reason, f.reason.replaceAll('_', ' '));
        say(n.state, f.state);
        n.state.className = `state ${f.state}`;
        say(n.time, text.when(f.time));
        n.time.dateTime = f.time;
        say(n.detail, sentence(f.detail));
        if (f.state !== 'held') return n.release.remove();
        if (n.release.dataset.sure === undefined) label(n.release, f, 'Release');
        if (!n.release.isConnected) n.node.append(n.release);
    } };
}

function label(button, f, words) {
    say(button, words);
    button.ariaLabel = `${words} the share count of ${f.symbol}`;
}

async function press(page, id, f, button) {
    if (button.dataset.sure === undefined) {
        button.dataset.sure = '';
        label(button, f, 'Really release');
        say($('quality-said'), `Press again: from then on ${f.symbol} counts with ${text.number(f.after, 0)} shares.`);
        setTimeout(() => { delete button.dataset.sure; label(button, f, 'Release'); }, SURE_MS);
        return;
    }
    button.disabled = true;
    try {
        await page.service.command(`/v1/quality/${encodeURIComponent(id)}:release`);
        say($('quality-said'), `Released: ${f.symbol} counts with ${text.number(f.after, 0)} shares.`);
    } catch (e) {
        if (!(e instanceof Failure)) throw e;
        say($('quality-said'), sentence(`not released: ${e.message}`));
    }
    button.disabled = false;
    button.focus();
    show(page).catch(e => { if (!(e instanceof Failure)) throw e; });        /* the next round shows it */
}

/* Those that are held wait for somebody, however much else has looked wrong since. */
async function newest(service) {
    const { quality: flags, next } = await service.get(`/v1/quality?limit=${SHOWN}`);
    if (next === null) return { flags, count: String(flags.length || '') };
    const { quality: held } = await service.get(`/v1/quality?state=held&limit=${SHOWN}`);
    const shown = new Set(flags.map(f => f.id)), older = held.filter(f => !shown.has(f.id));
    const count = `${flags.length} newest${older.length ? `, ${older.length} older held` : ''}`;
    return { flags: [...older, ...flags], count };
}

async function show(page) {
    const { service } = page;
    const { flags, count } = await newest(service);
    if (service.ended) return;
    const inside = () => $('quality').contains(document.activeElement), was = inside();
    const ids = new Set(flags.map(f => f.id));
    for (const id of [...items.keys()].filter(id => !ids.has(id))) items.delete(id);
    const nodes = flags.map(f => {
        if (!items.has(f.id)) items.set(f.id, item(page, f.id));
        items.get(f.id).update(f);
        return items.get(f.id).node;
    });
    if (nodes.length === 0) nodes.push(empty(NONE));
    put($('quality'), nodes);
    if (was && !inside()) $('quality').focus();        /* who pressed is not to find himself at the top of the page */
    say($('quality-count'), count);
}

export const quality = {
    markup: `
    <section class="card quality-card" id="quality-card" aria-labelledby="quality-title">
      <div class="card-head"><h2 id="quality-title">Data quality</h2>
        <p class="quiet" id="quality-count"></p></div>
      <ol class="quality" id="quality" tabindex="0" aria-labelledby="quality-title"></ol>
      <p class="quality-said" id="quality-said" role="status"></p>
    </section>`,
    refresh: show,
    forget() {
        items.clear();
        $('quality').replaceChildren();
        for (const id of ['quality-count', 'quality-said']) say($(id), '');
    },
};
