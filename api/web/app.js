/* app.js - the dashboard: asks the service, keeps the page true to the answers.
 *
 * Measures are polled every second, alerts come over the live stream, the rest is asked for every few seconds. Whatever comes
 * from the service is written with textContent, never as markup. */
import { ComparisonChart } from './chart.js';
import { Failure, Service } from './service.js';
import * as text from './text.js';

const POLL_MS = 1000, SLOW_MS = 5000, RETRY_MAX_MS = 10000;
const LOOK_AROUND = 15;                  /* every so many polls ask for all measures: rules and reference data bring new ones */
const ALERTS_KEPT = 100, NEWS_SHOWN = 20;
const PAGE_POINTS = 10000, PAGES_MAX = 2, POINTS_ENOUGH = 120;
const KEY = 'tocsin.key', INDEX = 'tocsin.index';

/* name -> how a tile presents the measure; the order is the order on the page. */
const TILES = [
    { name: 'level', title: 'Cap-weighted level', line: 'cap' },
    { name: 'ew_level', title: 'Equal-weighted level', line: 'ew' },
    { name: 'spread', title: 'Spread' },
    { name: 'hhi', title: 'Concentration (HHI)' },
    { name: 'top_weight', title: 'Top 10 weight' },
    { name: 'ai_sentiment', title: 'AI sentiment', meter: true },
    { name: 'ai_exposure', title: 'AI exposure', optional: true },
];
const RANGES = [
    { label: '15 min', s: 900 }, { label: '1 h', s: 3600 }, { label: '1 day', s: 86400 },
    { label: '1 month', s: 31 * 86400 }, { label: '1 year', s: 366 * 86400 }, { label: 'All', s: 0 },
];
const SCALES = [{ label: 'Change', mode: 'percent' }, { label: 'Points', mode: 'points' }];

const $ = id => document.getElementById(id);
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

function el(tag, properties = {}, ...children) {
    const e = Object.assign(document.createElement(tag), properties);
    e.append(...children.filter(c => c !== null));
    return e;
}
const sentence = words => words[0].toUpperCase() + words.slice(1) + (/[.?!]$/.test(words) ? '' : '.');
function say(node, words) { if (node.textContent !== words) node.textContent = words; }

const app = {
    service: null, chart: null,
    index: '', seq: 0, time: '',
    measures: new Map(),                 /* canonical text -> the newest answer */
    tiles: new Map(),                    /* canonical text -> the nodes of its tile */
    alerts: new Map(),                   /* stream_no -> alert */
    range: null, hovered: null, unseen: 0,
    loading: 0, generation: 0,           /* which call of loadHistory is under way, 0 for none; how many there were */
    link: { polls: 'connecting', stream: 'connecting', ready: true, why: '' },
};

/* ---- connection ---- */

function showLink() {
    const { polls, stream, ready, why } = app.link;
    const lost = polls === 'lost' || stream === 'lost';
    const state = lost ? 'lost' : !ready ? 'not-ready' : polls === 'live' && stream === 'live' ? 'live' : 'connecting';
    const names = { lost: 'Reconnecting', 'not-ready': 'Not ready', live: 'Live', connecting: 'Connecting' };
    $('link').dataset.link = state;
    say($('link-state'), names[state]);
    say($('link-why'), lost ? why : '');
    document.body.classList.toggle('out-of-date', polls === 'lost');
}
function setLink(change) { Object.assign(app.link, change); showLink(); }

function note(words) {
    $('note').hidden = !words;
    say($('note'), words ?? '');
}

async function watchReadiness(service) {
    while (!service.ended) {
        try {
            const { ready, reasons = [] } = await service.ready();
            if (service.ended) return;
            setLink({ ready });
            note(ready ? '' : `The service is not ready: ${reasons.join('; ') || 'no reason given'}. Figures may be missing or old.`);
        } catch { /* the polls say that the service cannot be reached */ }
        await sleep(SLOW_MS);
    }
}

/* ---- measures: tiles, chart, table ---- */

const named = (name, index) => [...app.measures.keys()].filter(m => {
    const p = text.measure(m);
    return p.name === name && p.subject === index;
}).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));

const lineMeasure = line => named(line === 'cap' ? 'level' : 'ew_level', app.index)[0];

async function pollMeasures(service) {
    let wait = POLL_MS, hiddenSince = 0;
    for (let poll = 1; !service.ended; poll++) {
        if (document.hidden) {
            hiddenSince ||= performance.now();
            await sleep(POLL_MS);
            continue;
        }
        const away = hiddenSince && performance.now() - hiddenSince > 10 * POLL_MS;
        hiddenSince = 0;
        try {
            const all = $('all').open || app.tiles.size === 0 || poll % LOOK_AROUND === 0;
            const answer = await service.getIfChanged(all ? '/v1/measures' : pathOfTiles());
            if (service.ended) return;
            if (answer) takeMeasures(answer, all);
            setLink({ polls: 'live' });
            if (away) loadHistory();
            wait = POLL_MS;
        } catch (e) {
            if (service.ended) return;
            if (e.status === 401 || e.status === 403) return signIn(e.message);
            if (e.status === 404) { app.measures.clear(); app.tiles.clear(); }        /* one is no longer tracked: look again at what there is */
            else {
                setLink({ polls: 'lost', why: `${e.message}; trying again` });
                wait = Math.min(2 * wait, RETRY_MAX_MS);
            }
        }
        await sleep(wait);
    }
}

const pathOfTiles = () => `/v1/measures?${[...app.tiles.keys()].map(m => `m=${encodeURIComponent(m)}`).join('&')}`;

function takeMeasures(answer, all) {
    if (all) app.measures.clear();
    for (const m of answer.measures) app.measures.set(m.measure, m);
    app.seq = answer.seq;
    app.time = answer.time;
    say($('clock'), app.time ? `${text.when(app.time)} UTC` : 'none yet');
    if (all) { showIndexes(); buildTiles(); showAll(); }
    showTiles();
    pushChart();
}

function showIndexes() {
    const names = [...new Set([...app.measures.keys()].map(text.measure).filter(m => m.name === 'level').map(m => m.subject))].sort();
    const select = $('index');
    if (names.join() !== [...select.options].map(o => o.value).join()) select.replaceChildren(...names.map(n => el('option', { value: n, textContent: n })));
    if (!names.includes(app.index)) {
        const before = sessionStorage.getItem(INDEX);
        chooseIndex(names.includes(before) ? before : names[0] ?? '');
    }
    select.value = app.index;
    $('rule-measures').replaceChildren(...[...app.measures.keys()].map(m => el('option', { value: m })));
    if (names.length === 0) say($('chart-note'), 'No index is tracked yet. One appears here when its reference data and prices have arrived.');
}

function chooseIndex(name) {
    if (app.index === name) return;
    app.index = name;
    sessionStorage.setItem(INDEX, name);
    const example = named('hhi', name)[0] ?? named('level', name)[0];
    if (example) $('rule-measure').placeholder = example;
    app.range = null;
    buildTiles();
    showTiles();
    loadHistory();
    showTop();
}

function buildTiles() {
    const wanted = [];
    for (const t of TILES) {
        const found = named(t.name, app.index);
        if (found.length === 0 && !t.optional) wanted.push({ ...t, text: null });
        for (const m of found) wanted.push({ ...t, text: m });
    }
    const signature = wanted.map(w => w.text ?? w.name).join();
    if ($('tiles').dataset.built === signature && app.tiles.size) return;
    $('tiles').dataset.built = signature;
    app.tiles.clear();
    $('tiles').replaceChildren(...wanted.map(w => tile(w)));
    for (const m of named('effective_number', app.index)) app.tiles.set(m, null);     /* shown inside the HHI tile */
}

function tile(w) {
    const options = w.text ? text.measure(w.text).options : '';
    const named = w.name === 'spread' && w.text ? text.spreadTitle(options) : w.title.replace('10', /n=(\d+)/.exec(options)?.[1] ?? '10');
    const n = {
        value: el('span', { className: 'value', textContent: '–' }), unit: el('span', { className: 'unit' }),
        more: el('span', { className: 'more' }), evidence: el('span', { className: 'evidence', textContent: w.text ? '' : 'not tracked' }),
        needle: w.meter ? el('span', { className: 'needle' }) : null,
    };
    const title = el('h2', {}, ...(w.line ? [el('span', { className: `swatch ${w.line}` })] : []), named);
    n.box = el('article', { className: 'tile' }, title,
               el('p', { className: 'figure' }, n.value, ' ', n.unit, ' ', n.more),
               n.needle ? el('div', { className: 'meter', ariaHidden: 'true' }, n.needle) : null,
               el('p', { className: 'facts-line' }, el('code', { textContent: w.text ?? '' }), ' ', n.evidence));
    if (w.text) app.tiles.set(w.text, n);
    else n.box.classList.add('stale');
    return n.box;
}

/* "100 % covered, 0.3 s old", or the reason why not. */
function evidence(m) {
    const facts = `${text.coverage(m.coverage)} covered, ${text.age(m.staleness_ms)} old`;
    const status = text.status(m.status);
    return status ? `${status}; ${facts}` : facts;
}

function showTiles() {
    for (const [name, n] of app.tiles) {
        const m = app.measures.get(name);
        if (!n || !m) continue;
        say(n.value, text.value(m.value, name));
        say(n.unit, m.value === null ? '' : text.unit(m.unit));
        say(n.evidence, evidence(m));
        n.box.classList.toggle('stale', m.status !== 'ok');
        n.box.dataset.status = m.status;
        if (n.needle) n.needle.hidden = m.value === null;
        if (n.needle) n.needle.style.left = `${50 + 50 * Math.max(-1, Math.min(1, m.value ?? 0))}%`;
        if (text.measure(name).name === 'hhi') showEffective(n, name);
    }
    if ($('all').open) showAll();
}

function showEffective(n, hhi) {
    const options = text.measure(hhi).options;
    const e = app.measures.get(named('effective_number', app.index).find(m => text.measure(m).options === options));
    say(n.more, e && e.value !== null ? `as ${text.value(e.value, 'effective_number()')} equal companies` : '');
}

function showAll() {
    if (!$('all').open) return;
    $('all-rows').replaceChildren(...[...app.measures.values()].map(m => el('tr', { className: m.status === 'ok' ? '' : 'stale' },
        el('th', { scope: 'row' }, el('code', { textContent: m.measure })), el('td', { className: 'n', textContent: text.value(m.value, m.measure) }),
        el('td', { textContent: text.unit(m.unit) }), el('td', { className: 'n', textContent: text.coverage(m.coverage) }),
        el('td', { className: 'n', textContent: text.age(m.staleness_ms) }), el('td', { textContent: text.status(m.status) || 'ok' }))));
}

/* ---- chart ---- */

function pushChart() {
    if (app.loading || !app.chart) return;
    for (const line of ['cap', 'ew']) {
        const m = app.measures.get(lineMeasure(line));
        if (m && m.status === 'ok' && !app.chart.push(line, text.ms(m.time), m.value)) return loadHistory();
    }
    if (!app.hovered) showLegend();
}

function showLegend() {
    for (const line of ['cap', 'ew']) {
        const last = app.chart.last(line), first = app.chart.first(line);
        const v = app.hovered ? app.hovered[line] : last?.value ?? null;
        const change = v === null || !first ? '' : `${text.number(100 * (v / first.value - 1), 2, true)}\u2009%`;
        const box = $(`${line}-value`);
        say(box, `${text.number(v, 2)}${change ? `  ${change}` : ''}`);
    }
    const t = app.hovered?.time ?? (app.chart.last('cap') ?? app.chart.last('ew'))?.time * 1000;
    say($('legend-time'), Number.isFinite(t) ? `${text.when(t)} UTC` : '');
}

/* The newest readings from `from` on, oldest first; complete: there are no older ones in the range. */
async function history(measure, from) {
    const points = [];
    let cursor = null;
    for (let page = 0; measure && page < PAGES_MAX && (page === 0 || cursor !== null); page++) {
        const query = new URLSearchParams({ m: measure, order: 'desc', limit: PAGE_POINTS, ...(from && { from }), ...(cursor !== null && { after: cursor }) });
        const answer = await app.service.get(`/v1/measures/history?${query}`);
        points.push(...answer.points);
        cursor = answer.next;
    }
    return { points: points.reverse(), complete: cursor === null };
}

/* Loads the chosen range, or at first the shortest one with enough to see. A later call overtakes an earlier one. */
async function loadHistory() {
    if (!app.index || !app.service) return;
    const mine = ++app.generation;
    app.loading = mine;
    let words = '';
    try {
        let range, cap, ew;
        for (range of app.range ? [app.range] : RANGES) {
            const from = range.s ? new Date(text.ms(app.time) - range.s * 1000).toISOString() : null;
            [cap, ew] = await Promise.all([history(lineMeasure('cap'), from), history(lineMeasure('ew'), from)]);
            if (mine !== app.generation) return;
            app.chart.load(cap.points, ew.points, range.s);
            if (app.chart.size >= POINTS_ENOUGH) break;
        }
        app.range = range;
        if (!cap.complete || !ew.complete) words = `The newest ${text.number(PAGES_MAX * PAGE_POINTS, 0)} readings of this range are drawn.`;
        else if (cap.points.length + ew.points.length === 0) words = 'No history is stored for this range yet; the lines begin now.';
    } catch (e) {
        if (mine !== app.generation) return;
        if (!(e instanceof Failure)) throw e;
        words = `No history: ${e.message}. The lines begin now.`;
        app.chart.load([], [], 0);
        app.range ??= RANGES.at(-1);
    }
    app.loading = 0;
    app.hovered = null;
    say($('chart-note'), app.chart.available ? words : '');
    for (const r of document.querySelectorAll('#ranges input')) r.checked = RANGES[r.value] === app.range;
    pushChart();
}

function radios(box, name, choices, checked, change) {
    box.append(...choices.map((c, i) => el('label', {},
        el('input', { type: 'radio', name, value: i, checked: i === checked, onchange: () => change(c) }), el('span', { textContent: c.label }))));
}

/* ---- alerts ---- */

async function followAlerts(service) {
    let last = null;
    while (last === null && !service.ended) {
        try {
            const { alerts } = await service.get('/v1/alerts?limit=50');
            if (service.ended) return;
            for (const a of alerts) app.alerts.set(a.stream_no, a);
            last = Math.max(0, ...alerts.map(a => a.stream_no));
            showAlerts();
        } catch (e) {
            if (service.ended || e.status === 401 || e.status === 403) return;        /* the polls ask for the key again */
            setLink({ stream: 'lost', why: `${e.message}; trying again` });
            await sleep(2 * POLL_MS);
        }
    }
    await service.follow(last, {
        open: () => setLink({ stream: 'live' }),
        lost: (words, wait) => setLink({ stream: 'lost', why: `${words}; next try in ${Math.ceil(wait / 1000)} s` }),
        refused: e => signIn(e.message),
        alert: takeAlert,
    });
}

function takeAlert(a) {
    if (app.alerts.has(a.stream_no)) return;
    app.alerts.set(a.stream_no, a);
    for (const no of [...app.alerts.keys()].sort((x, y) => x - y).slice(0, -ALERTS_KEPT)) app.alerts.delete(no);
    showAlerts(a.stream_no);
    const words = `${a.severity} alert ${a.state}: ${a.rule.text}, value ${text.value(a.value, a.measure)} ${a.unit}`;
    say($(a.severity === 'critical' && a.state === 'firing' ? 'announce-now' : 'announce'), words);
    if (document.hidden) { app.unseen++; document.title = `(${app.unseen}) Tocsin`; }
    showRules();
}

function showAlerts(arrived = 0) {
    const list = $('alerts'), newest = [...app.alerts.values()].sort((a, b) => b.stream_no - a.stream_no);
    const there = new Map([...list.children].map(n => [Number(n.dataset.no), n]));
    list.replaceChildren(...newest.map(a => there.get(a.stream_no) ?? alertItem(a, a.stream_no === arrived)));
    say($('alerts-count'), newest.length ? `${newest.length} newest` : '');
    if (newest.length === 0) list.append(el('li', { className: 'empty', textContent: 'No alert yet. One appears here within a second of its rule firing.' }));
}

function alertItem(a, live) {
    const inputs = Object.entries(a.inputs ?? {});
    const item = el('li', { className: live ? 'arrived' : '' },
        el('p', { className: 'alert-head' },
            el('span', { className: `severity ${a.severity}`, textContent: a.severity }),
            el('span', { className: `state ${a.state}`, textContent: a.state }),
            el('time', { dateTime: a.time, textContent: text.when(a.time), title: `${a.time}, record ${a.seq}` })),
        el('p', { className: 'alert-rule' }, a.rule.name && a.rule.name !== a.rule.text ? el('strong', { textContent: `${a.rule.name} ` }) : null,
            el('code', { textContent: a.rule.text })),
        el('p', { className: 'alert-value' }, 'value ', el('b', { textContent: text.value(a.value, a.measure) }), ` ${text.unit(a.unit)}`),
        inputs.length ? el('details', {}, el('summary', { textContent: 'Evidence' }), facts(inputs)) : null);
    Object.assign(item.dataset, { no: a.stream_no, rule: a.rule.id, state: a.state, arrival: live ? 'live' : 'stored' });
    return item;
}

function facts(entries) {
    const words = v => typeof v === 'number' ? text.number(v, Number.isInteger(v) ? 0 : 4) : typeof v === 'object' ? JSON.stringify(v) : String(v);
    return el('dl', { className: 'facts' }, ...entries.flatMap(([k, v]) => [el('dt', { textContent: k.replaceAll('_', ' ') }), el('dd', { textContent: words(v) })]));
}

/* ---- rules ---- */

async function showRules() {
    const service = app.service;
    try {
        const { rules } = await service.get('/v1/rules?limit=100');
        if (service.ended) return;
        $('rules').replaceChildren(...rules.map(ruleItem));
        if (rules.length === 0) $('rules').append(el('li', { className: 'empty', textContent: 'No rule yet. Make one above.' }));
    } catch (e) {
        if (!(e instanceof Failure)) throw e;
    }
}

function ruleItem(r) {
    const remove = el('button', { type: 'button', className: 'plain', textContent: 'Delete', ariaLabel: `Delete the rule ${r.rule}` });
    remove.onclick = async () => {
        if (remove.dataset.sure === undefined) {          /* a second press within 4 s means it */
            remove.dataset.sure = '';
            say(remove, 'Really delete');
            setTimeout(() => { delete remove.dataset.sure; say(remove, 'Delete'); }, 4000);
            return;
        }
        remove.disabled = true;
        try {
            await app.service.remove(`/v1/rules/${encodeURIComponent(r.id)}`);
            ruleResult('Rule deleted.');
        } catch (e) {
            ruleResult(sentence(`not deleted: ${e.message}`), true);
        }
        showRules();
    };
    return el('li', {}, el('strong', { textContent: r.name }), el('code', { textContent: r.rule }), el('span', { className: `state ${r.state}`, textContent: r.enabled === false ? 'disabled' : r.state }), remove);
}

function ruleResult(words, wrong = false, shown = null) {
    $('rule-result').replaceChildren(...(shown ? [el('pre', { textContent: shown })] : []), el('p', { className: wrong ? 'error' : 'done', textContent: words }));
    for (const id of ['rule-measure', 'rule-threshold']) $(id).ariaInvalid = 'false';
}

async function createRule(event) {
    event.preventDefault();
    const measure = $('rule-measure').value.trim(), threshold = $('rule-threshold').value.trim();
    if (!measure || !threshold) {
        ruleResult(measure ? 'Give a threshold.' : 'Give a measure, such as ' + ($('rule-measure').placeholder || 'level(SP500)') + '.', true);
        const empty = $(measure ? 'rule-threshold' : 'rule-measure');
        empty.ariaInvalid = 'true';
        empty.focus();
        return;
    }
    const rule = `${measure} ${$('rule-op').value} ${threshold}`;
    $('rule-submit').disabled = true;
    try {
        const made = await app.service.post('/v1/rules', { rule, severity: $('rule-severity').value });
        ruleResult(`Watching ${made.rule}.`);
        $('rule-form').reset();
    } catch (e) {
        const at = e.problem?.position;
        ruleResult(sentence(e.message), true, at ? text.caret(rule, at) : null);
        if (at) {
            const input = $(at > measure.length ? 'rule-threshold' : 'rule-measure');
            input.ariaInvalid = 'true';
            input.focus();
        }
    }
    $('rule-submit').disabled = false;
    showRules();
}

/* ---- the ten largest, and news ---- */

async function showTop() {
    if (!app.index) return;
    const { service, index } = app;
    const answer = await service.get(`/v1/constituents?index=${encodeURIComponent(index)}&n=10`);
    if (service.ended || index !== app.index) return;
    const largest = Math.max(...answer.constituents.map(c => c.weight), 1e-9);
    $('top').replaceChildren(...answer.constituents.map(c => {
        const bar = el('span', { className: 'weight-bar' });
        bar.style.width = `${100 * c.weight / largest}%`;
        return el('tr', {}, el('th', { scope: 'row' }, el('span', { className: 'company', textContent: c.name || c.issuer }), el('span', { className: 'symbol', textContent: c.symbol })),
                  el('td', { className: 'n', textContent: text.number(c.price === null ? null : Number(c.price), 2) }),
                  el('td', { className: 'n', textContent: text.percent(c.weight, 2) }), el('td', { className: 'weight', ariaHidden: 'true' }, bar));
    }));
    say($('top-count'), answer.members ? `of ${answer.members} companies` : '');
}

async function showNews() {
    const { articles } = await app.service.get(`/v1/articles?limit=${NEWS_SHOWN}`);
    const signature = articles.map(a => `${a.id}:${a.score}`).join();
    if ($('news').dataset.shown === signature) return;
    $('news').dataset.shown = signature;
    $('news').replaceChildren(...articles.map(a => el('li', {},
        el('p', { className: 'news-head' }, el('time', { dateTime: a.time, textContent: text.when(a.time) }), el('span', { className: 'source', textContent: a.source })),
        el('p', { className: 'headline', textContent: a.headline }),
        el('p', { className: 'scores' }, verdict(a.label, a.score),
            ...(a.tickers ?? []).map(t => chip(t))))));
    if (articles.length === 0) $('news').append(el('li', { className: 'empty', textContent: 'No article yet.' }));
}

function verdict(label, score) {
    return el('span', { className: `verdict ${label}`, textContent: `${label}, ${text.number(score, 2, true)}` });
}
function chip(t) {
    return el('span', { className: `chip ${t.label}`, title: `${t.symbol}: ${t.label}, relevance ${text.number(t.relevance, 2)}` },
              el('b', { textContent: t.symbol }), ` ${text.number(t.score, 2, true)}`);
}

async function pollTheRest(service) {
    while (!service.ended) {
        if (!document.hidden) {
            for (const show of [showTop, showNews, showRules]) {
                try {
                    await show();
                } catch (e) {
                    if (!(e instanceof Failure)) throw e;                             /* the polls say so already */
                }
            }
        }
        await sleep(SLOW_MS);
    }
}

/* ---- sign in, start, stop ---- */

/* Nothing of one key's answers stays for who comes next. */
function forget() {
    for (const held of [app.measures, app.tiles, app.alerts]) held.clear();
    for (const id of ['tiles', 'alerts', 'rules', 'rule-result', 'rule-measures', 'top', 'news', 'all-rows']) $(id).replaceChildren();
    for (const id of ['announce', 'announce-now', 'alerts-count', 'top-count']) say($(id), '');
    delete $('news').dataset.shown;
    $('rule-form').reset();
    app.generation++;
    app.loading = 0;
    app.index = '';
    app.chart?.load([], [], 0);
}

function signIn(words = '') {
    forget();
    app.service?.end();
    app.service = null;
    sessionStorage.removeItem(KEY);
    for (const id of ['board', 'tools']) $(id).hidden = true;
    $('sign-in').hidden = false;
    setLink({ polls: 'connecting', stream: 'connecting', ready: true });
    $('link').dataset.link = 'signed-out';
    say($('link-state'), 'Signed out');
    note('');
    say($('sign-in-error'), words ? `That key was refused: ${words}.` : '');
    $('key').focus();
}

function start(key) {
    app.service?.end();
    const service = app.service = new Service(key);
    forget();
    $('sign-in').hidden = true;
    for (const id of ['board', 'tools']) $(id).hidden = false;
    app.chart ??= new ComparisonChart($('chart'), at => { app.hovered = at; showLegend(); });
    setLink({ polls: 'connecting', stream: 'connecting', ready: true });
    pollMeasures(service);
    followAlerts(service);
    watchReadiness(service);
    pollTheRest(service);
}

/* The key comes in the fragment, which no server sees, and leaves the address bar at once. */
function keyFromAddress() {
    const key = new URLSearchParams(location.hash.slice(1)).get('key');
    if (key) {
        sessionStorage.setItem(KEY, key);
        globalThis.history.replaceState(null, '', location.pathname + location.search);
    }
    return key ?? sessionStorage.getItem(KEY);
}

radios($('ranges'), 'range', RANGES, -1, r => { app.range = r; loadHistory(); });
radios($('scales'), 'scale', SCALES, 0, s => app.chart.scale(s.mode));
$('index').onchange = () => chooseIndex($('index').value);
$('all').ontoggle = showAll;
$('rule-form').onsubmit = createRule;
$('sign-out').onclick = () => signIn();
$('sign-in-form').onsubmit = event => {
    event.preventDefault();
    const key = $('key').value.trim();
    $('key').value = '';
    sessionStorage.setItem(KEY, key);
    start(key);
};
document.addEventListener('visibilitychange', () => { if (!document.hidden) { app.unseen = 0; document.title = 'Tocsin'; } });
addEventListener('hashchange', () => { const key = keyFromAddress(); if (key) start(key); });

/* What the browser test reads, and a curious reader at the console may. */
globalThis.tocsin = Object.freeze({
    get link() { return $('link').dataset.link; },
    get index() { return app.index; },
    get seq() { return app.seq; },
    get points() { return app.chart?.size ?? 0; },
    get last() { return { cap: app.chart?.last('cap') ?? null, ew: app.chart?.last('ew') ?? null }; },
    get alerts() { return [...app.alerts.keys()]; },
});

const key = keyFromAddress();
if (key) start(key);
else signIn();
