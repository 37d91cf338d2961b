/**
 * EAGAIN: what happens at the high-water mark, and three ways to live with it.
 *
 * Nobody listens yet, so messages wait, and the mark says how many may. Then `send` waits for room,
 * as long as `sendTimeout` allows; with 0 it rejects with EAGAIN at once, and `trySend` answers
 * false, which costs less. `poll` tells when there is room again. What was accepted is not lost.
 *
 *   deno run --allow-net examples/guide/eagain.ts
 *
 * or the same with `bun` or `node`. After eagain of the ZeroMQ guide.
 *
 * @module
 */

import { Dealer, poll, Router } from "../../mod.ts";

const HIGH_WATER_MARK = 4;
const MESSAGES = 10;

/** An address where nobody listens. */
async function unusedAddress(): Promise<string> {
  const socket = new Router();
  await socket.bind("tcp://127.0.0.1:*");
  await socket.close();
  return socket.lastEndpoint!;
}

const address = await unusedAddress();
const mailbox = new Dealer({ sendHighWaterMark: HIGH_WATER_MARK, sendTimeout: 0 });
mailbox.connect(address);

let sent = 0;
try {
  while (sent < MESSAGES) {
    await mailbox.send(`message ${sent + 1}`);
    sent++;
  }
} catch (error) {
  const { code } = error as { code?: string };
  if (code !== "EAGAIN") throw error;
  console.log(`message ${sent + 1}: ${code}, after ${sent} messages`);
}
console.log(`trySend: ${mailbox.trySend("one more")}, writable: ${mailbox.writable}`);

const reader = new Router();
await reader.bind(address);
await poll([{ socket: mailbox, writable: true }]); // until it is connected and there is room
console.log(`somebody listens; writable: ${mailbox.writable}`);

mailbox.sendTimeout = -1; // from now on wait for room: the sender goes as fast as the reader
const sending = (async () => {
  while (sent < MESSAGES) await mailbox.send(`message ${++sent}`);
})();
for (let received = 1; received <= MESSAGES; received++) {
  const [, text] = await reader.receive();
  console.log(`received ${text}`);
}
await sending;
await Promise.all([mailbox.close(), reader.close()]);
