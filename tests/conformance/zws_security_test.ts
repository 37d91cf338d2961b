// ZeroMQ over WebSocket, section 13: PLAIN and CURVE on it, and what each type of socket says about itself.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Authenticator, Context, Dealer, Subscriber, XPublisher } from "../../mod.ts";
import { textOf, textsOf, toHex } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { properties } from "../_util/curve_commands.ts";
import { CurveClient, CurveServer } from "../_util/curve_oracle.ts";
import { KEYS } from "../_util/curve_vectors.ts";
import { within } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { plainVector } from "../_util/plain_vectors.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { BINARY, bodied, RawWebSocket, readying } from "../_util/raw_web_socket.ts";
import { LEGAL_PEERS } from "../_util/session_pair.ts";
import { WebSocketStage } from "../_util/web_socket_stage.ts";
import { WIRE_CLASSES, WIRE_TYPES } from "../_util/wire_classes.ts";
import { announcesIdentity } from "../../src/wire/socket_type.ts";

const WAIT_MS = 15_000;
const MESSAGE = 0;
const COMMAND = 2;

const cleanup = new Cleanup();

/** The body of a message that must have these flags. */
async function take(peer: RawWebSocket, flags: number): Promise<Uint8Array> {
  const { opcode, payload } = await peer.next();
  assertEquals([opcode, payload[0]], [BINARY, flags]);
  return payload.subarray(1);
}

/** The handshake of CURVE as the client. */
async function shakeHands(peer: RawWebSocket, client: CurveClient): Promise<void> {
  peer.send(bodied(COMMAND, client.hello()));
  client.takeWelcome(await take(peer, COMMAND));
  peer.send(bodied(COMMAND, client.initiate()));
  client.takeReady(await take(peer, COMMAND));
}

/** The vectors have ZMTP's header of two octets. */
function plainBody(id: string): Uint8Array {
  return plainVector(id).subarray(2);
}

describe("ZWS2.0/PLAIN", () => {
  afterEach(() => cleanup.run());

  it("has the commands of ZMTP's PLAIN, without their headers (ZWS2-MECH-02)", async () => {
    const context = new Context();
    cleanup.add(new Authenticator({ context, plain: { admin: "secret" } }));
    const stage = await WebSocketStage.open(cleanup, { context, plainServer: true });
    const guest = await stage.guest("ZWS2.0/PLAIN");
    guest.send(bodied(COMMAND, plainBody("GV-P-01")));
    assertEquals(toHex(await take(guest, COMMAND)), toHex(plainBody("GV-P-03")));
    guest.send(bodied(COMMAND, plainBody("GV-P-04")));
    assertEquals(textOf((await take(guest, COMMAND)).subarray(0, 6)), "\x05READY");
    guest.say("hi");
    assertEquals(textsOf(await guest.hear()), ["hi"]);
  });

  it("lets nobody in with other credentials, and tells the status (ZWS2-MECH-02)", async () => {
    const context = new Context();
    cleanup.add(new Authenticator({ context, plain: { admin: "other" } }));
    const stage = await WebSocketStage.open(cleanup, { context, plainServer: true });
    const guest = await stage.guest("ZWS2.0/PLAIN");
    guest.send(bodied(COMMAND, plainBody("GV-P-01")));
    assertEquals(toHex(await take(guest, COMMAND)), toHex(plainBody("GV-P-06")));
    await stage.tells("handshake:error:auth", "EACCES");
  });
});

describe("ZWS2.0/CURVE", () => {
  afterEach(() => cleanup.run());

  const server = { curveServer: true, curveSecretKey: KEYS.serverSecret };

  it("seals each message into one that has no flags outside (ZWS2-X-02)", async () => {
    const stage = await WebSocketStage.open(cleanup, server);
    const guest = await stage.guest("ZWS2.0/CURVE");
    const client = new CurveClient({ serverKey: KEYS.server });
    await shakeHands(guest, client);
    for (const part of ["a", "b".repeat(70_000)]) {
      guest.send(bodied(MESSAGE, client.message("first", 1)));
      guest.send(bodied(MESSAGE, client.message(part)));
      const first = client.takeMessage(await take(guest, MESSAGE));
      assertEquals([first.flags, textOf(first.payload)], [1, "first"]);
      const last = client.takeMessage(await take(guest, MESSAGE));
      assertEquals([last.flags, textOf(last.payload)], [0, part]);
    }
  });

  it("is spoken by a connecting socket as well (ZWS2-X-02)", async () => {
    const listener = cleanup.add(await RawServer.listen());
    const dealer = cleanup.add(
      new Dealer({
        context: new Context(),
        curveServerKey: KEYS.server,
        curveSecretKey: KEYS.clientSecret,
      }),
    );
    await dealer.connect(listener.endpoint.replace("tcp", "ws"));
    const { webSocket } = await RawWebSocket.accept(await listener.accept(), "ZWS2.0/CURVE");
    const party = new CurveServer({
      keys: { publicKey: KEYS.server, secretKey: KEYS.serverSecret },
    });
    party.takeHello(await take(webSocket, COMMAND));
    webSocket.send(bodied(COMMAND, party.welcome()));
    party.takeInitiate(await take(webSocket, COMMAND));
    webSocket.send(bodied(COMMAND, party.ready()));
    await dealer.send("sealed");
    const { flags, payload } = party.takeMessage(await take(webSocket, MESSAGE));
    assertEquals([flags, textOf(payload)], [0, "sealed"]);
    webSocket.send(bodied(MESSAGE, party.message("back")));
    assertEquals(textsOf(await within(dealer.receive(), WAIT_MS, "an answer")), ["back"]);
  });

  it("has subscriptions as messages inside, and takes commands (ZWS2-SUB-01)", async () => {
    const xpub = cleanup.add(new XPublisher({ context: new Context(), ...server }));
    await xpub.bind("ws://127.0.0.1:*");
    const guest = await RawWebSocket.connect(xpub.lastEndpoint!, "ZWS2.0/CURVE");
    cleanup.add(guest.connection);
    const metadata = properties(["Socket-Type", "SUB"]);
    const client = new CurveClient({ serverKey: KEYS.server, metadata });
    await shakeHands(guest, client);
    guest.send(bodied(MESSAGE, client.message("\x01abc")));
    assertEquals(textsOf(await within(xpub.receive(), WAIT_MS, "a subscription")), ["\x01abc"]);
    // So says libzmq's SUB.
    guest.send(bodied(MESSAGE, client.message("\x09SUBSCRIBExyz", 2)));
    assertEquals(textsOf(await within(xpub.receive(), WAIT_MS, "another one")), ["\x01xyz"]);

    const sub = cleanup.add(new Subscriber({ context: new Context(), ...server }));
    await sub.bind("ws://127.0.0.1:*");
    sub.subscribe("abc");
    const publisher = await RawWebSocket.connect(sub.lastEndpoint!, "ZWS2.0/CURVE");
    cleanup.add(publisher.connection);
    const other = new CurveClient({
      serverKey: KEYS.server,
      metadata: properties(["Socket-Type", "PUB"]),
    });
    await shakeHands(publisher, other);
    const { flags, payload } = other.takeMessage(await take(publisher, MESSAGE));
    assertEquals([flags, textOf(payload)], [0, "\x01abc"]);
  });

  it("ends the connection of who spoils a box, and serves others", async () => {
    const stage = await WebSocketStage.open(cleanup, server);
    const client = new CurveClient({ serverKey: KEYS.server });
    const guest = await stage.guest("ZWS2.0/CURVE");
    await shakeHands(guest, client);
    const box = client.message("hi");
    box[box.length - 1] ^= 1;
    guest.send(bodied(MESSAGE, box));
    assertEquals((await guest.untilClose()).code, 1002);
    await guest.part();
    await stage.tells("disconnect", "ERR_ZMTP_CRYPTOGRAPHIC");
    const other = await stage.guest("ZWS2.0/CURVE");
    const good = new CurveClient({ serverKey: KEYS.server });
    await shakeHands(other, good);
    other.send(bodied(MESSAGE, good.message("hi")));
    assertEquals(textOf(good.takeMessage(await take(other, MESSAGE)).payload), "hi");
  });
});

describe("over ws://", () => {
  afterEach(() => cleanup.run());

  for (const type of WIRE_TYPES) {
    it(`${type} says what it is and meets the types of RFC 45 (ZWS2-TYPE-01, ZWS2-TYPE-02)`, async () => {
      for (const peer of LEGAL_PEERS[type]) {
        const socket = cleanup.add(new WIRE_CLASSES[type]({ context: new Context() }));
        const log = new EventLog(socket);
        await socket.bind("ws://127.0.0.1:*");
        const guest = await RawWebSocket.connect(socket.lastEndpoint!);
        cleanup.add(guest.connection);
        guest.send(readying(peer));
        const own = readying(type, announcesIdentity(type) ? "" : undefined);
        assertEquals(toHex((await guest.next()).payload), toHex(own));
        const event = await log.next("handshake", WAIT_MS);
        assertEquals([event.socketType, event.protocol], [peer, "ZWS2.0"]);
      }
    });
  }
});
