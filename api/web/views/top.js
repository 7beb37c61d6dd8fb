/* top.js - the ten largest companies of the index. */
import { $, el, say } from '../dom.js';
import * as text from '../text.js';

const SHOWN = 10;

function row(c, largest) {
    const bar = el('span', { className: 'weight-bar' });
    bar.style.width = `${100 * c.weight / largest}%`;
    const price = c.price === null ? null : Number(c.price);
    return el('tr', {}, el('th', { scope: 'row' },
            el('span', { className: 'company', textContent: c.name || c.issuer }),
            el('span', { className: 'symbol', textContent: c.symbol })),
        el('td', { className: 'n', textContent: text.number(price, 2) }),
        el('td', { className: 'n', textContent: text.percent(c.weight, 2) }),
        el('td', { className: 'weight', ariaHidden: 'true' }, bar));
}

async function show(page) {
    if (!page.index) return;
    const { service, index } = page;
    const query = new URLSearchParams({ index, n: SHOWN });
    const { constituents, members } = await service.get(`/v1/constituents?${query}`);
    if (service.ended || index !== page.index) return;
    const largest = Math.max(...constituents.map(c => c.weight), 1e-9);
    $('top').replaceChildren(...constituents.map(c => row(c, largest)));
    say($('top-count'), members ? `of ${members} companies` : '');
}

export const top = {
    markup: `
    <section class="card top-card" id="top-card" aria-labelledby="top-title">
      <div class="card-head"><h2 id="top-title">Ten largest</h2>
        <p class="quiet" id="top-count"></p></div>
      <table>
        <thead><tr><th scope="col">Company</th><th scope="col" class="n">Price</th>
          <th scope="col" class="n">Weight</th><td class="weight"></td></tr></thead>
        <tbody id="top"></tbody>
      </table>
    </section>`,
    index: show,
    refresh: show,
    forget() {
        $('top').replaceChildren();
        say($('top-count'), '');
    },
};
