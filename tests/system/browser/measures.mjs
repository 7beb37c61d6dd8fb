// measures.mjs - what the page shows to who has a key: prints the measures of the table, the tiles, and all text, as JSON.
import { chromium } from 'playwright-core';

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
    const page = await (await browser.newContext()).newPage();
    await page.goto(process.env.TOCSIN_URL);
    await page.waitForFunction(() => globalThis.tocsin?.link === 'live', null, { timeout: 30000 });
    await page.evaluate(() => { document.getElementById('all').open = true; });
    await page.waitForFunction(() => document.querySelectorAll('#all-rows tr').length > 0, null, { timeout: 30000 });
    const codes = selector => page.evaluate(s => [...document.querySelectorAll(s)].map(e => e.textContent), selector);
    const tiles = await page.evaluate(() => [...document.querySelectorAll('.tile')].map(t => ({ measure: t.querySelector('code').textContent,
        title: t.querySelector('h2').textContent, value: t.querySelector('.value').textContent, more: t.querySelector('.more').textContent })));
    console.log(JSON.stringify({ all: await codes('#all-rows code'), tiles, text: await page.evaluate(() => document.body.textContent) }));
} finally {
    await browser.close();
}
