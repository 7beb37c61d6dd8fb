/* quality.js - what looked wrong in the data, newest first: prices are flagged and never changed. */
import { $, el, empty, say, sentence } from '../dom.js';
import * as text from '../text.js';

const SHOWN = 50;
const NONE = 'Nothing in the data has looked wrong so far.';

function item(f) {
    return el('li', {},
        el('p', { className: 'quality-head' },
            el('strong', { textContent: f.symbol }),
            el('span', { className: 'quality-reason', textContent: f.reason.replaceAll('_', ' ') }),
            el('span', { className: `state ${f.state}`, textContent: f.state }),
            el('time', { dateTime: f.time, textContent: text.when(f.time) })),
        el('p', { className: 'quality-detail', textContent: sentence(f.detail) }));
}

async function show(page) {
    const { service } = page;
    const { quality: flags, next } = await service.get(`/v1/quality?limit=${SHOWN}`);
    if (service.ended) return;
    const signature = flags.map(f => `${f.id}:${f.state}`).join();
    if ($('quality').dataset.shown === signature) return;
    $('quality').dataset.shown = signature;
    $('quality').replaceChildren(...flags.map(item));
    if (flags.length === 0) $('quality').append(empty(NONE));
    say($('quality-count'), next === null ? String(flags.length || '') : `${flags.length} newest`);
}

export const quality = {
    markup: `
    <section class="card quality-card" id="quality-card" aria-labelledby="quality-title">
      <div class="card-head"><h2 id="quality-title">Data quality</h2>
        <p class="quiet" id="quality-count"></p></div>
      <ol class="quality" id="quality" tabindex="0" aria-labelledby="quality-title"></ol>
    </section>`,
    refresh: show,
    forget() {
        $('quality').replaceChildren();
        delete $('quality').dataset.shown;
        say($('quality-count'), '');
    },
};
