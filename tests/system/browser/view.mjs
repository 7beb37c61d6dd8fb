// view.mjs ID [WORDS] - sections of the board in their order, and the section ID before and after its reader signed out, as JSON; before, once it
// says WORDS or ten seconds have passed. Complaints of the browser end it.
import { chromium } from 'playwright-core';

const [, , id, words = ''] = process.argv;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
    const page = await (await browser.newContext()).newPage();
    const complaints = [];
    page.on('console', m => { if (['error', 'warning'].includes(m.type())) complaints.push(m.text()); });
    page.on('pageerror', e => complaints.push(String(e.stack ?? e)));
    await page.goto(process.env.TOCSIN_URL);
    await page.waitForFunction(() => globalThis.tocsin?.link === 'live', null, { timeout: 30000 });
    const show = () => page.evaluate(name => document.getElementById(name).innerText, id);
    const said = ([name, text]) => document.getElementById(name).innerText.replace(/\s+/g, ' ').includes(text);
    await page.waitForFunction(said, [id, words], { timeout: 10000 }).catch(() => {});         /* what it says instead is for the caller to judge */
    const sections = await page.evaluate(() => [...document.getElementById('board').children].map(c => c.id));
    const seen = await page.locator(`#${id}`).isVisible(), live = await show();
    await page.click('#sign-out');
    const left = await page.evaluate(name => document.getElementById(name).textContent, id);
    if (complaints.length) throw new Error(complaints.join('; '));
    console.log(JSON.stringify({ sections, seen, live, left }));
} finally {
    await browser.close();
}
