/* dom.js - making and changing nodes. What comes from the service is written with textContent,
 * never as markup. */

export const $ = id => document.getElementById(id);
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

export function el(tag, properties = {}, ...children) {
    const e = Object.assign(document.createElement(tag), properties);
    e.append(...children.filter(c => c !== null));
    return e;
}

/* Only a change is written: a screen reader would say it again, a selection would be lost. */
export function say(node, words) {
    if (node.textContent !== words) node.textContent = words;
}

export const sentence = words =>
    words[0].toUpperCase() + words.slice(1) + (/[.?!]$/.test(words) ? '' : '.');

export function empty(words) { return el('li', { className: 'empty', textContent: words }); }

/* These nodes in this order, and no others; one that stays where it is is not touched, and keeps its focus. */
export function put(box, nodes) {
    for (const node of [...box.children]) if (!nodes.includes(node)) node.remove();
    nodes.forEach((node, i) => {
        const there = box.children[i] ?? null;
        if (there !== node) box.insertBefore(node, there);
    });
}

/* A row of buttons of which one is pressed. */
export function radios(box, name, choices, checked, change) {
    box.append(...choices.map((c, i) => {
        const input = el('input', { type: 'radio', name, value: i, checked: i === checked });
        input.onchange = () => change(c);
        return el('label', {}, input, el('span', { textContent: c.label }));
    }));
}
