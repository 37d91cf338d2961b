// The figures of sockets, exact to the octet, against raw peers that count what is on the wire.

import { assert, assertEquals, assertGreater } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pair, Publisher, Pull, Push, Router, type Socket } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { assertTotals, MESSAGES, onlyPeer, WIRE } from "../_util/figures.ts";
import { concat } from "../_util/octets.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { greeting, message, ping, ready } from "../_util/raw_zmtp.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const cleanup = new Cleanup();

/** The handshake of a raw peer, which counts what it sends and what comes. */
class CountingPeer {
  sent = 0;
  readonly connection: RawConnection;

  constructor(connection: RawConnection, socketType: string, identity?: string) {
    this.connection = connection;
    this.send(greeting(), ready(socketType, identity));
  }

  send(...octets: Uint8Array[]): void {
    this.sent += concat(...octets).length;
    this.connection.send(...octets);
  }

  /** What came so far; nothing is ever taken. */
  get came(): number {
    return this.connection.available;
  }
}

async function dialAs(socket: Socket, type: string, identity?: string): Promise<CountingPeer> {
  return new CountingPeer(cleanup.add(await dial(socket.lastEndpoint!)), type, identity);
}

describe("the figures of a socket that is closed", () => {
  it("are those that it had", async () => {
    const [pull, push] = [new Pull(RECEIVES), new Push()];
    await pull.bind(anywhere("tcp"));
    push.connect(pull.lastEndpoint!);
    for (const frames of MESSAGES) await push.send([...frames]);
    for (const _ of MESSAGES) await pull.receive();
    await Promise.all([push.close(), pull.close()]);
    const [received, sent] = [pull.stats(), push.stats()];
    assertEquals([received.peers, sent.peers], [[], []]);
    assertEquals([received.messagesIn, sent.messagesOut], [MESSAGES.length, MESSAGES.length]);
    assertEquals([received.bytesIn, received.bytesOut], [sent.bytesOut, sent.bytesIn]);
  });
});

describe("the figures of a new socket", () => {
  afterEach(() => cleanup.run());

  it("are all 0, without peers", () => {
    for (const socket of [new Pull(), new Push(), new Router(), new Publisher(), new Pair()]) {
      assertEquals(cleanup.add(socket).stats(), {
        messagesIn: 0,
        messagesOut: 0,
        bytesIn: 0,
        bytesOut: 0,
        queued: 0,
        dropped: 0,
        reconnects: 0,
        peers: [],
      });
    }
  });
});

describeOver(SYSTEM_TRANSPORTS, "the figures of a socket that receives", (transport) => {
  afterEach(() => cleanup.run());

  it("count what came, octet by octet, and what was not read", async () => {
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(anywhere(transport));
    const peer = await dialAs(pull, "PUSH");
    await eventually(() => pull.stats().peers.length === 1 && peer.came > 64);
    assertEquals(pull.stats().bytesIn, peer.sent, "the handshake counts");
    assertEquals(pull.stats().bytesOut, peer.came);
    assertEquals(pull.stats().messagesIn, 0);

    peer.send(WIRE);
    await eventually(() => pull.stats().messagesIn === MESSAGES.length);
    const { address, routingId, ...figures } = onlyPeer(pull);
    if (transport === "ipc") assertEquals(address, pull.lastEndpoint);
    else assert(/^tcp:\/\/127\.0\.0\.1:\d+$/.test(address) && address !== pull.lastEndpoint);
    assertEquals(routingId.length, 0);
    assertEquals(figures, {
      connected: true,
      protocol: "3.1",
      messagesIn: MESSAGES.length,
      messagesOut: 0,
      bytesIn: peer.sent,
      bytesOut: peer.came,
      queued: 0,
      unread: MESSAGES.length,
      dropped: 0,
      reconnects: 0,
      subscriptions: 0,
    });
    assertTotals(pull);

    await pull.receive();
    await pull.receive();
    assertEquals(onlyPeer(pull).unread, MESSAGES.length - 2);
    for (let i = 2; i < MESSAGES.length; i++) await pull.receive();
    assertEquals([onlyPeer(pull).unread, onlyPeer(pull).messagesIn], [0, MESSAGES.length]);
  });

  it("count octets that are no messages: commands, and messages that are not whole", async () => {
    const router = cleanup.add(new Router(RECEIVES));
    await router.bind(anywhere(transport));
    const peer = await dialAs(router, "DEALER", "me");
    await eventually(() => peer.came > 64);
    const before = peer.came;
    peer.send(ping("context"));
    await eventually(() => peer.came > before);
    assertEquals(router.stats().bytesOut, peer.came, "the PONG");
    peer.send(message("a", "bcd").subarray(0, 6));
    await eventually(() => router.stats().bytesIn === peer.sent);
    assertEquals([onlyPeer(router).messagesIn, onlyPeer(router).unread], [0, 0]);
    assertEquals(toHex(onlyPeer(router).routingId), toHex(utf8("me")));
    peer.send(message("a", "bcd").subarray(6));
    assertEquals((await router.receive()).map(String), ["me", "a", "bcd"]);
    assertEquals([onlyPeer(router).messagesIn, onlyPeer(router).bytesIn], [1, peer.sent]);
  });

  it("keep what peers that are gone have sent", async () => {
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(anywhere(transport));
    const peers = [await dialAs(pull, "PUSH"), await dialAs(pull, "PUSH")];
    for (const [i, peer] of peers.entries()) {
      for (let j = 0; j <= i; j++) peer.send(message("x"));
    }
    await eventually(() => pull.stats().messagesIn === 3 && peers.every(({ came }) => came > 64));
    assertEquals(pull.stats().peers.map(({ messagesIn }) => messagesIn).sort(), [1, 2]);
    const { peers: _, ...totals } = pull.stats();
    peers[1].connection.destroy();
    await eventually(() => pull.stats().peers.length === 1);
    assertEquals(onlyPeer(pull).messagesIn, 1);
    const { peers: __, ...later } = pull.stats();
    assertEquals(later, totals);
    for (let i = 0; i < 3; i++) await pull.receive();
    await pull.unbind(pull.lastEndpoint!);
    await eventually(() => pull.stats().peers.length === 0);
    assertEquals([pull.stats().messagesIn, pull.stats().bytesIn], [3, totals.bytesIn]);
  });
});

describeOver(SYSTEM_TRANSPORTS, "the figures of a socket that sends", (transport) => {
  afterEach(() => cleanup.run());

  it("count what left, octet by octet", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const push = cleanup.add(new Push({ linger: 0 }));
    push.connect(server.endpoint);
    const peer = new CountingPeer(await server.accept(), "PULL");
    for (const frames of MESSAGES) await push.send([...frames]);
    await eventually(() => push.stats().messagesOut === MESSAGES.length);
    await eventually(() => peer.came === push.stats().bytesOut);
    assertGreater(peer.came, WIRE.length + 64);
    const { address, routingId: _, ...figures } = onlyPeer(push);
    assertEquals(address, server.endpoint);
    assertEquals(figures, {
      connected: true,
      protocol: "3.1",
      messagesIn: 0,
      messagesOut: MESSAGES.length,
      bytesIn: peer.sent,
      bytesOut: peer.came,
      queued: 0,
      unread: 0,
      dropped: 0,
      reconnects: 0,
      subscriptions: 0,
    });
    assertTotals(push);
  });

  it("count what waits for a peer that is not there yet", async () => {
    const endpoint = await reserve(transport);
    const push = cleanup.add(new Push({ linger: 0, reconnectInterval: 5 }));
    push.connect(endpoint);
    for (let i = 0; i < 5; i++) await push.send("x");
    const { queued, messagesOut, bytesOut, connected } = onlyPeer(push);
    assertEquals({ queued, messagesOut, bytesOut, connected }, {
      queued: 5,
      messagesOut: 0,
      bytesOut: 0,
      connected: false,
    });
    assertEquals(push.stats().queued, 5);
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(endpoint);
    for (let i = 0; i < 5; i++) await pull.receive();
    assertEquals([push.stats().queued, push.stats().messagesOut], [0, 5]);
    assertEquals([onlyPeer(push).connected, onlyPeer(push).reconnects], [true, 0]);
  });

  it("count connections that were made again, and octets of all of them", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const push = cleanup.add(new Push({ linger: 0, reconnectInterval: 5 }));
    push.connect(server.endpoint);
    let [sent, came] = [0, 0];
    for (let i = 0; i < 3; i++) {
      const peer = new CountingPeer(await server.accept(), "PULL");
      await eventually(() => onlyPeer(push).connected);
      await push.send(`message ${i}`);
      await eventually(() => push.stats().messagesOut === i + 1);
      await eventually(() => came + peer.came === push.stats().bytesOut);
      assertEquals([onlyPeer(push).reconnects, push.stats().reconnects], [i, i]);
      [sent, came] = [sent + peer.sent, came + peer.came];
      assertEquals(push.stats().bytesIn, sent);
      peer.connection.destroy();
      await eventually(() => !onlyPeer(push).connected || onlyPeer(push).reconnects > i);
    }
    push.disconnect(server.endpoint);
    await eventually(() => push.stats().peers.length === 0);
    assertEquals(push.stats().messagesOut, 3);
    assertEquals(push.stats().bytesOut, came);
  });

  it("do not count as sent what a lost peer never got", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const push = cleanup.add(
      new Push({ linger: 0, reconnectInterval: 1_000, sendHighWaterMark: 0 }),
    );
    push.connect(server.endpoint);
    const peer = new CountingPeer(await server.accept(), "PULL");
    await eventually(() => onlyPeer(push).connected);
    peer.connection.pause();
    await push.send("this gets through");
    await eventually(() => push.stats().messagesOut === 1);
    const body = new Uint8Array(1_000_000);
    for (let i = 1; i < 30; i++) await push.send(body);
    peer.connection.destroy();
    await eventually(() => !onlyPeer(push).connected);
    const { messagesOut, queued } = push.stats();
    assertEquals(messagesOut + queued, 30);
    assertGreater(queued, 0);
  });
});

for (const transport of SYSTEM_TRANSPORTS) {
  describe(`the figures of ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("name the peer of a socket that connects by its endpoint", async () => {
      const pull = cleanup.add(new Pull(RECEIVES));
      await pull.bind(anywhere(transport));
      const push = cleanup.add(new Push());
      push.connect(pull.lastEndpoint!);
      await push.send("x");
      await pull.receive();
      assertEquals(onlyPeer(push).address, pull.lastEndpoint);
    });
  });
}
