// The observer of a socket as a queue of events: receive, iteration, and its ends.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { type Event, Observer, Pull, Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, staysPending } from "../_util/deadline.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { rejection } from "../_util/rejection.ts";

const QUIET_MS = 30;
const cleanup = new Cleanup();

function open(): Pull {
  return cleanup.add(new Pull());
}

async function bindTo(pull: Pull, count: number): Promise<string[]> {
  const endpoints: string[] = [];
  for (let i = 0; i < count; i++) {
    await pull.bind(ANY_PORT);
    endpoints.push(pull.lastEndpoint!);
  }
  return endpoints;
}

const addressOf = (event: Event): string => (event as { address: string }).address;

describe("an observer", () => {
  afterEach(() => cleanup.run());

  it("is the same at each access, and one of its own for each socket", () => {
    const [one, other] = [open(), open()];
    assert(one.events instanceof Observer);
    assertStrictEquals(one.events, one.events);
    assert(one.events !== other.events);
    assertEquals(one.events.closed, false);
  });

  it("keeps what happens until it is received", async () => {
    const pull = open();
    const { events } = pull;
    const endpoints = await bindTo(pull, 5);
    const received: Event[] = [];
    for (let i = 0; i < 5; i++) received.push(await events.receive());
    assertEquals(received.map(addressOf), endpoints);
  });

  it("serves several receives in the order of their calls", async () => {
    const pull = open();
    const pending = Array.from({ length: 5 }, () => pull.events.receive());
    const order: number[] = [];
    for (const [i, receive] of pending.entries()) void receive.then(() => order.push(i));
    const endpoints = await bindTo(pull, 5);
    assertEquals((await Promise.all(pending)).map(addressOf), endpoints);
    assertEquals(order, [0, 1, 2, 3, 4]);
  });

  it("waits when nothing happens", async () => {
    const pull = open();
    const next = pull.events.receive();
    await staysPending(next, QUIET_MS, "nothing happened");
    await pull.bind(ANY_PORT);
    assertEquals((await next).type, "bind");
  });

  it("has not seen what happened before it was first asked for", async () => {
    const pull = open();
    await bindTo(pull, 3);
    const push = cleanup.add(new Push());
    push.connect(pull.lastEndpoint!);
    await push.send("x");
    await pull.receive();
    const { events } = pull;
    await bindTo(pull, 1);
    const event = await events.receive();
    assertEquals([event.type, addressOf(event)], ["bind", pull.lastEndpoint!]);
  });

  it("gives each event to one receiver only", async () => {
    const pull = open();
    const { events } = pull;
    const endpoints = await bindTo(pull, 20);
    const got: string[] = [];
    const reader = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) got.push(addressOf(await events.receive()));
    };
    await Promise.all([reader(), reader()]);
    assertEquals(got.sort(), endpoints.sort());
  });
});

describe("the iteration over an observer", () => {
  afterEach(() => cleanup.run());

  it("ends after end", async () => {
    const pull = open();
    const types: string[] = [];
    const iteration = (async () => {
      for await (const { type } of pull.events) types.push(type);
    })();
    await pull.bind(ANY_PORT);
    await pull.close();
    await iteration;
    assertEquals(types, ["bind", "close", "end"]);
    assertEquals(pull.events.closed, true);
  });

  it("gives what was kept, also when the socket is closed already", async () => {
    const pull = open();
    const { events } = pull;
    await pull.bind(ANY_PORT);
    await pull.close();
    const types: string[] = [];
    for await (const { type } of events) types.push(type);
    assertEquals(types, ["bind", "close", "end"]);
    for await (const { type } of events) types.push(type);
    assertEquals(types.length, 3, "that was all");
  });

  it("may be left, and goes on where it was left", async () => {
    const pull = open();
    const { events } = pull;
    const endpoints = await bindTo(pull, 3);
    for await (const event of events) {
      assertEquals(addressOf(event), endpoints[0]);
      break;
    }
    assertEquals([events.closed, pull.closed], [false, false]);
    for await (const event of events) {
      assertEquals(addressOf(event), endpoints[1]);
      break;
    }
    assertEquals(addressOf(await events.receive()), endpoints[2]);
  });

  it("ends when the observer is closed", async () => {
    const pull = open();
    const iteration = (async () => {
      let count = 0;
      for await (const _ of pull.events) count++;
      return count;
    })();
    await pull.bind(ANY_PORT);
    await pause(QUIET_MS);
    pull.events.close();
    assertEquals(await iteration, 1);
  });
});

describe("closing an observer", () => {
  afterEach(() => cleanup.run());

  it("leaves the socket as it is", async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    const { events } = pull;
    events.close();
    assertEquals([events.closed, pull.closed], [true, false]);
    await pull.bind(ANY_PORT);
    const push = cleanup.add(new Push());
    push.connect(pull.lastEndpoint!);
    await push.send("still there");
    assertEquals(String(await pull.receive()), "still there");
    events.close();
    assertStrictEquals(pull.events, events);
  });

  it("rejects what waits and what comes later", async () => {
    const pull = open();
    const { events } = pull;
    const pending = [events.receive(), events.receive()];
    for (const receive of pending) receive.catch(() => {}); // looked at below
    events.close();
    for (const receive of pending) await rejection(receive, "EBADF");
    await rejection(events.receive(), "EBADF");
    await pull.bind(ANY_PORT);
    await rejection(events.receive(), "EBADF");
  });

  it("is what the end of the socket does too", async () => {
    const pull = open();
    const { events } = pull;
    const pending = [events.receive(), events.receive(), events.receive()];
    for (const receive of pending) receive.catch(() => {}); // looked at below
    await pull.close();
    assertEquals(await pending[0], { type: "end" });
    await rejection(pending[1], "EBADF");
    await rejection(pending[2], "EBADF");
    await rejection(events.receive(), "EBADF");
    assertEquals(events.closed, true);
  });

  it("by the end comes when the end was received", async () => {
    const pull = open();
    const { events } = pull;
    await pull.close();
    assertEquals(await events.receive(), { type: "end" });
    await eventually(() => events.closed);
    await rejection(events.receive(), "EBADF");
  });
});

describe("the events of a socket that is closed", () => {
  it("can be asked for, and are over", async () => {
    const pull = new Pull();
    await pull.close();
    const types: string[] = [];
    for await (const { type } of pull.events) types.push(type);
    assert(types.length === 0 || types.join() === "end", types.join());
  });
});
