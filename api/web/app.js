/* app.js - the shell: the key, the link to the service, the round of questions.
 *
 * Measures are polled every second, alerts come over the live stream, the rest is asked for every
 * few seconds. What is shown of the answers is the business of views/ (views.js). */
import { showAge } from './age.js';
import { $, el, say, sleep } from './dom.js';
import { EVERY, page } from './page.js';
import { Failure, Service } from './service.js';
import * as text from './text.js';
import { views } from './views.js';

const POLL_MS = 1000, SLOW_MS = 5000, RETRY_MAX_MS = 10000;
const AWAY_MS = 10 * POLL_MS;            /* out of sight for longer: what was missed is asked for */
const LOOK_AROUND = 15;                  /* every so many polls all measures: some may be new */
const ALERTS_KEPT = 100, ALERTS_FIRST = 50;
const KEY = 'tocsin.key', INDEX = 'tocsin.index';

const LINK_NAMES = { lost: 'Reconnecting', 'not-ready': 'Not ready', live: 'Live',
                     connecting: 'Connecting' };

const link = { polls: 'connecting', stream: 'connecting', ready: true, why: '' };
let lookAround = true;                   /* the next poll asks for all measures */
let unseen = 0;                          /* alerts that came while the page was hidden */

/* Has every view do what it does on that occasion. A Failure of one is nobody's business: the polls
 * say that the service cannot be reached. */
function tell(occasion, ...about) {
    return Promise.all(views.map(async view => {
        try {
            await view[occasion]?.(page, ...about);
        } catch (e) {
            if (!(e instanceof Failure)) throw e;
        }
    }));
}

/* ---- connection ---- */

function showLink() {
    const { polls, stream, ready, why } = link;
    const lost = polls === 'lost' || stream === 'lost';
    const live = polls === 'live' && stream === 'live';
    const state = lost ? 'lost' : !ready ? 'not-ready' : live ? 'live' : 'connecting';
    $('link').dataset.link = state;
    say($('link-state'), LINK_NAMES[state]);
    say($('link-why'), lost ? why : '');
    document.body.classList.toggle('out-of-date', polls === 'lost');
    if (page.service) showAge(page, polls === 'live', page.service.now());
}
function setLink(change) { Object.assign(link, change); showLink(); }

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
            const why = reasons.join('; ') || 'no reason given';
            note(ready ? '' : `The service is not ready: ${why}. Figures may be missing or old.`);
        } catch { /* the polls say that the service cannot be reached */ }
        await sleep(SLOW_MS);
    }
}

/* ---- measures ---- */

/* What there is to show and how, once a key. False: there is no use in going on. */
async function readDefinitions(service) {
    for (let wait = POLL_MS; !service.ended;) {
        try {
            const { measures, statuses } = await service.get('/v1/definitions');
            if (service.ended) return false;
            page.definitions = new Map(measures.map(d => [d.name, d]));
            page.statuses = new Map(statuses.map(s => [s.name, s]));
            return true;
        } catch (e) {
            if (service.ended) return false;
            wait = afterFailure(e, wait);
            if (wait === null) return false;
        }
        await sleep(wait);
    }
    return false;
}

/* The canonical texts that the views want; EVERY when one wants all, or none wants any yet. */
function wanted() {
    const wants = views.map(view => view.wants?.(page) ?? []);
    const texts = new Set(wants.filter(w => w !== EVERY).flat());
    return lookAround || wants.includes(EVERY) || texts.size === 0 ? EVERY : [...texts];
}

async function askMeasures(service) {
    const wants = wanted(), every = wants === EVERY;
    const query = every ? '' : `?${wants.map(m => `m=${encodeURIComponent(m)}`).join('&')}`;
    const answer = await service.getIfChanged(`/v1/measures${query}`);
    if (service.ended) return;
    lookAround = false;
    if (answer) takeMeasures(answer, every);
    setLink({ polls: 'live' });
}

function takeMeasures(answer, every) {
    if (every) page.measures.clear();
    for (const m of answer.measures) page.measures.set(m.measure, m);
    page.seq = answer.seq;
    page.time = answer.time;
    if (every) showIndexes();
    tell('measures', every);
    if (every) unveil();
}

/* What is on the board has its place from now on. */
function unveil() { $('board').classList.remove('waiting'); }

/* The wait until the next question after one that failed; null when there is to be none. */
function afterFailure(e, wait) {
    if (e.status === 401 || e.status === 403) {
        signIn(e.message);
        return null;
    }
    if (e.status === 404) {              /* one is no longer tracked: look again at what there is */
        lookAround = true;
        return wait;
    }
    unveil();
    setLink({ polls: 'lost', why: `${e.message}; trying again` });
    return Math.min(2 * wait, RETRY_MAX_MS);
}

async function pollMeasures(service) {
    let wait = POLL_MS, hiddenSince = 0;
    for (let poll = 1; !service.ended; poll++) {
        if (document.hidden) {
            hiddenSince ||= performance.now();
            await sleep(POLL_MS);
            continue;
        }
        const away = hiddenSince && performance.now() - hiddenSince > AWAY_MS;
        hiddenSince = 0;
        lookAround ||= poll % LOOK_AROUND === 0;
        try {
            await askMeasures(service);
            if (away) tell('returned');
            wait = POLL_MS;
        } catch (e) {
            if (service.ended) return;
            wait = afterFailure(e, wait);
            if (wait === null) return;
        }
        await sleep(wait);
    }
}

/* ---- the index ---- */

/* Its subject cannot be anything else. */
const isOfAnIndex = m => page.definition(m)?.subjects.every(s => s === 'index');

function showIndexes() {
    const ofIndexes = [...page.measures.keys()].filter(isOfAnIndex).map(text.measure);
    const names = [...new Set(ofIndexes.map(m => m.subject))].sort();
    const select = $('index');
    if (names.join() !== [...select.options].map(o => o.value).join())
        select.replaceChildren(...names.map(n => el('option', { value: n, textContent: n })));
    if (!names.includes(page.index)) {
        const before = sessionStorage.getItem(INDEX);
        chooseIndex(names.includes(before) ? before : names[0] ?? '');
    }
    select.value = page.index;
}

function chooseIndex(name) {
    if (page.index === name) return;
    page.index = name;
    sessionStorage.setItem(INDEX, name);
    tell('index');
}

/* ---- alerts ---- */

/* Those that are stored; returns the number of the newest, from which the stream goes on. */
async function readAlerts(service) {
    while (!service.ended) {
        try {
            const { alerts } = await service.get(`/v1/alerts?limit=${ALERTS_FIRST}`);
            if (service.ended) return null;
            for (const a of alerts) page.alerts.set(a.stream_no, a);
            tell('alerts', 0);
            return Math.max(0, ...alerts.map(a => a.stream_no));
        } catch (e) {
            if (service.ended || e.status === 401 || e.status === 403) return null;
            setLink({ stream: 'lost', why: `${e.message}; trying again` });
            await sleep(2 * POLL_MS);
        }
    }
    return null;
}

/* The alert that a link asks for, when it is not among the newest. */
async function readWanted(service) {
    if (!page.wanted || [...page.alerts.values()].some(a => a.id === page.wanted)) return;
    try {
        const a = await service.get(`/v1/alerts/${encodeURIComponent(page.wanted)}`);
        if (service.ended) return;
        page.alerts.set(a.stream_no, a);
        tell('alerts', 0);
    } catch (e) {
        note(`The alert that the link leads to cannot be shown: ${e.message}`);
    }
}

async function followAlerts(service) {
    const last = await readAlerts(service);
    if (last === null) return;
    await readWanted(service);
    await service.follow(last, {
        open: () => setLink({ stream: 'live' }),
        lost: (words, wait) => setLink({ stream: 'lost',
            why: `${words}; next try in ${Math.ceil(wait / 1000)} s` }),
        refused: e => signIn(e.message),
        alert: takeAlert,
    });
}

function takeAlert(a) {
    if (page.alerts.has(a.stream_no)) return;
    page.alerts.set(a.stream_no, a);
    const numbers = [...page.alerts.keys()].sort((x, y) => x - y);
    for (const no of numbers.slice(0, -ALERTS_KEPT))
        if (page.alerts.get(no).id !== page.wanted) page.alerts.delete(no);
    tell('alerts', a.stream_no);
    announce(a);
}

/* For a screen reader, and in the title of a page that is hidden. */
function announce(a) {
    const value = `${page.value(a.value, a.measure)} ${a.unit}`;
    const words = `${a.severity} alert ${a.state}: ${a.rule.text}, value ${value}`;
    const now = a.severity === 'critical' && a.state === 'firing';
    say($(now ? 'announce-now' : 'announce'), words);
    if (!document.hidden) return;
    unseen++;
    document.title = `(${unseen}) Tocsin`;
}

/* ---- the rest ---- */

async function pollTheRest(service) {
    while (!service.ended) {
        if (!document.hidden) await tell('refresh');
        await sleep(SLOW_MS);
    }
}

/* ---- sign in, start, stop ---- */

/* Nothing of one key's answers stays for who comes next. */
function forget() {
    for (const held of [page.measures, page.alerts, page.definitions, page.statuses]) held.clear();
    for (const id of ['announce', 'announce-now']) say($(id), '');
    $('index').replaceChildren();
    page.index = '';
    showAge(page, false, 0);
    lookAround = true;
    for (const view of views) view.forget?.(page);
}

function showBoard(shown) {
    document.body.classList.remove('starting');
    for (const id of ['board', 'tools']) $(id).hidden = !shown;
    $('board').classList.toggle('waiting', shown);
    $('sign-in').hidden = shown;
}

function signIn(words = '') {
    forget();
    page.service?.end();
    page.service = null;
    sessionStorage.removeItem(KEY);
    showBoard(false);
    setLink({ polls: 'connecting', stream: 'connecting', ready: true });
    $('link').dataset.link = 'signed-out';
    say($('link-state'), 'Signed out');
    note('');
    say($('sign-in-error'), words ? `That key was refused: ${words}.` : '');
    $('key').focus();
}

function start(key) {
    page.service?.end();
    const service = page.service = new Service(key);
    forget();
    showBoard(true);
    for (const view of views) view.start?.(page);
    setLink({ polls: 'connecting', stream: 'connecting', ready: true });
    watchReadiness(service);
    follow(service);
}

async function follow(service) {
    if (!await readDefinitions(service)) return;
    pollMeasures(service);
    followAlerts(service);
    pollTheRest(service);
}

/* The key comes in the fragment, which no server sees, and leaves the address bar at once. */
function keyFromAddress() {
    alertFromAddress();
    const key = new URLSearchParams(location.hash.slice(1)).get('key');
    if (key) {
        sessionStorage.setItem(KEY, key);
        const rest = page.wanted ? `#alert=${encodeURIComponent(page.wanted)}` : '';
        globalThis.history.replaceState(null, '', location.pathname + location.search + rest);
    }
    return key ?? sessionStorage.getItem(KEY);
}

/* #alert=ID is where an alert's link leads: it stays in the address, so that a reload shows the same. */
function alertFromAddress() {
    const id = new URLSearchParams(location.hash.slice(1)).get('alert');
    page.wanted = id || null;
}

function useTypedKey(event) {
    event.preventDefault();
    const key = $('key').value.trim();
    $('key').value = '';
    sessionStorage.setItem(KEY, key);
    start(key);
}

function seen() {
    if (document.hidden) return;
    unseen = 0;
    document.title = 'Tocsin';
}

/* What the browser test reads, and a curious reader at the console may. */
function hooks() {
    const all = {
        link: () => $('link').dataset.link,
        index: () => page.index,
        seq: () => page.seq,
        age: () => $('age').dataset.age,
        alerts: () => [...page.alerts.keys()],
        ...Object.assign({}, ...views.map(view => view.hooks)),
    };
    const read = {};
    for (const [name, get] of Object.entries(all)) Object.defineProperty(read, name, { get });
    return Object.freeze(read);
}

for (const view of views) {
    $('board').insertAdjacentHTML('beforeend', view.markup);
    view.mount?.(page);
}
$('index').onchange = () => chooseIndex($('index').value);
$('sign-out').onclick = () => signIn();
$('sign-in-form').onsubmit = useTypedKey;
document.addEventListener('visibilitychange', seen);
addEventListener('hashchange', () => { const key = keyFromAddress(); if (key) start(key); });
globalThis.tocsin = hooks();

const key = keyFromAddress();
if (key) start(key);
else signIn();
