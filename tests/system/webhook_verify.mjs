// webhook_verify.mjs - the foreign verifier: reads {"secret", "requests": [{"headers", "body"}]} and prints a verdict for each,
// "ok" or the reason of the refusal. Bodies come as base64, so that they are the very bytes that were sent.
import { Webhook } from "standardwebhooks";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { secret, requests } = JSON.parse(text);
const webhook = new Webhook(secret);
for (const { headers, body } of requests) {
    try {
        webhook.verify(Buffer.from(body, "base64").toString("utf8"), headers);
        console.log("ok");
    } catch (e) {
        console.log(e.message || String(e));
    }
}
