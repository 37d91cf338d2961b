// The observer of a socket as an emitter: on, off and once.

import { assert, assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  type EventListener,
  type EventOfType,
  type EventSubscriber,
  Pull,
  Push,
} from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, within } from "../_util/deadline.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { start } from "../_util/process.ts";
import { failure, rejection } from "../_util/rejection.ts";

const cleanup = new Cleanup();

function open(): Pull {
  return cleanup.add(new Pull({ receiveTimeout: 5_000 }));
}

describe("a listener", () => {
  afterEach(() => cleanup.run());

  it("hears the events of its type, with their values, and no others", async () => {
    const pull = open();
    const bound: EventOfType<"bind">[] = [];
    const closed: EventOfType<"close">[] = [];
    pull.events.on("bind", (event) => bound.push(event));
    pull.events.on("close", (event) => closed.push(event));
    await pull.bind(ANY_PORT);
    const first = pull.lastEndpoint!;
    await pull.bind(ANY_PORT);
    const second = pull.lastEndpoint!;
    await pull.unbind(first);
    await eventually(() => bound.length === 2 && closed.length === 1);
    assertEquals(bound, [first, second].map((address) => ({ type: "bind", address })));
    assertEquals(closed, [{ type: "close", address: first }]);
  });

  it("is added in a chain", () => {
    const { events } = open();
    const listener = (): void => {};
    assertStrictEquals(events.on("bind", listener), events);
    assertStrictEquals(events.once("close", listener), events);
    assertStrictEquals(events.off("bind", listener), events);
  });

  it("can be given to whatever only knows that there are events", async () => {
    const pull = open();
    const heard = Promise.withResolvers<string>();
    const subscriber: EventSubscriber = pull.events;
    const listener: EventListener<"bind"> = ({ address }) => heard.resolve(address);
    subscriber.on("bind", listener).off("close", () => {});
    await pull.bind(ANY_PORT);
    assertEquals(await within(heard.promise, 5_000, "bind"), pull.lastEndpoint);
  });

  it("hears the end, and the promise of close does not wait for it", async () => {
    const pull = open();
    const ended = Promise.withResolvers<EventOfType<"end">>();
    pull.events.on("end", ended.resolve);
    await pull.close();
    assertEquals(await within(ended.promise, 5_000, "end"), { type: "end" });
  });

  it("is called as often as it was added, in the order in which they were", async () => {
    const pull = open();
    const calls: string[] = [];
    const twice = (): void => void calls.push("twice");
    pull.events.on("bind", twice).on("bind", () => calls.push("between")).on("bind", twice);
    await pull.bind(ANY_PORT);
    await eventually(() => calls.length >= 3);
    assertEquals(calls, ["twice", "between", "twice"]);
    pull.events.off("bind", twice);
    await pull.bind(ANY_PORT);
    await eventually(() => calls.length >= 5);
    assertEquals(calls.slice(3).sort(), ["between", "twice"], "one of the two was taken away");
    pull.events.off("bind", twice);
    await pull.bind(ANY_PORT);
    await eventually(() => calls.length >= 6);
    assertEquals(calls.slice(5), ["between"]);
  });

  it("added with once is called once", async () => {
    const pull = open();
    const calls: string[] = [];
    pull.events.once("bind", () => calls.push("once")).on("bind", () => calls.push("each"));
    for (let i = 0; i < 3; i++) await pull.bind(ANY_PORT);
    await eventually(() => calls.filter((call) => call === "each").length === 3);
    assertEquals(calls.filter((call) => call === "once").length, 1);
  });

  it("added with once can be taken away before", async () => {
    const pull = open();
    const calls: string[] = [];
    const listener = (): void => void calls.push("once");
    pull.events.once("bind", listener).off("bind", listener).on("bind", () => calls.push("each"));
    await pull.bind(ANY_PORT);
    await eventually(() => calls.includes("each"));
    assertEquals(calls, ["each"]);
  });

  it("may take away itself and others, and add others, while it is called", async () => {
    const pull = open();
    const { events } = pull;
    const calls: string[] = [];
    const victim = (): void => void calls.push("victim");
    const first = (): void => {
      calls.push("first");
      events.off("bind", first).off("bind", victim).on("bind", () => calls.push("new"));
    };
    events.on("bind", first).on("bind", victim).on("bind", () => calls.push("last"));
    await pull.bind(ANY_PORT);
    await eventually(() => calls.includes("last"));
    calls.length = 0;
    await pull.bind(ANY_PORT);
    await eventually(() => calls.includes("new") && calls.includes("last"));
    assertEquals(calls, ["last", "new"]);
  });

  it("that was never added can be taken away", async () => {
    const pull = open();
    const calls: string[] = [];
    pull.events.off("bind", () => {}).on("bind", () => calls.push("heard"));
    await pull.bind(ANY_PORT);
    await eventually(() => calls.length === 1);
  });

  it("takes the place of receive", async () => {
    const pull = open();
    pull.events.on("bind", () => {});
    await rejection(pull.events.receive(), "EINVAL");
    const other = open();
    other.events.once("bind", () => {});
    await rejection(other.events.receive(), "EINVAL");
  });

  it("takes the place of iteration", async () => {
    const pull = open();
    pull.events.on("bind", () => {});
    const iteration = (async () => {
      for await (const _ of pull.events);
    })();
    await rejection(iteration, "EINVAL");
  });

  it("hears nothing more when the observer is closed", async () => {
    const pull = open();
    let calls = 0;
    pull.events.on("bind", () => calls++);
    await pull.bind(ANY_PORT);
    await eventually(() => calls === 1);
    pull.events.close();
    await pull.bind(ANY_PORT);
    const push = cleanup.add(new Push());
    push.connect(pull.lastEndpoint!);
    await push.send("x");
    await pull.receive();
    assertEquals(calls, 1);
  });

  it("has to be a function", () => {
    const { events } = open();
    failure(() => events.on("bind", "no function" as unknown as () => void), "EINVAL");
    failure(() => events.once("bind", undefined as unknown as () => void), "EINVAL");
  });

  it("may use the socket", async () => {
    const pull = open();
    const closed = Promise.withResolvers<void>();
    pull.events.on("bind", () => void pull.close().then(closed.resolve));
    await pull.bind(ANY_PORT).catch(() => {}); // the listener closed it
    await within(closed.promise, 5_000, "the listener closes the socket");
    assert(pull.closed);
  });
});

describe("a listener that throws", () => {
  afterEach(() => cleanup.run());

  it("is heard of as any uncaught error is, and the socket goes on", async () => {
    const program = cleanup.add(start("listener_throws.ts", "caught"));
    const output = await program.succeeds(10_000);
    const lines = output.trim().split("\n");
    assertEquals(lines.filter((line) => line.startsWith("uncaught")), [
      "uncaught bind listener",
      "uncaught handshake listener",
    ]);
    for (const line of ["bound", "the other listener", "received message", "closed"]) {
      assert(lines.includes(line), output);
    }
  });

  it("ends the program when nobody catches the error", async () => {
    const program = cleanup.add(start("listener_throws.ts", "uncaught"));
    const error = await program.succeeds(10_000).then(() => undefined, (error: Error) => error);
    assert(error !== undefined, "the program ended well");
    assertStringIncludes(error.message, "bind listener");
  });
});
