// release.mjs - releases the share counts that are held, as people do: the first by keyboard on a wide screen, the second by thumb on a phone. Prints
// JSON: for each what the page said and whether it reaches past the screen. One press alone releases nothing, which is seen to first.
import { chromium, devices } from 'playwright-core';

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const complaints = [], told = [];

async function open(options) {
    const page = await (await browser.newContext(options)).newPage();
    page.on('console', m => { if (['error', 'warning'].includes(m.type())) complaints.push(m.text()); });
    page.on('pageerror', e => complaints.push(String(e.stack ?? e)));
    await page.goto(process.env.TOCSIN_URL);
    await page.waitForFunction(() => globalThis.tocsin?.link === 'live', null, { timeout: 30000 });
    return page;
}
const said = page => page.locator('#quality-said[role=status]').textContent();
const held = page => page.locator('#quality button', { hasText: /elease$/ });

try {
    let page = await open({ viewport: { width: 1440, height: 900 } });
    const first = held(page).first();
    await first.waitFor({ timeout: 20000 });
    const before = await held(page).count(), labels = [await first.getAttribute('aria-label')];
    const counted = await page.locator('#quality-count').textContent();
    await first.focus();
    await page.keyboard.press('Enter');
    labels.push(await first.getAttribute('aria-label'));
    const asked = await said(page);
    await page.waitForFunction(() => !document.querySelector('#quality [data-sure]'), null, { timeout: 20000 });
    const afterOne = await held(page).count();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Space');
    await page.waitForFunction(n => document.querySelectorAll('#quality button').length === n - 1, before, { timeout: 20000 });
    const focused = await page.evaluate(() => document.activeElement.id);
    told.push({ before, counted, afterOne, labels, asked, said: await said(page), focused });

    page = await open({ ...devices['Pixel 5'] });
    const second = held(page).first();
    await second.waitFor({ timeout: 20000 });
    await second.scrollIntoViewIfNeeded();
    const { x, y, width, height } = await second.boundingBox();
    const past = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await page.touchscreen.tap(x + width / 2, y + height / 2);
    await page.locator('#quality [data-sure]').waitFor({ timeout: 5000 });
    await page.touchscreen.tap(x + width / 2, y + height / 2);             /* where it was */
    await page.waitForFunction(() => !document.querySelector('#quality button'), null, { timeout: 20000 });
    told.push({ height, past, said: await said(page) });
    if (complaints.length) throw new Error(complaints.join('; '));
    console.log(JSON.stringify(told));
} finally {
    await browser.close();
}
