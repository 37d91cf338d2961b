// properties, routingId and the socket type, as a peer sees them in the handshake.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Pull, Push, type Socket } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog } from "../_util/event_log.ts";
import { CLASS_NAMES, CLASSES, type ClassName } from "../_util/option_table.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { dial, RawServer } from "../_util/raw_peer.ts";
import { shakeHands } from "../_util/raw_zmtp.ts";
import { readyProperties } from "../_util/ready_properties.ts";

const cleanup = new Cleanup();

/** A type that each class talks to, by the name of the wire. */
const PARTNERS: Readonly<Partial<Record<ClassName, readonly [own: string, partner: string]>>> = {
  Pair: ["PAIR", "PAIR"],
  Push: ["PUSH", "PULL"],
  Pull: ["PULL", "PUSH"],
  Request: ["REQ", "REP"],
  Reply: ["REP", "REQ"],
  Dealer: ["DEALER", "ROUTER"],
  Router: ["ROUTER", "DEALER"],
  Publisher: ["PUB", "SUB"],
  Subscriber: ["SUB", "PUB"],
  XPublisher: ["XPUB", "XSUB"],
  XSubscriber: ["XSUB", "XPUB"],
};

/** What a peer that connects is told. */
async function told(socket: Socket, partner: string): Promise<Record<string, string>> {
  await socket.bind(ANY_PORT);
  const peer = cleanup.add(await dial(socket.lastEndpoint!));
  return readyProperties(await shakeHands(peer, partner));
}

describe("properties", () => {
  afterEach(() => cleanup.run());

  for (const name of CLASS_NAMES) {
    const pair = PARTNERS[name];
    if (pair === undefined) continue; // STREAM has no handshake
    it(`of a ${name} are in its READY, next to its type (ZMTP31-META-05, ZMTP31-META-07)`, async () => {
      const given = { "X-Service": "time", "X-empty": "", "X-long": "v".repeat(300) };
      const socket = cleanup.add(new CLASSES[name]({ properties: given }));
      const { Identity: _, ...properties } = await told(socket, pair[1]);
      assertEquals(properties, { "Socket-Type": pair[0], ...given });
    });
  }

  it("are none by default (ZMTP31-META-05, ZMTP31-RES-05)", async () => {
    assertEquals(await told(cleanup.add(new Push()), "PULL"), { "Socket-Type": "PUSH" });
  });

  it("have text of any script as their values", async () => {
    const properties = { "X-text": "größer ✓ 漢字" };
    const found = await told(cleanup.add(new Pull({ properties })), "PUSH");
    assertEquals(found["X-text"], "größer ✓ 漢字");
  });

  it("stand beside the routing id (ZMTP31-ID-01)", async () => {
    const dealer = cleanup.add(new Dealer({ routingId: "me", properties: { "X-a": "1" } }));
    assertEquals(await told(dealer, "ROUTER"), {
      "Socket-Type": "DEALER",
      "Identity": "me",
      "X-a": "1",
    });
  });

  it("are sent by a socket that connects, on each connection, as they are then", async () => {
    const server = cleanup.add(await RawServer.listen());
    const push = cleanup.add(new Push({ reconnectInterval: 10, properties: { "X-a": "1" } }));
    const log = new EventLog(push);
    push.connect(server.endpoint);
    for (let round = 1; round <= 2; round++) {
      const peer = await server.accept();
      const found = readyProperties(await shakeHands(peer, "PULL"));
      assertEquals(found["X-a"], "1");
      await log.nth("handshake", round);
      peer.destroy();
    }
  });

  it("that are changed count for the next connect", async () => {
    const server = cleanup.add(await RawServer.listen());
    const push = cleanup.add(new Push({ properties: { "X-a": "1" } }));
    push.properties = { "X-b": "2" };
    push.connect(server.endpoint);
    const found = readyProperties(await shakeHands(await server.accept(), "PULL"));
    assertEquals(found, { "Socket-Type": "PUSH", "X-b": "2" });
  });
});
