// What a CURVE server refuses: commands that are whole and sealed with the right keys, and yet of the wrong size, out of turn,
// repeated, from elsewhere, or about somebody else.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Session } from "../../src/session/session.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import {
  commandFrame,
  errorBody,
  framed,
  keyPair,
  messageFrame,
  named,
  properties,
  random,
} from "../_util/curve_commands.ts";
import { assertBroken, bodyOf, welcomed } from "../_util/curve_middle.ts";
import { CurveClient } from "../_util/curve_oracle.ts";
import { deliver, greeted, serverSession } from "../_util/curve_session.ts";
import { HANDSHAKE, KEYS } from "../_util/curve_vectors.ts";
import { concat } from "../_util/octets.ts";

const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const SEQUENCE = "ERR_ZMTP_INVALID_SEQUENCE";
const CRYPTOGRAPHIC = "ERR_ZMTP_CRYPTOGRAPHIC";
const METADATA = "ERR_ZMTP_INVALID_METADATA";
const malformed = (name: string): string => `ERR_ZMTP_MALFORMED_COMMAND_${name}`;

const [HELLO, WELCOME, INITIATE, READY] = HANDSHAKE.map(({ frame }) => frame);

describe("a CURVE server", () => {
  const server = (): Promise<Session> => greeted(serverSession());

  it("CURVE-HELLO-01, CURVE-HELLO-05: takes a HELLO of 200 octets only, and answers no other", async () => {
    const body = bodyOf(HELLO);
    for (const size of [6, 7, 8, 100, 120, 136, 199]) {
      await assertBroken(
        await server(),
        commandFrame(body.subarray(0, size)),
        malformed("HELLO"),
        new RegExp(`${size} octets.*200`),
      );
    }
    for (const more of [1, 55, 56, 1_000]) {
      const frame = commandFrame(concat(body, new Uint8Array(more)));
      await assertBroken(await server(), frame, malformed("HELLO"), /200/);
    }
  });

  it("CURVE-HELLO-01, CURVE-HELLO-02, CURVE-HELLO-03, CURVE-HELLO-04: wants all of HELLO", async () => {
    const client = new CurveClient({ serverKey: KEYS.server });
    for (const version of [[0, 0], [0, 1], [1, 1], [2, 0], [255, 255]]) {
      const hello = client.hello({ version: Uint8Array.from(version) });
      await assertBroken(await server(), commandFrame(hello), malformed("HELLO"), /version/);
    }
    for (const at of [0, 35, 71]) {
      const padding = new Uint8Array(72);
      padding[at] = 1;
      const hello = client.hello({ padding });
      await assertBroken(await server(), commandFrame(hello), malformed("HELLO"), /padding/);
    }
    for (const at of [0, 63]) {
      const text = new Uint8Array(64);
      text[at] = 0x80;
      const hello = client.hello({ text });
      await assertBroken(await server(), commandFrame(hello), malformed("HELLO"), /signature/);
    }
  });

  it("CURVE-NONCE-05, CURVE-NONCE-06: takes HELLO with any nonce, INITIATE with a greater", async () => {
    for (const nonce of [0n, 1n, 7n, 2n ** 53n + 1n, 2n ** 64n - 2n]) {
      const [session, client] = await welcomed({ nonce });
      await deliver(session, commandFrame(client.initiate()));
      assertEquals(session.state, "traffic");
      session.end();
    }
    for (const [hello, initiate] of [[1n, 1n], [1n, 0n], [5n, 4n], [2n ** 64n - 1n, 2n ** 63n]]) {
      const [session, client] = await welcomed({ nonce: hello });
      const frame = commandFrame(client.initiate({ nonce: initiate }));
      await assertBroken(session, frame, SEQUENCE, /nonce/);
    }
  });

  it("CURVE-SEQ-03, CURVE-HELLO-02: refuses a HELLO for another server", async () => {
    for (const serverKey of [random(32), KEYS.client, new Uint8Array(32).fill(9)]) {
      const frame = commandFrame(new CurveClient({ serverKey }).hello());
      await assertBroken(await server(), frame, CRYPTOGRAPHIC, /HELLO/);
    }
    // As a box of another command.
    const client = new CurveClient({ serverKey: KEYS.server });
    const hello = client.hello({ key: new Uint8Array(32) });
    await assertBroken(await server(), commandFrame(hello), CRYPTOGRAPHIC);
  });

  const others: Readonly<Record<string, Uint8Array>> = {
    "WELCOME": WELCOME,
    "INITIATE": INITIATE,
    "READY": READY,
    "MESSAGE": framed(concat(named("MESSAGE"), new Uint8Array(40)), 4),
    "PING": framed(concat(named("PING"), utf8("\0\0")), 4),
    "HELL": framed(named("HELL"), 4),
    "hello": framed(concat(named("hello"), bodyOf(HELLO).subarray(6)), 4),
  };
  for (const [name, frame] of Object.entries(others)) {
    it(`CURVE-SEQ-01, CURVE-SEQ-05: refuses ${name} where HELLO belongs`, async () => {
      const says = new RegExp(`${name}.*HELLO`);
      for (const piece of [undefined, 1]) {
        await assertBroken(await server(), frame, UNEXPECTED, says, piece);
      }
    });
  }

  for (const [name, frame] of Object.entries({ ...others, HELLO, INITIATE: undefined })) {
    if (frame === undefined) continue;
    it(`CURVE-SEQ-01, CURVE-SEQ-04, CURVE-SEQ-05: refuses ${name} where INITIATE belongs`, async () => {
      const [session] = await welcomed();
      await assertBroken(session, frame, UNEXPECTED, new RegExp(`${name}.*INITIATE`));
    });
  }

  it("refuses frames that are no commands", async () => {
    for (const flags of [0, 1, 2, 3, 5, 7, 8, 0x80, 0xff]) {
      await assertBroken(await server(), framed(bodyOf(HELLO), flags), UNEXPECTED, /flags/);
    }
    const [session, client] = await welcomed();
    await assertBroken(session, messageFrame(client.message("early")), UNEXPECTED, /0x00/);
  });

  it("CURVE-SEQ-02, CURVE-ERR-03: has ERROR from nobody", async () => {
    for (const reason of ["400", "", "whatever"]) {
      const frame = commandFrame(errorBody(reason));
      await assertBroken(await server(), frame, UNEXPECTED, /ERROR.*HELLO/);
      const [session] = await welcomed();
      await assertBroken(session, frame, UNEXPECTED, /ERROR.*INITIATE/);
    }
  });

  it("CURVE-KEY-02, CURVE-KEY-04: answers the same HELLO with other keys and another cookie", async () => {
    const answers = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const session = await greeted(serverSession({ entropy: [] }));
      answers.add(toHex((await deliver(session, HELLO)).subarray(10)));
      session.end();
    }
    assertEquals(answers.size, 4);
  });

  it("CURVE-WELCOME-02, CURVE-INIT-04, CURVE-KEY-04: refuses another connection's cookie", async () => {
    const [first, client] = await welcomed();
    const stale = commandFrame(client.initiate());
    const second = await greeted(serverSession({ entropy: [] }));
    const again = new CurveClient({ serverKey: KEYS.server, transient: client.transient });
    again.takeWelcome(bodyOf(await deliver(second, commandFrame(again.hello()))));
    const frame = commandFrame(again.initiate({ cookie: client.cookie }));
    await assertBroken(second, frame, CRYPTOGRAPHIC, /cookie/);
    // A whole INITIATE that was recorded.
    const third = await greeted(serverSession({ entropy: [] }));
    await deliver(third, HELLO);
    await assertBroken(third, stale, CRYPTOGRAPHIC, /cookie/);
    assert((await deliver(first, stale)).length > 0);
    assertEquals(first.state, "traffic");
    first.end();
  });

  it("CURVE-SEQ-05: refuses an INITIATE for which there was no HELLO or a second one", async () => {
    await assertBroken(await greeted(serverSession({ entropy: [] })), INITIATE, UNEXPECTED);
    const [session, client] = await welcomed();
    const frame = commandFrame(client.initiate());
    await deliver(session, frame);
    assertEquals([session.state, session.receive(frame)], ["traffic", 0]);
    session.end();
  });

  it("CURVE-INIT-01, CURVE-INIT-02: refuses an INITIATE that is too short or too long", async () => {
    for (const size of [9, 105, 113, 128, 256]) {
      const [session, client] = await welcomed();
      const frame = commandFrame(client.initiate().subarray(0, size));
      await assertBroken(session, frame, malformed("INITIATE"), new RegExp(`${size} octets.*257`));
    }
    for (const size of [257, 280, 291]) {
      const [session, client] = await welcomed();
      const frame = commandFrame(client.initiate().subarray(0, size));
      await assertBroken(session, frame, CRYPTOGRAPHIC, /INITIATE/);
    }
    const [session, client] = await welcomed();
    const frame = commandFrame(concat(client.initiate(), Uint8Array.of(0)));
    await assertBroken(session, frame, CRYPTOGRAPHIC, /INITIATE/);
  });

  it("CURVE-INIT-03, CURVE-INIT-04, CURVE-INIT-05: refuses a vouch for or by another", async () => {
    const other = keyPair();
    const vouches: Readonly<Record<string, [(client: CurveClient) => Uint8Array, string, RegExp]>> =
      {
        server: [
          (client) => client.vouch({ serverKey: other.publicKey }),
          malformed("INITIATE"),
          /vouch/,
        ],
        transient: [
          (client) => client.vouch({ transient: other.publicKey }),
          malformed("INITIATE"),
          /vouch/,
        ],
        swapped: [
          (client) =>
            client.vouch({ transient: KEYS.server, serverKey: client.transient.publicKey }),
          malformed("INITIATE"),
          /vouch/,
        ],
        key: [(client) => client.vouch({ key: random(32) }), CRYPTOGRAPHIC, /vouch/],
        own: [
          (client) => client.vouch({ key: client.key }),
          CRYPTOGRAPHIC,
          /vouch/,
        ],
        nothing: [() => new Uint8Array(96), CRYPTOGRAPHIC, /vouch/],
      };
    for (const [vouch, code, says] of Object.values(vouches)) {
      const [session, client] = await welcomed();
      await assertBroken(
        session,
        commandFrame(client.initiate({ vouch: vouch(client) })),
        code,
        says,
      );
    }
    // Somebody else's key with one's own vouch.
    const [session, client] = await welcomed();
    const frame = commandFrame(client.initiate({ publicKey: KEYS.client }));
    await assertBroken(session, frame, CRYPTOGRAPHIC, /vouch/);
  });

  const dealer = properties(["Socket-Type", "DEALER"]);
  const broken: Readonly<Record<string, Uint8Array>> = {
    "end in the middle": dealer.subarray(0, -1),
    "have an octet too many": concat(dealer, Uint8Array.of(0)),
    "have no name": properties(["", "x"]),
    "announce 2^32 - 1 octets": concat(Uint8Array.of(1, 0x58, 255, 255, 255, 255)),
    "say two types": concat(dealer, properties(["Socket-Type", "REQ"])),
    "say a type that does not fit": properties(["Socket-Type", "PUB"]),
    "have a routing id of 256 octets": concat(dealer, properties(["Identity", "x".repeat(256)])),
  };
  for (const [what, metadata] of Object.entries(broken)) {
    it(`CURVE-INIT-05, CURVE-INIT-07: refuses properties that ${what}`, async () => {
      const [session, client] = await welcomed();
      const frame = commandFrame(client.initiate({ metadata }));
      const error = await deliver(session, frame).catch((error) => error);
      assertEquals([error.code, session.state], [METADATA, "failed"], String(error));
      // An ERROR command is all that it may say: not READY.
      const said = toHex(concat(...session.takeOutput()));
      assert(said === "" || said.includes(toHex(named("ERROR"))), said);
    });
  }

  it("takes properties of eight kilobytes, but not of more", async () => {
    const [session, client] = await welcomed();
    const room = 8 * 1024 - 257 - dealer.length - properties(["X", ""]).length;
    const metadata = concat(dealer, properties(["X", "x".repeat(room)]));
    await deliver(session, commandFrame(client.initiate({ metadata })));
    assertEquals(session.peer!.metadata.get("x")!.length, room);
    session.end();
    const [other, more] = await welcomed();
    const longer = concat(dealer, properties(["X", "x".repeat(room + 1)]));
    await assertBroken(other, commandFrame(more.initiate({ metadata: longer })), "EMSGSIZE");
  });
});
