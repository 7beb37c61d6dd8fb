/* chart.js - two lines over time: the cap-weighted level and the equal-weighted one. The only file that knows the chart library.
 *
 * It keeps to the right edge while new points come until the reader drags or pinches; a double click or another range
 * follows again. */
import * as text from './text.js';

const library = () => globalThis.LightweightCharts;
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* Ascending, one point a second, only real values: what the library asks for. The last reading of a second wins. */
function clean(points) {
    const out = [];
    for (const p of points) {
        const time = Math.floor(text.ms(p.time) / 1000);
        if (p.value === null || !Number.isFinite(time)) continue;
        const last = out.at(-1);
        if (last && time < last.time) continue;
        if (last && time === last.time) out.pop();
        out.push({ time, value: p.value });
    }
    return out;
}

export class ComparisonChart {
    #box; #chart = null; #lines = {}; #points = { cap: [], ew: [] }; #span = 0; #following = true; #hover;

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

    /* Replaces everything. span_s: how much of the right end to keep in view; 0 for all. */
    load(cap, ew, span_s) {
        this.#points = { cap: clean(cap), ew: clean(ew) };
        this.#span = span_s;
        this.#following = true;
        for (const line of ['cap', 'ew']) this.#lines[line]?.setData(this.#points[line].map(p => ({ ...p })));      /* the library writes into what it is given */
        this.#follow();
    }

    /* False when the point lies before the last one (the feed began anew): the caller should load again. */
    push(line, time, value) {
        if (value === null) return true;
        const points = this.#points[line];
        const p = { time: Math.floor(time / 1000), value };
        const last = points.at(-1);
        if (last && p.time < last.time) return false;
        if (last && p.time === last.time) points.pop();
        points.push(p);
        this.#lines[line]?.update({ ...p });
        this.#follow();
        return true;
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
        const seconds = last.time - first.time < 172800;
        this.#chart.timeScale().applyOptions({ secondsVisible: last.time - first.time < 3600, timeVisible: seconds });
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
