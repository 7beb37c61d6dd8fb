/* news.js - the newest articles, with the score of each and of every company in it. */
import { $, el, empty } from '../dom.js';
import * as text from '../text.js';

const SHOWN = 20;

function verdict(label, score) {
    return el('span', { className: `verdict ${label}`,
                        textContent: `${label}, ${text.number(score, 2, true)}` });
}

function chip(t) {
    const title = `${t.symbol}: ${t.label}, relevance ${text.number(t.relevance, 2)}`;
    return el('span', { className: `chip ${t.label}`, title },
              el('b', { textContent: t.symbol }), ` ${text.number(t.score, 2, true)}`);
}

/* What no longer counts says so in a word, and its headline is struck out. */
const ENDED = { superseded: 'revised since', retracted: 'retracted' };

function item(a) {
    const ended = ENDED[a.state];
    return el('li', {},
        el('p', { className: 'news-head' },
            el('time', { dateTime: a.time, textContent: text.when(a.time) }),
            el('span', { className: 'source', textContent: a.source }),
            ended ? el('strong', { className: 'ended', textContent: ended }) : null),
        el('p', { className: 'headline' }, el(ended ? 's' : 'span', { textContent: a.headline })),
        el('p', { className: 'scores' }, verdict(a.label, a.score),
            ...(a.tickers ?? []).map(chip)));
}

async function show(page) {
    const { service } = page;
    const { articles } = await service.get(`/v1/articles?limit=${SHOWN}`);
    if (service.ended) return;
    const signature = articles.map(a => `${a.id}:${a.score}:${a.state}`).join();
    if ($('news').dataset.shown === signature) return;
    $('news').dataset.shown = signature;
    $('news').replaceChildren(...articles.map(item));
    if (articles.length === 0) $('news').append(empty('No article yet.'));
}

export const news = {
    markup: `
    <section class="card news-card" id="news-card" aria-labelledby="news-title">
      <h2 id="news-title">News</h2>
      <ol class="news" id="news"></ol>
    </section>`,
    refresh: show,
    forget() {
        $('news').replaceChildren();
        delete $('news').dataset.shown;
    },
};
