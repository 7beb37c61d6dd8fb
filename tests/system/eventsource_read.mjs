// eventsource_read.mjs URL KEY N - a foreign reader of the live stream (npm eventsource), which comes back by itself: prints "open" when it
// is told where the stream stands for the first time, then a line an alert, and ends after N of them.
import { EventSource } from "eventsource";

const [url, key, wanted] = process.argv.slice(2);
const source = new EventSource(`${url}/v1/stream`, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${key}` } }),
});
let alerts = 0;
source.addEventListener("position", () => console.log("open"), { once: true });
source.addEventListener("reset", e => console.log(`reset ${e.data}`));
source.onmessage = e => console.log(`unexpected ${e.data}`);
source.addEventListener("alert", e => {
    const alert = JSON.parse(e.data);
    console.log(`alert ${e.lastEventId} ${alert.state}`);
    if (++alerts === Number(wanted)) source.close();
});
