/* dashboard.test.mjs - the page in a real browser against a running service: does it show what is true, live, to everybody?
 *
 *     TOCSIN_URL='http://127.0.0.1:8080/#key=mk_live_…' TOCSIN_SCREENSHOT=page.png node dashboard.test.mjs
 *
 * Needs `npm ci` beside it (copy this folder into the build folder first: nothing is installed into the tree) and a Chromium:
 * CHROMIUM, or /usr/bin/chromium. Makes rules of its own and deletes them. Pictures: TOCSIN_SCREENSHOT, and beside it
 * -dark and -narrow. Prints a line a check and `N passed, N failed`; exit 1 when one failed. */
import net from 'node:net';
import { chromium } from 'playwright-core';

const ARRIVAL_MS = 15000;                /* for what the service does by itself: a record a second is slow already */
const WIDTHS = [390, 800, 1280, 1440];   /* a phone, a tablet, two desks */
const SHIFT_MAX = 0.1;                   /* the sum of layout shifts that a reader takes for steady (web.dev/cls) */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
               '--disable-component-update', '--disable-sync'];

if (!process.env.TOCSIN_URL) {
    console.error('usage: TOCSIN_URL=http://127.0.0.1:PORT/#key=KEY [TOCSIN_SCREENSHOT=FILE.png] node dashboard.test.mjs');
    process.exit(64);
}
const address = new URL(process.env.TOCSIN_URL);
const key = new URLSearchParams(address.hash.slice(1)).get('key');
const picture = process.env.TOCSIN_SCREENSHOT;

let passed = 0, failed = 0;
async function check(what, run) {
    const began = performance.now();
    try {
        await run();
        passed++;
        console.log(`ok    ${what} (${Math.round(performance.now() - began)} ms)`);
    } catch (e) {
        failed++;
        console.log(`FAIL  ${what}: ${e.message.split('\n').slice(0, 4).join(' | ')}`);
    }
}
function expect(truth, words) { if (!truth) throw new Error(words); }

/* ---- the API, from here and not from the page ---- */
const madeRules = new Set();
let made = 0;                            /* names: two rules of half the value of a moment may have the same text */
async function api(method, path, body) {
    const response = await fetch(new URL(path, address.origin), { method, body: body && JSON.stringify(body),
        headers: { Authorization: `Bearer ${key}`, ...(body && { 'Content-Type': 'application/json' }) } });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? null : response.json();
}
/* A rule that holds already and so fires at once: the newest value is far above a threshold of half of it. */
async function ruleThatFires(index, severity) {
    const { measures: [level] } = await api('GET', `/v1/measures?m=${encodeURIComponent(`level(${index})`)}`);
    const rule = await api('POST', '/v1/rules', { name: `browser test ${++made}`, rule: `level(${index}) >= ${(level.value / 2).toFixed(2)}`, severity, on_create: 'fire' });
    madeRules.add(rule.id);
    return rule;
}

/* ---- what the browser complains of ---- */
async function open(browser, url, options, before = () => {}) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    const complaints = [];
    page.on('console', m => { if (['error', 'warning'].includes(m.type())) complaints.push(`${m.text()} ${m.location().url}`); });
    page.on('pageerror', e => complaints.push(String(e.stack ?? e)));
    await page.addInitScript(before);
    await page.addInitScript(() => {
        window.violations = [];
        document.addEventListener('securitypolicyviolation', e => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`));
    });
    const response = await page.goto(url);
    await until(page, () => window.tocsin !== undefined);    /* it is loaded before its modules have run */
    return { page, context, complaints, response };
}
const hook = (page, name) => page.evaluate(n => window.tocsin[n], name);
const until = (page, run, arg, ms = ARRIVAL_MS) => page.waitForFunction(run, arg, { timeout: ms, polling: 100 });

/* A wire between browser and service that can be cut: connections in hand break, new ones are refused. */
async function wire() {
    const open = new Set();
    let whole = true;
    const server = net.createServer(near => {
        if (!whole) return near.destroy();
        const far = net.connect(Number(address.port || 80), address.hostname);
        for (const [a, b] of [[near, far], [far, near]]) {
            open.add(a);
            a.on('error', () => {}).on('close', () => { open.delete(a); b.destroy(); });
            a.pipe(b);
        }
    });
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
    return {
        origin: `http://127.0.0.1:${server.address().port}`,
        cut() { whole = false; for (const s of open) s.destroy(); },
        mend() { whole = true; },
        end() { this.cut(); server.close(); },
    };
}

/* Every visible text against what is behind it, by the WCAG formula; returns those under 4.5 to 1. */
function faintTexts() {
    const rgba = c => { const [r, g, b, a = 1] = c.match(/[\d.]+/g).map(Number); return { r, g, b, a }; };
    const light = ({ r, g, b }) => [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c.a > 0.99) return c; } return { r: 255, g: 255, b: 255 }; };
    const faint = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const e = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || !e.checkVisibility({ visibilityProperty: true }) || e.closest('.visually-hidden, .skip, #chart, option, datalist')) continue;
        const [hi, lo] = [light(rgba(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => b - a);
        const ratio = (hi + 0.05) / (lo + 0.05);
        if (ratio < 4.5) faint.add(`"${walk.currentNode.data.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
    }
    return [...faint];
}

/* Two of the shown controls that lie one over the other, in words; "": none do. */
const overlaps = (page, selector) => page.evaluate(selector => {
    const shown = [...document.querySelectorAll(selector)].map(e => [e, e.getBoundingClientRect()]).filter(([, b]) => b.width > 0);
    for (const [a, x] of shown)
        for (const [b, y] of shown)
            if (a !== b && x.left < y.right - 1 && y.left < x.right - 1 && x.top < y.bottom - 1 && y.top < x.bottom - 1)
                return `${a.id || a.ariaLabel || a.textContent} and ${b.id || b.ariaLabel || b.textContent}`;
    return '';
}, selector);

async function pressTwice(item) {
    const button = item.getByText(/^(Delete|Really delete)$/);
    await button.click();
    await button.click();
}

/* Runs in a page before it is loaded: what moved without being asked to, as the browser counts it. */
function watchShifts() {
    window.shifts = [];
    const name = n => n && `${n.nodeName}${n.id && `#${n.id}`}`;
    new PerformanceObserver(list => {
        for (const e of list.getEntries()) window.shifts.push({ value: e.value, of: e.sources.map(s => name(s.node)).join(' ') });
    }).observe({ type: 'layout-shift', buffered: true });
}

/* Has the page read measures as `change` makes them; the rest of the service is as it is. */
const altered = (page, change) => page.route(/\/v1\/measures(\?|$)/, async route => {
    const response = await route.fetch({ headers: { ...route.request().headers(), 'if-none-match': '"none"' } });
    const answer = await response.json();
    answer.measures.forEach(change);
    await route.fulfill({ response, json: answer });
});

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: FLAGS });
try {
    const { page, complaints, response } = await open(browser, address.href, { colorScheme: 'light' });
    let index = '';

    await check('the page forbids foreign and inline code', async () => {
        const policy = response.headers()['content-security-policy'] ?? '';
        expect(/default-src 'self'/.test(policy) && !/unsafe/.test(policy), `policy is "${policy}"`);
    });
    await check('the key leaves the address bar', async () => {
        await until(page, () => window.tocsin !== undefined);
        expect(!page.url().includes('mk_live'), page.url());
    });
    await check('the connection is live', () => until(page, () => window.tocsin.link === 'live'));
    await check('the chart has data', async () => {
        await until(page, () => window.tocsin.points > 1 && window.tocsin.last.cap && window.tocsin.last.ew);
        expect(await page.locator('#chart canvas').count() > 0, 'no canvas: the chart library is missing');
        index = await hook(page, 'index');
        expect(index, 'no index is chosen');
    });
    await check('the chart moves', async () => {
        const before = await hook(page, 'last');
        await until(page, b => window.tocsin.last.cap.time > b.cap.time && window.tocsin.last.cap.value !== b.cap.value, before);
    });
    await check('a tile says what the API says, with coverage and age', async () => {
        const name = `level(${index})`;
        await until(page, async ([name]) => {
            const tile = [...document.querySelectorAll('.tile')].find(t => t.querySelector('code').textContent === name);
            return tile && /^[\d,]+\.\d\d$/.test(tile.querySelector('.value').textContent) && /covered, .+ old$/.test(tile.querySelector('.evidence').textContent);
        }, [name]);
        const shown = Number((await page.locator('.tile', { has: page.locator(`code:text-is("${name}")`) }).locator('.value').innerText()).replaceAll(',', ''));
        const { measures: [{ value }] } = await api('GET', `/v1/measures?m=${encodeURIComponent(name)}`);
        expect(Math.abs(shown / value - 1) < 0.05, `page ${shown}, API ${value}`);
    });
    for (const [name, device] of [['desktop', { viewport: { width: 1440, height: 900 } }], ['phone', { viewport: { width: 390, height: 844 }, isMobile: true }]]) {
        await check(`from load until live little moves, ${name}`, async () => {
            const { page, context } = await open(browser, address.href, device, watchShifts);
            await until(page, () => window.tocsin.link === 'live' && window.tocsin.points > 1 && document.querySelector('#top tr') && document.querySelector('.value'));
            const shifts = await page.evaluate(() => window.shifts), sum = shifts.reduce((s, e) => s + e.value, 0);
            expect(sum <= SHIFT_MAX, `${sum.toFixed(3)}: ${shifts.filter(e => e.value > 0.005).map(e => `${e.value.toFixed(3)} ${e.of}`).join('; ')}`);
            await context.close();
        });
    }
    await check('the header says how old the data are', async () => {
        await until(page, () => window.tocsin.age === 'fresh' && /^[\d.]+\u2009s old$/.test(document.getElementById('age-since').textContent));
        expect(/^Data: *Up to date/.test(await page.locator('#age').textContent()), await page.locator('#age').textContent());
    });
    for (const [status, state, words, colour] of [['ok', 'quiet', 'Quiet for 20', 'warn'], ['stale', 'silent', 'Silent for 20', 'bad']]) {
        await check(`and that nothing comes any more, measures being ${status}`, async () => {
            const { page, context } = await open(browser, address.origin);
            await altered(page, m => { m.time = new Date(Date.parse(m.time) - 20 * 60000).toISOString(); m.status = status; });
            await page.fill('#key', key);
            await page.click('#sign-in-form button');
            await until(page, s => window.tocsin.age === s, state);
            const shown = await page.locator('#age').textContent();
            expect(shown.endsWith(`${words}\u2009min`), shown);
            const paint = await page.evaluate(c => {
                const probe = document.body.appendChild(document.createElement('p'));
                probe.style.color = `var(--${c})`;
                return [getComputedStyle(document.getElementById('age-state')).color, getComputedStyle(document.querySelector('#age .dot')).backgroundColor, getComputedStyle(probe).color];
            }, colour);
            expect(new Set(paint).size === 1, paint.join(', '));
            await context.close();
        });
    }
    await check('a level that is not there is explained, whatever its status', async () => {
        const { statuses } = await api('GET', '/v1/definitions');
        const none = statuses.filter(s => !['ok', 'stale'].includes(s.name));
        expect(none.length >= 3 && none.every(s => s.words && s.help.endsWith('.')), JSON.stringify(none));
        const { page, context } = await open(browser, address.origin);
        let status;
        await altered(page, m => { m.value = null; m.status = status; });
        await page.route(/\/v1\/measures\/history/, route => route.fulfill({ json: { measure: '', unit: '', points: [], next: null } }));
        for (const { name, words, help } of none) {
            status = name;
            if (name === none[0].name) {
                await page.fill('#key', key);
                await page.click('#sign-in-form button');
            }
            await page.locator('#chart-why', { hasText: `No level: ${words}. ${help}` }).waitFor({ timeout: ARRIVAL_MS });
            expect((await page.locator('.tile .evidence').first().innerText()).startsWith(`${words}; `), 'its tile does not say so');
        }
        await context.close();
    });
    await check('the ten largest are listed', () => until(page, () => document.querySelectorAll('#top tr').length > 0));
    await check('an alert arrives live', async () => {
        const rule = await ruleThatFires(index, 'warning');
        await page.locator(`#alerts li[data-rule="${rule.id}"][data-state="firing"][data-arrival="live"]`).waitFor({ timeout: ARRIVAL_MS });
        expect((await page.locator('#announce').textContent()).includes('alert firing'), 'it is not announced to a screen reader');
        expect(await page.locator(`#alerts li[data-rule="${rule.id}"]`).count() === 1, 'it is shown more than once');
    });
    await check('the news carry a label with a score', async () => {
        if ((await api('GET', '/v1/articles?limit=1')).articles.length === 0) return;            /* none has come yet */
        await until(page, () => /^(positive|neutral|negative|mixed), [+\u2212]?\d\.\d\d$/.test(document.querySelector('#news .verdict')?.textContent));
    });
    await check('every control has a name, and the page its landmarks', async () => {
        const nameless = await page.evaluate(() => [...document.querySelectorAll('input, select, button')]
            .filter(e => !(e.labels?.length || e.ariaLabel || e.textContent.trim())).map(e => e.id || e.outerHTML));
        expect(nameless.length === 0, nameless.join());
        for (const landmark of ['header', 'main', 'footer', 'h1', '[aria-live=polite]', '[role=alert]']) expect(await page.locator(landmark).count(), `no ${landmark}`);
    });
    for (const scheme of ['light', 'dark']) {
        await check(`every text can be read, ${scheme}`, async () => {
            await page.emulateMedia({ colorScheme: scheme });
            await page.waitForTimeout(200);
            const faint = await page.evaluate(faintTexts);
            expect(faint.length === 0, faint.join('; '));
            if (picture) await page.screenshot({ path: scheme === 'light' ? picture : picture.replace(/(\.\w+)?$/, '-dark$1'), fullPage: true });
        });
    }
    await check('the page fits 390 pixels', async () => {
        await page.emulateMedia({ colorScheme: 'light' });
        await page.setViewportSize({ width: 390, height: 844 });
        await page.waitForTimeout(300);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(wide <= 390, `it is ${wide} wide`);
        if (picture) await page.screenshot({ path: picture.replace(/(\.\w+)?$/, '-narrow$1'), fullPage: true });
        await page.setViewportSize({ width: 1440, height: 900 });
    });
    await check('no console error, no policy violation', async () => {
        const violations = await page.evaluate(() => window.violations);
        expect(complaints.length === 0, complaints.join('; '));
        expect(violations.length === 0, violations.join('; '));
    });

    /* From here on the browser is right to complain of answers such as 400. */
    await check('a wrong rule is pointed at', async () => {
        await page.fill('#rule-measure', `level(${index}`);
        await page.fill('#rule-threshold', '100');
        await page.click('#rule-submit');
        await page.locator('#rule-result .error').waitFor({ timeout: ARRIVAL_MS });
        const [text, mark] = (await page.locator('#rule-result pre').textContent()).split('\n');
        expect(text === `level(${index} >= 100` && /^ *\^$/.test(mark) && mark.length <= text.length + 1, `${text} / ${mark}`);
    });
    await check('a rule is made with the form and deleted', async () => {
        const rule = `level(${index}) >= 987654`;
        await page.fill('#rule-measure', `level(${index})`);
        await page.fill('#rule-threshold', '987654');
        await page.click('#rule-submit');
        await page.locator('#rule-result .done').waitFor({ timeout: ARRIVAL_MS });
        const item = page.locator('#rules li', { hasText: rule });
        await item.waitFor({ timeout: ARRIVAL_MS });
        await pressTwice(item);
        await item.waitFor({ state: 'detached', timeout: ARRIVAL_MS });
    });
    await check('a rule is changed, disabled and enabled on the page', async () => {
        const { id } = await api('POST', '/v1/rules', { rule: `level(${index}) >= 876543`, severity: 'info', cooldown_s: 7 });
        madeRules.add(id);
        const item = page.locator('#rules li', { hasText: '876543' }), state = async () => (await item.locator('.state').innerText()).trim();
        const is = (what, wanted) => api('GET', `/v1/rules/${id}`).then(r => expect(Object.entries(wanted).every(([k, v]) => r[k] === v), `${what}: ${JSON.stringify(r)}`));
        await item.waitFor({ timeout: ARRIVAL_MS });
        await item.getByText('Edit', { exact: true }).click();
        await page.locator('.rule-edit input').fill(`level(${index} >= 876544`);
        await page.waitForTimeout(6000);                                     /* longer than the list takes to be read anew */
        await page.click('.rule-edit [type=submit]');
        const [text, mark] = (await page.locator('.rule-edit pre').textContent({ timeout: ARRIVAL_MS })).split('\n');
        expect(text === `level(${index} >= 876544` && /^ *\^$/.test(mark), `${text} / ${mark}`);
        await is('after a refusal', { rule: `level(${index}) >= 876543`, version: 1 });
        await page.locator('.rule-edit input').fill(`level(${index}) >= 8765430`);
        for (const width of WIDTHS) {
            await page.setViewportSize({ width, height: 900 });
            const two = await overlaps(page, '#rule-form :is(input, select, button), .rule-edit :is(input, select, button)');
            expect(two === '', `${two} at ${width}`);
        }
        await page.locator('.rule-edit').getByLabel('Severity').selectOption('critical');
        await page.locator('.rule-edit').getByLabel('Looks').selectOption('close');
        await page.click('.rule-edit [type=submit]');
        await page.locator('#rules code', { hasText: '8765430' }).waitFor({ timeout: ARRIVAL_MS });
        await item.getByText('at the close').waitFor({ timeout: ARRIVAL_MS });
        await is('changed', { rule: `level(${index}) >= 8765430`, severity: 'critical', at: 'close', cooldown_s: 7, enabled: true, version: 2 });
        await item.getByText('Disable', { exact: true }).click();
        await item.getByText('Enable', { exact: true }).waitFor({ timeout: ARRIVAL_MS });
        expect(await state() === 'disabled', await state());
        await is('disabled', { enabled: false, severity: 'critical', version: 3 });
        await item.getByText('Enable', { exact: true }).click();
        await item.getByText('Disable', { exact: true }).waitFor({ timeout: ARRIVAL_MS });
        await is('enabled', { enabled: true, version: 4 });
        await item.getByText('Edit', { exact: true }).click();
        await page.keyboard.press('Escape');
        await pressTwice(item);
        await item.waitFor({ state: 'detached', timeout: ARRIVAL_MS });
    });
    await check('a wrong key is refused in words', async () => {
        const { page, context } = await open(browser, `${address.origin}/#key=mk_live_wrong`);
        await page.locator('#sign-in-error', { hasText: 'refused' }).waitFor({ timeout: ARRIVAL_MS });
        expect(await page.locator('#board').isHidden(), 'the board is shown');
        await context.close();
    });
    await check('after signing out nothing of the tenant comes back, whatever key is typed', async () => {
        const cable = await wire();
        try {
            const rule = await ruleThatFires(index, 'info');
            const { page, context } = await open(browser, `${cable.origin}/${address.hash}`);
            const held = () => page.evaluate(() => ['tiles', 'alerts', 'rules', 'top', 'news', 'quality', 'quality-said', 'announce']
                .filter(id => document.getElementById(id).textContent.trim()).concat(window.tocsin.alerts.length ? 'numbers' : []).join());
            const signIn = async typed => { await page.fill('#key', typed); await page.click('#sign-in-form button'); };
            await page.locator('#rules li', { hasText: rule.name }).waitFor({ timeout: ARRIVAL_MS });
            await page.locator(`#alerts li[data-rule="${rule.id}"]`).waitFor({ timeout: ARRIVAL_MS });
            await page.click('#sign-out');
            expect(await held() === '', `after signing out: ${await held()}`);
            await signIn('mk_live_wrong');
            await page.locator('#sign-in-error', { hasText: 'refused' }).waitFor({ timeout: ARRIVAL_MS });
            expect(await held() === '', `after a refusal: ${await held()}`);
            cable.cut();
            await signIn('anything');
            await until(page, () => window.tocsin.link === 'lost');
            expect(await held() === '', `with the service out of reach: ${await held()}`);
            await context.close();
        } finally {
            cable.end();
        }
    });
    await check('a link to an alert leads to it, and one to none is told', async () => {
        const { alerts: [{ id }] } = await api('GET', '/v1/alerts?limit=1');
        const linked = await open(browser, `${address.origin}/${address.hash}&alert=${id}`);
        await linked.page.locator(`#alerts li.wanted[data-id="${id}"] details[open]`).waitFor({ timeout: ARRIVAL_MS });
        expect(linked.page.url().endsWith(`#alert=${id}`), `the link does not stay in the address: ${linked.page.url()}`);
        await linked.context.close();
        const lost = await open(browser, `${address.origin}/${address.hash}&alert=no%20such`);
        await lost.page.locator('#note', { hasText: 'The alert that the link leads to cannot be shown' }).waitFor({ timeout: ARRIVAL_MS });
        await lost.context.close();
    });
    await check('a broken link is told, mended, and no alert is lost or repeated', async () => {
        const cable = await wire();
        try {
            const { page, context } = await open(browser, `${cable.origin}/${address.hash}`);
            await until(page, () => window.tocsin.link === 'live');
            cable.cut();
            await until(page, () => window.tocsin.link === 'lost');
            const rule = await ruleThatFires(index, 'critical');
            await page.waitForTimeout(1500);
            cable.mend();
            await page.locator(`#alerts li[data-rule="${rule.id}"][data-state="firing"]`).waitFor({ timeout: 2 * ARRIVAL_MS });
            await until(page, () => window.tocsin.link === 'live', null, 2 * ARRIVAL_MS);
            const numbers = await hook(page, 'alerts'), newest = Math.max(...numbers);
            expect(numbers.length === new Set(numbers).size && numbers.every(n => n === newest || numbers.includes(n + 1)), `stream numbers ${numbers}`);
            await context.close();
        } finally {
            cable.end();
        }
    });
} finally {
    for (const id of madeRules) await api('DELETE', `/v1/rules/${id}`).catch(e => console.log(`could not delete rule ${id}: ${e.message}`));
    await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
