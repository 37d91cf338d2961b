/**
 * Services by name, behind a broker that notices who is gone.
 *
 * Workers say which service they do, clients ask for a service; nobody knows of anybody but the
 * broker. First a client asks ten times, one after the other. Then another has a thousand requests
 * under way at once, and each gets its own reply, although two workers share them. Then the one
 * that has a request leaves, and the other does it. At last a reply comes in parts, for which both
 * sides speak version 0.2 of the protocol.
 *
 *   deno run --allow-net examples/guide/majordomo.ts
 *
 * or the same with `bun` or `node`. After mdbroker, mdworker, mdclient and mdclient2 of the ZeroMQ
 * guide.
 *
 * @module
 */

import { MajordomoBroker, MajordomoClient, MajordomoWorker } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const AT_ONCE = 1000;

const broker = new MajordomoBroker();
await broker.bind("tcp://127.0.0.1:*");
const endpoint = broker.lastEndpoint!;

const shares = { Ada: 0, Ben: 0 };
function hire(name: "Ada" | "Ben"): MajordomoWorker {
  return new MajordomoWorker({
    endpoint,
    service: "echo",
    handler: async ([text], { signal }) => {
      if (`${text}` === "slow") {
        console.log(`${name} has a request that takes long`);
        for (let i = 0; i < 20 && !signal.aborted; i++) await sleep(10);
        return `${text}, by ${name}`;
      }
      shares[name]++;
      return text;
    },
  });
}
const workers = { Ada: hire("Ada"), Ben: hire("Ben") };

const client = new MajordomoClient({ endpoint });
let count = 0;
for (let i = 0; i < 10; i++) {
  const [reply] = await client.request("echo", `hello ${i}`);
  if (`${reply}` === `hello ${i}`) count++;
}
console.log(`${count} of 10 requests were answered, one after the other`);

const busy = new MajordomoClient({ endpoint });
const replies = await Promise.all(
  Array.from({ length: AT_ONCE }, (_, i) => busy.request("echo", `${i}`)),
);
const own = replies.filter(([reply], i) => `${reply}` === `${i}`).length;
console.log(`${own} of ${AT_ONCE} requests at once have their own replies`);
const fair = Math.min(shares.Ada, shares.Ben) > AT_ONCE / 4;
console.log(`the workers ${fair ? "shared them" : `did ${shares.Ada} and ${shares.Ben}`}`);

broker.events.on("worker", ({ service }) => console.log(`a worker of ${service} has come`));
broker.events.on("lost", ({ reason }) => console.log(`a worker is gone: ${reason}`));
const slow = client.request("echo", "slow");
await sleep(50);
await workers.Ada.close(); // who has it is the one that was free for longer
console.log(`the reply: ${(await slow)[0]}`);

const counter = new MajordomoWorker({
  endpoint,
  service: "countdown",
  version: "0.2",
  handler: async function* ([from]) {
    for (let i = Number(from); i > 0; i--) yield `${i}`;
    return "lift-off";
  },
});
const watcher = new MajordomoClient({ endpoint, version: "0.2" });
for await (const { body, final } of watcher.stream("countdown", "3")) {
  console.log(`${body}${final ? "!" : " …"}`);
}

for (const part of [client, busy, watcher, workers.Ben, counter, broker]) await part.close();
