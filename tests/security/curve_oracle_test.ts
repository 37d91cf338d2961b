// The tests' own client and server of CURVE: they give the golden vectors, and libzmq believes them in both roles.

import { assertEquals, assertThrows } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { encodeZ85 } from "../../src/z85.ts";
import { assertFrames, textOf, toHex } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { boxKey, commandFrame, framed, keyPair, messageFrame } from "../_util/curve_commands.ts";
import { CurveClient, CurveServer } from "../_util/curve_oracle.ts";
import { asServer, curveConnect } from "../_util/curve_raw.ts";
import {
  CLIENT_METADATA,
  COOKIE,
  HANDSHAKE,
  KEYS,
  MESSAGES,
  vectorClient,
  vectorServer,
} from "../_util/curve_vectors.ts";
import { type Peer, type PeerSocket, startPeer } from "../_util/peer.ts";
import { RawServer } from "../_util/raw_peer.ts";

const [HELLO, WELCOME, INITIATE, READY] = HANDSHAKE;

async function sha256(octets: Uint8Array): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(octets))));
}

describe("the golden vectors of CURVE", () => {
  it("have public keys that belong to the secret ones, and the session's key", () => {
    for (const name of ["client", "server", "clientTransient", "serverTransient"] as const) {
      assertEquals(toHex(keyPair(KEYS[`${name}Secret`]).publicKey), toHex(KEYS[name]));
    }
    const key = toHex(KEYS.session);
    assertEquals(toHex(boxKey(KEYS.serverTransient, KEYS.clientTransientSecret)), key);
    assertEquals(toHex(boxKey(KEYS.clientTransient, KEYS.serverTransientSecret)), key);
  });

  it("are what the tests' client and server say (GV-CV-01, GV-CV-02, GV-CV-03, GV-CV-04, GV-CV-05, GV-CV-06)", () => {
    const [client, server] = [vectorClient(), vectorServer()];
    assertEquals(toHex(commandFrame(client.hello())), toHex(HELLO.frame));
    server.takeHello(HELLO.body);
    assertEquals(toHex(server.makeCookie()), toHex(COOKIE));
    assertEquals(toHex(commandFrame(server.welcome())), toHex(WELCOME.frame));
    client.takeWelcome(WELCOME.body);
    assertEquals(toHex(commandFrame(client.initiate())), toHex(INITIATE.frame));
    server.takeInitiate(INITIATE.body);
    assertEquals(toHex(server.clientKey!), toHex(KEYS.client));
    assertEquals(toHex(server.peerMetadata!), toHex(CLIENT_METADATA));
    assertEquals(toHex(commandFrame(server.ready())), toHex(READY.frame));
    client.takeReady(READY.body);
    assertEquals(textOf(client.peerMetadata!).includes("ROUTER"), true);
  });

  for (const { id, meaning, sha256: digest, body } of HANDSHAKE) {
    if (digest === undefined) continue;
    it(`${id} has its digest: ${meaning}`, async () => {
      assertEquals(await sha256(body), digest);
    });
  }

  for (const { id, meaning, from, nonce, text, frame, body } of MESSAGES) {
    it(`${id} is sealed and opened: ${meaning}`, () => {
      const [client, server] = [vectorClient(), vectorServer()];
      client.key = server.key = KEYS.session;
      const [sender, receiver] = from === "client" ? [client, server] : [server, client];
      const sealed = sender.message(text.subarray(1), text[0], { nonce });
      assertEquals(toHex(messageFrame(sealed)), toHex(frame));
      const { flags, payload } = receiver.takeMessage(body);
      assertEquals([flags, toHex(payload)], [text[0], toHex(text.subarray(1))]);
    });
  }
});

describe("the tests' client and server of CURVE", () => {
  function session(): [CurveClient, CurveServer] {
    const server = new CurveServer();
    const client = new CurveClient({ serverKey: server.keys.publicKey });
    server.takeHello(client.hello());
    client.takeWelcome(server.welcome());
    server.takeInitiate(client.initiate());
    client.takeReady(server.ready());
    return [client, server];
  }

  it("talk to each other with fresh keys", () => {
    const [client, server] = session();
    assertEquals(toHex(client.key), toHex(server.key));
    assertEquals(server.takeMessage(client.message("to", 1)).flags, 1);
    assertEquals(textOf(client.takeMessage(server.message("and from")).payload), "and from");
  });

  it("refuse what was altered, and what comes again", () => {
    const [client, server] = session();
    const body = client.message("once");
    for (let at = 0; at < body.length; at++) {
      const altered = body.slice();
      altered[at] ^= 1;
      assertThrows(() => server.takeMessage(altered));
    }
    server.takeMessage(body);
    assertThrows(() => server.takeMessage(body));
  });

  it("frame long bodies and, when told to, short ones with eight octets of size", () => {
    assertEquals(toHex(framed(Uint8Array.of(7), 4, true)), "060000000000000001" + "07");
    assertEquals(toHex(framed(new Uint8Array(256), 0).subarray(0, 9)), "020000000000000100");
  });
});

describe("libzmq believes the tests' own CURVE", () => {
  const cleanup = new Cleanup();
  const server = keyPair();
  const client = keyPair();
  let peer: Peer;
  let socket: PeerSocket;

  before(() => void (peer = startPeer()));
  afterEach(() => cleanup.run());
  after(() => peer.stop());

  for (const minor of [0, 1]) {
    it(`as a client of ZMTP 3.${minor}`, async () => {
      socket = await peer.open("Router", {
        curveServer: true,
        curveSecretKey: encodeZ85(server.secretKey),
      });
      const endpoint = await socket.bind();
      const setup = { serverKey: server.publicKey, keys: client };
      const raw = await curveConnect(endpoint, setup, { minor });
      cleanup.add(raw.connection);
      raw.say("one", "", "three".repeat(100));
      const [id, ...frames] = await socket.receive();
      assertFrames(frames, ["one", "", "three".repeat(100)]);
      await socket.send(id, "back", "again");
      assertFrames(await raw.hear(), ["back", "again"]);
      await socket.close();
    });

    it(`as a server of ZMTP 3.${minor}`, async () => {
      const listener = cleanup.add(await RawServer.listen());
      socket = await peer.open("Dealer", {
        curveServerKey: encodeZ85(server.publicKey),
        curvePublicKey: encodeZ85(client.publicKey),
        curveSecretKey: encodeZ85(client.secretKey),
      });
      await socket.connect(listener.endpoint);
      const raw = await asServer(await listener.accept(), { keys: server }, { minor });
      assertEquals(toHex(raw.party.clientKey!), toHex(client.publicKey));
      await socket.send("one", "two");
      assertFrames(await raw.hear(), ["one", "two"]);
      raw.say("back", "x".repeat(1_000));
      assertFrames(await socket.receive(), ["back", "x".repeat(1_000)]);
      await socket.close();
    });
  }
});
