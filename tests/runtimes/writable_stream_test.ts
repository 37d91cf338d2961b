// A socket as a WritableStream: what is written is sent in order, and writing waits for as long as there is no room.

import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, type Frame, type MessageLike, Pair, Pull, Push, Router } from "../../mod.ts";
import { Subscriber } from "../../mod.ts";
import { ALL_TRANSPORTS, anywhere, type Transport } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, staysPending, within } from "../_util/deadline.ts";
import { fill } from "../_util/filling.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const QUIET_MS = 30;
const BODY = new Uint8Array(50_000);
const cleanup = new Cleanup();

async function joined(
  transport: Transport,
  pushOptions = {},
  pullOptions = {},
): Promise<[Push, Pull]> {
  const pull = cleanup.add(new Pull({ ...RECEIVES, ...pullOptions }));
  const push = cleanup.add(new Push(pushOptions));
  await pull.bind(anywhere(transport));
  push.connect(pull.lastEndpoint!);
  return [push, pull];
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;

for (const transport of ALL_TRANSPORTS) {
  describe(`a writable stream of a socket on ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("sends what is written, in order, with all its frames", async () => {
      const [push, pull] = await joined(transport);
      const writer = push.writableStream().getWriter();
      await writer.write("text");
      await writer.write(["two", Uint8Array.of(0, 255)]);
      void writer.write(new Uint8Array(100_000));
      void writer.write("last");
      assertFrames(await pull.receive(), ["text"]);
      assertFrames(await pull.receive(), ["two", Uint8Array.of(0, 255)]);
      assertEquals((await pull.receive())[0].length, 100_000);
      assertFrames(await pull.receive(), ["last"]);
    });

    it("waits while there is no room", async () => {
      const [push, pull] = await joined(
        transport,
        { sendHighWaterMark: 3, linger: 0 },
        { receiveHighWaterMark: 3 },
      );
      const count = await fill(push, [BODY]);
      const writer = push.writableStream().getWriter();
      const writing = Array.from({ length: 5 }, (_, i) => writer.write(`late ${i}`));
      await staysPending(writing[0], QUIET_MS, "there is no room");
      assertLessOrEqual(writer.desiredSize!, 0);
      await staysPending(writer.ready, QUIET_MS, "writers are told to wait");
      for (let i = 0; i < count; i++) await pull.receive();
      await Promise.all(writing);
      await writer.ready;
      for (let i = 0; i < 5; i++) assertEquals(String(await pull.receive()), `late ${i}`);
    });

    it("leaves the socket open when it is closed, and everything written is sent", async () => {
      const [push, pull] = await joined(transport);
      const writer = push.writableStream().getWriter();
      for (let i = 0; i < 20; i++) void writer.write(String(i));
      await writer.close();
      await writer.closed;
      assertEquals(push.closed, false);
      await push.send("after");
      for (let i = 0; i < 20; i++) assertEquals(String(await pull.receive()), String(i));
      assertEquals(String(await pull.receive()), "after");
    });

    it("sends nothing more when it is aborted, and leaves the socket open", async () => {
      const [push, pull] = await joined(
        transport,
        { sendHighWaterMark: 3, linger: 0 },
        { receiveHighWaterMark: 3 },
      );
      const count = await fill(push, [BODY]);
      const writer = push.writableStream().getWriter();
      const writing = Array.from({ length: 5 }, (_, i) => writer.write(`never ${i}`));
      const outcomes = Promise.allSettled(writing);
      await pause(QUIET_MS);
      await within(writer.abort(new Error("stop")), 5_000, "abort does not wait for room");
      for (const outcome of await outcomes) assertEquals(outcome.status, "rejected");
      await writer.closed.catch(() => {}); // aborted
      assertEquals(push.closed, false);
      const sending = push.send("after");
      for (let i = 0; i < count; i++) assertEquals((await pull.receive())[0].length, BODY.length);
      await sending;
      assertEquals(String(await pull.receive()), "after");
    });
  });
}

describe("a writable stream", () => {
  afterEach(() => cleanup.run());

  it("waits for a peer", async () => {
    const push = cleanup.add(new Push({ linger: 0 }));
    await push.bind(anywhere("tcp"));
    const writer = push.writableStream().getWriter();
    const writing = writer.write("early");
    await staysPending(writing, QUIET_MS, "there is nobody");
    const pull = cleanup.add(new Pull(RECEIVES));
    pull.connect(push.lastEndpoint!);
    await writing;
    assertEquals(String(await pull.receive()), "early");
  });

  it("fails when something is written that cannot be sent, and the socket does not", async () => {
    const [push, pull] = await joined("tcp");
    const writer = push.writableStream().getWriter();
    writer.closed.catch(() => {}); // looked at below
    const error = await assertRejects(() => writer.write({} as MessageLike), TypeError);
    assertEquals(codeOf(error), "EINVAL");
    await assertRejects(() => writer.write("the stream is broken"));
    assertEquals(await assertRejects(() => writer.closed), error);
    const another = push.writableStream().getWriter();
    await another.write("a new one is not");
    assertEquals(String(await pull.receive()), "a new one is not");
  });

  it("fails when the socket is closed", async () => {
    const [push] = await joined("tcp", { linger: 0 });
    const writer = push.writableStream().getWriter();
    writer.closed.catch(() => {}); // looked at below
    await writer.write("x");
    await push.close();
    assertEquals(codeOf(await assertRejects(() => writer.write("y"))), "EBADF");
    assertEquals(codeOf(await assertRejects(() => writer.closed)), "EBADF");
  });

  it("fails when the socket is closed while it waits", async () => {
    const push = cleanup.add(new Push({ linger: 0 }));
    const writer = push.writableStream().getWriter();
    writer.closed.catch(() => {}); // the write tells
    const writing = writer.write("nobody is there");
    writing.catch(() => {}); // looked at below
    await pause(QUIET_MS);
    await push.close();
    const code = codeOf(await assertRejects(() => writing));
    assert(code === "EAGAIN" || code === "EBADF", code);
  });

  it("fails when the socket's own timeout is over", async () => {
    const push = cleanup.add(new Push({ sendTimeout: 30 }));
    const writer = push.writableStream().getWriter();
    writer.closed.catch(() => {}); // the write tells
    assertEquals(codeOf(await assertRejects(() => writer.write("nobody is there"))), "EAGAIN");
    assertEquals(push.closed, false);
  });

  it("fails with what a Router says about its peers", async () => {
    const router = cleanup.add(new Router({ mandatory: true }));
    const writer = router.writableStream().getWriter();
    writer.closed.catch(() => {}); // the write tells
    const error = await assertRejects(() => writer.write(["nobody", "x"]));
    assertEquals(codeOf(error), "EHOSTUNREACH");
  });

  it("takes turns with another one of the same socket", async () => {
    const [push, pull] = await joined("tcp", { sendHighWaterMark: 5 }, { receiveHighWaterMark: 5 });
    const writing = ["a", "b"].map(async (name) => {
      const writer = push.writableStream().getWriter();
      for (let i = 0; i < 50; i++) {
        await writer.ready;
        void writer.write(`${name}${i}`);
      }
      await writer.close();
    });
    const seen: string[] = [];
    for (let i = 0; i < 100; i++) seen.push(String(await pull.receive()));
    await Promise.all(writing);
    for (const name of ["a", "b"]) {
      const own = seen.filter((text) => text.startsWith(name));
      assertEquals(own, Array.from({ length: 50 }, (_, i) => `${name}${i}`));
    }
  });

  it("takes what another stream gives", async () => {
    const [push, pull] = await joined("tcp");
    const source = new ReadableStream<MessageLike[]>({
      start(controller) {
        for (let i = 0; i < 10; i++) controller.enqueue(["item", String(i)]);
        controller.close();
      },
    });
    await source.pipeTo(push.writableStream());
    for (let i = 0; i < 10; i++) assertFrames(await pull.receive(), ["item", String(i)]);
    assertEquals(push.closed, false);
  });

  it("passes the error of its source on to nobody but the stream", async () => {
    const [push, pull] = await joined("tcp");
    const source = new ReadableStream<MessageLike>({
      pull(controller) {
        controller.error(new Error("source is broken"));
      },
    });
    await assertRejects(() => source.pipeTo(push.writableStream()), Error, "source is broken");
    await push.send("well");
    assertEquals(String(await pull.receive()), "well");
  });

  it("joins two sockets, with a transform between them", async () => {
    const [push, inner] = await joined("tcp");
    const [outer, pull] = await joined("inproc");
    const upper = new TransformStream<Frame[], string[]>({
      transform: (frames, controller) =>
        controller.enqueue(frames.map((frame) => String(frame).toUpperCase())),
    });
    const piping = inner.readableStream().pipeThrough(upper).pipeTo(outer.writableStream());
    for (let i = 0; i < 20; i++) await push.send([`message ${i}`, "tail"]);
    for (let i = 0; i < 20; i++) assertFrames(await pull.receive(), [`MESSAGE ${i}`, "TAIL"]);
    await inner.close();
    await within(piping, 5_000, "the pipe ends with its source");
    assertEquals(outer.closed, false);
  });

  it("joins two sockets, and a receiver that is slow holds the sender back", async () => {
    const marks = { receiveHighWaterMark: 3, sendHighWaterMark: 3 } as const;
    const { sendHighWaterMark, receiveHighWaterMark } = marks;
    const [push, inner] = await joined("tcp", { sendHighWaterMark }, { receiveHighWaterMark });
    const [outer, pull] = await joined("tcp", { sendHighWaterMark }, { receiveHighWaterMark });
    const piping = inner.readableStream().pipeTo(outer.writableStream());
    const count = await fill(push, [BODY], 100_000);
    await pause(QUIET_MS);
    assert(!push.writable);
    for (let i = 0; i < count; i++) assertEquals((await pull.receive())[0].length, BODY.length);
    await push.send("there is room again");
    assertEquals(String(await pull.receive()), "there is room again");
    await inner.close();
    await within(piping, 5_000, "the pipe ends with its source");
  });

  it("makes an echo of a socket that is piped into itself", async () => {
    const [one, other] = [cleanup.add(new Pair(RECEIVES)), cleanup.add(new Pair())];
    await other.bind(anywhere("tcp"));
    one.connect(other.lastEndpoint!);
    const echoing = other.readableStream().pipeTo(other.writableStream());
    echoing.catch(() => {}); // the socket may be closed under it
    for (let i = 0; i < 20; i++) {
      await one.send([`message ${i}`, BODY]);
      const [text, body] = await one.receive();
      assertEquals([String(text), body.length], [`message ${i}`, BODY.length]);
    }
  });

  it("is there for all that send", async () => {
    assertEquals("writableStream" in cleanup.add(new Pull()), false);
    assertEquals("writableStream" in cleanup.add(new Subscriber()), false);
    const dealer = cleanup.add(new Dealer({ linger: 0 }));
    assertEquals("writableStream" in dealer, true);
    await eventually(() => dealer.writableStream() instanceof WritableStream);
  });
});
