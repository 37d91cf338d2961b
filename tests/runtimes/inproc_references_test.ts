// What inproc hands over: frames longer than 128 octets as they are, shorter ones and texts as copies.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertStrictEquals,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Frame, type MessageLike, Proxy, Publisher, Pull, Push, Subscriber } from "../../mod.ts";
import { anywhere } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { memory } from "../_util/memory.ts";
import { pattern, sameOctets } from "../_util/octets.ts";
import { boundPair, started } from "../_util/proxies.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
/** The longest frame that is copied. */
const COPIED = 128;
const cleanup = new Cleanup();

async function pipeline(): Promise<[Push, Pull]> {
  const pull = cleanup.add(new Pull(RECEIVES));
  await pull.bind(anywhere("inproc"));
  const push = cleanup.add(new Push());
  push.connect(pull.lastEndpoint!);
  return [push, pull];
}

/** True when a change of one is seen in the other. */
function shareMemory(sent: Uint8Array, received: Uint8Array): boolean {
  sent[0] ^= 0xff;
  const seen = received[0] === sent[0];
  sent[0] ^= 0xff;
  return seen;
}

describe("over inproc, a frame", () => {
  afterEach(() => cleanup.run());

  for (const size of [COPIED + 1, 1_000, 5_000_000]) {
    it(`of ${size} octets is the sender's memory`, async () => {
      const [push, pull] = await pipeline();
      const body = pattern(size);
      await push.send(["head", body]);
      const [, frame] = await pull.receive();
      assertInstanceOf(frame, Frame);
      assertStrictEquals(frame.buffer, body.buffer);
      assertEquals([frame.byteOffset, frame.length], [body.byteOffset, size]);
      assert(shareMemory(body, frame));
      assert(shareMemory(frame, body));
    });
  }

  for (const size of [1, 32, 33, COPIED]) {
    it(`of ${size} octets is a copy of its own`, async () => {
      const [push, pull] = await pipeline();
      const body = pattern(size);
      await push.send(["head", body]);
      const [, frame] = await pull.receive();
      assert(sameOctets(frame, body));
      assert(!shareMemory(body, frame));
      assert(!shareMemory(frame, body));
    });
  }

  it("that is a part of a buffer is that part", async () => {
    const [push, pull] = await pipeline();
    const all = pattern(10_000);
    const part = all.subarray(1_000, 2_000);
    await push.send(part);
    const [frame] = await pull.receive();
    assertStrictEquals(frame.buffer, all.buffer);
    assertEquals([frame.byteOffset, frame.length], [1_000, 1_000]);
    await push.send(all.subarray(500, 510));
    const [short] = await pull.receive();
    assert(sameOctets(short, all.subarray(500, 510)));
    assert(!shareMemory(all.subarray(500, 510), short));
  });

  const shared = new SharedArrayBuffer(1_000);
  const buffer = pattern(1_000).buffer;
  const kinds: Readonly<Record<string, [value: MessageLike, memory: ArrayBufferLike]>> = {
    "an ArrayBuffer": [buffer, buffer],
    "a DataView": [new DataView(buffer), buffer],
    "a view of floats": [new Float64Array(buffer), buffer],
    "a SharedArrayBuffer": [shared, shared],
    "a view on a SharedArrayBuffer": [new Uint8Array(shared), shared],
  };
  for (const [what, [value, memory]] of Object.entries(kinds)) {
    it(`that was ${what} is its memory too`, async () => {
      const [push, pull] = await pipeline();
      await push.send(value);
      const [frame] = await pull.receive();
      assertInstanceOf(frame, Frame);
      assertStrictEquals(frame.buffer as ArrayBufferLike, memory);
      assertEquals([frame.byteOffset, frame.length], [0, 1_000]);
    });
  }

  it("that was a text is its UTF-8, in memory of its own", async () => {
    const [push, pull] = await pipeline();
    const texts = ["", "short", "ünï€𝄞", "x".repeat(32), "ü".repeat(32), "x".repeat(1_000)];
    texts.push("ü".repeat(100_000), "\ud834", `${"x".repeat(31)}€`);
    const frames: Frame[] = [];
    for (const text of texts) {
      await push.send(text);
      frames.push((await pull.receive())[0]);
    }
    for (const [i, text] of texts.entries()) {
      assert(sameOctets(frames[i], new TextEncoder().encode(text)), text.slice(0, 40));
    }
    frames[1].fill(0x7a);
    assertEquals(frames.slice(2, 4).map(String), texts.slice(2, 4));
  });

  it("is passed on as it is, over any number of hops", async () => {
    const [push, front] = await pipeline();
    const [again, back] = await pipeline();
    const body = pattern(1_000);
    await push.send([body, "tail"]);
    await again.send(await front.receive());
    const [frame, tail] = await back.receive();
    assertStrictEquals(frame.buffer, body.buffer);
    assertEquals(String(tail), "tail");
  });

  it("is passed on as it is by a Proxy", async () => {
    const [front, back] = await boundPair(cleanup, "inproc", new Pull(), new Push());
    started(cleanup, new Proxy(front, back));
    const push = cleanup.add(new Push());
    push.connect(front.lastEndpoint!);
    const pull = cleanup.add(new Pull(RECEIVES));
    pull.connect(back.lastEndpoint!);
    const body = pattern(1_000);
    await push.send(["head", body]);
    const [head, frame] = await pull.receive();
    assertEquals(String(head), "head");
    assertStrictEquals(frame.buffer, body.buffer);
  });

  it("is one memory for all subscribers of a Publisher, unless it is short", async () => {
    const publisher = cleanup.add(new Publisher());
    await publisher.bind(anywhere("inproc"));
    const subscribers = Array.from({ length: 5 }, () => {
      const subscriber = cleanup.add(new Subscriber(RECEIVES));
      subscriber.connect(publisher.lastEndpoint!);
      subscriber.subscribe("t");
      return subscriber;
    });
    const topic = new TextEncoder().encode("topic");
    const body = pattern(1_000);
    await publisher.send([topic, body]);
    for (const subscriber of subscribers) {
      const [first, second] = await subscriber.receive();
      assertEquals(String(first), "topic");
      assert(!shareMemory(topic, first));
      assertStrictEquals(second.buffer, body.buffer);
    }
  });

  it("is let go of when it was read", async () => {
    const [push, pull] = await pipeline();
    const size = 10_000_000;
    const before = memory();
    for (let i = 0; i < 100; i++) {
      await push.send(new Uint8Array(size).fill(1));
      assertEquals((await pull.receive())[0].length, size);
    }
    assertLess(memory() - before, 50 * size);
  });
});
