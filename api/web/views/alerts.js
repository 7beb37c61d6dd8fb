/* alerts.js - the newest alerts: the stored ones, and each that comes while the page is open. */
import { $, el, empty, say } from '../dom.js';
import * as text from '../text.js';

const NONE = 'No alert yet. One appears here within a second of its rule firing.';

const endings = { changed: 'resolved: rule changed', disabled: 'resolved: rule disabled', deleted: 'resolved: rule deleted' };

function show(page, arrived) {
    const list = $('alerts');
    const newest = [...page.alerts.values()].sort((a, b) => b.stream_no - a.stream_no);
    const there = new Map([...list.children].map(n => [Number(n.dataset.no), n]));
    list.replaceChildren(...newest.map(a => there.get(a.stream_no)
                                            ?? item(page, a, a.stream_no === arrived)));
    say($('alerts-count'), newest.length ? `${newest.length} newest` : '');
    if (newest.length === 0) list.append(empty(NONE));
    lead(list, page.wanted);
}

/* The alert that a link leads to: marked, open, and in sight; once. */
let shown = null;
function lead(list, wanted) {
    const node = wanted && [...list.children].find(n => n.dataset.id === wanted);
    if (!node) return;
    node.classList.add('wanted');
    if (shown === wanted) return;
    shown = wanted;
    node.querySelector('details')?.setAttribute('open', '');
    node.scrollIntoView({ block: 'nearest' });
}

function item(page, a, live) {
    const inputs = Object.entries(a.inputs ?? {});
    const own = a.rule.name && a.rule.name !== a.rule.text ? `${a.rule.name} ` : null;
    const at = el('time', { dateTime: a.time, textContent: text.when(a.time),
                            title: `${a.time}, record ${a.seq}` });
    const node = el('li', { className: live ? 'arrived' : '' },
        el('p', { className: 'alert-head' },
            el('span', { className: `severity ${a.severity}`, textContent: a.severity }),
            el('span', { className: `state ${a.state}`, textContent: endings[a.reason] ?? a.state }), at),
        el('p', { className: 'alert-rule' }, own && el('strong', { textContent: own }),
            el('code', { textContent: a.rule.text })),
        el('p', { className: 'alert-value' }, 'value ',
            el('b', { textContent: page.value(a.value, a.measure) }), ` ${text.unit(a.unit)}`),
        inputs.length ? evidence(inputs) : null);
    Object.assign(node.dataset, { no: a.stream_no, id: a.id, rule: a.rule.id, state: a.state,
                                  arrival: live ? 'live' : 'stored' });
    return node;
}

function words(v) {
    if (typeof v === 'number') return text.number(v, Number.isInteger(v) ? 0 : 4);
    return typeof v === 'object' ? JSON.stringify(v) : String(v);
}

function evidence(inputs) {
    return el('details', {}, el('summary', { textContent: 'Evidence' }),
        el('dl', { className: 'facts' }, ...inputs.flatMap(([k, v]) => [
            el('dt', { textContent: k.replaceAll('_', ' ') }),
            el('dd', { textContent: words(v) })])));
}

export const alerts = {
    markup: `
    <section class="card alerts-card" id="alerts-card" aria-labelledby="alerts-title">
      <div class="card-head"><h2 id="alerts-title">Alerts</h2>
        <p class="quiet" id="alerts-count"></p></div>
      <ol class="alerts" id="alerts" tabindex="0" aria-labelledby="alerts-title"></ol>
    </section>`,
    alerts: show,
    forget() {
        shown = null;
        $('alerts').replaceChildren();
        say($('alerts-count'), '');
    },
};
