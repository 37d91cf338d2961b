// A pair of web streams as what links are made of.

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ZmqError } from "../../src/errors.ts";
import { endsOf, type OctetStreams, WebStream } from "../../src/link/web_stream.ts";
import { within } from "../_util/deadline.ts";

const ENDS = { local: { path: "" }, remote: { host: "127.0.0.1", port: 5555 } };
const SOON_MS = 20_000;

/** What comes out of a stream, into memory of a given size. */
class Sink {
  readonly memory: Uint8Array;
  readonly got: number[] = [];
  readonly taken: number[] = [];
  readonly ends: unknown[] = [];
  #changed: () => void = () => {};

  constructor(size: number) {
    this.memory = new Uint8Array(size);
  }

  target(): Uint8Array {
    return this.memory.fill(0xee);
  }

  filled(count: number): void {
    this.got.push(...this.memory.subarray(0, count));
    this.#changed();
  }

  written(count: number): void {
    this.taken.push(count);
    this.#changed();
  }

  closed(error: unknown): void {
    this.ends.push(error);
    this.#changed();
  }

  /** Waits until something is so. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#changed = () => holds() && resolve();
    this.#changed();
    await within(promise, SOON_MS, what);
  }
}

/** A pair whose other end is the test. */
class Stage {
  readonly calls: string[] = [];
  readonly written: Uint8Array[] = [];
  /** How often it was asked for octets. */
  pulls = 0;
  readonly pair: OctetStreams;
  readonly sink: Sink;
  /** Lets a write under way go on. */
  release: () => void = () => {};
  readonly #incoming: ReadableStreamController<Uint8Array>;

  constructor(
    { bytes = false, size = 64, slow = false }: { bytes?: boolean; size?: number; slow?: boolean } =
      {},
  ) {
    let incoming: ReadableStreamController<Uint8Array>;
    const source = {
      start: (controller: ReadableStreamController<Uint8Array>) => {
        incoming = controller;
      },
      pull: () => {
        this.pulls++;
      },
      cancel: () => {
        this.calls.push("cancel");
      },
    };
    const readable = bytes
      ? new ReadableStream({ type: "bytes", ...source } as UnderlyingByteSource)
      : new ReadableStream<Uint8Array>(source as UnderlyingDefaultSource, { highWaterMark: 0 });
    const writable = new WritableStream<Uint8Array>({
      write: (octets) => {
        this.written.push(octets);
        return slow ? new Promise<void>((resolve) => this.release = resolve) : undefined;
      },
      close: () => {
        this.calls.push("close");
      },
      abort: () => {
        this.calls.push("abort");
      },
    });
    this.pair = { readable, writable, close: () => this.calls.push("close all") };
    this.sink = new Sink(size);
    this.#incoming = incoming!;
  }

  open(): WebStream {
    const stream = new WebStream(this.pair, ENDS);
    stream.start(this.sink);
    return stream;
  }

  send(...octets: number[]): void {
    if (octets.length === 0) return;
    this.#incoming.enqueue(Uint8Array.from(octets) as never);
  }

  sendText(text: string): void {
    this.#incoming.enqueue(text as never);
  }

  end(): void {
    this.#incoming.close();
    const { byobRequest } = this.#incoming as ReadableByteStreamController;
    // A byte stream that was closed answers the read under way by hand.
    byobRequest?.respond(0);
  }

  fail(error: Error): void {
    this.#incoming.error(error);
  }
}

for (const bytes of [true, false]) {
  describe(`a stream of ${bytes ? "a byte stream" : "plain web streams"}`, () => {
    for (const size of [1, 3, 64]) {
      it(`reads into memory of ${size} octets`, async () => {
        const stage = new Stage({ bytes, size });
        stage.open();
        stage.send(1, 2, 3, 4, 5);
        stage.send(6);
        await stage.sink.until(() => stage.sink.got.length === 6, "six octets");
        assertEquals(stage.sink.got, [1, 2, 3, 4, 5, 6]);
        stage.end();
        await stage.sink.until(() => stage.sink.ends.length > 0, "the end");
        assertEquals(stage.sink.ends, [undefined]);
        assertEquals(stage.calls, ["close", "close all"]);
      });
    }

    it("reads a long run of octets through growing buffers", async () => {
      const stage = new Stage({ bytes, size: 1000 });
      stage.open();
      const octets = Array.from({ length: 60_000 }, (_, i) => i % 251);
      stage.send(...octets);
      await stage.sink.until(() => stage.sink.got.length === octets.length, "all octets");
      assertEquals(stage.sink.got, octets);
    });

    it("asks for nothing while it is paused", async () => {
      const stage = new Stage({ bytes });
      const stream = stage.open();
      stage.send(1);
      await stage.sink.until(() => stage.sink.got.length === 1, "an octet");
      stream.pause();
      stage.send(2); // a read was on its way
      await stage.sink.until(() => stage.sink.got.length === 2, "another octet");
      const { pulls } = stage;
      stage.send(3);
      await turns();
      assertEquals([stage.sink.got, stage.pulls], [[1, 2], pulls]);
      stream.resume();
      await stage.sink.until(() => stage.sink.got.length === 3, "the third");
    });

    it("tells a fault of the connection with its cause", async () => {
      const stage = new Stage({ bytes });
      stage.open();
      const cause = new Error("it broke");
      stage.fail(cause);
      await stage.sink.until(() => stage.sink.ends.length > 0, "the end");
      const [error] = stage.sink.ends;
      assertInstanceOf(error, ZmqError);
      assertEquals([error.code, error.cause], ["ECONNRESET", cause]);
      assertEquals(error.message, "The connection was lost: it broke");
    });

    it("says what may be wrong before anything was read, and not later", async () => {
      for (const [octets, text] of [[[], "broke (at once)"], [[1], "broke"]] as const) {
        const stage = new Stage({ bytes });
        new WebStream(stage.pair, ENDS, " (at once)").start(stage.sink);
        stage.send(...octets, ...octets);
        await stage.sink.until(() => stage.sink.got.length === 2 * octets.length, "octets");
        stage.fail(new Error("it broke"));
        await stage.sink.until(() => stage.sink.ends.length > 0, "the end");
        assertEquals((stage.sink.ends[0] as Error).message, `The connection was lost: it ${text}`);
      }
    });

    it("ends both streams when it is aborted, and tells later", async () => {
      const stage = new Stage({ bytes });
      const stream = stage.open();
      stream.abort();
      assertEquals(stage.sink.ends, []);
      stream.abort();
      await stage.sink.until(() => stage.sink.ends.length > 0, "the end");
      await turns();
      assertEquals(stage.sink.ends, [undefined]);
      assertEquals(stage.calls.toSorted(), ["abort", "cancel", "close all"]);
    });

    it("drops what still comes after its close, and ends with the peer", async () => {
      const stage = new Stage({ bytes });
      const stream = stage.open();
      stream.close();
      await turns();
      assertEquals([stage.calls, stage.sink.ends], [["close"], []]);
      stage.send(1, 2, 3);
      await turns();
      stage.end();
      await stage.sink.until(() => stage.sink.ends.length > 0, "the end");
      assertEquals([stage.sink.got, stage.sink.ends], [[], [undefined]]);
    });
  });
}

describe("a stream of web streams", () => {
  it("copies what it is lent, and takes a body with its buffer as it is", async () => {
    const stage = new Stage();
    const stream = stage.open();
    const memory = Uint8Array.of(1, 2, 3, 4);
    assertEquals(stream.write(memory.subarray(1, 3)), 0);
    memory.fill(9);
    await stage.sink.until(() => stage.sink.taken.length === 1, "the write");
    assertEquals(stream.write(memory), 0);
    await stage.sink.until(() => stage.sink.taken.length === 2, "the other write");
    assertEquals(stage.sink.taken, [2, 4]);
    assertEquals(stage.written[0], Uint8Array.of(2, 3));
    assert(stage.written[1] === memory);
  });

  it("reports a write when it is taken, and closes behind it", async () => {
    const stage = new Stage({ slow: true });
    const stream = stage.open();
    stream.write(Uint8Array.of(1));
    await turns();
    assertEquals(stage.sink.taken, []);
    stream.close();
    await turns();
    assertEquals(stage.calls, []);
    stage.release();
    await stage.sink.until(() => stage.sink.taken.length === 1, "the write");
    await turns();
    assertEquals(stage.calls, ["close"]);
  });

  it("lets what it wrote leave before it ends with the peer", async () => {
    const stage = new Stage({ slow: true });
    const stream = stage.open();
    stream.write(Uint8Array.of(1));
    stream.close();
    await turns();
    stage.end();
    await turns();
    assertEquals([stage.calls, stage.sink.ends], [[], []]);
    stage.release();
    await stage.sink.until(() => stage.sink.ends.length > 0, "the end");
    assertEquals(stage.calls, ["close", "close all"]);
  });

  it("does not wait for a peer that has ended and does not read", async () => {
    const stage = new Stage({ slow: true });
    const stream = stage.open();
    stream.write(Uint8Array.of(1));
    await turns();
    stage.end();
    await stage.sink.until(() => stage.sink.ends.length > 0, "the end");
    assertEquals(stage.sink.ends, [undefined]);
  });

  it("refuses what are no octets", async () => {
    const stage = new Stage();
    stage.open();
    stage.sendText("hello");
    await stage.sink.until(() => stage.sink.ends.length > 0, "the end");
    const [error] = stage.sink.ends;
    assertInstanceOf(error, ZmqError);
    assertEquals(
      error.message,
      "The connection was lost: The readable stream gave a string: only Uint8Array can be read",
    );
  });

  it("refuses streams that are in use, and leaves the other one free", () => {
    const read = new Stage().pair;
    read.readable.getReader();
    assertThrows(() => new WebStream(read, ENDS), TypeError, "the readable stream");
    assertEquals(read.writable.locked, false);
    const written = new Stage().pair;
    written.writable.getWriter();
    assertThrows(() => new WebStream(written, ENDS), TypeError, "the writable stream");
    assertEquals(written.readable.locked, false);
  });

  it("gives its streams back", () => {
    const { pair } = new Stage();
    new WebStream(pair, ENDS).release();
    assertEquals([pair.readable.locked, pair.writable.locked], [false, false]);
  });
});

describe("endsOf()", () => {
  const { readable, writable } = new TransformStream<Uint8Array>();

  it("knows the addresses of workerd's sockets", async () => {
    const opened = Promise.resolve({ localAddress: "127.0.0.1:80", remoteAddress: "[::1]:5555" });
    const pair = { readable, writable, opened, closed: Promise.reject(new Error("later")) };
    assertEquals(await endsOf(pair), {
      local: { host: "127.0.0.1", port: 80 },
      remote: { host: "::1", port: 5555 },
    });
  });

  it("knows the addresses of Deno's connections", async () => {
    const localAddr = { hostname: "127.0.0.1", port: 80 };
    const remoteAddr = { hostname: "127.0.0.2", port: 5555 };
    const pair = { readable, writable, localAddr, remoteAddr };
    assertEquals(await endsOf(pair), {
      local: { host: "127.0.0.1", port: 80 },
      remote: { host: "127.0.0.2", port: 5555 },
    });
  });

  it("knows the path of a local socket", async () => {
    const localAddr = { path: "/tmp/x" };
    const pair = { readable, writable, localAddr, remoteAddr: { path: "" } };
    assertEquals(await endsOf(pair), { local: { path: "/tmp/x" }, remote: { path: "" } });
  });

  it("leaves open what it is not told", async () => {
    const unknown = { local: { host: "", port: 0 }, remote: { host: "", port: 0 } };
    assertEquals(await endsOf({ readable, writable }), unknown);
    const opened = Promise.resolve({ remoteAddress: "example.org:80" });
    assertEquals(await endsOf({ readable, writable, opened } as OctetStreams), unknown);
  });

  it("rejects where there never was a connection", async () => {
    const opened = Promise.reject(new Error("nobody there"));
    const error = await assertRejects(
      () => endsOf({ readable, writable, opened } as OctetStreams),
      ZmqError,
      "nobody there",
    );
    assertEquals(error.code, "ECONNRESET");
  });
});

/** Lets everything go on that can. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
