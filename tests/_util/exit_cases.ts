// A program that opens sockets in one of many ways and then has nothing more to do: does it end?
// Usage: exit_cases.ts CASE[+CASE…] TRANSPORT FOLDER [ENDPOINT]

import { Dealer, Pair, Pull, Push, Reply, Request, Router } from "../../mod.ts";
import { caseName, givenEndpoint, nobody, place, say } from "./exit_places.ts";

const endpoint = givenEndpoint ?? nobody();

/** Nothing that these start is awaited unless they say so. */
const CASES: Readonly<Record<string, () => Promise<void> | void>> = {
  // These end at once.
  "open": () => {
    for (const type of [Pair, Push, Pull, Request, Reply, Dealer, Router]) new type();
  },
  "bound": async () => {
    await new Pull().bind(place());
    await new Router({ handshakeInterval: 60_000 }).bind(place());
  },
  "connecting": () => {
    new Push().connect(nobody());
    new Pull({ connectTimeout: 60_000 }).connect(endpoint);
  },
  "connected": async () => {
    const pull = new Pull();
    await pull.bind(place());
    const push = new Push();
    push.connect(pull.lastEndpoint!);
    await push.send("x");
    say(String(await pull.receive()));
  },
  "with a message delivered": async () => {
    const push = new Push();
    push.connect(endpoint);
    await push.send("x");
  },
  "with unread messages": async () => {
    const pair = new Pair();
    await pair.bind(place());
    const other = new Pair();
    other.connect(pair.lastEndpoint!);
    await other.send("unread");
    while (!pair.readable) await new Promise((resolve) => setTimeout(resolve, 5));
  },
  "after a timeout": async () => {
    const pull = new Pull({ receiveTimeout: 50 });
    await pull.receive().catch((error) => say(error.code));
  },
  "after an abort": async () => {
    const options = { signal: AbortSignal.timeout(50) };
    await new Pull().receive(options).catch((error) => say(error.name));
  },
  "with linger 0": async () => {
    const push = new Push({ linger: 0 });
    push.connect(nobody());
    await push.send("dropped");
  },
  "with some linger": async () => {
    const push = new Push({ linger: 200 });
    push.connect(nobody());
    await push.send("dropped");
  },
  "closed with some linger": async () => {
    const push = new Push({ linger: 200 });
    push.connect(nobody());
    await push.send("dropped");
    await new Promise((resolve) => setTimeout(resolve, 150));
    await push.close();
    say("closed");
  },
  "closed with some linger, late": async () => {
    const push = new Push({ linger: 50 });
    push.connect(nobody());
    await push.send("dropped");
    await new Promise((resolve) => setTimeout(resolve, 150));
    await push.send("dropped");
    await push.close();
    say("closed");
  },
  "closed with messages that nobody can get": async () => {
    const push = new Push({ sendHighWaterMark: 0 });
    await push.bind(place());
    const pull = new Pull({ receiveHighWaterMark: 1, linger: 0 });
    pull.connect(push.lastEndpoint!);
    const body = new Uint8Array(100_000);
    for (let i = 0; i < 300; i++) await push.send(body);
    await pull.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await push.unbind(push.lastEndpoint!);
    await push.close();
    say("closed");
  },
  "closed": async () => {
    const sockets = [Pair, Push, Pull, Request, Reply, Dealer, Router].map((type) => new type());
    for (const socket of sockets) await socket.bind(place());
    for (const socket of sockets) await socket.close();
    say("closed");
  },

  // These go on until the test does its part.
  "with a receive pending": async () => {
    const pull = new Pull();
    await pull.bind(place());
    say(`at ${pull.lastEndpoint}`);
    void pull.receive().then((frames) => say(`got ${frames}`));
  },
  "with an iterator pending": async () => {
    const pull = new Pull();
    await pull.bind(place());
    say(`at ${pull.lastEndpoint}`);
    void (async () => {
      for await (const frames of pull) {
        say(`got ${frames}`);
        break;
      }
    })();
  },
  "with a send pending": async () => {
    const push = new Push();
    await push.bind(place());
    say(`at ${push.lastEndpoint}`);
    void push.send("sent").then(() => say("sent"));
  },
  "with messages to deliver": async () => {
    const push = new Push({ reconnectInterval: 10 });
    push.connect(endpoint);
    for (let i = 0; i < 1000; i++) await push.send(String(i));
    say("queued");
  },
  "closing with messages to deliver": async () => {
    const push = new Push({ reconnectInterval: 10 });
    push.connect(endpoint);
    for (let i = 0; i < 1000; i++) await push.send(String(i));
    void push.close();
    say("queued");
  },
};

for (const name of caseName.split("+")) await CASES[name]();
say("done");
