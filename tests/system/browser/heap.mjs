// heap.mjs MINUTES HURRY - what the page holds on to while it is open for MINUTES of data, as JSON: an array of { minute, heap, nodes, listeners, points },
// each after a collection of garbage. `nodes` leaves out those within the page's lists: how many alerts and articles there are is the demo's
// affair, which goes on in its own time, and on a loaded machine there are more of them. Its range is the shortest. HURRY 1: as time passes. Above: the page's seconds are that much shorter, and
// its polls are answered here, each with the service's answer of the beginning a second later and with values of its own; all else is real.
import { chromium } from 'playwright-core';

const minutes = Number(process.argv[2]), hurry = Number(process.argv[3]), EVERY_MINUTES = 5;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });

/* Runs in the page, before anything of its own. */
function hasten(factor) {
    const wait = window.setTimeout, ask = window.fetch, first = new Map();
    window.polls = 0;
    window.pollsMax = Infinity;
    window.setTimeout = (run, ms, ...rest) => wait(run, ms <= 1000 ? ms / factor : ms, ...rest);
    window.fetch = async (path, options) => {
        if (!/^\/v1\/measures(\?|$)/.test(path)) return ask(path, options);
        if (!first.has(path)) first.set(path, await (await ask(path, { ...options, headers: { ...options.headers, 'If-None-Match': '"none"' } })).json());
        while (window.polls >= window.pollsMax) await new Promise(resolve => wait(resolve, 20));
        const n = ++window.polls, answer = structuredClone(first.get(path)), began = Date.parse(answer.time);
        answer.seq += n;
        answer.time = new Date(began + 1000 * n).toISOString();
        for (const m of answer.measures) {
            m.time = answer.time;
            if (m.value !== null) m.value *= 1 + 0.01 * Math.sin(n / 50 + m.measure.length);
        }
        return new Response(JSON.stringify(answer), { headers: { 'Content-Type': 'application/json', ETag: `"n-${n}"` } });
    };
}

try {
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    const failures = [];
    page.on('pageerror', e => failures.push(String(e.stack ?? e)));
    if (hurry > 1) await page.addInitScript(hasten, hurry);
    await page.goto(process.env.TOCSIN_URL);
    await page.waitForFunction(() => window.tocsin?.link === 'live' && window.tocsin.points > 1, null, { timeout: 30000 });
    await page.locator('#ranges label').first().click();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
    const reach = async minute => {
        if (hurry === 1) return page.waitForTimeout(EVERY_MINUTES * 60000);
        await page.evaluate(n => { window.pollsMax = n; }, 60 * minute);
        return page.waitForFunction(n => window.polls >= n, 60 * minute, { timeout: 300000 });
    };
    const samples = [];
    for (let minute = EVERY_MINUTES; minute <= minutes; minute += EVERY_MINUTES) {
        await reach(minute);
        for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage');
        const { metrics } = await devtools.send('Performance.getMetrics');
        const metric = name => metrics.find(m => m.name === name).value;
        const listed = await page.evaluate(() => {
            let n = 0;
            for (const list of document.querySelectorAll('ul, ol'))
                for (const walker = document.createTreeWalker(list); walker.nextNode();) n++;
            return n;
        });
        samples.push({ minute, heap: metric('JSHeapUsedSize'), nodes: metric('Nodes') - listed, listeners: metric('JSEventListeners'),
                       points: await page.evaluate(() => window.tocsin.points) });
    }
    if (failures.length) throw new Error(failures.join('; '));
    console.log(JSON.stringify(samples));
} finally {
    await browser.close();
}
