// verify_webhook.mjs - checks webhooks that were received with a verifier that is not ours: npm's standardwebhooks.
//
// stdin: one JSON object a line, {"headers": {"webhook-id", "webhook-timestamp", "webhook-signature"}, "body": "...", "secret": "whsec_..."}.
// Each must verify as it is, and must be refused after any one change: of the body, id, timestamp, signature or secret.
// stdout: {"verified": n, "tampered_refused": 6n}. Exit 1 at the first that is not so, or when there was no line.
// TOCSIN_NODE_MODULES names the node_modules directory that holds the package.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

const modules = process.env.TOCSIN_NODE_MODULES;
if (!modules) {
    console.error('TOCSIN_NODE_MODULES is not set');
    process.exit(64);
}
const { Webhook } = createRequire(join(modules, 'x.js'))(join(modules, 'standardwebhooks'));

const realNow = Date.now;
// The verifier refuses a timestamp more than 5 minutes from now; what is checked may have been recorded earlier.
function verify({ headers, body, secret }, nowS) {
    Date.now = () => nowS * 1000;
    try {
        return new Webhook(secret).verify(body, headers);
    } finally {
        Date.now = realNow;
    }
}

function flipped(text, at) {
    return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}

function tampered({ headers, body, secret }, n) {
    const header = (name, value) => ({ headers: { ...headers, [name]: value }, body, secret });
    const id = headers['webhook-id'], signature = headers['webhook-signature'], timestamp = Number(headers['webhook-timestamp']);
    return [
        { headers, body: flipped(body, n % body.length), secret },
        { headers, body: body + ' ', secret },
        header('webhook-id', flipped(id, n % id.length)),
        header('webhook-timestamp', String(timestamp + 1)),
        header('webhook-signature', signature.split(' ').map((s) => flipped(s, 3 + (n % 42))).join(' ')),
        { headers, body, secret: 'whsec_' + flipped(secret.slice(6), n % 30) },
    ];
}

let verified = 0, refused = 0;
for await (const line of createInterface({ input: process.stdin })) {
    if (!line.trim()) continue;
    const hook = JSON.parse(line);
    hook.headers = Object.fromEntries(Object.entries(hook.headers).map(([k, v]) => [k.toLowerCase(), v]));
    const sentS = Number(hook.headers['webhook-timestamp']);
    try {
        verify(hook, sentS);
    } catch (e) {
        console.error(`not verified: ${hook.headers['webhook-id']}: ${e.message}`);
        process.exit(1);
    }
    verified++;
    for (const [i, bad] of tampered(hook, verified).entries()) {
        let accepted = true;
        try {
            verify(bad, sentS);
        } catch {
            accepted = false;
        }
        if (accepted) {
            console.error(`change ${i} of ${hook.headers['webhook-id']} was accepted`);
            process.exit(1);
        }
        refused++;
    }
}
console.log(JSON.stringify({ verified, tampered_refused: refused }));
process.exit(verified > 0 ? 0 : 1);
