// What zeromq.js's own tests ask of sockets and the other suites do not, with its answers or with
// ours where they differ on purpose (MIGRATION.md).

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import * as wasmq from "../../mod.ts";
import { Context, Dealer, Pair, Request } from "../../mod.ts";
import { ALL_TRANSPORTS, anywhere } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { within } from "../_util/deadline.ts";
import { rejection } from "../_util/rejection.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const WAIT_MS = 5_000;
const CLASSES = [
  "Pair",
  "Publisher",
  "Subscriber",
  "Request",
  "Reply",
  "Dealer",
  "Router",
  "Pull",
  "Push",
  "XPublisher",
  "XSubscriber",
  "Stream",
  "Context",
  "Proxy",
] as const;
const cleanup = new Cleanup();

describe("a class of zeromq.js", () => {
  for (const name of CLASSES) {
    it(`such as ${name} cannot be called as a function`, () => {
      assertThrows(() => (wasmq[name] as unknown as () => unknown)(), TypeError);
    });
  }

  it("takes no context that is none", () => {
    for (const context of [{}, 42, "context", Context]) {
      assertThrows(() => new Dealer({ context } as never), TypeError, "context");
    }
  });

  it("takes no options that are none", () => {
    for (const options of [42, "options", null]) {
      assertThrows(() => new Context(options as never), TypeError);
      assertThrows(() => new Dealer(options as never), TypeError);
    }
  });

  it("makes a proxy of sockets only", () => {
    const socket = cleanup.add(new Dealer());
    for (const other of [undefined, {}, 42]) {
      assertThrows(() => new wasmq.Proxy(other as never, socket as never), TypeError);
      assertThrows(() => new wasmq.Proxy(socket as never, other as never), TypeError);
    }
  });
});

describeOver(ALL_TRANSPORTS, "bind and unbind", (transport) => {
  afterEach(() => cleanup.run());

  it("may be called while another bind is under way: no EBUSY", async () => {
    const socket = cleanup.add(new Dealer());
    const peer = cleanup.add(new Pair()); // of any type: it only looks for the endpoints
    const endpoints = [await reserve(transport), await reserve(transport)];
    await Promise.all(endpoints.map((endpoint) => socket.bind(endpoint)));
    for (const endpoint of endpoints) {
      assertEquals((await rejection(peer.bind(endpoint), "EADDRINUSE")).address, endpoint);
    }
  });

  it("fail with ENOENT when the other unbind had it already", async () => {
    const socket = cleanup.add(new Dealer());
    const endpoint = await reserve(transport);
    await socket.bind(endpoint);
    const first = socket.unbind(endpoint);
    assertEquals((await rejection(socket.unbind(endpoint), "ENOENT")).address, endpoint);
    await first;
    await cleanup.add(new Dealer()).bind(endpoint);
  });
});

describeOver(ALL_TRANSPORTS, "close()", (transport) => {
  afterEach(() => cleanup.run());

  it("during a bind closes the socket, and the endpoint is free afterwards", async () => {
    const socket = cleanup.add(new Dealer());
    const endpoint = await reserve(transport);
    const binding = socket.bind(endpoint).catch((error: unknown) => error);
    await within(socket.close(), WAIT_MS, "close");
    assert(socket.closed);
    const outcome = await within(binding, WAIT_MS, "bind");
    if (outcome !== undefined) assertInstanceOf(outcome, Error);
    await cleanup.add(new Dealer()).bind(endpoint);
  });

  it("during a bind that fails leaves the endpoint to its owner", async () => {
    const owner = cleanup.add(new Dealer());
    const endpoint = await reserve(transport);
    await owner.bind(endpoint);
    const socket = cleanup.add(new Dealer());
    const binding = socket.bind(endpoint).catch((error: unknown) => error);
    await within(socket.close(), WAIT_MS, "close");
    assert(socket.closed);
    assertInstanceOf(await within(binding, WAIT_MS, "bind"), Error);

    const peer = cleanup.add(new Dealer());
    peer.connect(endpoint);
    await peer.send("still there?");
    assertEquals(String(await within(owner.receive(), WAIT_MS, "message")), "still there?");
  });

  it("during an unbind frees the endpoint", async () => {
    const socket = cleanup.add(new Dealer());
    const endpoint = await reserve(transport);
    await socket.bind(endpoint);
    const unbinding = socket.unbind(endpoint);
    await within(socket.close(), WAIT_MS, "close");
    await within(unbinding, WAIT_MS, "unbind");
    await cleanup.add(new Dealer()).bind(endpoint);
  });

  it("during an unbind that fails closes the socket", async () => {
    const socket = cleanup.add(new Dealer());
    const unbinding = rejection(socket.unbind(await reserve(transport)), "ENOENT");
    await within(socket.close(), WAIT_MS, "close");
    assert(socket.closed);
    await unbinding;
  });
});

describeOver(ALL_TRANSPORTS, "send and receive", (transport) => {
  afterEach(() => cleanup.run());

  async function pair(): Promise<[Pair, Pair]> {
    const [one, other] = [cleanup.add(new Pair()), cleanup.add(new Pair())];
    await one.bind(anywhere(transport));
    other.connect(one.lastEndpoint!);
    return [one, other];
  }

  async function exchange(socket: Pair, text: string): Promise<string> {
    const [message] = await within(
      Promise.all([socket.receive(), socket.send(text)]),
      WAIT_MS,
      `answer to ${text}`,
    );
    return String(message);
  }

  it("work at the same time on both ends", async () => {
    const [one, other] = await pair();
    for (let round = 0; round < 3; round++) {
      const heard = await Promise.all([exchange(one, "foo"), exchange(other, "bar")]);
      assertEquals(heard, ["bar", "foo"]);
    }
  });

  it("that were called before bind and connect are served by them", async () => {
    const [one, other] = [cleanup.add(new Pair()), cleanup.add(new Pair())];
    const receiving = one.receive();
    const sending = other.send("early");
    await one.bind(anywhere(transport));
    other.connect(one.lastEndpoint!);
    await within(sending, WAIT_MS, "send");
    assertEquals(String(await within(receiving, WAIT_MS, "message")), "early");
  });

  it("of long frames share memory over inproc, and nowhere else", async () => {
    const [one, other] = await pair();
    const original = new Uint8Array(2048);
    await one.send(original);
    await other.send(await within(other.receive(), WAIT_MS, "message"));
    const [echo] = await within(one.receive(), WAIT_MS, "echo");
    assertEquals(echo.length, original.length);
    echo[0] = 0x40;
    assertEquals(original[0], transport === "inproc" ? 0x40 : 0);
  });

  it("of short frames share no memory", async () => {
    const [one, other] = await pair();
    const original = new Uint8Array(128);
    await one.send(original);
    const [frame] = await within(other.receive(), WAIT_MS, "message");
    frame[0] = 0x40;
    assertEquals(original[0], 0);
  });
});

describe("iterating a socket that is closed meanwhile", () => {
  afterEach(() => cleanup.run());

  it("ends", async () => {
    const socket = cleanup.add(new Dealer());
    queueMicrotask(() => socket.close());
    for await (const message of socket) throw new Error(`There was ${message}`);
  });

  it("does not hide another error", async () => {
    const socket = cleanup.add(new Request());
    queueMicrotask(() => socket.close());
    const iteration = async () => {
      for await (const message of socket) throw new Error(`There was ${message}`);
    };
    await rejection(iteration(), "EFSM");
  });
});
