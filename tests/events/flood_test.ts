// What events cost: a bounded amount when nobody reads them, and nothing when nobody listens.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Publisher, Pull, Push, Subscriber } from "../../mod.ts";
import { type Event, Monitor } from "../../src/events.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { dial } from "../_util/raw_peer.ts";
import { type ScriptedListener, ScriptedRuntime } from "../_util/scripted_runtime.ts";

const FLOOD = 20_000;
/** The most that an observer may keep for nobody: its doc says 1000. */
const MOST = 2_000;
const cleanup = new Cleanup();

/** A socket whose peers cost nothing: they are in this process, and there is no network. */
async function scripted(): Promise<[Pull, ScriptedListener]> {
  const runtime = new ScriptedRuntime();
  const pull = cleanup.add(new Pull({ context: new Context({ runtime }), handshakeInterval: 0 }));
  await pull.bind("tcp://127.0.0.1:5555");
  return [pull, runtime.listeners[0]];
}

/** A peer connects, says nothing, and is gone. */
function knock(listener: ScriptedListener): void {
  listener.accept().end();
}

describe("events that nobody reads", () => {
  afterEach(() => cleanup.run());

  it("are kept in bounded number under a flood of connections", async () => {
    const [pull, listener] = await scripted();
    const { events } = pull;
    for (let i = 0; i < FLOOD; i++) knock(listener);
    await pull.close();
    let count = 0;
    let last: Event | undefined;
    for await (const event of events) {
      count++;
      last = event;
    }
    assertGreater(count, 100, "some are kept");
    assertLess(count, MOST);
    assertEquals(last, { type: "end" }, "the end is never lost");
  });

  it("make room for others when they are read", async () => {
    const [pull, listener] = await scripted();
    const { events } = pull;
    for (let i = 0; i < FLOOD; i++) knock(listener);
    for (let i = 0; i < 50; i++) await events.receive();
    await pull.bind("tcp://127.0.0.1:5556");
    await pull.close();
    const types: string[] = [];
    for await (const { type } of events) types.push(type);
    assertEquals(types.filter((type) => type === "bind").length, 1);
  });

  it("do not hold up a socket that is flooded with real connections", async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    void pull.events;
    await pull.bind(ANY_PORT);
    for (let i = 0; i < 200; i++) (await dial(pull.lastEndpoint!)).destroy();
    const push = cleanup.add(new Push());
    push.connect(pull.lastEndpoint!);
    await push.send("served");
    assertEquals(String(await pull.receive()), "served");
  });
});

describe("events that nobody listens to", () => {
  afterEach(() => cleanup.run());

  /** Counts the events that are made while `run` goes on. */
  async function eventsMade(run: () => Promise<void>): Promise<string[]> {
    const made: string[] = [];
    const { emit } = Monitor.prototype;
    Monitor.prototype.emit = function (event) {
      made.push(event.type);
      emit.call(this, event);
    };
    try {
      await run();
    } finally {
      Monitor.prototype.emit = emit;
    }
    return made;
  }

  async function drops(watched: boolean): Promise<string[]> {
    const publisher = cleanup.add(new Publisher({ sendHighWaterMark: 5, linger: 0 }));
    if (watched) void publisher.events;
    await publisher.bind(ANY_PORT);
    const subscriber = cleanup.add(new Subscriber({ receiveHighWaterMark: 1 }));
    subscriber.connect(publisher.lastEndpoint!);
    subscriber.subscribe("");
    await eventually(() => publisher.topicsCount === 1);
    const body = new Uint8Array(50_000);
    return await eventsMade(async () => {
      while (publisher.stats().dropped < 500) await publisher.send(body);
    });
  }

  it("are not even made where there are many", async () => {
    const often = (type: string): boolean => type === "drop" || type.startsWith("full:");
    assertEquals((await drops(false)).filter(often), []);
    assert((await drops(true)).includes("drop"), "the spy sees them");
  });

  it("are not made again when the observer is closed", async () => {
    const [pull, listener] = await scripted();
    const seen: string[] = [];
    pull.events.on("accept", () => seen.push("accept"));
    knock(listener);
    await eventually(() => seen.length === 1);
    pull.events.close();
    for (let i = 0; i < 100; i++) knock(listener);
    await Promise.resolve();
    assertEquals(seen.length, 1);
  });
});
