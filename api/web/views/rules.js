/* rules.js - the tenant's rules: to be made, looked at and deleted. */
import { $, el, empty, say, sentence } from '../dom.js';
import { Failure } from '../service.js';
import * as text from '../text.js';

const SURE_MS = 4000;                    /* a second press within this means it */

async function show(page) {
    const service = page.service;
    try {
        const { rules } = await service.get('/v1/rules?limit=100');
        if (service.ended) return;
        $('rules').replaceChildren(...rules.map(r => item(page, r)));
        if (rules.length === 0) $('rules').append(empty('No rule yet. Make one above.'));
    } catch (e) {
        if (!(e instanceof Failure)) throw e;
    }
}

function item(page, r) {
    const remove = el('button', { type: 'button', className: 'plain', textContent: 'Delete',
                                  ariaLabel: `Delete the rule ${r.rule}` });
    remove.onclick = () => press(page, r, remove);
    return el('li', {}, el('strong', { textContent: r.name }), el('code', { textContent: r.rule }),
        el('span', { className: `state ${r.state}`,
                     textContent: r.enabled === false ? 'disabled' : r.state }), remove);
}

async function press(page, r, remove) {
    if (remove.dataset.sure === undefined) {
        remove.dataset.sure = '';
        say(remove, 'Really delete');
        setTimeout(() => { delete remove.dataset.sure; say(remove, 'Delete'); }, SURE_MS);
        return;
    }
    remove.disabled = true;
    try {
        await page.service.remove(`/v1/rules/${encodeURIComponent(r.id)}`);
        tell('Rule deleted.');
    } catch (e) {
        tell(sentence(`not deleted: ${e.message}`), true);
    }
    show(page);
}

function tell(words, wrong = false, shown = null) {
    $('rule-result').replaceChildren(...(shown ? [el('pre', { textContent: shown })] : []),
        el('p', { className: wrong ? 'error' : 'done', textContent: words }));
    for (const id of ['rule-measure', 'rule-threshold']) $(id).ariaInvalid = 'false';
}

function pointAt(input) {
    input.ariaInvalid = 'true';
    input.focus();
}

async function create(page) {
    const measure = $('rule-measure').value.trim(), threshold = $('rule-threshold').value.trim();
    if (!measure || !threshold) {
        const example = $('rule-measure').placeholder;
        const such = example ? `, such as ${example}` : '';
        tell(measure ? 'Give a threshold.' : `Give a measure${such}.`, true);
        pointAt($(measure ? 'rule-threshold' : 'rule-measure'));
        return;
    }
    const rule = `${measure} ${$('rule-op').value} ${threshold}`;
    $('rule-submit').disabled = true;
    try {
        const severity = $('rule-severity').value;
        const made = await page.service.post('/v1/rules', { rule, severity });
        tell(`Watching ${made.rule}.`);
        $('rule-form').reset();
    } catch (e) {
        const at = e.problem?.position;
        tell(sentence(e.message), true, at ? text.caret(rule, at) : null);
        if (at) pointAt($(at > measure.length ? 'rule-threshold' : 'rule-measure'));
    }
    $('rule-submit').disabled = false;
    show(page);
}

export const rules = {
    markup: `
    <section class="card rules-card" id="rules-card" aria-labelledby="rules-title">
      <h2 id="rules-title">Rules</h2>
      <form id="rule-form" class="rule-form" autocomplete="off" novalidate>
        <div class="field wide"><label for="rule-measure">Measure</label>
          <input id="rule-measure" list="rule-measures" required spellcheck="false"
            autocapitalize="off" aria-describedby="rule-result">
          <datalist id="rule-measures"></datalist></div>
        <div class="field"><label for="rule-op">Is</label>
          <select id="rule-op"><option>&gt;=</option><option>&gt;</option><option>&lt;=</option>
            <option>&lt;</option></select></div>
        <div class="field"><label for="rule-threshold">Threshold</label>
          <input id="rule-threshold" required inputmode="text" spellcheck="false"
            aria-describedby="rule-result"></div>
        <div class="field"><label for="rule-severity">Severity</label>
          <select id="rule-severity"><option value="info">info</option>
            <option value="warning" selected>warning</option>
            <option value="critical">critical</option></select></div>
        <button type="submit" id="rule-submit">Create rule</button>
        <div id="rule-result" class="rule-result" role="status"></div>
      </form>
      <ul class="rules" id="rules" aria-label="Your rules"></ul>
    </section>`,
    mount(page) {
        $('rule-form').onsubmit = event => {
            event.preventDefault();
            create(page);
        };
    },
    measures(page, every) {
        if (!every) return;
        const options = [...page.measures.keys()].map(m => el('option', { value: m }));
        $('rule-measures').replaceChildren(...options);
    },
    index(page) {
        const shown = [...page.definitions.values()].filter(d => d.page.title);
        const example = shown.map(d => page.named(d.name)[0]).find(m => m);
        if (example) $('rule-measure').placeholder = example;
    },
    refresh: show,
    alerts(page, arrived) {
        if (arrived) show(page);
    },
    forget() {
        for (const id of ['rules', 'rule-result', 'rule-measures']) $(id).replaceChildren();
        $('rule-form').reset();
    },
};
