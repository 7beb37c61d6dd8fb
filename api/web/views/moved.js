/* moved.js - who moved a measure of the index since the close before: the largest parts, and what the rest made of it. */
import { $, el, say } from '../dom.js';
import * as text from '../text.js';

const SHOWN = 8;

/* Of the index, those that are sums over its members; each by the title that its tile has. */
function additive(page) {
    return [...page.definitions.values()].filter(d => d.additive)
        .flatMap(d => page.named(d.name).slice(0, 1).map(m => ({
            m, title: d.page.title ? text.title(d, text.measure(m).options) : m,
        })));
}

function showChoice(page) {
    const list = additive(page), select = $('moved-of');
    if (list.map(o => o.m).join() !== [...select.options].map(o => o.value).join())
        select.replaceChildren(...list.map(o => el('option', { value: o.m, textContent: o.title })));
}

const signed = (page, v, m) => `${v > 0 ? '+' : ''}${page.value(v, m)}`;

function row(page, m, d, largest) {
    const bar = el('span', { className: `part-bar ${d.part < 0 ? 'down' : 'up'}` });
    const width = 50 * Math.abs(d.part) / largest;             /* from the middle to the left, or to the right */
    bar.style.width = `${width}%`;
    bar.style.marginLeft = `${d.part < 0 ? 50 - width : 50}%`;
    return el('tr', {}, el('th', { scope: 'row', className: 'company', textContent: d.name || d.issuer || d.symbol }),
        el('td', { className: 'n', textContent: `${text.number(d.weight_pct, 2)}\u2009%` }),
        el('td', { className: 'n', textContent: signed(page, d.part, m) }),
        el('td', { className: 'part', ariaHidden: 'true' }, bar));
}

function rest(page, told) {
    const others = told.others ? `${told.others} others ${signed(page, told.others_part, told.measure)}` : '';
    const left = Math.abs(told.remainder) > 1e-9 ? `members that came or went ${signed(page, told.remainder, told.measure)}` : '';
    return [others, left].filter(words => words).join('; ');
}

function put(page, told) {
    const largest = Math.max(...told.drivers.map(d => Math.abs(d.part)), 1e-300);
    const moved = told.drivers.filter(d => d.part !== 0);
    $('moved').replaceChildren(...moved.map(d => row(page, told.measure, d, largest)));
    say($('moved-all'), `${signed(page, told.change, told.measure)} since the close of ${told.since}`);
    say($('moved-rest'), rest(page, told));
}

function nothing(words) {
    $('moved').replaceChildren();
    say($('moved-all'), words);
    say($('moved-rest'), '');
}

async function show(page) {
    showChoice(page);
    const { service, index } = page, m = $('moved-of').value;
    if (!index || !m) return;
    const query = new URLSearchParams({ m, n: SHOWN });
    const told = await service.get(`/v1/measures/explain?${query}`);
    if (service.ended || index !== page.index || m !== $('moved-of').value) return;
    if (told.reason) nothing(told.reason);
    else put(page, told);
}

export const moved = {
    markup: `
    <section class="card moved-card" id="moved-card" aria-labelledby="moved-title">
      <div class="card-head"><h2 id="moved-title">Who moved</h2>
        <select id="moved-of" aria-labelledby="moved-title"></select></div>
      <p class="quiet" id="moved-all"></p>
      <table>
        <thead><tr><th scope="col">Company</th><th scope="col" class="n">Weight</th>
          <th scope="col" class="n">Part</th><td class="part"></td></tr></thead>
        <tbody id="moved"></tbody>
      </table>
      <p class="quiet" id="moved-rest"></p>
    </section>`,
    mount(page) { $('moved-of').addEventListener('change', () => show(page).catch(() => {})); },
    index(page) {
        showChoice(page);
        return show(page);
    },
    refresh: show,
    forget() {
        $('moved-of').replaceChildren();
        nothing('');
    },
};
