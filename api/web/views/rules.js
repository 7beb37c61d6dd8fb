/* rules.js - the tenant's rules: to be made, looked at, changed, disabled and deleted. */
import { $, el, empty, put, say, sentence } from '../dom.js';
import { Failure } from '../service.js';
import * as text from '../text.js';

const SURE_MS = 4000;                    /* a second press within this means it */

const SEVERITIES = ['info', 'warning', 'critical'];

const LOOKS = [['trade', 'at each trade'], ['close', 'at the close']];

const items = new Map();                 /* id -> the item of a rule: { node, update(rule) } */

async function show(page) {
    const service = page.service;
    try {
        const { rules } = await service.get('/v1/rules?limit=100');
        if (!service.ended) list(page, rules);
    } catch (e) {
        if (!(e instanceof Failure)) throw e;
    }
}

/* An item stays the node that it is: somebody may be about to press a button in it, or be writing. */
function list(page, rules) {
    const ids = new Set(rules.map(r => r.id));
    for (const id of [...items.keys()].filter(id => !ids.has(id))) items.delete(id);
    const nodes = rules.map(r => {
        if (!items.has(r.id)) items.set(r.id, item(page));
        items.get(r.id).update(r);
        return items.get(r.id).node;
    });
    if (nodes.length === 0) nodes.push(empty('No rule yet. Make one above.'));
    put($('rules'), nodes);
}

function button(words, press) {
    const b = el('button', { type: 'button', className: 'plain', textContent: words });
    b.onclick = () => press(b);
    return b;
}

function item(page) {
    let rule = null;
    const n = {
        name: el('strong'), text: el('code'), looks: el('span', { className: 'rule-looks' }), state: el('span'),
        edit: button('Edit', () => edit(page, rule, n.node)),
        able: button('Disable', b => toggle(page, b, rule)),
        remove: button('Delete', b => press(page, rule, b)),
    };
    n.node = el('li', {}, el('p', { className: 'rule-said' }, n.name, n.text, n.looks), n.state,
                el('span', { className: 'rule-buttons' }, n.edit, n.able, n.remove));
    return { node: n.node, update(r) {
        rule = r;
        say(n.name, r.name);
        say(n.text, r.rule);
        say(n.looks, r.at === 'close' ? ' at the close' : '');
        say(n.state, r.enabled ? r.state : 'disabled');
        n.state.className = `state ${r.enabled ? r.state : 'disabled'}`;
        say(n.able, r.enabled ? 'Disable' : 'Enable');
        for (const b of [n.edit, n.able, n.remove]) b.ariaLabel = `${b.textContent} the rule ${r.rule}`;
    } };
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
    remove.disabled = false;
    show(page);
}

/* Only what is named changes. Resolves to the Failure, or null. */
async function change(page, pressed, r, what) {
    pressed.disabled = true;
    let failure = null;
    try {
        await page.service.patch(`/v1/rules/${encodeURIComponent(r.id)}`, what);
        tell('enabled' in what ? `Rule ${what.enabled ? 'enabled' : 'disabled'}.` : 'Rule changed.');
    } catch (e) {
        if (!(e instanceof Failure)) throw e;
        failure = e;
    }
    pressed.disabled = false;
    await show(page);
    return failure;
}

async function toggle(page, pressed, r) {
    const failure = await change(page, pressed, r, { enabled: !r.enabled });
    if (failure) tell(sentence(`not changed: ${failure.message}`), true);
}

/* In the place of the item: its text, when it looks, and severity to be written anew. */
function edit(page, r, node) {
    const rule = el('input', { value: r.rule, spellcheck: false, ariaLabel: 'Rule' });
    const severity = el('select', { ariaLabel: 'Severity' },
                        ...SEVERITIES.map(s => el('option', { value: s, textContent: s })));
    const at = el('select', { ariaLabel: 'Looks' },
                  ...LOOKS.map(([value, said]) => el('option', { value, textContent: said })));
    const save = el('button', { type: 'submit', textContent: 'Save' });
    const fault = el('div', { className: 'rule-result', role: 'status' });
    const form = el('form', { className: 'rule-edit', noValidate: true, autocomplete: 'off' },
                    rule, at, severity, save, button('Cancel', () => done()), fault);
    const shown = [...node.children];
    const done = () => { node.replaceChildren(...shown); shown.at(-1).firstChild.focus(); };
    severity.value = r.severity;
    at.value = r.at;
    form.onkeydown = event => { if (event.key === 'Escape') done(); };
    form.onsubmit = async event => {
        event.preventDefault();
        const what = changed(r, { rule: rule.value.trim(), severity: severity.value, at: at.value });
        if (Object.keys(what).length === 0) return done();
        const failure = await change(page, save, r, what);
        if (!failure) return done();
        explain(fault, failure, what.rule);
        rule.ariaInvalid = 'true';
        rule.focus();
    };
    node.replaceChildren(form);
    rule.focus();
}

const changed = (r, wanted) =>
    Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== r[name]));

function explain(box, failure, rule) {
    const at = rule && failure.problem?.position;
    box.replaceChildren(...(at ? [el('pre', { textContent: text.caret(rule, at) })] : []),
        el('p', { className: 'error', textContent: sentence(failure.message) }));
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
        const at = $('rule-at').value;
        const made = await page.service.post('/v1/rules', { rule, severity, at });
        tell([`Watching ${made.rule}.`, ...made.warnings.map(w => sentence(w.detail))].join(' '));
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
        <div class="field"><label for="rule-at">Looks</label>
          <select id="rule-at">${LOOKS.map(([value, said]) =>
              `<option value="${value}">${said}</option>`).join('')}</select></div>
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
        items.clear();
        for (const id of ['rules', 'rule-result', 'rule-measures']) $(id).replaceChildren();
        $('rule-form').reset();
    },
};
