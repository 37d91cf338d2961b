// The rules of CURVE's handshake (RFC 25 and 26), kept and broken by the peer: who is asked about whom, what is told to whom,
// and what the client's commands hold.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer } from "../../mod.ts";
import { CoreMemory } from "../../src/core/memory.ts";
import { CurveServer } from "../../src/security/curve_server.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { Door, type Question } from "../../src/security/zap.ts";
import { Session } from "../../src/session/session.ts";
import { encodeError } from "../../src/wire/command.ts";
import { textsOf, toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import {
  boxKey,
  commandFrame,
  errorBody,
  keyPair,
  named,
  nonceOf,
  properties,
  random,
  unseal,
  welcomeBody,
} from "../_util/curve_commands.ts";
import { assertBroken, bodyOf, helloed, initiated } from "../_util/curve_middle.ts";
import { CurveClient as Client } from "../_util/curve_oracle.ts";
import { greet as greetPeer, takeCommand } from "../_util/curve_raw.ts";
import { clientSession, deliver, greet, greeted } from "../_util/curve_session.ts";
import { CLIENT_OPTIONS, CurveStage } from "../_util/curve_stage.ts";
import { CLIENT_METADATA, COOKIE, KEYS, vectorClient } from "../_util/curve_vectors.ts";
import { concat } from "../_util/octets.ts";
import { rejection } from "../_util/rejection.ts";

const METADATA = "ERR_ZMTP_INVALID_METADATA";
const ROUTER = [["Socket-Type", utf8("ROUTER")]] as const;

const { outboxes: core } = new CoreMemory();
const SERVER_PAIR = KeyPair.of(KEYS.serverSecret);
const cleanup = new Cleanup();

/** A server that asks a handler, which answers with a status; null is for none. */
function asking(status: string | null): [Session, Uint8Array[][]] {
  const asked: Uint8Array[][] = [];
  const door = new Door({ domain: "", enforced: false }, "10.1.1.1", (request): Question => {
    asked.push(request);
    const frames = ["", "1.0", textsOf(request)[2], status ?? "", "", "", ""].map(utf8);
    return { reply: status === null ? undefined : Promise.resolve(frames), cancel() {} };
  });
  const identity = { core, entropy: random, pair: SERVER_PAIR };
  return [new Session("ROUTER", new CurveServer(identity, ROUTER, door)), asked];
}

/** The vectors' client has its WELCOME of this server. */
async function welcomed(session: Session, client = vectorClient()): Promise<Client> {
  await greeted(session);
  client.takeWelcome(bodyOf(await deliver(session, commandFrame(client.hello()))));
  return client;
}

describe("CURVE's server, once the client has shown who it is,", () => {
  it("CURVE-INIT-06, ZAP-REQ-08: asks the handler about that key, and says READY", async () => {
    const [session, asked] = asking("200");
    const client = await welcomed(session);
    assertEquals(asked, [], "nobody is asked before the client has proved it");
    client.takeReady(bodyOf(await deliver(session, commandFrame(client.initiate()))));
    assertEquals(asked.length, 1);
    assertEquals(textsOf(asked[0].slice(3, 7)), ["", "10.1.1.1", "", "CURVE"]);
    assertEquals(asked[0].slice(7).map(toHex), [toHex(KEYS.client)]);
    session.end();
  });

  for (const status of ["300", "400", "500"]) {
    const says = status === "300" ? "nothing" : "ERROR";
    it(`CURVE-ERR-05, CURVE-SEQ-02, ZAP-X-03: says ${says} when that is ${status}`, async () => {
      const [session] = asking(status);
      const client = await welcomed(session);
      const error = await rejection(deliver(session, commandFrame(client.initiate())), "EACCES");
      assertEquals([(error as { status?: number }).status, session.peer], [
        Number(status),
        undefined,
      ]);
      const said = concat(...session.takeOutput());
      assertEquals(toHex(said), status === "300" ? "" : toHex(commandFrame(errorBody(status))));
      session.end();
    });
  }

  it("CURVE-INIT-08: lets it in, whoever it is, where there is no handler", async () => {
    const [session, asked] = asking(null);
    const stranger = new Client({ serverKey: KEYS.server });
    const client = await welcomed(session, stranger);
    client.takeReady(bodyOf(await deliver(session, commandFrame(client.initiate()))));
    assertEquals([session.state, asked.length], ["traffic", 1]);
    session.end();
  });

  it("CURVE-INIT-04, CURVE-INIT-06: asks about nobody who has not proved to be that", async () => {
    const [session, asked] = asking("200");
    const client = await welcomed(session, new Client({ serverKey: KEYS.server }));
    const forged = client.initiate({ publicKey: KEYS.client });
    await assertBroken(session, commandFrame(forged), "ERR_ZMTP_CRYPTOGRAPHIC", /vouch/);
    assertEquals(asked, []);
  });
});

describe("what CURVE's client says", () => {
  afterEach(() => cleanup.run());

  it("CURVE-SEQ-03: is for a server whose key it was given, and to be had no other way", async () => {
    const { curvePublicKey, curveSecretKey } = CLIENT_OPTIONS;
    const dealer = new Dealer({ curvePublicKey, curveSecretKey });
    assertThrows(() => dealer.connect("tcp://127.0.0.1:9"), TypeError, "curveServerKey");
    await dealer.close();
  });

  it("CURVE-INIT-02, CURVE-INIT-03: holds its key, its vouch for both keys, its properties", async () => {
    const { text, vouch } = await initiateOf(clientSession());
    assertEquals(toHex(text.subarray(0, 32)), toHex(KEYS.client));
    assertEquals(toHex(text.subarray(128)), toHex(CLIENT_METADATA));
    assertEquals(toHex(vouch), toHex(concat(KEYS.clientTransient, KEYS.server)));
  });

  for (let size = 0; size < 7; size++) {
    it(`CURVE-ERR-04: never answers an ERROR of ${size} octets, and takes it for none`, async () => {
      const body = concat(named("ERROR"), Uint8Array.of(9)).subarray(0, size);
      const [session] = await helloed();
      const code = size < 6 ? /UNSPECIFIED|UNEXPECTED/ : /ERR_ZMTP_MALFORMED_COMMAND_ERROR/;
      const error = await deliver(session, commandFrame(body)).then(toHex, (error) => error);
      assert(code.test(error.code), `${error.code}`);
      assertEquals([session.state, session.takeOutput()], ["failed", []]);
      session.end();
    });
  }

  it("CURVE-ERR-04: nothing, when it is told a reason of 0 to 255 octets and not one more", async () => {
    for (const size of [0, 1, 3, 254, 255]) {
      const [session] = await helloed();
      const octets = encodeError("r".repeat(size));
      assertEquals(octets.length - (octets[0] & 2 ? 9 : 2), 7 + size);
      const error = await deliver(session, octets).catch((error) => error);
      assertEquals(error.code, "ERR_ZMTP_UNSPECIFIED");
      session.end();
    }
    assertEquals(toHex(encodeError("r".repeat(300))), toHex(encodeError("r".repeat(255))));
    for (const [size, said] of [[3, 2], [3, 4], [255, 254], [0, 1]]) {
      const [session] = await helloed();
      const body = concat(named("ERROR"), Uint8Array.of(size), new Uint8Array(said).fill(0x61));
      await assertBroken(session, commandFrame(body), "ERR_ZMTP_MALFORMED_COMMAND_ERROR");
    }
  });

  for (const reason of ["400", "500", "Invalid socket type", "", "anything"]) {
    it(`CURVE-ERR-01, CURVE-ERR-02: nothing ever again after the ERROR "${reason}"`, async () => {
      const stage = await CurveStage.open("client", cleanup);
      const connection = await stage.stranger();
      await greetPeer(connection);
      await takeCommand(connection);
      connection.send(encodeError(reason));
      await connection.untilClosed();
      await stage.log.next("disconnect");
      assertEquals(connection.available, 0);
      assertEquals(stage.log.of("connect:retry"), []);
      await stage.exchange();
    });
  }

  // Temporary, as RFC 27 has it; libzmq's servers never say so.
  it('CURVE-ERR-02: HELLO again after the ERROR "300", which is the one exception', async () => {
    const stage = await CurveStage.open("client", cleanup);
    const connection = await stage.stranger();
    await greetPeer(connection);
    await takeCommand(connection);
    connection.send(encodeError("300"));
    await stage.log.next("connect:retry");
    assertEquals(stage.log.of("handshake:error:auth").map(({ error }) => error.status), [300]);
  });

  const broken: Readonly<Record<string, Uint8Array>> = {
    "end in the middle": properties(["Socket-Type", "ROUTER"]).subarray(0, -1),
    "have an octet too many": concat(properties(["Socket-Type", "ROUTER"]), Uint8Array.of(0)),
    "have no name": properties(["", "x"]),
    "announce 2^32 - 1 octets": Uint8Array.of(1, 0x58, 255, 255, 255, 255),
    "say two types": properties(["Socket-Type", "ROUTER"], ["Socket-Type", "REP"]),
    "have a routing id of 256 octets": properties(["Identity", "x".repeat(256)]),
    "say a type that does not fit": properties(["Socket-Type", "SUB"]),
  };
  for (const [what, metadata] of Object.entries(broken)) {
    it(`CURVE-READY-02, CURVE-READY-03, CURVE-INIT-07: nothing, when READY's ${what}`, async () => {
      const [session, server] = await initiated();
      await assertBroken(session, commandFrame(server.ready({ metadata })), METADATA);
    });
  }
});

/** What the vectors' server finds in the INITIATE of a client. */
async function initiateOf(session: Session): Promise<{ text: Uint8Array; vouch: Uint8Array }> {
  const transient = keyPair(KEYS.serverTransientSecret);
  const [, hello] = await greet(session);
  const clientTransient = hello.slice(2 + 80, 2 + 112);
  const welcome = welcomeBody({
    nonce: random(16),
    key: boxKey(clientTransient, KEYS.serverSecret),
    transient: transient.publicKey,
    cookie: COOKIE,
  });
  const body = bodyOf(await deliver(session, commandFrame(welcome)));
  const key = boxKey(clientTransient, transient.secretKey);
  const nonce = nonceOf("CurveZMQINITIATE", body.subarray(105, 113));
  const text = unseal(key, nonce, body.subarray(113));
  session.end();
  const vouchKey = boxKey(text.subarray(0, 32), transient.secretKey);
  const vouchNonce = nonceOf("VOUCH---", text.subarray(32, 48));
  return { text, vouch: unseal(vouchKey, vouchNonce, text.subarray(48, 128)) };
}
