// What can be sent, and what it is when it is received.

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { after, before, it } from "@std/testing/bdd";
import { Frame, type MessageLike, Pull, Push } from "../../mod.ts";
import { ALL_TRANSPORTS, anywhere } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { assertSays, rejection } from "../_util/rejection.ts";
import { describeOver } from "../_util/transports.ts";

/** The methods of Buffer that are tried. */
interface BufferLike extends Uint8Array {
  equals(other: Uint8Array): boolean;
  readUInt32BE(at: number): number;
  readInt16LE(at: number): number;
  toString(encoding?: string, start?: number, end?: number): string;
}

const { Buffer } = globalThis as unknown as {
  Buffer: {
    from(text: string, encoding?: string): Uint8Array;
    concat(parts: readonly Uint8Array[]): Uint8Array;
    isBuffer(value: unknown): boolean;
  };
};

describeOver(ALL_TRANSPORTS, "a message", (transport) => {
  const cleanup = new Cleanup();
  let push: Push;
  let pull: Pull;
  before(async () => {
    pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    await pull.bind(anywhere(transport));
    push = cleanup.add(new Push({ sendTimeout: 5_000 }));
    push.connect(pull.lastEndpoint!);
  });
  after(() => cleanup.run());

  async function sent(value: unknown): Promise<Frame[]> {
    await push.send(value as MessageLike);
    return await pull.receive();
  }

  const octets = (...values: number[]): Uint8Array => Uint8Array.from(values);
  const ten = octets(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  const shared = new SharedArrayBuffer(3);
  new Uint8Array(shared).set([7, 8, 9]);
  const kinds: readonly [what: string, value: unknown, frames: (Uint8Array | string)[]][] = [
    ["text", "hello", ["hello"]],
    ["empty text", "", [""]],
    ["text beyond ASCII as UTF-8", "ünï€𝄞\0", [octets(
      ...[0xc3, 0xbc, 0x6e, 0xc3, 0xaf, 0xe2, 0x82, 0xac, 0xf0, 0x9d, 0x84, 0x9e, 0],
    )]],
    ["half a surrogate pair as the replacement character", "\ud834", [octets(0xef, 0xbf, 0xbd)]],
    ["octets", ten, [ten]],
    ["no octets", new Uint8Array(0), [""]],
    ["a part of a buffer", ten.subarray(3, 5), [octets(3, 4)]],
    ["a DataView", new DataView(ten.buffer, 8, 2), [octets(8, 9)]],
    ["a view of 16-bit numbers", Uint16Array.of(0x0102), [
      new Uint8Array(Uint16Array.of(0x0102).buffer),
    ]],
    ["a view of floats", Float64Array.of(1.5), [new Uint8Array(Float64Array.of(1.5).buffer)]],
    ["a clamped view", Uint8ClampedArray.of(1, 300), [octets(1, 255)]],
    ["an ArrayBuffer", ten.slice().buffer, [ten]],
    ["a SharedArrayBuffer", shared, [octets(7, 8, 9)]],
    ["a view on a SharedArrayBuffer", new Uint8Array(shared, 1), [octets(8, 9)]],
    ["a Buffer", Buffer.from("buffer"), ["buffer"]],
    ["null as an empty frame", null, [""]],
    ["a number as its text", 42, ["42"]],
    ["a broken number as its text", -1.5, ["-1.5"]],
    ["an array as several frames", ["a", null, 3, octets(4)], ["a", "", "3", octets(4)]],
    ["an array of one", ["one"], ["one"]],
    ["empty frames", ["", "", ""], ["", "", ""]],
    [
      "a hundred frames",
      Array.from({ length: 100 }, (_, i) => i),
      Array.from(
        { length: 100 },
        (_, i) => String(i),
      ),
    ],
  ];
  for (const [what, value, frames] of kinds) {
    it(`may be ${what}`, async () => assertFrames(await sent(value), frames));
  }

  for (const size of [0, 1, 255, 256, 8_191, 65_536, 1_048_577]) {
    it(`may have ${size} octets, or that many characters, alone and among others`, async () => {
      const body = new Uint8Array(size).map((_, i) => i * 7);
      assertFrames(await sent(body), [body]);
      const text = "ü".repeat(size >> 1);
      assertFrames(await sent(["head", body, text, ""]), ["head", body, text, ""]);
    });
  }

  // inproc hands longer frames over as they are; elsewhere they are copied into a batch.
  const copied = transport === "inproc" ? 128 : 20_000;
  it(`is what it was when send was called, up to ${copied} octets a frame`, async () => {
    const body = new Uint8Array(copied).fill(1);
    const first = push.send(body);
    body.fill(2);
    await first;
    await push.send(body);
    assertEquals([(await pull.receive())[0][copied - 1], (await pull.receive())[0][0]], [1, 2]);
  });

  const wrong: readonly [what: string, value: unknown, says: string[]][] = [
    ["undefined", undefined, ["Message must be present"]],
    ["an empty array", [], ["empty array", "at least one frame"]],
    ["an object", { a: 1 }, ["Object", "JSON.stringify"]],
    ["a date", new Date(), ["Date"]],
    ["an object without a prototype", Object.create(null), ["JSON.stringify"]],
    ["a function", () => {}, ["Function"]],
    ["a symbol", Symbol("s"), ["symbol"]],
    ["an array with undefined in it", ["a", undefined], ["Message must be present"]],
    ["an array in an array", ["a", ["b"]], ["Array"]],
    ["an array with an object in it", [{ a: 1 }], ["Object"]],
  ];
  for (const [what, value, says] of wrong) {
    it(`may not be ${what}, and nothing of it is sent`, async () => {
      const error = await rejection(push.send(value as MessageLike), "EINVAL");
      assertInstanceOf(error, TypeError);
      assertSays(error, ...says);
      assertFrames(await sent("next"), ["next"]);
    });
  }

  it("may not be missing", async () => {
    await rejection((push as unknown as { send(): Promise<void> }).send(), "EINVAL");
  });
});

describeOver(ALL_TRANSPORTS, "a frame", (transport) => {
  const cleanup = new Cleanup();
  let push: Push;
  let pull: Pull;
  before(async () => {
    pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    await pull.bind(anywhere(transport));
    push = cleanup.add(new Push());
    push.connect(pull.lastEndpoint!);
  });
  after(() => cleanup.run());

  async function frameOf(value: MessageLike): Promise<Frame> {
    await push.send(["before", value, "after"]);
    return (await pull.receive())[1];
  }

  it("is a Uint8Array and a Frame", async () => {
    const frame = await frameOf(Uint8Array.of(1, 2, 3));
    assertInstanceOf(frame, Uint8Array);
    assertInstanceOf(frame, Frame);
    assertEquals([frame.length, frame[0], frame[2], [...frame]], [3, 1, 3, [1, 2, 3]]);
    assertEquals(frame.buffer.byteLength >= frame.byteOffset + 3, true);
  });

  it("is text by toString(), in templates and in concatenations", async () => {
    const frame = await frameOf("ünï€𝄞");
    assertEquals([frame.toString(), `${frame}`, String(frame), "" + frame], [
      ...["ünï€𝄞", "ünï€𝄞", "ünï€𝄞", "ünï€𝄞"],
    ]);
    assertEquals(String(await frameOf("")), "");
    assertEquals(String(await frameOf(Uint8Array.of(0x61, 0xff))), "a\ufffd");
  });

  it("keeps a byte order mark in its text", async () => {
    assertEquals(String(await frameOf("\ufefftext")), "\ufefftext");
  });

  it("is its JSON value by json()", async () => {
    const value = { n: 1, list: ["ü", null, true] };
    assertEquals((await frameOf(JSON.stringify(value))).json(), value);
    const text = await frameOf("not json");
    assertThrows(() => text.json(), SyntaxError);
  });

  it("knows Buffer's encodings and methods", async () => {
    const frame = await frameOf(Uint8Array.of(0xde, 0xad, 0xbe, 0xef)) as unknown as BufferLike;
    assertEquals(
      [frame.toString("hex"), frame.toString("base64"), frame.toString("hex", 1, 3)],
      ["deadbeef", "3q2+7w==", "adbe"],
    );
    assertEquals([frame.readUInt32BE(0), frame.readInt16LE(1)], [0xdeadbeef, -0x4153]);
    assert(frame.equals(Uint8Array.of(0xde, 0xad, 0xbe, 0xef)));
    assert(!frame.equals(Uint8Array.of(0xde)));
    assert(Buffer.isBuffer(frame));
    assertEquals([...Buffer.concat([frame, frame])].length, 8);
  });

  it("is what it was when later messages have come", async () => {
    const kept = await frameOf("kept");
    for (let i = 0; i < 2_000; i++) await frameOf(`later ${i}`);
    assertEquals(String(kept), "kept");
  });

  it("has memory of its own after slice()", async () => {
    const frame = await frameOf("abc");
    const copy = frame.slice();
    frame[0] = 0x7a;
    assertEquals(new TextDecoder().decode(copy), "abc");
  });

  it("can be sent on as it is", async () => {
    await push.send(["x", "yz"]);
    await push.send(await pull.receive());
    assertFrames(await pull.receive(), ["x", "yz"]);
  });

  it("can be made from octets, and be cloned", () => {
    const frame = new Frame([0x68, 0x69]);
    assertEquals(String(frame), "hi");
    assertEquals([...structuredClone(frame)], [0x68, 0x69]);
    assertEquals(String(new Frame(new TextEncoder().encode("abc").buffer, 1, 1)), "b");
    assertEquals([...frame.map((octet) => octet + 1)], [0x69, 0x6a]);
  });
});
