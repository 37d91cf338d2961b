// Workers and clients of zeromq.js in one process: prints how many round trips there were. Its clients do not match replies
// to requests, which MDP leaves to them.

import process from "node:process";
import { Dealer } from "zeromq";
import { Count } from "./count.mjs";
import { outboxOf } from "./zeromq_outbox.mjs";

const INTERVAL = 1000;
const EMPTY = Buffer.alloc(0);
const CLIENT = Buffer.from("MDPC01");
const WORKER = Buffer.from("MDPW01");
const READY = Buffer.of(1);
const REPLY = Buffer.of(3);
const HEARTBEAT = Buffer.of(4);
const ECHO = Buffer.from("echo");
const OPTIONS = { linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 };

const [endpoint, , ...numbers] = process.argv.slice(2);
const [clients, inFlight, workers, size, warmup, window] = numbers.map(Number);
const body = Buffer.alloc(size);

async function work() {
  const socket = new Dealer(OPTIONS);
  socket.connect(endpoint);
  const send = outboxOf(socket);
  send([EMPTY, WORKER, READY, ECHO]);
  setInterval(() => send([EMPTY, WORKER, HEARTBEAT]), INTERVAL);
  for await (const [, , command, client, , ...request] of socket) {
    if (command[0] === 2) send([EMPTY, WORKER, REPLY, client, EMPTY, ...request]);
  }
}

const count = new Count(warmup, window, (result) => {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
});

async function ask() {
  const socket = new Dealer(OPTIONS);
  socket.connect(endpoint);
  const send = outboxOf(socket);
  for (let i = 0; i < inFlight; i++) send([EMPTY, CLIENT, ECHO, body]);
  for await (const [, header, service] of socket) {
    if (!CLIENT.equals(header) || !ECHO.equals(service)) throw new Error("not a reply");
    if (!count.replied()) return;
    send([EMPTY, CLIENT, ECHO, body]);
  }
}

for (let i = 0; i < workers; i++) work();
for (let i = 0; i < clients; i++) ask();
