// A socket as a ReadableStream: messages in order, taken one by one as they are asked for, and none lost.

import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  type Frame,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Subscriber,
} from "../../mod.ts";
import { anywhere, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, staysPending, within } from "../_util/deadline.ts";
import { fill } from "../_util/filling.ts";
import { connectAs, message } from "../_util/raw_zmtp.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const QUIET_MS = 30;
const cleanup = new Cleanup();

async function joined(
  transport: Transport,
  pullOptions = {},
  pushOptions = {},
): Promise<[Pull, Push]> {
  const pull = cleanup.add(new Pull(pullOptions));
  const push = cleanup.add(new Push(pushOptions));
  await pull.bind(anywhere(transport));
  push.connect(pull.lastEndpoint!);
  return [pull, push];
}

async function sendNumbers(push: Push, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await push.send(String(i));
}

async function take(stream: ReadableStream<Frame[]>, count: number): Promise<string[]> {
  const reader = stream.getReader();
  const taken: string[] = [];
  for (let i = 0; i < count; i++) {
    const { done, value } = await reader.read();
    if (done) break;
    taken.push(String(value));
  }
  reader.releaseLock();
  return taken;
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => String(from + i));

for (const transport of TRANSPORTS) {
  describe(`a readable stream of a socket on ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("gives the messages in order, with all their frames", async () => {
      const [pull, push] = await joined(transport);
      const reader = pull.readableStream().getReader();
      await push.send(["two", "frames"]);
      await push.send("");
      await push.send([new Uint8Array(100_000), "tail"]);
      assertFrames((await reader.read()).value!, ["two", "frames"]);
      assertFrames((await reader.read()).value!, [""]);
      const [body, tail] = (await reader.read()).value!;
      assertEquals([body.length, String(tail)], [100_000, "tail"]);
    });

    it("can be iterated over, until the socket is closed", async () => {
      const [pull, push] = await joined(transport);
      await sendNumbers(push, 0, 20);
      const seen: string[] = [];
      for await (const frames of pull.readableStream()) {
        seen.push(String(frames));
        if (seen.length === 20) void pull.close();
      }
      assertEquals(seen, numbers(0, 20));
    });

    it("holds the sender back when it is not read", async () => {
      const [pull, push] = await joined(
        transport,
        { receiveHighWaterMark: 5 },
        { sendHighWaterMark: 5 },
      );
      const stream = pull.readableStream();
      const count = await fill(push, [new Uint8Array(20_000)], 100_000);
      assert(!push.writable);
      await pause(QUIET_MS);
      assert(!push.writable, "the stream took more than it was asked for");
      // Reading makes room again, message by message.
      const reading = take(stream, count + 10);
      for (let i = 0; i < 10; i++) await push.send(new Uint8Array(20_000));
      assertEquals((await within(reading, 10_000, "all is read")).length, count + 10);
    });

    it("hands out everything to a slow reader, in order", async () => {
      const [pull, push] = await joined(
        transport,
        { receiveHighWaterMark: 3 },
        { sendHighWaterMark: 3 },
      );
      const sending = sendNumbers(push, 0, 200);
      const seen: string[] = [];
      for await (const frames of pull.readableStream()) {
        seen.push(String(frames));
        if (seen.length % 20 === 0) await pause(1);
        if (seen.length === 200) break;
      }
      await sending;
      assertEquals(seen, numbers(0, 200));
    });

    it("loses nothing when it is cancelled, and leaves the socket open", async () => {
      const [pull, push] = await joined(transport, RECEIVES);
      await sendNumbers(push, 0, 10);
      const stream = pull.readableStream();
      assertEquals(await take(stream, 4), numbers(0, 4));
      await stream.cancel("enough");
      assertEquals(pull.closed, false);
      for (let i = 4; i < 10; i++) assertEquals(String(await pull.receive()), String(i));
    });

    it("loses nothing when it is cancelled while it waits", async () => {
      const [pull, push] = await joined(transport, RECEIVES);
      for (let i = 0; i < 10; i++) {
        const reader = pull.readableStream().getReader();
        const pending = reader.read();
        await pause(i % 3);
        await reader.cancel();
        assertEquals((await pending).done, true);
        await push.send(String(i));
        assertEquals(String(await pull.receive()), String(i));
      }
    });

    it("ends when the socket is closed, also while it waits", async () => {
      const [pull] = await joined(transport);
      const reader = pull.readableStream().getReader();
      const pending = reader.read();
      await staysPending(pending, QUIET_MS, "nothing has come");
      await pull.close();
      assertEquals((await pending).done, true);
      assertEquals((await reader.read()).done, true);
      await reader.closed;
    });
  });
}

describe("a readable stream", () => {
  afterEach(() => cleanup.run());

  it("takes nothing from the socket before it is read", async () => {
    const [pull, push] = await joined("tcp", RECEIVES);
    pull.readableStream();
    await push.send("for the receive");
    await pause(QUIET_MS);
    assertEquals(String(await pull.receive()), "for the receive");
  });

  it("of a closed socket is over", async () => {
    const pull = new Pull();
    await pull.close();
    const outcome = await (async () => (await pull.readableStream().getReader().read()).done)()
      .catch((error) => (error as { code?: string }).code);
    assert(outcome === true || outcome === "EBADF", String(outcome));
  });

  it("is piped into another stream", async () => {
    const [pull, push] = await joined("tcp");
    const written: string[] = [];
    const piping = pull.readableStream().pipeTo(
      new WritableStream({ write: (frames: Frame[]) => void written.push(String(frames)) }),
    );
    await sendNumbers(push, 0, 50);
    await eventually(() => written.length === 50);
    await pull.close();
    await within(piping, 5_000, "the pipe ends with the socket");
    assertEquals(written, numbers(0, 50));
  });

  it("that is piped can be stopped by a signal, and the socket goes on", async () => {
    const [pull, push] = await joined("tcp", RECEIVES);
    const stop = new AbortController();
    const written: string[] = [];
    const piping = pull.readableStream().pipeTo(
      new WritableStream({ write: (frames: Frame[]) => void written.push(String(frames)) }),
      { signal: stop.signal },
    );
    await sendNumbers(push, 0, 5);
    await eventually(() => written.length === 5);
    stop.abort(new Error("stop"));
    await assertRejects(() => piping, Error, "stop");
    await push.send("later");
    assertEquals(String(await pull.receive()), "later");
  });

  it("holds the sender back while the stream that it is piped into is slow", async () => {
    const [pull, push] = await joined("tcp", { receiveHighWaterMark: 3 }, { sendHighWaterMark: 3 });
    const gate = Promise.withResolvers<void>();
    let written = 0;
    void pull.readableStream().pipeTo(
      new WritableStream({
        write: async () => {
          written++;
          await gate.promise;
        },
      }),
    );
    const count = await fill(push, [new Uint8Array(50_000)], 100_000);
    await pause(QUIET_MS);
    assert(!push.writable);
    assert(written <= 2, `${written} messages were taken`);
    gate.resolve();
    await eventually(() => written === count);
  });

  it("can be split into two, which both get everything", async () => {
    const [pull, push] = await joined("tcp");
    const [left, right] = pull.readableStream().tee();
    await sendNumbers(push, 0, 30);
    assertEquals(await take(left, 30), numbers(0, 30));
    assertEquals(await take(right, 30), numbers(0, 30));
    await Promise.all([left.cancel(), right.cancel()]);
    assertEquals(pull.closed, false);
  });

  it("shares the messages with another one of the same socket", async () => {
    const [pull, push] = await joined("tcp");
    const readers = [0, 1].map(() => pull.readableStream().getReader());
    const seen: string[] = [];
    const reading = readers.map(async (reader) => {
      let count = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return count;
        seen.push(String(value));
        count++;
        await pause(0);
      }
    });
    await sendNumbers(push, 0, 100);
    await eventually(() => seen.length === 100);
    await pull.close();
    const counts = await Promise.all(reading);
    assertEquals(seen.toSorted((a, b) => Number(a) - Number(b)), numbers(0, 100));
    for (const count of counts) assertGreater(count, 0);
  });

  it("goes on with a stream after one that was cancelled", async () => {
    const [pull, push] = await joined("tcp");
    await sendNumbers(push, 0, 9);
    for (let i = 0; i < 3; i++) {
      const stream = pull.readableStream();
      assertEquals(await take(stream, 3), numbers(3 * i, 3 * i + 3));
      await stream.cancel();
    }
  });

  it("goes through transforms", async () => {
    const [pull, push] = await joined("tcp");
    const lengths = pull.readableStream()
      .pipeThrough(
        new TransformStream<Frame[], string>({
          transform: (frames, controller) => controller.enqueue(frames.map(String).join("|")),
        }),
      )
      .pipeThrough(
        new TransformStream<string, number>({
          transform: (text, controller) => controller.enqueue(text.length),
        }),
      ).getReader();
    await push.send(["a", "bc"]);
    await push.send("def");
    assertEquals((await lengths.read()).value, 4);
    assertEquals((await lengths.read()).value, 3);
  });

  it("fails with the error of the socket, which goes on", async () => {
    const [reply, request] = [cleanup.add(new Reply(RECEIVES)), cleanup.add(new Request())];
    await reply.bind(anywhere("tcp"));
    request.connect(reply.lastEndpoint!);
    const reader = request.readableStream().getReader();
    const error = await assertRejects(() => within(reader.read(), 5_000, "a request out of turn"));
    assertEquals((error as { code?: string }).code, "EFSM");
    await request.send("question");
    await reply.send(await reply.receive());
    assertEquals(await take(request.readableStream(), 1), ["question"]);
  });

  it("waits for as long as it takes, whatever receiveTimeout says", async () => {
    const [pull, push] = await joined("tcp", { receiveTimeout: 10 });
    const taking = take(pull.readableStream(), 1);
    await pause(QUIET_MS);
    await push.send("late");
    assertEquals(await taking, ["late"]);
  });

  it("loses nothing when it is cancelled in the moment in which a message comes", async () => {
    for (const transport of TRANSPORTS) {
      const [pull, push] = await joined(transport, RECEIVES);
      let handedOut = 0;
      for (let i = 0; i < 30; i++) {
        const reader = pull.readableStream().getReader();
        const reading = reader.read();
        const sending = push.send(String(i));
        for (let turn = 0; turn < i % 6; turn++) await undefined;
        if (i % 5 === 0) await eventually(() => pull.stats().messagesIn > i);
        void reader.cancel();
        const { done, value } = await reading;
        await sending;
        if (!done) handedOut++;
        assertEquals(String(done ? await pull.receive() : value), String(i));
      }
      assert(handedOut < 30, "some were cancelled before");
    }
  });

  it("is there for all that receive", async () => {
    const publisher = cleanup.add(new Publisher());
    const subscriber = cleanup.add(new Subscriber());
    await publisher.bind(anywhere("tcp"));
    subscriber.connect(publisher.lastEndpoint!);
    subscriber.subscribe("");
    await eventually(() => publisher.topicsCount === 1);
    const router = cleanup.add(new Router());
    await router.bind(anywhere("tcp"));
    const raw = cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "raw"));
    await publisher.send("news");
    raw.send(message("question"));
    assertEquals(await take(subscriber.readableStream(), 1), ["news"]);
    assertEquals(await take(router.readableStream(), 1), ["raw,question"]);
    const sockets: Socket[] = [publisher, cleanup.add(new Push())];
    for (const socket of sockets) assertEquals("readableStream" in socket, false);
    assertEquals("readableStream" in cleanup.add(new Pair()), true);
  });
});
