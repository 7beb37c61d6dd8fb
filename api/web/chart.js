/* chart.js - two lines over time: the cap-weighted level and the equal-weighted one. The only file that knows the chart library.
 *
 * It keeps to the right edge while new points come until the reader drags or pinches; a double click or another range
 * follows again. A page may be open for weeks: what lies beyond the span is dropped, and of everything ever more is left out. */
import * as text from './text.js';

const library = () => globalThis.LightweightCharts;
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const POINTS_DRAWN = 1500;               /* of a range; the library gives each point the same width, so sparse closes and dense ticks must not mix */
const SLACK = 0.25;                      /* of the span, kept beyond it: all that is left is drawn anew when some goes */

/* Adds p to points in ascending order and at least gap_s apart, but for the newest: that is always there as it came, and gives
 * way to the next while it is too near the one before. Returns how many gave way, or -1 when p is older than the newest. */
function append(points, p, gap_s) {
    const last = points.at(-1), before = points.at(-2);
    if (last && p.time < last.time) return -1;
    const near = last && (p.time === last.time || (before && last.time - before.time < gap_s));
    if (near) points.pop();
    points.push(p);
    return near ? 1 : 0;
}

function spaced(points, gap_s) {
    const out = [];
    for (const p of points) append(out, p, gap_s);
    return out;
}

const pointsOf = readings => readings.map(r => ({ time: Math.floor(text.ms(r.time) / 1000), value: r.value }))
    .filter(p => p.value !== null && Number.isFinite(p.time));

export class ComparisonChart {
    #box; #chart = null; #lines = {}; #points = { cap: [], ew: [] }; #span = 0; #gap = 1; #following = true; #hover;

    /* hover(null) or hover({ time: ms, cap, ew }) as the cross-hair moves. */
    constructor(box, hover) {
        this.#box = box;
        this.#hover = hover;
        if (!library()?.createChart) {
            const note = document.createElement('p');
            note.className = 'chart-missing';
            note.textContent = 'No chart: the chart library was not available when this service was built. Every other figure on this page is live.';
            box.removeAttribute('role');
            box.append(note);
            return;
        }
        const { createChart, LineSeries } = library();
        this.#chart = createChart(box, {
            autoSize: true,
            layout: { attributionLogo: false },      /* it needs an inline style, which the page's policy forbids; the footer carries the notice */
            localization: { locale: 'en-GB', timeFormatter: t => text.when(t * 1000) },
            rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.08 } },
            timeScale: { borderVisible: false, timeVisible: true, secondsVisible: true, minBarSpacing: 0.0001, rightOffset: 0 },
            handleScroll: { mouseWheel: false, vertTouchDrag: false },
            handleScale: { mouseWheel: false },
        });
        const line = { lineWidth: 2, priceLineVisible: false, crosshairMarkerRadius: 3 };
        this.#lines.cap = this.#chart.addSeries(LineSeries, line);
        this.#lines.ew = this.#chart.addSeries(LineSeries, line);
        this.#chart.subscribeCrosshairMove(e => this.#hovered(e));
        box.addEventListener('pointerdown', () => { this.#following = false; });
        box.addEventListener('dblclick', () => { this.#following = true; this.#follow(); });
        matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#paint());
        this.scale('percent');
        this.#paint();
    }

    get available() { return this.#chart !== null; }
    get size() { return this.#points.cap.length + this.#points.ew.length; }
    first(line) { return this.#visibleFirst(line); }
    last(line) { return this.#points[line].at(-1) ?? null; }

    scale(mode) {
        const { PriceScaleMode } = library() ?? {};
        this.#chart?.priceScale('right').applyOptions({ mode: mode === 'percent' ? PriceScaleMode.Percentage : PriceScaleMode.Normal });
    }

    /* Replaces everything, readings oldest first. span_s: how much of the right end to keep in view; 0 for all. */
    load(cap, ew, span_s) {
        const ends = [cap[0], cap.at(-1)].map(r => text.ms(r?.time) / 1000);
        this.#span = span_s;
        this.#gap = Math.max(1, (span_s || ends[1] - ends[0] || 0) / POINTS_DRAWN);
        this.#following = true;
        this.#draw('cap', spaced(pointsOf(cap), this.#gap));
        this.#draw('ew', spaced(pointsOf(ew), this.#gap));
        this.#follow();
    }

    #draw(line, points) {
        this.#points[line] = points;
        this.#lines[line]?.setData(points.map(p => ({ ...p })));       /* the library writes into what it is given */
    }

    /* False when the point lies before the last one (the feed began anew): the caller should load again. */
    push(line, time, value) {
        if (value === null) return true;
        const p = { time: Math.floor(time / 1000), value };
        const gone = append(this.#points[line], p, this.#gap);
        if (gone < 0) return false;
        if (gone) this.#lines[line]?.pop(1);
        this.#lines[line]?.update({ ...p });
        this.#drop(line);
        this.#follow();
        return true;
    }

    /* What is not to be seen any more. */
    #drop(line) {
        const points = this.#points[line], from = points.at(-1).time - this.#span;
        if (this.#span && points[0].time < from - SLACK * this.#span) return this.#draw(line, points.filter(p => p.time >= from));
        if (this.#span || points.length <= 2 * POINTS_DRAWN) return;
        this.#gap *= 2;
        for (const each of ['cap', 'ew']) this.#draw(each, spaced(this.#points[each], this.#gap));
    }

    #visibleFirst(line) {
        const points = this.#points[line];
        if (!this.#span || points.length === 0) return points[0] ?? null;
        const from = points.at(-1).time - this.#span;
        return points.find(p => p.time >= from) ?? null;
    }

    #follow() {
        if (!this.#chart || !this.#following || this.size === 0) return;
        const first = this.#visibleFirst('cap') ?? this.#visibleFirst('ew');
        const last = this.last('cap') ?? this.last('ew');
        this.#chart.timeScale().applyOptions({ secondsVisible: last.time - first.time < 3600 });
        if (this.#span && last.time > first.time) this.#chart.timeScale().setVisibleRange({ from: first.time, to: last.time });
        else this.#chart.timeScale().fitContent();
    }

    #hovered(e) {
        if (e.time === undefined) return this.#hover(null);
        const at = line => e.seriesData.get(this.#lines[line])?.value ?? null;
        this.#hover({ time: e.time * 1000, cap: at('cap'), ew: at('ew') });
    }

    #paint() {
        const ink = colour('--quiet'), line = colour('--line');
        this.#chart.applyOptions({
            layout: { background: { type: 'solid', color: colour('--surface') }, textColor: ink, fontSize: 12,
                      fontFamily: getComputedStyle(document.body).fontFamily },
            grid: { vertLines: { visible: false }, horzLines: { color: line } },
            crosshair: { vertLine: { color: ink, labelBackgroundColor: colour('--label') }, horzLine: { color: ink, labelBackgroundColor: colour('--label') } },
        });
        this.#lines.cap.applyOptions({ color: colour('--cap') });
        this.#lines.ew.applyOptions({ color: colour('--ew') });
    }
}
