// A connection of node:http from its first octet on, without a server: the request is put together again, and then what
// the connection does is passed on.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  headOf,
  type NodeUpgradeConnection,
  UpgradedStream,
} from "../../src/runtime/upgrade_node.ts";
import { textOf, utf8 } from "../_util/bytes.ts";
import { concat } from "../_util/octets.ts";

type Call = (value?: unknown) => void;

const REQUEST = {
  method: "GET",
  url: "/zmq?type=PUB",
  httpVersion: "1.1",
  rawHeaders: ["Host", "a.example", "Upgrade", "websocket", "X", "\u00e9"],
};
const HEAD = "GET /zmq?type=PUB HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nX: ";

/** The connection of a server, whose other end is the test. */
class FakeConnection {
  readonly calls: string[] = [];
  writableLength = 0;
  destroyed = false;
  remoteAddress: string | undefined = "10.1.2.3";
  remotePort: number | undefined = 4_000;
  readonly #on: Map<string, Call> = new Map();
  #written: Call = () => {};

  on(event: string, call: Call): void {
    this.#on.set(event, call);
  }

  emit(event: string, value?: unknown): void {
    this.#on.get(event)!(value);
  }

  write(octets: Uint8Array, done: Call): boolean {
    this.calls.push(`write ${octets.length}`);
    this.#written = done;
    return true;
  }

  /** What was written has left. */
  drain(): void {
    this.#written();
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }

  end(): void {
    this.calls.push("end");
  }

  destroy(): void {
    this.calls.push("destroy");
  }
}

/** Collects what a stream gives on. */
class Sink {
  readonly memory: Uint8Array = new Uint8Array(16);
  octets: Uint8Array = new Uint8Array(0);
  writes: number[] = [];
  ends: unknown[] = [];

  target(): Uint8Array {
    return this.memory;
  }

  filled(count: number): void {
    this.octets = concat(this.octets, this.memory.slice(0, count));
  }

  written(count: number): void {
    this.writes.push(count);
  }

  closed(error: unknown): void {
    this.ends.push(error);
  }
}

function stand(head = ""): { connection: FakeConnection; stream: UpgradedStream; sink: Sink } {
  const connection = new FakeConnection();
  const stream = new UpgradedStream(
    REQUEST,
    connection as unknown as NodeUpgradeConnection,
    utf8(head),
  );
  return { connection, stream, sink: new Sink() };
}

const turn = (): Promise<void> => new Promise((resolve) => queueMicrotask(resolve));

describe("UpgradedStream", () => {
  it("begins with the request, then what was read behind it, then what comes", async () => {
    const { connection, stream, sink } = stand("early");
    assertEquals(stream.remote, { host: "10.1.2.3", port: 4_000 });
    stream.start(sink);
    assertEquals(sink.octets.length, 0);
    await turn();
    connection.emit("data", utf8("later"));
    const expected = concat(utf8(HEAD), Uint8Array.of(0xe9), utf8("\r\n\r\nearlylater"));
    assertEquals(sink.octets, expected);
    assertEquals(connection.calls, ["pause", "resume"]);
  });

  it("keeps what was read while it is paused", async () => {
    const { connection, stream, sink } = stand("early");
    stream.start(sink);
    stream.pause();
    await turn();
    assertEquals(sink.octets.length, 0);
    stream.resume();
    await turn();
    assertEquals(textOf(sink.octets.slice(-5)), "early");
    assertEquals(connection.calls, ["pause", "pause", "resume"]);
  });

  it("tells when the system has taken what it did not take at once", async () => {
    const { connection, stream, sink } = stand();
    stream.start(sink);
    await turn();
    assertEquals(stream.write(utf8("at once")), 7);
    connection.drain();
    connection.writableLength = 5;
    assertEquals(stream.write(utf8("later")), 0);
    assertEquals(sink.writes, []);
    connection.drain();
    assertEquals(sink.writes, [5]);
  });

  it("ends with its connection, and says once why", async () => {
    const { connection, stream, sink } = stand();
    const error = new Error("reset");
    stream.start(sink);
    await turn();
    connection.emit("end");
    assertEquals(connection.calls.at(-1), "end");
    connection.emit("error", error);
    connection.emit("close");
    assertEquals(sink.ends, [error]);
    assertEquals(stream.write(utf8("late")), 0);
  });

  it("tells of an end that came before it was started", async () => {
    const { connection, stream, sink } = stand("early");
    connection.emit("close");
    stream.start(sink);
    await turn();
    assertEquals([sink.ends, sink.octets.length], [[undefined], 0]);
  });

  it("drops what comes after it was closed", async () => {
    const { connection, stream, sink } = stand();
    stream.start(sink);
    await turn();
    const before = sink.octets.length;
    stream.close();
    connection.emit("data", utf8("late"));
    assertEquals(sink.octets.length, before);
    stream.abort();
    assertEquals(connection.calls.slice(-3), ["end", "resume", "destroy"]);
  });

  it("knows peers without an address from those that are gone", () => {
    const [local, gone] = [new FakeConnection(), new FakeConnection()];
    for (const connection of [local, gone]) connection.remoteAddress = undefined;
    gone.destroyed = true;
    const remotes = [local, gone].map((connection) =>
      new UpgradedStream(REQUEST, connection as unknown as NodeUpgradeConnection, utf8("")).remote
    );
    assertEquals(remotes, [{ path: "" }, { host: "", port: 4_000 }]);
  });
});

describe("headOf()", () => {
  it("makes no line breaks of characters that are none", () => {
    const head = headOf({ ...REQUEST, rawHeaders: ["X", "\u010d\u010aOrigin: \u{1f600}"] });
    assertEquals(textOf(head).split("\r\n").length, 4);
    assertEquals(head.filter((octet) => octet === 0x0a).length, 3);
  });
});
