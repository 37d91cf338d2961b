// The guide's Paranoid Pirate queue and worker and a REP service, anew on npm's zeromq, which is libzmq. Run by Node:
//
//   libzmq_ppp.mjs queue             prints the addresses for clients and for workers
//   libzmq_ppp.mjs worker ADDRESS    answers with what it was asked, and its name
//   libzmq_ppp.mjs client ADDRESS N  asks N questions by REQ, prints the answers
//   libzmq_ppp.mjs rep               prints its address; the first request stays unanswered

import { Dealer, Reply, Request, Router } from "zeromq";

const [, , role, address, count] = process.argv;
const INTERVAL = 100;
const LIVENESS = 10;
const READY = "\x01";
const HEARTBEAT = "\x02";

const say = (text) => process.stdout.write(`${text}\n`);

async function bound(socket) {
  await socket.bind("tcp://127.0.0.1:*");
  return socket.lastEndpoint;
}

/** As the guide's: any sign of life makes a worker the last in the line of those that are ready. */
async function queue() {
  const clients = new Router();
  const workers = new Router();
  say(`clients ${await bound(clients)}`);
  say(`workers ${await bound(workers)}`);
  const ready = new Map(); // by its name, in order: when it expires, and its address
  let wake = () => {};
  setInterval(async () => {
    for (const [name, worker] of ready) {
      if (Date.now() > worker.expires) ready.delete(name);
      else await workers.send([worker.id, HEARTBEAT]);
    }
  }, INTERVAL);
  (async () => {
    for await (const [id, ...frames] of workers) {
      const name = id.toString("hex");
      ready.delete(name);
      ready.set(name, { id, expires: Date.now() + INTERVAL * LIVENESS });
      if (frames.length > 1) await clients.send(frames);
      else if (![READY, HEARTBEAT].includes(String(frames[0]))) say("malformed");
      wake();
    }
  })();
  for (;;) {
    while (ready.size === 0) await new Promise((resolve) => wake = resolve);
    const request = await clients.receive();
    while (ready.size === 0) await new Promise((resolve) => wake = resolve);
    const [name, { id }] = ready.entries().next().value;
    ready.delete(name);
    await workers.send([id, ...request]);
  }
}

/** As the guide's: requests have three frames; a queue that is silent is left, and met anew over a fresh socket. */
async function worker() {
  for (;;) {
    const socket = new Dealer({ receiveTimeout: INTERVAL, linger: 0 });
    socket.connect(address);
    await socket.send(READY);
    say("ready");
    let beat = Date.now() + INTERVAL;
    for (let liveness = LIVENESS; liveness > 0;) {
      const frames = await socket.receive().catch(() => undefined);
      if (frames === undefined) liveness--;
      else {
        liveness = LIVENESS;
        if (frames.length === 3) {
          await socket.send([frames[0], frames[1], `${frames[2]} by libzmq`]);
        } else if (frames.length !== 1 || String(frames[0]) !== HEARTBEAT) say("malformed");
      }
      if (Date.now() > beat) {
        beat = Date.now() + INTERVAL;
        await socket.send(HEARTBEAT);
      }
    }
    socket.close();
    say("lost");
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}

async function client() {
  const socket = new Request({ receiveTimeout: 20_000 });
  socket.connect(address);
  for (let i = 0; i < Number(count); i++) {
    await socket.send(`question ${i}`);
    say(String((await socket.receive())[0]));
  }
  socket.close();
}

async function rep() {
  const socket = new Reply();
  say(`rep ${await bound(socket)}`);
  // A REP cannot pass over a request: another one does, under the same name.
  const first = await socket.receive();
  say(`ignored ${first[0]}`);
  await new Promise((resolve) => setTimeout(resolve, 2 * INTERVAL));
  await socket.send("late");
  for await (const [question] of socket) await socket.send(`${question} by libzmq`);
}

await { queue, worker, client, rep }[role]();
