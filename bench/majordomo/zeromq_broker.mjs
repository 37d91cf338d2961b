// The same broker on zeromq.js: MDP 0.1, least recently used workers, a queue for each service, heartbeats and expiry.
// Written for speed: no log, keys and lookups as cheap as in wasmq's.

import process from "node:process";
import { Router } from "zeromq";
import { outboxOf } from "./zeromq_outbox.mjs";

const INTERVAL = 1000;
const LIVENESS = 3;
const EXPIRY = 60_000;
const EMPTY = Buffer.alloc(0);
const CLIENT = Buffer.from("MDPC01");
const WORKER = Buffer.from("MDPW01");
const REQUEST = Buffer.of(2);
const HEARTBEAT = Buffer.of(4);
const DISCONNECT = Buffer.of(5);
const [window] = process.argv.slice(2).map(Number);

const router = new Router({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
const services = new Map();
const workers = new Map();
let now = 0;

const send = outboxOf(router);

function serviceOf(name) {
  const key = name.latin1Slice();
  let service = services.get(key);
  if (service === undefined) {
    services.set(key, service = { name, requests: [], head: 0, free: new Set() });
  }
  return service;
}

function dispatch(service) {
  const { free, requests } = service;
  while (free.size > 0 && service.head < requests.length) {
    const worker = free.values().next().value;
    const request = requests[service.head];
    requests[service.head++] = undefined;
    if (service.head === requests.length) requests.length = service.head = 0;
    worker.sent = now;
    worker.inFlight.push(request);
    if (worker.inFlight.length >= window) free.delete(worker);
    else if (free.size > 1) {
      free.delete(worker);
      free.add(worker);
    }
    send([worker.id, EMPTY, WORKER, REQUEST, request.client, EMPTY, ...request.body]);
  }
}

function lose(worker) {
  workers.delete(worker.key);
  worker.service.free.delete(worker);
  worker.service.requests.splice(worker.service.head, 0, ...worker.inFlight);
}

function takeCommand(id, command, rest) {
  const key = id.latin1Slice();
  const worker = workers.get(key);
  switch (command[0]) {
    case 1: {
      const service = serviceOf(rest[0]);
      const fresh = { id, key, service, inFlight: [], heard: now, sent: now };
      workers.set(key, fresh);
      service.free.add(fresh);
      return dispatch(service);
    }
    case 3: {
      if (worker === undefined) return send([id, EMPTY, WORKER, DISCONNECT]);
      worker.heard = now;
      const [client, , ...body] = rest;
      const at = worker.inFlight.findIndex((request) => request.client.equals(client));
      if (at < 0) return lose(worker);
      worker.inFlight.splice(at, 1);
      send([client, EMPTY, CLIENT, worker.service.name, ...body]);
      worker.service.free.add(worker);
      return dispatch(worker.service);
    }
    case 4:
      if (worker === undefined) return send([id, EMPTY, WORKER, DISCONNECT]);
      worker.heard = now;
      return;
    case 5:
      if (worker !== undefined) lose(worker);
  }
}

setInterval(() => {
  now = performance.now();
  for (const worker of workers.values()) {
    if (now - worker.heard >= LIVENESS * INTERVAL) lose(worker);
    else if (now - worker.sent >= INTERVAL) {
      worker.sent = now;
      send([worker.id, EMPTY, WORKER, HEARTBEAT]);
    }
  }
  for (const service of services.values()) {
    const { requests } = service;
    while (service.head < requests.length && requests[service.head].since + EXPIRY < now) {
      requests[service.head++] = undefined;
    }
  }
}, INTERVAL / 4);

await router.bind("tcp://127.0.0.1:*");
process.stdout.write(`${JSON.stringify({ listening: router.lastEndpoint })}\n`);

for await (const [id, , header, ...rest] of router) {
  if (CLIENT.equals(header)) {
    const [name, ...body] = rest;
    const service = serviceOf(name);
    service.requests.push({ client: id, body, since: now });
    dispatch(service);
  } else if (WORKER.equals(header)) {
    const [command, ...more] = rest;
    takeCommand(id, command, more);
  }
}
