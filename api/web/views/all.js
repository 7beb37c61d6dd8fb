/* all.js - every measure that this key may see, when it is opened. */
import { $, el } from '../dom.js';
import { EVERY } from '../page.js';
import * as text from '../text.js';

function row(page, m) {
    const cell = (words, className = '') => el('td', { className, textContent: words });
    return el('tr', { className: m.status === 'ok' ? '' : 'stale' },
        el('th', { scope: 'row' }, el('code', { textContent: m.measure })),
        cell(page.value(m.value, m.measure), 'n'), cell(text.unit(m.unit)),
        cell(text.coverage(m.coverage), 'n'), cell(text.age(m.staleness_ms), 'n'),
        el('td', { textContent: page.words(m.status) || 'ok', title: page.help(m.status) }));
}

function show(page) {
    if (!$('all').open) return;
    $('all-rows').replaceChildren(...[...page.measures.values()].map(m => row(page, m)));
}

export const all = {
    markup: `
    <details class="card all-card" id="all">
      <summary><h2>Every measure</h2></summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Every measure">
      <table>
        <thead><tr><th scope="col">Measure</th><th scope="col" class="n">Value</th>
          <th scope="col">Unit</th><th scope="col" class="n">Coverage</th>
          <th scope="col" class="n">Age</th><th scope="col">Status</th></tr></thead>
        <tbody id="all-rows"></tbody>
      </table>
      </div>
    </details>`,
    mount(page) { $('all').ontoggle = () => show(page); },
    wants: () => ($('all').open ? EVERY : []),
    measures: show,
    forget() { $('all-rows').replaceChildren(); },
};
