// notify of STREAM: whether connections and their ends are told by empty messages.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Stream } from "../../mod.ts";
import { textOf, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog } from "../_util/event_log.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { dial, RawServer } from "../_util/raw_peer.ts";
import { rejection } from "../_util/rejection.ts";

const cleanup = new Cleanup();

function open(options: ConstructorParameters<typeof Stream>[0] = {}): [Stream, EventLog] {
  const stream = cleanup.add(new Stream({ receiveTimeout: 5_000, ...options }));
  return [stream, new EventLog(stream)];
}

async function takeText(stream: Stream): Promise<string> {
  const [, body] = await stream.receive();
  return textOf(body);
}

describe("notify", () => {
  afterEach(() => cleanup.run());

  it("tells of a connection and of its end, both with the same id", async () => {
    const [stream] = open();
    await stream.bind(ANY_PORT);
    const client = cleanup.add(await dial(stream.lastEndpoint!));
    const [id, greeting] = await stream.receive();
    assertEquals([id.length, greeting.length], [5, 0]);
    client.send(utf8("hello"));
    assertEquals((await stream.receive()).map(textOf), [textOf(id), "hello"]);
    client.end();
    assertEquals((await stream.receive()).map(textOf), [textOf(id), ""]);
  });

  it("of false tells neither", async () => {
    const [stream, log] = open({ notify: false });
    await stream.bind(ANY_PORT);
    const client = cleanup.add(await dial(stream.lastEndpoint!));
    await log.nth("accept");
    client.send(utf8("hello"));
    assertEquals(await takeText(stream), "hello");
    client.end();
    await log.nth("disconnect");
    stream.receiveTimeout = 50;
    await rejection(stream.receive(), "EAGAIN");
  });

  for (const notify of [true, false]) {
    it(`of ${notify} counts for connections that the socket makes`, async () => {
      const server = cleanup.add(await RawServer.listen());
      const [stream, log] = open({ notify, reconnectInterval: -1 });
      stream.connect(server.endpoint);
      const peer = await server.accept();
      await log.nth("connect");
      peer.send(utf8("hello"));
      const expected = notify ? ["", "hello", ""] : ["hello"];
      peer.end();
      for (const text of expected) assertEquals(await takeText(stream), text);
      await log.nth("disconnect");
      stream.receiveTimeout = 50;
      await rejection(stream.receive(), "EAGAIN");
    });
  }
});
