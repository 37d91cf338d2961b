// What goes wrong, and what the program is told: codes, numbers, addresses.

import { Dealer, Pull, Push, Reply, Request, Router, Subscriber } from "zeromq";
import { anywhere } from "./address.ts";

interface Failure extends Error {
  code?: string;
  errno?: number;
  address?: string;
}

/** Prints what the operation failed with, thrown or rejected alike. */
async function tell(what: string, operation: () => unknown): Promise<void> {
  try {
    await operation();
    console.log(`${what}: fine`);
  } catch (error) {
    const { code, errno, address } = error as Failure;
    console.log(`${what}: ${code} ${errno} ${address ?? ""}`.trimEnd());
  }
}

async function addresses(): Promise<void> {
  const socket = new Dealer();
  await tell("bind to nonsense", () => socket.bind("foo-bar"));
  await tell("bind to an unknown protocol", () => socket.bind("foo://bar"));
  await tell("connect to nonsense", () => socket.connect("foo-bar"));
  await tell("connect to an unknown protocol", () => socket.connect("foo://bar"));
  await tell("unbind what is not bound", () => socket.unbind("tcp://127.0.0.1:1"));
  await tell("disconnect what is not connected", () => socket.disconnect("tcp://127.0.0.1:1"));
  socket.close();
}

/** Not over ipc: there zeromq.js takes the file from its owner. */
async function takenAddresses(): Promise<void> {
  for (const free of ["tcp://127.0.0.1:*", "inproc://taken"]) {
    const [owner, socket] = [new Dealer(), new Dealer()];
    await owner.bind(free);
    const taken = owner.lastEndpoint!;
    try {
      await socket.bind(taken);
    } catch (error) {
      const { code, address } = error as Failure;
      console.log(`bind where another is: ${code} ${address === taken}`);
    }
    socket.close();
    owner.close();
  }
}

async function turns(): Promise<void> {
  const request = new Request({ linger: 0, sendTimeout: 2, receiveTimeout: 0 });
  const reply = new Reply({ sendTimeout: 2 });
  await reply.bind(anywhere("turns"));
  request.connect(reply.lastEndpoint!);
  await tell("receive before the request", () => request.receive());
  await tell("answer before the request", () => reply.send("what?"));
  await tell("request", () => request.send("first"));
  await tell("request again", () => request.send("second"));
  request.close();
  reply.close();
}

async function time(): Promise<void> {
  const push = new Push({ sendTimeout: 0 });
  await push.bind(anywhere("push"));
  await tell("send to nobody, at once", () => push.send("x"));
  push.sendTimeout = 20;
  await tell("send to nobody, in 20 ms", () => push.send("x"));
  const pull = new Pull({ receiveTimeout: 0 });
  await pull.bind(anywhere("pull"));
  await tell("receive nothing, at once", () => pull.receive());
  pull.receiveTimeout = 20;
  await tell("receive nothing, in 20 ms", () => pull.receive());
  pull.receiveTimeout = -1;
  const waiting = tell("receive until it is closed", () => pull.receive());
  pull.close();
  await waiting;
  push.close();
}

async function routes(): Promise<void> {
  const router = new Router({ mandatory: true, sendTimeout: 2 });
  await router.bind(anywhere("router"));
  await tell("send to a stranger", () => router.send(["stranger", "hello"]));
  router.mandatory = false;
  await tell("send to a stranger, never mind", () => router.send(["stranger", "hello"]));
  router.close();
}

async function closed(): Promise<void> {
  const socket = new Dealer();
  socket.close();
  await tell("send when closed", () => socket.send("x"));
  await tell("receive when closed", () => socket.receive());
  await tell("bind when closed", () => socket.bind(anywhere("closed")));
  await tell("connect when closed", () => socket.connect("tcp://127.0.0.1:1"));
  await tell("close when closed", () => socket.close());
  console.log("readable, writable:", socket.readable, socket.writable);
  for await (const message of socket) console.log(message);
}

/** Prints the kind of error of a call. */
function tellKind(what: string, call: () => unknown): void {
  try {
    call();
    console.log(`${what}: fine`);
  } catch (error) {
    console.log(`${what}: ${error instanceof TypeError ? "TypeError" : (error as Failure).code}`);
  }
}

function options(): void {
  const socket = new Subscriber() as unknown as Record<string, unknown>;
  tellKind("an unknown option", () => socket.unknown = 1);
  tellKind("a text for a number", () => socket.linger = "long");
  tellKind("a number for a boolean", () => socket.ipv6 = 1);
  tellKind("a read-only property", () => socket.lastEndpoint = "tcp://127.0.0.1:1");
  (socket as unknown as Subscriber).close();
}

for (const part of [addresses, takenAddresses, turns, time, routes, closed, options]) await part();
