// An observer by itself: the events are the test's own.

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { AuthenticationError, ZmqError } from "../../src/errors.ts";
import type { Event } from "../../src/events.ts";
import { Observer } from "../../src/sockets/observer.ts";
import { Pull } from "../../mod.ts";
import { engineOf } from "../../src/sockets/inside.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { failure, rejection } from "../_util/rejection.ts";

const KEPT = 1000;
const cleanup = new Cleanup();

/** A socket that does nothing, and a way to tell events in its name. */
function stage(): { pull: Pull; events: Observer; tell: (...events: Event[]) => void } {
  const pull = cleanup.add(new Pull());
  const { monitor } = engineOf(pull);
  const tell = (...events: Event[]): void => {
    for (const event of events) monitor.emit(event);
  };
  return { pull, events: pull.events, tell };
}

const bound = (number: number): Event => ({ type: "bind", address: `tcp://127.0.0.1:${number}` });
const numberOf = (event: Event): number => Number((event as { address: string }).address.slice(16));

describe("an observer", () => {
  afterEach(() => cleanup.run());

  it("hands out the events as they were told", async () => {
    const { events, tell } = stage();
    const error = new ZmqError("ECONNREFUSED", "nobody listens");
    const told: Event[] = [
      { type: "accept", address: "tcp://127.0.0.1:1", peerAddress: "tcp://127.0.0.1:2" },
      { type: "connect:retry", address: "tcp://127.0.0.1:1", interval: 7, error },
      {
        type: "handshake:error:auth",
        address: "tcp://127.0.0.1:1",
        peerAddress: "tcp://127.0.0.1:2",
        error: new AuthenticationError(400, "Authentication failure", true),
      },
    ];
    tell(...told);
    for (const event of told) assertStrictEquals(await events.receive(), event);
  });

  it("keeps the last thousand for who does not read", async () => {
    const { pull, events, tell } = stage();
    for (let i = 0; i < KEPT + 500; i++) tell(bound(i));
    for (let i = 500; i < KEPT + 500; i++) assertEquals(numberOf(await events.receive()), i);
    const next = events.receive();
    tell(bound(1));
    assertEquals(numberOf(await next), 1);
    await pull.close();
  });

  it("keeps nothing for those who wait", async () => {
    const { events, tell } = stage();
    const pending = [events.receive(), events.receive()];
    tell(bound(1), bound(2), bound(3));
    assertEquals((await Promise.all(pending)).map(numberOf), [1, 2]);
    assertEquals(numberOf(await events.receive()), 3);
  });

  it("gives each of several observers all events", async () => {
    const { pull, events, tell } = stage();
    const other = new Observer(pull);
    tell(bound(1), bound(2));
    for (const observer of [events, other]) {
      assertEquals([numberOf(await observer.receive()), numberOf(await observer.receive())], [
        1,
        2,
      ]);
    }
    other.close();
    tell(bound(3));
    assertEquals(numberOf(await events.receive()), 3);
    await rejection(other.receive(), "EBADF");
  });

  it("can be asked with a signal, which costs no event", async () => {
    const { events, tell } = stage();
    const stop = new AbortController();
    const pending = events.receive({ signal: stop.signal });
    const other = events.receive();
    stop.abort(new Error("enough"));
    await assertRejects(() => pending, Error, "enough");
    await assertRejects(() => events.receive({ signal: stop.signal }), Error, "enough");
    tell(bound(1));
    assertEquals(numberOf(await other), 1);
  });

  it("asks for the process only while a receive is pending", async () => {
    const { pull, events, tell } = stage();
    const { keepAlive } = engineOf(pull).around;
    let held = 0;
    const { acquire, release } = keepAlive;
    keepAlive.acquire = () => (held++, acquire.call(keepAlive));
    keepAlive.release = () => (held--, release.call(keepAlive));
    try {
      const pending = [events.receive(), events.receive()];
      assertEquals(held, 2);
      tell(bound(1));
      await pending[0];
      assertEquals(held, 1);
      pending[1].catch(() => {}); // rejected by the listener
      events.on("bind", () => {});
      assertEquals(held, 0);
    } finally {
      Object.assign(keepAlive, { acquire, release });
    }
  });

  it("is not told anything once it is closed, and tells nobody to watch", async () => {
    const { pull, events, tell } = stage();
    const { monitor } = engineOf(pull);
    assert(monitor.watched);
    tell(bound(1));
    events.close();
    assertEquals(monitor.watched, false);
    tell(bound(2));
    await rejection(events.receive(), "EBADF");
    failure(() => events.on("bind", () => {}), "EBADF");
  });

  it("of a socket that nobody asked for events watches nothing", () => {
    assertEquals(engineOf(cleanup.add(new Pull())).monitor.watched, false);
  });
});

describe("the listeners of an observer", () => {
  afterEach(() => cleanup.run());

  it("are not called while the socket is in the middle of something", async () => {
    const { events, tell } = stage();
    const calls: number[] = [];
    events.on("bind", (event) => calls.push(numberOf(event)));
    tell(bound(1), bound(2));
    assertEquals(calls, []);
    await microtasks();
    assertEquals(calls, [1, 2]);
  });

  it("hear what was kept until the first of them came", async () => {
    const { events, tell } = stage();
    tell(bound(1), { type: "close", address: "tcp://127.0.0.1:1" }, bound(2));
    const calls: string[] = [];
    events.on("bind", ({ address }) => calls.push(`bind ${address}`));
    events.on("close", ({ address }) => calls.push(`close ${address}`));
    await microtasks();
    assertEquals(calls, [
      "bind tcp://127.0.0.1:1",
      "close tcp://127.0.0.1:1",
      "bind tcp://127.0.0.1:2",
    ]);
  });

  it("hear all events in one order, whatever their type", async () => {
    const { events, tell } = stage();
    const calls: string[] = [];
    for (const type of ["bind", "close", "end"] as const) events.on(type, () => calls.push(type));
    tell(bound(1), { type: "close", address: "x" }, bound(2), { type: "end" });
    await microtasks();
    assertEquals(calls, ["bind", "close", "bind", "end"]);
    assert(events.closed);
  });

  it("make receives that are pending give up", async () => {
    const { events } = stage();
    const pending = events.receive();
    pending.catch(() => {}); // looked at below
    events.once("bind", () => {});
    await rejection(pending, "EINVAL");
  });

  it("added with once hear one of several events that come at once", async () => {
    const { events, tell } = stage();
    const calls: number[] = [];
    events.once("bind", (event) => calls.push(numberOf(event)));
    tell(bound(1), bound(2));
    await microtasks();
    assertEquals(calls, [1]);
  });

  it("hear nothing more when one of them has closed the observer", async () => {
    const { events, tell } = stage();
    const calls: number[] = [];
    events.on("bind", (event) => {
      calls.push(numberOf(event));
      events.close();
    });
    tell(bound(1), bound(2));
    await microtasks();
    assertEquals(calls, [1]);
  });

  it("hear events that one of them causes after those that are under way", async () => {
    const { events, tell } = stage();
    const calls: string[] = [];
    events.on("bind", (event) => {
      calls.push(`first ${numberOf(event)}`);
      if (numberOf(event) === 1) tell(bound(2));
    });
    events.on("bind", (event) => calls.push(`second ${numberOf(event)}`));
    tell(bound(1));
    await microtasks();
    assertEquals(calls, ["first 1", "second 1", "first 2", "second 2"]);
  });
});

describe("the iteration over an observer", () => {
  afterEach(() => cleanup.run());

  it("ends at once when it is left while it waits, and loses nothing", async () => {
    const { events, tell } = stage();
    const iterator = events[Symbol.asyncIterator]();
    const next = iterator.next();
    await iterator.return!();
    assertEquals(await next, { value: undefined, done: true });
    tell(bound(1));
    assertEquals(numberOf(await events.receive()), 1);
    assertEquals((await iterator.next()).done, true);
  });

  it("by hand, as long as the observer is not closed, sees all to the end", async () => {
    const { pull, events, tell } = stage();
    tell(bound(1), bound(2));
    await pull.close();
    const types: string[] = [];
    while (!events.closed) types.push((await events.receive()).type);
    assertEquals(types, ["bind", "bind", "end"]);
  });

  it("of two at once gives each event to one of them", async () => {
    const { pull, events, tell } = stage();
    const seen: number[][] = [[], []];
    const running = seen.map(async (numbers) => {
      for await (const event of events) if (event.type === "bind") numbers.push(numberOf(event));
    });
    for (let i = 0; i < 20; i++) {
      tell(bound(i));
      if (i % 2 === 0) await microtasks();
    }
    await pull.close();
    await Promise.all(running);
    assertEquals(seen.flat().sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
    assert(seen.every(({ length }) => length > 0));
  });
});
