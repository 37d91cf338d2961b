// An Authenticator's client keys: "any", a set of them in either form, or a callback.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Authenticator, type AuthenticatorPolicy, curveKeyPair, metadataOf } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { describeOver } from "../_util/transports.ts";
import { curveAs, ZapAsker } from "../_util/zap_asker.ts";
import { CLIENT_KEYS, DOMAIN, SERVER_KEYS } from "../_util/zap_mechanisms.ts";
import {
  assertDenied,
  assertLetIn,
  type Client,
  type Server,
  ZapStage,
} from "../_util/zap_stage.ts";

const stage = new ZapStage();

function authenticator(policy: AuthenticatorPolicy): Authenticator {
  return stage.cleanup.add(new Authenticator({ context: stage.context, ...policy }));
}

/** A client with keys of its own. */
function stranger(server: Server): Client {
  const { secretKey } = curveKeyPair();
  return stage.client(server.address, {
    curveServerKey: SERVER_KEYS.publicKey,
    curveSecretKey: secretKey,
  });
}

const SETS: Readonly<Record<string, NonNullable<AuthenticatorPolicy["curve"]>>> = {
  "an array of text": [CLIENT_KEYS.publicKey],
  "an array of octets": [CLIENT_KEYS.publicOctets],
  "an array of both": [curveKeyPair().publicKey, CLIENT_KEYS.publicOctets],
  "a Set": new Set([CLIENT_KEYS.publicKey]),
  "the keys of a Map": new Map([[CLIENT_KEYS.publicKey, "somebody"]]).keys(),
  "a generator": (function* () {
    yield CLIENT_KEYS.publicKey;
  })(),
};

describeOver(SYSTEM_TRANSPORTS, "an Authenticator with client keys", (transport) => {
  afterEach(() => stage.clear());

  it('that are "any" lets everybody in who has one', async () => {
    authenticator({ curve: "any" });
    const server = await stage.asking(transport, "CURVE");
    await assertLetIn(stage.coming(server.address, "CURVE"), server);
    await assertLetIn(stranger(server), server);
  });

  it("in a set lets in who has one of them, under its name", async () => {
    authenticator({ curve: [CLIENT_KEYS.publicKey] });
    const server = await stage.asking(transport, "CURVE");
    const client = stage.coming(server.address, "CURVE");
    await client.socket.send("x");
    const { userId } = metadataOf(await server.socket.receive())!;
    assertEquals(userId, CLIENT_KEYS.publicKey, "the key is the user id");
    await assertDenied(stranger(server), server, 400);
  });

  it("asks a callback, which is told the key as text, and where from", async () => {
    const asked: unknown[][] = [];
    authenticator({
      curve: (publicKey, request) => {
        asked.push([publicKey, request.domain, request.address, request.mechanism]);
        return { userId: "the client", metadata: { "X-Role": "staff" } };
      },
    });
    const server = await stage.asking(transport, "CURVE");
    const client = stage.coming(server.address, "CURVE");
    await client.socket.send("x");
    const metadata = metadataOf(await server.socket.receive())!;
    assertEquals([metadata.userId, metadata.get("X-Role")], ["the client", "staff"]);
    const address = transport === "tcp" ? "127.0.0.1" : "";
    assertEquals(asked, [[CLIENT_KEYS.publicKey, DOMAIN, address, "CURVE"]]);
  });

  it("asks a callback, which may say no", async () => {
    authenticator({ curve: (publicKey) => Promise.resolve(publicKey === CLIENT_KEYS.publicKey) });
    const server = await stage.asking(transport, "CURVE");
    await assertDenied(stranger(server), server, 400);
    await assertLetIn(stage.coming(server.address, "CURVE"), server);
  });
});

describe("client keys of an Authenticator", () => {
  afterEach(() => stage.clear());

  for (const [kind, curve] of Object.entries(SETS)) {
    it(`in ${kind} are those, and no other`, async () => {
      authenticator({ curve });
      const questions = stage.cleanup.add(new ZapAsker(stage.context));
      assertEquals(await questions.status(curveAs(CLIENT_KEYS.publicOctets)), "200");
      assertEquals(await questions.status(curveAs(CLIENT_KEYS.publicOctets)), "200", "again");
      const near = CLIENT_KEYS.publicOctets.slice();
      near[31] ^= 1;
      for (const key of [near, SERVER_KEYS.publicOctets, new Uint8Array(32)]) {
        assertEquals(await questions.status(curveAs(key)), "400");
      }
    });
  }

  it("are none, so everybody is denied, where the policy has none, or an empty set", async () => {
    const auth = authenticator({});
    const questions = stage.cleanup.add(new ZapAsker(stage.context));
    assertEquals(await questions.status(curveAs(CLIENT_KEYS.publicOctets)), "400");
    auth.configure({ curve: [] });
    assertEquals(await questions.status(curveAs(CLIENT_KEYS.publicOctets)), "400");
  });

  it("ZAP-REQ-08: are asked for by one frame of 32 octets", async () => {
    authenticator({ curve: "any" });
    const questions = stage.cleanup.add(new ZapAsker(stage.context));
    const wrong = [
      [],
      [new Uint8Array(31)],
      [new Uint8Array(33)],
      [CLIENT_KEYS.publicKey],
      [CLIENT_KEYS.publicOctets, CLIENT_KEYS.publicOctets],
    ];
    for (const credentials of wrong) {
      const status = await questions.status({ mechanism: "CURVE", credentials });
      assert(["400", "500"].includes(status), `${credentials.length} frames: ${status}`);
    }
  });

  it("do not change with the octets that were given", async () => {
    const octets = CLIENT_KEYS.publicOctets.slice();
    authenticator({ curve: [octets] });
    octets.fill(0);
    const questions = stage.cleanup.add(new ZapAsker(stage.context));
    assertEquals(await questions.status(curveAs(CLIENT_KEYS.publicOctets)), "200");
    assertEquals(await questions.status(curveAs(octets)), "400");
  });

  it("may be many", async () => {
    const many = Array.from({ length: 5_000 }, (_, i) => {
      const octets = new Uint8Array(32);
      new DataView(octets.buffer).setUint32(0, i + 1);
      return octets;
    });
    authenticator({ curve: many });
    const questions = stage.cleanup.add(new ZapAsker(stage.context));
    for (const i of [0, 1, 2_500, 4_999]) {
      assertEquals(await questions.status(curveAs(many[i])), "200");
    }
    assertEquals(await questions.status(curveAs(new Uint8Array(32))), "400");
  });
});
