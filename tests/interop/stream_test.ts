// STREAM with peers that know nothing of ZeroMQ: plain connections, over tcp and ipc, in both roles.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Stream } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames, textOf, toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { assertOctets, pattern } from "../_util/octets.ts";
import { dial, RawServer } from "../_util/raw_peer.ts";
import { failure, rejection } from "../_util/rejection.ts";
import { StreamInbox } from "../_util/stream_inbox.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const cleanup = new Cleanup();
const OPTIONS = { sendTimeout: 10_000, receiveTimeout: 10_000, reconnectInterval: 20 } as const;

function open(options: ConstructorParameters<typeof Stream>[0] = {}): [Stream, StreamInbox] {
  const stream = cleanup.add(new Stream({ ...OPTIONS, ...options }));
  return [stream, new StreamInbox(stream)];
}

describeOver(SYSTEM_TRANSPORTS, "STREAM", (transport) => {
  afterEach(() => cleanup.run());

  /** A bound STREAM. */
  async function bound(
    options?: ConstructorParameters<typeof Stream>[0],
  ): Promise<[Stream, StreamInbox, string]> {
    const [stream, inbox] = open(options);
    await stream.bind(anywhere(transport));
    return [stream, inbox, stream.lastEndpoint!];
  }

  /** A raw listener, and a STREAM that connects to it. */
  async function connected(
    options: ConstructorParameters<typeof Stream>[0] = {},
    routingId?: string,
  ): Promise<[Stream, StreamInbox, RawServer]> {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const [stream, inbox] = open(options);
    if (routingId === undefined) stream.connect(server.endpoint);
    else stream.connect(server.endpoint, { routingId });
    return [stream, inbox, server];
  }

  describe("that binds", () => {
    it("tells of a client, its octets and its end", async () => {
      const [stream, , endpoint] = await bound();
      const client = cleanup.add(await dial(endpoint));
      const [id, opened] = await stream.receive();
      assertEquals([id.length, id[0], opened.length], [5, 0, 0]);
      client.send(utf8("GET / HTTP/1.0\r\n\r\n"));
      assertFrames(await stream.receive(), [id, "GET / HTTP/1.0\r\n\r\n"]);
      await stream.send([id, "HTTP/1.0 200 OK\r\n"]);
      await stream.send([id, utf8("\r\nhello")]);
      assertEquals(textOf(await client.take(24)), "HTTP/1.0 200 OK\r\n\r\nhello");
      client.destroy();
      assertFrames(await stream.receive(), [id, ""]);
    });

    it("says nothing first: a client that waits gets not one octet", async () => {
      const [, inbox, endpoint] = await bound({ handshakeInterval: 50, heartbeatInterval: 20 });
      const client = cleanup.add(await dial(endpoint));
      const id = await inbox.opened();
      await pause(200);
      assertEquals([client.available, client.isClosed], [0, false]);
      client.send(utf8("late"));
      assertEquals(textOf(await inbox.take(id, 4)), "late");
    });

    it("keeps its clients apart", async () => {
      const [stream, inbox, endpoint] = await bound();
      const one = cleanup.add(await dial(endpoint));
      const first = await inbox.opened();
      const two = cleanup.add(await dial(endpoint));
      const second = await inbox.opened();
      assertNotEquals(toHex(first), toHex(second));
      one.send(utf8("from one"));
      two.send(utf8("from two"));
      assertEquals(textOf(await inbox.take(second, 8)), "from two");
      assertEquals(textOf(await inbox.take(first, 8)), "from one");
      await stream.send([second, "to two"]);
      await stream.send([first, "to one"]);
      assertEquals(textOf(await one.take(6)), "to one");
      assertEquals(textOf(await two.take(6)), "to two");
      one.destroy();
      await inbox.notice(first);
      await stream.send([second, "still"]);
      assertEquals(textOf(await two.take(5)), "still");
    });

    it("gives all of what a client sent before it closed", async () => {
      const [stream, inbox, endpoint] = await bound();
      const client = cleanup.add(await dial(endpoint));
      const id = await inbox.opened();
      const octets = pattern(300_000);
      client.send(octets);
      client.end();
      assertOctets(await inbox.take(id, octets.length), octets);
      await inbox.notice(id);
      await rejection(stream.send([id, "too late"]), "EHOSTUNREACH");
    });

    it("closes a connection for an empty frame, after what was sent before", async () => {
      const [stream, inbox, endpoint] = await bound();
      const client = cleanup.add(await dial(endpoint));
      const id = await inbox.opened();
      const octets = pattern(300_000);
      await stream.send([id, octets]);
      await stream.send([id, ""]);
      assertOctets(await client.take(octets.length), octets);
      await client.untilClosed();
      await rejection(stream.send([id, "too late"]), "EHOSTUNREACH");
      // Its end was this side's wish: the next news are another client's.
      cleanup.add(await dial(endpoint));
      assertNotEquals(toHex(await inbox.opened()), toHex(id));
      assertEquals(inbox.sizes, [0, 0]);
    });

    it("with notify false tells of octets only", async () => {
      const [stream, , endpoint] = await bound({ notify: false });
      const one = cleanup.add(await dial(endpoint));
      one.send(utf8("one"));
      const [first, octets] = await stream.receive();
      assertEquals(textOf(octets), "one");
      one.destroy();
      const two = cleanup.add(await dial(endpoint));
      two.send(utf8("two"));
      const [second, more] = await stream.receive();
      assertEquals(textOf(more), "two");
      await eventually(() => stream.stats().peers.length === 1);
      await rejection(stream.send([first, "gone"]), "EHOSTUNREACH");
      await stream.send([second, "here"]);
      assertEquals(textOf(await two.take(4)), "here");
    });

    it("closes its connections when it is closed", async () => {
      const [stream, inbox, endpoint] = await bound();
      const client = cleanup.add(await dial(endpoint));
      const id = await inbox.opened();
      await stream.send([id, "last words"]);
      await stream.close();
      assertEquals(textOf(await client.take(10)), "last words");
      await client.untilClosed();
    });
  });

  describe("that connects", () => {
    it("tells of the connection, whose generated id it can send to", async () => {
      const [stream, inbox, server] = await connected();
      const accepted = await server.accept();
      const id = await inbox.opened();
      assertEquals([id.length, id[0]], [5, 0]);
      await stream.send([id, "question"]);
      assertEquals(textOf(await accepted.take(8)), "question");
      accepted.send(utf8("answer"));
      assertEquals(textOf(await inbox.take(id, 6)), "answer");
    });

    it("can send at once to an id that it gave", async () => {
      const [stream, , server] = await connected({}, "server");
      await stream.send(["server", "early"]);
      const accepted = await server.accept();
      assertEquals(textOf(await accepted.take(5)), "early");
      assertFrames(await stream.receive(), ["server", ""]);
      accepted.send(utf8("welcome"));
      assertFrames(await stream.receive(), ["server", "welcome"]);
    });

    it("keeps what it sent to an id until somebody listens", async () => {
      const endpoint = await reserve(transport);
      const [stream] = open();
      stream.connect(endpoint, { routingId: "server" });
      await stream.send(["server", "very early"]);
      await pause(50);
      const server = cleanup.add(await RawServer.listen(endpoint));
      assertEquals(textOf(await (await server.accept()).take(10)), "very early");
    });

    it("speaks with several servers under the ids that it gave them", async () => {
      const [stream, inbox, one] = await connected({}, "one");
      const two = cleanup.add(await RawServer.listen(await reserve(transport)));
      stream.connect(two.endpoint, { routingId: "two" });
      for (const [server, id] of [[one, "one"], [two, "two"]] as const) {
        const accepted = await server.accept();
        await inbox.notice(id);
        accepted.send(utf8(`from ${id}`));
        await stream.send([id, `to ${id}`]);
        assertEquals(textOf(await accepted.take(6)), `to ${id}`);
        assertEquals(textOf(await inbox.take(id, 8)), `from ${id}`);
      }
    });

    it("dials again when the server ends the connection, under the same id", async () => {
      for (const routingId of ["server", undefined]) {
        const [stream, inbox, server] = await connected({}, routingId);
        const first = await server.accept();
        const id = await inbox.opened();
        if (routingId) assertEquals(textOf(id), routingId);
        first.destroy();
        await inbox.notice(id); // its end
        const second = await server.accept();
        await inbox.notice(id); // the next connection
        await stream.send([id, "again"]);
        assertEquals(textOf(await second.take(5)), "again");
      }
    });

    it("does not send to the next connection what was meant for the last", async () => {
      const [stream, inbox, server] = await connected({}, "server");
      const first = await server.accept();
      await inbox.notice("server");
      first.pause();
      const flood = pattern(16 * 1024 * 1024);
      await stream.send(["server", flood]); // more than the system takes
      await stream.send(["server", "end of it"]);
      first.destroy();
      await inbox.notice("server");
      const second = await server.accept();
      await inbox.notice("server");
      await stream.send(["server", "fresh"]);
      assertEquals(textOf(await second.take(5)), "fresh");
    });

    it("does not dial again with reconnectInterval -1", async () => {
      const [stream, inbox, server] = await connected({ reconnectInterval: -1 }, "server");
      const accepted = await server.accept();
      await inbox.notice("server");
      accepted.destroy();
      await inbox.notice("server");
      await pause(200);
      assertEquals(server.count, 1);
      await rejection(stream.send(["server", "gone"]), "EHOSTUNREACH");
    });

    it("does not dial again when it closed the connection with an empty frame", async () => {
      const [stream, inbox, server] = await connected({}, "server");
      const accepted = await server.accept();
      await inbox.notice("server");
      await stream.send(["server", "bye"]);
      await stream.send(["server", ""]);
      assertEquals(textOf(await accepted.take(3)), "bye");
      await accepted.untilClosed();
      await pause(200);
      assertEquals(server.count, 1);
      await rejection(stream.send(["server", "gone"]), "EHOSTUNREACH");
    });

    it("ends the connection with disconnect()", async () => {
      const [stream, inbox, server] = await connected({}, "server");
      const accepted = await server.accept();
      await inbox.notice("server");
      stream.disconnect(server.endpoint);
      await accepted.untilClosed();
      await rejection(stream.send(["server", "gone"]), "EHOSTUNREACH");
      await pause(100);
      assertEquals(server.count, 1);
    });
  });
});

describe("STREAM", () => {
  afterEach(() => cleanup.run());

  it("speaks with another STREAM", async () => {
    const [server, served] = open();
    await server.bind("tcp://127.0.0.1:*");
    const [client, inbox] = open();
    client.connect(server.lastEndpoint!, { routingId: "server" });
    const id = await served.opened();
    await inbox.notice("server");
    const octets = pattern(1_000_000);
    await client.send(["server", octets]);
    assertOctets(await served.take(id, octets.length), octets);
    await server.send([id, octets]);
    assertOctets(await inbox.take("server", octets.length), octets);
    await server.send([id, ""]);
    await inbox.notice("server");
  });

  it("lives with a client that ends its side first, and loses nothing that it sent", async () => {
    const [stream, inbox] = open();
    await stream.bind("tcp://127.0.0.1:*");
    const octets = pattern(2_000_000);
    for (let i = 0; i < 20; i++) {
      const client = cleanup.add(await dial(stream.lastEndpoint!));
      client.send(octets.subarray(0, i * 100_000 + 1));
      client.end();
      const id = await inbox.opened();
      assertOctets(await inbox.take(id, i * 100_000 + 1), octets.subarray(0, i * 100_000 + 1));
      await inbox.notice(id);
      await client.untilClosed();
    }
    await eventually(() => stream.stats().peers.length === 0);
  });

  it("refuses what is not an id and octets (EINVAL)", async () => {
    const [stream, inbox] = open();
    await stream.bind("tcp://127.0.0.1:*");
    const client = cleanup.add(await dial(stream.lastEndpoint!));
    const id = await inbox.opened();
    for (const message of [id, [id], [id, "a", "b"], "text", []] as unknown[]) {
      const error = await rejection(stream.send(message as [Uint8Array, string]), "EINVAL");
      assert(error instanceof TypeError);
    }
    await stream.send([id, "sound"]);
    assertEquals(textOf(await client.take(5)), "sound");
    assertEquals(client.available, 0);
  });

  it("refuses an id that nobody has, without waiting (EHOSTUNREACH)", async () => {
    const [stream, inbox] = open();
    await stream.bind("tcp://127.0.0.1:*");
    const client = cleanup.add(await dial(stream.lastEndpoint!));
    const id = await inbox.opened();
    for (const unknown of ["nobody", "", Uint8Array.of(0, 0, 0, 0, 0), pattern(300)]) {
      await rejection(stream.send([unknown, "octets"]), "EHOSTUNREACH");
      await rejection(stream.send([unknown, ""]), "EHOSTUNREACH");
    }
    await stream.send([id, "sound"]);
    assertEquals(textOf(await client.take(5)), "sound");
  });

  it("refuses an id that is not one where it connects", () => {
    const [stream] = open();
    for (const routingId of [new Uint8Array(256), 5, {}] as unknown[]) {
      const call = (): void =>
        stream.connect("tcp://127.0.0.1:9", { routingId: routingId as string });
      failure(call, "EINVAL");
    }
  });

  it("refuses an id that another connection has, until that is given up (EADDRINUSE)", async () => {
    const [one, two] = [await RawServer.listen(), await RawServer.listen()];
    cleanup.add(one);
    cleanup.add(two);
    const [stream] = open();
    stream.connect(one.endpoint, { routingId: "server" });
    failure(() => stream.connect(two.endpoint, { routingId: "server" }), "EADDRINUSE");
    await one.accept();
    assertEquals(two.count, 0);
    stream.disconnect(one.endpoint);
    stream.connect(two.endpoint, { routingId: "server" });
    await stream.send(["server", "to the second"]);
    assertEquals(textOf(await (await two.accept()).take(13)), "to the second");
  });

  it("takes sends before there is anybody for a mistake, not for patience", async () => {
    const [stream] = open({ sendTimeout: 20 });
    await rejection(stream.send(["nobody", "octets"]), "EHOSTUNREACH");
  });
});
