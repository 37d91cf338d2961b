// Peers of ZMTP 2.0 and 1.0 over real tcp: every type of socket, both directions, large messages, broken connections.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Pull, Push, Router } from "../../mod.ts";
import { textsOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { assertMessages, pattern } from "../_util/octets.ts";
import { CONVERSATIONS } from "../_util/old_conversations.ts";
import {
  OLD_PROTOCOLS,
  type OldProtocol,
  OldRawPeer,
  openingTo,
  talk,
  type Talking,
} from "../_util/old_peer.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { connectAs, message, takeMessage } from "../_util/raw_zmtp.ts";
import { WIRE_CLASSES } from "../_util/wire_classes.ts";

const LOOPBACK = "tcp://127.0.0.1:*";
/** Around the sizes at which headers grow, and those of system buffers. */
const SIZES = [0, 1, 252, 253, 254, 255, 256, 65_534, 65_535, 65_536, 1_000_000];

const cleanup = new Cleanup();

function openPeer(
  connection: RawConnection,
  protocol: OldProtocol,
  type: string,
  own: string,
  id = "",
): Promise<OldRawPeer> {
  return OldRawPeer.open(connection, protocol, type, openingTo(protocol, own), id);
}

/** A socket of a type with a deadline, if it receives at all. */
function open(own: keyof typeof WIRE_CLASSES): Talking {
  const receives = own === "PUSH" || own === "PUB" ? {} : { receiveTimeout: 5_000 };
  return cleanup.add(new WIRE_CLASSES[own](receives)) as unknown as Talking;
}

for (const protocol of OLD_PROTOCOLS) {
  describe(`a peer of ZMTP ${protocol} over tcp`, () => {
    afterEach(() => cleanup.run());

    for (const { own, peer: type, id, steps } of CONVERSATIONS[protocol]) {
      it(`talks as a ${type} with a ${own} that has bound, and one that connects`, async () => {
        const bound = open(own);
        await bound.bind(LOOPBACK);
        const endpoint = (bound as unknown as { lastEndpoint: string }).lastEndpoint;
        const server = cleanup.add(await RawServer.listen());
        const dialling = open(own);
        dialling.connect(server.endpoint);
        const connections = [cleanup.add(await dial(endpoint)), await server.accept()];
        for (const [i, socket] of [bound, dialling].entries()) {
          const peer = await openPeer(connections[i], protocol, type, own, id);
          const subscribes = own.endsWith("PUB") && protocol === "2.0";
          if (subscribes || (own === "PUB" && protocol === "1.0")) {
            await settled(socket, peer, steps);
          } else await talk(socket, peer, steps);
        }
      });
    }

    it("gets and sends messages of all sizes, alone and in one message", async () => {
      const dealer = cleanup.add(new Dealer({ receiveTimeout: 5_000 }));
      await dealer.bind(LOOPBACK);
      const connection = cleanup.add(await dial(dealer.lastEndpoint!));
      const peer = await openPeer(connection, protocol, "DEALER", "DEALER");
      const bodies = SIZES.map((size) => pattern(size));
      const messages = [...bodies.map((body) => [body]), bodies, bodies.toReversed()];
      for (const frames of messages) {
        peer.say(...frames);
        assertMessages([await dealer.receive()], [frames]);
        await dealer.send(frames);
        assertMessages([await peer.hear()], [frames]);
      }
    });

    it("gets what was not sent before its connection broke, whole, when it is back", async () => {
      const server = cleanup.add(await RawServer.listen());
      const push = cleanup.add(new Push({ reconnectInterval: 1, sendHighWaterMark: 0 }));
      push.connect(server.endpoint);
      const first = await server.accept();
      await openPeer(first, protocol, "PULL", "PUSH");
      const frames = [pattern(300, 1), pattern(100_000, 2), pattern(3)];
      // More than the system's buffers take: the connection breaks within a message.
      for (let i = 0; i < 100; i++) await push.send([String(i), ...frames]);
      await first.take(1_000);
      first.pause();
      first.destroy();
      const second = await openPeer(await server.accept(), protocol, "PULL", "PUSH");
      await push.send("last");
      const arrived: number[] = [];
      for (let next = await second.hear(); next.length > 1; next = await second.hear()) {
        assertMessages([next.slice(1)], [frames]);
        arrived.push(Number(textsOf(next)[0]));
      }
      const start = arrived[0];
      assertEquals(arrived, Array.from({ length: 100 - start }, (_, i) => start + i));
    });

    it("is served beside others, and ends alone when it breaks the rules", async () => {
      const router = cleanup.add(new Router({ receiveTimeout: 5_000 }));
      await router.bind(LOOPBACK);
      const healthy = cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "new"));
      const [old, bad] = [
        cleanup.add(await dial(router.lastEndpoint!)),
        cleanup.add(await dial(router.lastEndpoint!)),
      ];
      const peer = await openPeer(old, protocol, "DEALER", "ROUTER", "old");
      const culprit = await openPeer(bad, protocol, "DEALER", "ROUTER", "bad");
      await eventually(() => router.stats().peers.length === 3);
      const protocols = router.stats().peers.map((peer) => peer.protocol);
      assertEquals(protocols.toSorted(), [protocol, protocol, "3.1"].toSorted());
      culprit.connection.send(protocol === "1.0" ? Uint8Array.of(0, 0) : Uint8Array.of(4, 0));
      await bad.untilClosed();
      peer.say("from old");
      assertEquals(textsOf(await router.receive()), ["old", "from old"]);
      healthy.send(message("from new"));
      assertEquals(textsOf(await router.receive()), ["new", "from new"]);
      await router.send(["old", "to old"]);
      await router.send(["new", "to new"]);
      assertEquals(textsOf(await peer.hear()), ["to old"]);
      assertEquals(textsOf(await takeMessage(healthy)), ["to new"]);
    });
  });
}

describe("peers of all versions over tcp", () => {
  afterEach(() => cleanup.run());

  it("share the messages of one PUSH, and fill one PULL", async () => {
    const push = cleanup.add(new Push());
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    for (const socket of [push, pull]) await socket.bind(LOOPBACK);
    const peers: OldRawPeer[] = [];
    for (const protocol of OLD_PROTOCOLS) {
      const connections = [
        cleanup.add(await dial(push.lastEndpoint!)),
        cleanup.add(await dial(pull.lastEndpoint!)),
      ];
      peers.push(await openPeer(connections[0], protocol, "PULL", "PUSH"));
      (await openPeer(connections[1], protocol, "PUSH", "PULL")).say(protocol);
    }
    const last = cleanup.add(await connectAs(push.lastEndpoint!, "PULL"));
    cleanup.add(await connectAs(pull.lastEndpoint!, "PUSH")).send(message("3.1"));
    await eventually(() => push.stats().peers.length === 3);
    for (let i = 0; i < 6; i++) await push.send(String(i));
    const heard: string[] = [];
    for (let i = 0; i < 2; i++) {
      for (const peer of peers) heard.push(...textsOf(await peer.hear()));
      heard.push(...textsOf(await takeMessage(last)));
    }
    assertEquals(heard.toSorted(), ["0", "1", "2", "3", "4", "5"]);
    const filled = [await pull.receive(), await pull.receive(), await pull.receive()];
    assertEquals(filled.flatMap(textsOf).toSorted(), ["1.0", "2.0", "3.1"]);
  });
});

/** A conversation with a publisher, which loses what it sends before a subscription has come. */
async function settled(
  socket: Talking,
  peer: OldRawPeer,
  steps: Parameters<typeof talk>[2],
): Promise<void> {
  const stats = socket as unknown as { stats(): { peers: { subscriptions: number }[] } };
  const until = async (count: number): Promise<void> => {
    await eventually(() => stats.stats().peers[0]?.subscriptions === count);
  };
  if (steps[0][0] !== "says") await until(1);
  for (const step of steps) {
    await talk(socket, peer, [step]);
    if (step[0] === "says" && step[1] === "\x01A") await until(1);
  }
}
