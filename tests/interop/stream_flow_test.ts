// STREAM under load: slow readers on both sides, large transfers, many clients; nothing is lost, out of order or kept in
// memory without limit.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Stream } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { textOf, toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, staysPending, within } from "../_util/deadline.ts";
import { assertOctets, pattern } from "../_util/octets.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { rejection } from "../_util/rejection.ts";
import { StreamInbox } from "../_util/stream_inbox.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const MB = 1024 * 1024;
const cleanup = new Cleanup();

async function bound(
  endpoint: string,
  options: ConstructorParameters<typeof Stream>[0] = {},
): Promise<[Stream, StreamInbox]> {
  const stream = cleanup.add(
    new Stream({ sendTimeout: 20_000, receiveTimeout: 20_000, ...options }),
  );
  await stream.bind(endpoint);
  return [stream, new StreamInbox(stream)];
}

async function client(stream: Stream): Promise<RawConnection> {
  return cleanup.add(await dial(stream.lastEndpoint!));
}

describeOver(SYSTEM_TRANSPORTS, "STREAM", (transport) => {
  afterEach(() => cleanup.run());

  it("carries several megabytes both ways at once", async () => {
    const [stream, inbox] = await bound(anywhere(transport));
    const peer = await client(stream);
    const id = await inbox.opened();
    const [up, down] = [pattern(8 * MB, 1), pattern(8 * MB, 2)];
    const send = async (): Promise<void> => {
      for (let at = 0, size = 1; at < down.length; at += size, size = 1 + size * 7 % 100_003) {
        await stream.send([id, down.subarray(at, at + size)]);
      }
    };
    const sending = send();
    peer.send(up);
    assertOctets(await inbox.take(id, up.length), up, "up");
    assertOctets(await peer.take(down.length), down, "down");
    await sending;
  });

  it("carries one piece of many megabytes, and keeps it as it was sent", async () => {
    const [stream, inbox] = await bound(anywhere(transport));
    const peer = await client(stream);
    const id = await inbox.opened();
    const octets = pattern(24 * MB);
    await stream.send([id, octets.slice()]);
    await stream.send([id, "end"]);
    assertOctets(await peer.take(octets.length), octets);
    assertEquals(textOf(await peer.take(3)), "end");
  });

  it("waits for a client that does not read, loses nothing, and serves the others", async () => {
    const [stream, inbox] = await bound(anywhere(transport), {
      sendHighWaterMark: 20,
      sendTimeout: 0,
    });
    const slow = await client(stream);
    const slowId = await inbox.opened();
    const quick = await client(stream);
    const quickId = await inbox.opened();
    slow.pause();
    const piece = pattern(32 * 1024);
    let accepted = 0;
    for (let refusals = 0; refusals < 10;) {
      try {
        await stream.send([slowId, piece]);
        accepted++;
        refusals = 0;
      } catch (error) {
        assertEquals((error as Error & { code?: string }).code, "EAGAIN");
        refusals++;
        await pause(10);
      }
      assertLess(accepted, 2_000); // 64 MB: far beyond what the system buffers
    }
    assertGreater(accepted, 20);
    await stream.send([quickId, "not held up"]);
    assertEquals(textOf(await quick.take(11)), "not held up");
    await rejection(stream.send([slowId, "last"]), "EAGAIN");
    stream.sendTimeout = 20_000;
    const last = stream.send([slowId, "last"]);
    await staysPending(last, 50, "a send to a client that does not read");
    slow.resume();
    for (let i = 0; i < accepted; i++) assertOctets(await slow.take(piece.length), piece);
    assertEquals(textOf(await slow.take(4)), "last");
    await last;
  });

  it("stops reading when nobody receives, and loses nothing", async () => {
    const [stream, inbox] = await bound(anywhere(transport), { receiveHighWaterMark: 10 });
    const peer = await client(stream);
    const id = await inbox.opened();
    const octets = pattern(32 * MB);
    const sent = peer.flush(octets);
    await staysPending(sent, 150, "32 MB to a STREAM that nobody receives from");
    assertLess(stream.stats().bytesIn, 8 * MB);
    assertOctets(await inbox.take(id, octets.length), octets);
    await within(sent, 10_000, "the client's write");
    peer.destroy();
    await inbox.notice(id);
  });

  it("drops what a client leaves unread when it goes, and nobody waits for it", async () => {
    const [stream, inbox] = await bound(anywhere(transport), { sendHighWaterMark: 2 });
    const peer = await client(stream);
    const id = await inbox.opened();
    peer.pause();
    const piece = new Uint8Array(4 * MB);
    const sends = Array.from({ length: 20 }, () => stream.send([id, piece]));
    const outcomes = Promise.allSettled(sends);
    await staysPending(outcomes, 100, "80 MB to a client that does not read");
    peer.destroy();
    const results = await within(outcomes, 5_000, "the sends to a client that has gone");
    const codes = results.filter((result) => result.status === "rejected")
      .map(({ reason }) => reason.code);
    assertGreater(codes.length, 0);
    assertEquals(codes, codes.map(() => "EHOSTUNREACH"));
    await inbox.notice(id);
    await eventually(() => stream.stats().queued === 0);
  });

  it("echoes to 200 clients at once, each its own", async () => {
    const [stream, inbox] = await bound(anywhere(transport));
    const clients: RawConnection[] = [];
    while (clients.length < 200) { // no more at once than the backlog has room for
      clients.push(...await Promise.all(Array.from({ length: 50 }, () => client(stream))));
      await eventually(() => stream.stats().peers.length === clients.length);
    }
    const ids = new Set<string>();
    for (const [i, peer] of clients.entries()) peer.send(pattern(5_000, i));
    const echo = async (): Promise<void> => {
      for (let octets = 0; octets < clients.length * 5_000;) {
        const [id, piece] = await stream.receive();
        ids.add(toHex(id));
        octets += piece.length;
        if (piece.length > 0) await stream.send([id, piece]);
      }
    };
    const echoing = echo();
    for (const [i, peer] of clients.entries()) {
      assertOctets(await peer.take(5_000), pattern(5_000, i), `client ${i}`);
    }
    await echoing;
    assertEquals(ids.size, clients.length);
    for (const peer of clients) peer.destroy();
    for (let gone = 0; gone < clients.length;) {
      const [, piece] = await stream.receive();
      assertEquals(piece.length, 0);
      gone++;
    }
    assertEquals(inbox.sizes, []);
    await eventually(() => stream.stats().peers.length === 0);
  });

  it("carries on when clients come and go by the hundred", async () => {
    const [stream, inbox] = await bound(anywhere(transport));
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 20 }, () => client(stream)));
      for (const peer of clients) peer.send(utf8("hello"));
      for (const peer of clients) peer.end();
      for (let i = 0; i < clients.length; i++) {
        const id = await inbox.opened();
        assertEquals(textOf(await inbox.take(id, 5)), "hello");
        await inbox.notice(id);
      }
      await Promise.all(clients.map((peer) => peer.untilClosed()));
    }
    await eventually(() => stream.stats().peers.length === 0);
  });

  it("as a client loses nothing of a server that sends and closes at once", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const [stream, inbox] = await bound(anywhere(transport), {
      reconnectInterval: -1,
      receiveHighWaterMark: 5,
    });
    stream.connect(server.endpoint, { routingId: "server" });
    const octets = pattern(6 * MB);
    const accepted = await server.accept();
    accepted.send(octets);
    accepted.end();
    await inbox.notice("server");
    await pause(100); // the end is there long before it is read
    assertOctets(await inbox.take("server", octets.length), octets);
    await inbox.notice("server");
    assert(inbox.sizes.every((size) => size <= MB), "pieces are of a reasonable size");
  });
});

describe("STREAM", () => {
  afterEach(() => cleanup.run());

  it("sends all that was sent before an empty frame to a client that takes its time", async () => {
    // Some of it is with the system when the client reads, or all of it.
    const sizes = [1_000, 100_000, MB, 12 * MB];
    const clients: RawConnection[] = [];
    for (const transport of SYSTEM_TRANSPORTS) {
      const [stream, inbox] = await bound(anywhere(transport));
      for (const size of sizes) {
        const peer = await client(stream);
        clients.push(peer);
        const id = await inbox.opened();
        peer.pause();
        await stream.send([id, pattern(size)]);
        await stream.send([id, ""]);
      }
    }
    await pause(1_200); // longer than a peer may take that has nothing left to read
    for (const [i, peer] of clients.entries()) {
      peer.resume();
      const octets = pattern(sizes[i % sizes.length]);
      assertOctets(await peer.take(octets.length), octets);
      await peer.untilClosed();
    }
  });
});
