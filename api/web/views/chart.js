/* chart.js - the cap-weighted level of the index against the equal-weighted one, over time. */
import { ComparisonChart, POINTS_DRAWN } from '../chart.js';
import { $, radios, say, sentence } from '../dom.js';
import { Failure } from '../service.js';
import * as text from '../text.js';

const CHANGES_ENOUGH = 120;
const RANGES = [
    { label: '15 min', s: 900 }, { label: '1 h', s: 3600 }, { label: '1 day', s: 86400 },
    { label: '1 month', s: 31 * 86400 }, { label: '1 year', s: 366 * 86400 },
    { label: 'All', s: 0 },
];
const SCALES = [{ label: 'Change', mode: 'percent' }, { label: 'Points', mode: 'points' }];
const LABEL = 'Line chart of the two index levels; the newest values are in the tiles above';
const NO_INDEX = 'No index is tracked yet. '
    + 'One appears here when its reference data and prices have arrived.';
const LINES = ['cap', 'ew'];             /* each drawn by the measure whose definition says so */

let lines = null;                        /* the ComparisonChart */
let range = null;                        /* of RANGES; null: the shortest with enough to see */
let hovered = null;                      /* where the cross-hair is */
let answered = false;                    /* it is known which measures there are */
let remarked = '';                       /* what there was to say about what has been drawn */
let loading = 0, generation = 0;         /* the load under way, 0: none; how many there were */

function measureOf(page, line) {
    const drawn = [...page.definitions.values()].find(d => d.page.line === line);
    return drawn && page.named(drawn.name)[0];
}

/* The newest values at the right end, at the time of the record that they stand at, as those of the
 * history are; false: one does not fit there, so that some were missed. */
function push(page) {
    const at = text.ms(page.time);
    const fit = LINES.map(line => {
        const m = page.measures.get(measureOf(page, line));
        return !m || m.status !== 'ok' || lines.push(line, at, m.value);
    });
    if (!hovered) showLegend();
    return fit.every(f => f);
}

/* Why there is no level; '' when there is one, or nothing is known yet. */
function why(page) {
    if (!page.index) return answered ? NO_INDEX : '';
    const m = page.measures.get(measureOf(page, 'cap'));
    if (!m || m.value !== null) return '';
    return `${sentence(`no level: ${page.words(m.status)}`)} ${page.help(m.status)}`;
}

/* In the place of lines that are not there, or under those that are. */
function explain(page) {
    const words = why(page) || remarked, blank = lines.available && lines.size === 0;
    say($('chart-why'), blank ? words : '');
    say($('chart-note'), blank ? '' : words);
}

function showLegend() {
    for (const line of LINES) {
        const last = lines.last(line), first = lines.first(line);
        const v = hovered ? hovered[line] : last?.value ?? null;
        const percent = v === null || !first ? null : 100 * (v / first.value - 1);
        const change = percent === null ? '' : `  ${text.number(percent, 2, true)}\u2009%`;
        say($(`${line}-value`), `${text.number(v, 2)}${change}`);
    }
    const t = hovered?.time ?? (lines.last('cap') ?? lines.last('ew'))?.time * 1000;
    say($('legend-time'), Number.isFinite(t) ? `${text.when(t)} UTC` : '');
}

/* As it stood at evenly spaced times of the range, oldest first: the chart gives each point the same width. */
async function history(page, measure, r) {
    if (!measure) return [];
    const to = text.ms(page.time) + 1;
    const query = new URLSearchParams({ m: measure, points: POINTS_DRAWN,
        ...(r.s && { from: new Date(to - r.s * 1000).toISOString() }),
        to: new Date(to).toISOString() });
    return (await page.service.get(`/v1/measures/history?${query}`)).points;
}

const readBoth = (page, r) => Promise.all(LINES.map(l => history(page, measureOf(page, l), r)));

/* How often there was something to see. */
const changes = points => new Set(points.map(p => p.seq)).size;

/* Nothing is older than what the range shows. */
const isAll = (page, points, r) => points.length > 0
    && text.ms(points[0].time) > text.ms(page.time) - r.s * 1000 + 2000 * r.s / POINTS_DRAWN + 2000;

/* What there is to say about a range that has been drawn. */
const remark = (cap, ew) => cap.length + ew.length > 0 ? ''
    : 'No history is stored for this range yet; the lines begin now.';

/* Draws the chosen range, or the shortest with enough to see; returns what to say about it. */
async function draw(page, mine) {
    let cap, ew, r;
    for (r of range ? [range] : RANGES) {
        [cap, ew] = await readBoth(page, r);
        if (mine !== generation) return '';            /* overtaken by a later load */
        lines.load(cap, ew, r.s);
        if (changes(cap) + changes(ew) >= CHANGES_ENOUGH || isAll(page, cap, r)) break;
    }
    range = r;
    return remark(cap, ew);
}

async function load(page) {
    if (!page.index || !page.service) return;
    const mine = ++generation;
    loading = mine;
    let words;
    try {
        words = await draw(page, mine);
    } catch (e) {
        if (mine !== generation) return;
        if (!(e instanceof Failure)) throw e;
        words = `No history: ${e.message}. The lines begin now.`;
        lines.load([], [], 0);
        range ??= RANGES.at(-1);
    }
    if (mine !== generation) return;
    loading = 0;
    hovered = null;
    remarked = lines.available ? words : '';
    for (const r of $('ranges').querySelectorAll('input')) r.checked = RANGES[r.value] === range;
    push(page);
    explain(page);
}

export const chart = {
    markup: `
    <section class="card chart-card" id="chart-card" aria-labelledby="chart-title">
      <div class="card-head">
        <h2 id="chart-title">Cap-weighted against equal-weighted</h2>
        <div class="switches">
          <fieldset class="switch" id="scales">
            <legend class="visually-hidden">Scale</legend></fieldset>
          <fieldset class="switch" id="ranges">
            <legend class="visually-hidden">Time range</legend></fieldset>
        </div>
      </div>
      <dl class="legend" id="legend">
        <div><dt><span class="swatch cap"></span><span id="cap-name">Cap-weighted</span></dt>
          <dd id="cap-value"></dd></div>
        <div><dt><span class="swatch ew"></span><span id="ew-name">Equal-weighted</span></dt>
          <dd id="ew-value"></dd></div>
        <div class="legend-time"><dt class="visually-hidden">At</dt>
          <dd id="legend-time"></dd></div>
      </dl>
      <div class="chart-box">
        <div id="chart" class="chart" role="img" aria-label="${LABEL}"></div>
        <p class="quiet chart-why" id="chart-why" role="status"></p>
      </div>
      <p class="quiet chart-note" id="chart-note"></p>
    </section>`,
    mount(page) {
        radios($('ranges'), 'range', RANGES, -1, r => { range = r; load(page); });
        radios($('scales'), 'scale', SCALES, 0, s => lines.scale(s.mode));
    },
    start() {
        lines ??= new ComparisonChart($('chart'), at => { hovered = at; showLegend(); });
    },
    wants: page => LINES.map(line => measureOf(page, line)).filter(m => m),
    measures(page) {
        answered = true;
        if (loading || !lines) return;
        if (push(page)) explain(page);
        else load(page);
    },
    index(page) {
        range = null;
        load(page);
    },
    returned: load,
    forget() {
        generation++;
        loading = 0;
        answered = false;
        remarked = '';
        lines?.load([], [], 0);
        for (const id of ['chart-why', 'chart-note', 'legend-time', 'cap-value', 'ew-value'])
            say($(id), '');
    },
    hooks: {
        points: () => lines?.size ?? 0,
        last: () => ({ cap: lines?.last('cap') ?? null, ew: lines?.last('ew') ?? null }),
    },
};
