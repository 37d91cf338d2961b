// What a handler says of a libzmq client reaches our application with each of the client's messages.

import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { decodeZ85, metadataOf, Pull, Router } from "../../mod.ts";
import { textOf } from "../_util/bytes.ts";
import { concat } from "../_util/octets.ts";
import { type Peer, type PeerSocket, startPeer } from "../_util/peer.ts";
import { ANY_PORT } from "../_util/ports.ts";
import {
  CLIENT_KEYS,
  property,
  ROLES,
  type Roles,
  SERVER_KEYS,
  zapRule,
} from "../_util/security_options.ts";
import { OurStage } from "../_util/security_stage.ts";

const MECHANISMS: Readonly<Record<string, Roles>> = {
  NULL: { server: { zapDomain: "test" }, client: {} },
  ...ROLES,
};
const RECEIVES = { receiveTimeout: 15_000, attachMetadata: true, linger: 0 } as const;

describe("metadata of a libzmq client", () => {
  let ours: OurStage;
  let peer: Peer;
  beforeEach(() => {
    ours = new OurStage();
    peer = startPeer();
  });
  afterEach(async () => {
    await Promise.all([ours.stop(), peer.stop()]);
  });

  for (const [mechanism, { server, client }] of Object.entries(MECHANISMS)) {
    it(`${mechanism}: user id and properties are with each message`, async () => {
      const metadata = concat(property("X-Role", "admin"), property("x-city", "Köln"));
      await ours.handleZap(zapRule({ userId: "joe", metadata }));
      const router = new Router({ ...RECEIVES, ...server, context: ours.context });
      try {
        await router.bind(ANY_PORT);
        const dealer = await peer.open("Dealer", { ...client, routingId: "the dealer" });
        await dealer.connect(router.lastEndpoint!);
        for (const text of ["one", "two"]) await dealer.send(text);
        for (const text of ["one", "two"]) {
          const message = await router.receive();
          assertEquals(textOf(message[1]), text);
          const known = metadataOf(message)!;
          assertEquals(known.userId, "joe");
          assertEquals(known.get("User-Id"), "joe");
          assertEquals(known.get("X-Role"), "admin");
          assertEquals(known.get("X-City"), "Köln");
          assertEquals(known.peerAddress, "127.0.0.1");
          assertEquals(known.socketType, "DEALER");
          assertEquals(textOf(known.routingId), "the dealer");
        }
      } finally {
        await router.close();
      }
    });

    it(`${mechanism}: without a user id there is none`, async () => {
      await ours.handleZap(zapRule());
      const pull = new Pull({ ...RECEIVES, ...server, context: ours.context });
      try {
        await pull.bind(ANY_PORT);
        const push = await peer.open("Push", client);
        await push.connect(pull.lastEndpoint!);
        await push.send("hello");
        const known = metadataOf(await pull.receive())!;
        assertEquals([known.userId, known.get("User-Id")], ["", undefined]);
      } finally {
        await pull.close();
      }
    });
  }

  it("each of several clients has its own", async () => {
    const credentials = (key: string) => ({ when: { credentials: [decodeZ85(key)] } });
    await ours.handleZap(
      zapRule({ ...credentials(CLIENT_KEYS.publicKey), userId: "client" }),
      zapRule({ ...credentials(SERVER_KEYS.publicKey), userId: "server itself" }),
    );
    const pull = new Pull({ ...RECEIVES, ...ROLES.CURVE.server, context: ours.context });
    try {
      await pull.bind(ANY_PORT);
      const pushes: PeerSocket[] = [];
      for (const keys of [CLIENT_KEYS, SERVER_KEYS]) {
        const push = await peer.open("Push", {
          curvePublicKey: keys.publicKey,
          curveSecretKey: keys.secretKey,
          curveServerKey: SERVER_KEYS.publicKey,
        });
        await push.connect(pull.lastEndpoint!);
        pushes.push(push);
      }
      for (const [i, push] of pushes.entries()) await push.sendSequence(100 * i, 100 * i + 50);
      for (let i = 0; i < 100; i++) {
        const message = await pull.receive();
        const who = Number(textOf(message[0])) < 100 ? "client" : "server itself";
        assertEquals(metadataOf(message)!.userId, who);
      }
    } finally {
      await pull.close();
    }
  });
});
