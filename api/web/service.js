/* service.js - the way to the HTTP API: requests that carry the key, failures in words, and the live stream.
 *
 * The stream is read with fetch, because EventSource cannot send an Authorization header and a key must not be in a URL. */

const REQUEST_MS = 10000;
const SILENCE_MS = 40000;                /* the service beats at least every 15 s: this long without a byte is a dead link */
const STEADY_MS = 10000;                 /* a link that held this long was a good one: the next tries start over */
const CLOCK_SET_MS = REQUEST_MS + 2000;  /* no answer comes so late that Date differs by more */
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15000];

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

/* `message` is fit to show; `status` is 0 when the service was not reached. */
export class Failure extends Error {
    constructor(status, problem, message) {
        super(message);
        this.status = status;
        this.problem = problem ?? {};
    }
}

async function failure(response) {
    const problem = await response.json().catch(() => ({}));
    const wait = response.headers.get('Retry-After');
    const words = problem.detail || problem.title || `the service answered ${response.status}`;
    return new Failure(response.status, problem, wait ? `${words} (try again in ${wait} s)` : words);
}

async function reach(path, options) {
    try {
        return await fetch(path, { cache: 'no-store', credentials: 'omit', redirect: 'error', ...options });
    } catch (e) {
        throw new Failure(0, null, e.name === 'TimeoutError' ? 'the service does not answer' : 'the service cannot be reached');
    }
}

export class Service {
    #auth;
    #etags = new Map();                  /* path -> ETag of what the caller was last given */
    #ended = new AbortController();
    #ahead = -Infinity;                  /* its clock less ours, ms */

    constructor(key) { this.#auth = { Authorization: `Bearer ${key}` }; }
    get ended() { return this.#ended.signal.aborted; }
    end() { this.#ended.abort(); }

    /* By the service's clock, ms: an age is not to depend on how this machine's is set. */
    now() { return Date.now() + (Number.isFinite(this.#ahead) ? this.#ahead : 0); }

    /* Date has whole seconds, cut off, and takes a while to come: the largest difference is the nearest,
     * unless a clock has been set. */
    #heard(date) {
        const ahead = Date.parse(date) - Date.now();
        if (ahead > this.#ahead || ahead < this.#ahead - CLOCK_SET_MS) this.#ahead = ahead;
    }

    async #ask(method, path, headers = {}, body = undefined) {
        const signal = AbortSignal.timeout(REQUEST_MS);
        const response = await reach(path, { method, body, signal, headers: { ...this.#auth, ...headers } });
        this.#heard(response.headers.get('Date'));
        if (!response.ok && response.status !== 304) throw await failure(response);
        return response;
    }

    async #json(response) {
        try {
            return await response.json();
        } catch {
            throw new Failure(0, null, 'the answer broke off');
        }
    }

    async get(path) { return this.#json(await this.#ask('GET', path)); }

    /* null when nothing has changed since the last call for the same path. */
    async getIfChanged(path) {
        const known = this.#etags.get(path);
        const response = await this.#ask('GET', path, known ? { 'If-None-Match': known } : {});
        if (response.status === 304) return null;
        const body = await this.#json(response);
        const etag = response.headers.get('ETag');
        this.#etags.clear();             /* one path is polled at a time */
        if (etag) this.#etags.set(path, etag);
        return body;
    }

    async post(path, body) {
        const once = [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('');
        return this.#json(await this.#ask('POST', path, { 'Content-Type': 'application/json', 'Idempotency-Key': once }, JSON.stringify(body)));
    }

    /* What is to be done stands in the path, and done twice is done once. */
    async command(path) { return this.#json(await this.#ask('POST', path)); }

    async patch(path, body) {
        return this.#json(await this.#ask('PATCH', path, { 'Content-Type': 'application/json' }, JSON.stringify(body)));
    }

    async remove(path) { await this.#ask('DELETE', path); }

    /* Readiness needs no key; "not ready" is an answer and not a failure. */
    async ready() {
        const response = await reach('/readyz', { signal: AbortSignal.timeout(REQUEST_MS) });
        return this.#json(response);
    }

    /* Follows the live stream from after event `last` until end(), through broken links: on.alert(alert, no) once an event, in
     * order; on.open(); on.lost(words, ms until the next try); on.refused(failure) when another try cannot help. */
    async follow(last, on) {
        for (let tries = 0; !this.ended; tries++) {
            const began = performance.now();
            try {
                await this.#readStream(last, on, no => { last = no; });
                throw new Failure(0, null, 'the live stream ended');
            } catch (e) {
                if (this.ended) return;
                if (e.status === 401 || e.status === 403) return on.refused(e);
                if (performance.now() - began > STEADY_MS) tries = 0;
                const wait = BACKOFF_MS[Math.min(tries, BACKOFF_MS.length - 1)] * (0.75 + Math.random() / 2);
                on.lost(e instanceof Failure ? e.message : 'the live stream broke off', wait);
                await Promise.race([sleep(wait), new Promise(r => addEventListener('online', r, { once: true }))]);
            }
        }
    }

    async #readStream(last, on, seen) {
        const link = new AbortController();
        const stop = () => link.abort();
        this.#ended.signal.addEventListener('abort', stop);
        let silence = setTimeout(stop, SILENCE_MS);
        try {
            const response = await reach('/v1/stream', { signal: link.signal,
                headers: { ...this.#auth, Accept: 'text/event-stream', 'Last-Event-ID': String(last) } });
            if (!response.ok) throw await failure(response);
            on.open();
            const events = new EventReader();
            const bytes = response.body.pipeThrough(new TextDecoderStream()).getReader();
            for (;;) {
                const { done, value } = await bytes.read();
                if (done) return;
                clearTimeout(silence);
                silence = setTimeout(stop, SILENCE_MS);
                for (const e of events.push(value)) {
                    if (e.id !== undefined) seen(e.id);
                    if (e.event === 'alert') on.alert(JSON.parse(e.data), Number(e.id));
                }
            }
        } finally {
            clearTimeout(silence);
            link.abort();
            this.#ended.signal.removeEventListener('abort', stop);
        }
    }
}

/* Server-sent events out of text in any pieces. */
export class EventReader {
    #rest = '';
    #event = {};

    push(text) {
        const lines = (this.#rest + text).split(/\r?\n/);
        this.#rest = lines.pop();
        const out = [];
        for (const line of lines) {
            if (line === '') {
                if (this.#event.data !== undefined) out.push({ event: 'message', ...this.#event });
                this.#event = {};
                continue;
            }
            const colon = line.indexOf(':');
            if (colon === 0) continue;   /* a heartbeat */
            const field = colon < 0 ? line : line.slice(0, colon);
            const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
            if (field === 'data') this.#event.data = this.#event.data === undefined ? value : `${this.#event.data}\n${value}`;
            else if (field === 'id' || field === 'event') this.#event[field] = value;
        }
        return out;
    }
}
