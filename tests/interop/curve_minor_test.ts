// Scripted CURVE peers of ZMTP 3.0 and 3.1, made on another library's primitives, against our sockets and, as the reference,
// against libzmq's: what is inside the boxes is the same.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { decodeZ85 } from "../../mod.ts";
import { assertFrames, toHex, utf8 } from "../_util/bytes.ts";
import { INNER_COMMAND, keyPair, messageFrame, properties } from "../_util/curve_commands.ts";
import type { CurveClient, CurveServer } from "../_util/curve_oracle.ts";
import { asServer, curveConnect, type RawParty } from "../_util/curve_raw.ts";
import { eventually } from "../_util/deadline.ts";
import { concat, pattern } from "../_util/octets.ts";
import type { PeerOptions } from "../_util/peer.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { ROLES, SERVER_KEYS } from "../_util/security_options.ts";
import {
  type End,
  type Library,
  openStage,
  type SecureType,
  type Stage,
  tells,
} from "../_util/security_stage.ts";

const KEYS = keyPair(decodeZ85(SERVER_KEYS.secretKey));
const LONG = [pattern(70_000, 1), pattern(3), pattern(256, 2), pattern(0), pattern(222, 3)];
const SUBSCRIBE = toHex(concat(Uint8Array.of(9), utf8("SUBSCRIBE")));
const CANCEL = toHex(concat(Uint8Array.of(6), utf8("CANCEL")));

for (const library of ["libzmq", "wasmq"] as const) {
  for (const minor of [0, 1]) {
    describe(`a CURVE peer of ZMTP 3.${minor} with ${library}`, () => testPeer(library, minor));
  }
}

function testPeer(library: Library, minor: number): void {
  let stage: Stage | undefined;
  let listener: RawServer | undefined;
  const parties: RawParty[] = [];
  const setup = (type: string): { metadata: Uint8Array } => ({
    metadata: properties(["Socket-Type", type], ["Identity", ""]),
  });

  /** A socket that is the server, and a scripted client of this type. */
  async function dialled(
    type: SecureType,
    clientType: string,
    options: PeerOptions = {},
  ): Promise<[End, RawParty<CurveClient>]> {
    stage = openStage(library);
    const end = await stage.open(type, { ...options, ...ROLES.CURVE.server });
    const serverKey = KEYS.publicKey;
    const client = await curveConnect(
      await end.bind(),
      { serverKey, ...setup(clientType) },
      { minor },
    );
    parties.push(client);
    return [end, client];
  }

  /** A socket that is the client, and a scripted server of this type. */
  async function accepted(
    type: SecureType,
    serverType: string,
    options: PeerOptions = {},
  ): Promise<[End, RawParty<CurveServer>]> {
    stage = openStage(library);
    listener = await RawServer.listen();
    const end = await stage.open(type, { ...options, ...ROLES.CURVE.client });
    await end.connect(listener.endpoint);
    const server = await asServer(
      await listener.accept(),
      { keys: KEYS, ...setup(serverType) },
      { minor, asServer: 1 },
    );
    parties.push(server);
    return [end, server];
  }

  afterEach(async () => {
    for (const party of parties.splice(0)) party.connection.destroy();
    listener?.close();
    listener = undefined;
    await stage?.stop();
  });

  it("as a DEALER client talks to a ROUTER", async () => {
    const [router, dealer] = await dialled("Router", "DEALER");
    dealer.say("hello", "world");
    dealer.say(...LONG);
    const [id, ...hello] = await router.receive();
    assertFrames(hello, ["hello", "world"]);
    assertFrames((await router.receive()).slice(1), LONG);
    await router.send(id, ...LONG);
    await router.send(id, "");
    assertFrames(await dealer.hear(), LONG);
    assertFrames(await dealer.hear(), [""]);
  });

  it("as a DEALER server talks to a DEALER", async () => {
    const [dealer, server] = await accepted("Dealer", "DEALER");
    server.say(...LONG);
    assertFrames(await dealer.receive(), LONG);
    await dealer.send(...LONG);
    await dealer.send("bye");
    assertFrames(await server.hear(), LONG);
    assertFrames(await server.hear(), ["bye"]);
  });

  it("as a REP server answers a REQ", async () => {
    const [request, reply] = await accepted("Request", "REP");
    await request.send("question");
    assertFrames(await reply.hear(), ["", "question"]);
    reply.say("", "answer", "in parts");
    assertFrames(await request.receive(), ["answer", "in parts"]);
  });

  for (const form of ["message", "command"] as const) {
    it(`CURVE-MSG-10: as a SUB client subscribes by a ${form}`, async () => {
      const [publisher, sub] = await dialled("XPublisher", "SUB");
      const ask = (first: 0 | 1, topic: string): void => {
        if (form === "message") sub.say(concat(Uint8Array.of(first), utf8(topic)));
        else {
          const name = first === 1 ? SUBSCRIBE : CANCEL;
          const body = concat(octets(name), utf8(topic));
          sub.connection.send(messageFrame(sub.party.message(body, INNER_COMMAND)));
        }
      };
      ask(1, "a");
      ask(1, "bc");
      assertFrames(await publisher.receive(), ["\x01a"]);
      assertFrames(await publisher.receive(), ["\x01bc"]);
      for (const topic of ["a", "b", "bcd", "c", "ab"]) await publisher.send(topic, "body");
      for (const topic of ["a", "bcd", "ab"]) assertFrames(await sub.hear(), [topic, "body"]);
      ask(0, "a");
      assertFrames(await publisher.receive(), ["\x00a"]);
      for (const topic of ["a", "bc"]) await publisher.send(topic, "body");
      assertFrames(await sub.hear(), ["bc", "body"]);
    });
  }

  it("as a PUB server is asked for topics in its own minor version's form (ZMTP30-SUB-05)", async () => {
    const [sub, publisher] = await accepted("Subscriber", "PUB");
    await tells(sub, "handshake");
    await sub.subscribe("topic", "t".repeat(300));
    await sub.unsubscribe("topic");
    const taken = [];
    for (let i = 0; i < 3; i++) {
      const { flags, payload } = await publisher.take();
      taken.push([flags, toHex(payload)]);
    }
    const topic = toHex(utf8("topic"));
    const long = toHex(utf8("t".repeat(300)));
    const expected = minor === 0
      ? [[0, `01${topic}`], [0, `01${long}`], [0, `00${topic}`]]
      : [[2, SUBSCRIBE + topic], [2, SUBSCRIBE + long], [2, CANCEL + topic]];
    assertEquals(taken, expected);
    publisher.say("t".repeat(300), "body");
    assertFrames(await sub.receive(), ["t".repeat(300), "body"]);
  });

  it("CURVE-MSG-04: gets a PONG for its PING, with the context, between messages", async () => {
    const [router, dealer] = await dialled("Router", "DEALER");
    dealer.connection.send(
      dealer.party.command("PING", concat(Uint8Array.of(0, 10), utf8("context"))),
    );
    const { flags, payload } = await dealer.take();
    assertEquals([flags, toHex(payload)], [
      INNER_COMMAND,
      toHex(concat(Uint8Array.of(4), utf8("PONGcontext"))),
    ]);
    dealer.say("message");
    assertFrames((await router.receive()).slice(1), ["message"]);
  });

  it("is sent PINGs that it may answer", async () => {
    // Heartbeats belong to 3.1; libzmq sends them to everybody.
    if (minor === 0 && library === "wasmq") return;
    const [router, dealer] = await dialled("Router", "DEALER", {
      heartbeatInterval: 50,
      heartbeatTimeout: 300,
      heartbeatTimeToLive: 200,
    });
    for (let i = 0; i < 3; i++) {
      const { flags, payload } = await dealer.take();
      assertEquals([flags, toHex(payload)], [INNER_COMMAND, "0450494e470002"]);
      dealer.connection.send(dealer.party.command("PONG"));
    }
    dealer.say("alive");
    assertFrames((await router.receive()).slice(1), ["alive"]);
  });

  it("may be killed in the middle of a message, and come again", async () => {
    const [router, dealer] = await dialled("Router", "DEALER");
    const frames = dealer.party.send("whole");
    dealer.connection.send(frames, dealer.party.send(...LONG).subarray(0, 60_000));
    assertFrames((await router.receive()).slice(1), ["whole"]);
    dealer.connection.destroy();
    await eventually(async () => (await router.eventLog()).at(-1)?.type === "disconnect");
    const serverKey = KEYS.publicKey;
    const [bind] = (await router.eventLog()).filter(({ type }) => type === "bind");
    const again = await curveConnect(bind.address!, { serverKey, ...setup("DEALER") }, { minor });
    parties.push(again);
    again.say("again");
    assertFrames((await router.receive()).slice(1), ["again"]);
  });
}

function octets(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));
}
