// PLAIN without connections: two sessions, and the golden vectors of RFC 24 and of libzmq's wire, read whole, octet by
// octet and with a tail, and written.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { AuthenticationError, ProtocolError } from "../../src/errors.ts";
import { PlainClient, PlainServer } from "../../src/security/plain.ts";
import { Door, type Question } from "../../src/security/zap.ts";
import { Session } from "../../src/session/session.ts";
import { fromHex, textsOf, toHex, utf8 } from "../_util/bytes.ts";
import { concat, pattern } from "../_util/octets.ts";
import { failure, rejection } from "../_util/rejection.ts";
import { outputOf } from "../_util/session_pair.ts";
import { expand, vector } from "../_util/vectors.ts";

const GREETING = expand("ff 7*00 01 7f 03 01 504c41494e 15*00 00 31*00");
const SERVER_GREETING = expand("ff 7*00 01 7f 03 01 504c41494e 15*00 01 31*00");

const HELLO = fromHex("0413 05 48454c4c4f 05 61646d696e 06 736563726574"); // GV-P-01
const EMPTY_HELLO = fromHex("0408 05 48454c4c4f 00 00"); // GV-P-02
const WELCOME = fromHex("0408 07 57454c434f4d45"); // GV-P-03
const INITIATE = fromHex(
  `042c 08 494e495449415445 0b 536f636b65742d54797065 00000006 4445414c4552
   08 4964656e74697479 00000000`,
); // GV-P-04
const READY = vector("GV-C-02"); // GV-P-05
const READY_WITH_IDENTITY = vector("GV-C-03"); // GV-P-05
const ERROR_400 = fromHex("040a 05 4552524f52 03 343030"); // GV-P-06
const MISSPELT_400 = fromHex("0409 5e 52524f52 03 343030"); // GV-P-07

const HELLO_CODE = "ERR_ZMTP_MALFORMED_COMMAND_HELLO";
const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const DEALER: [string, Uint8Array][] = [
  ["Socket-Type", utf8("DEALER")],
  ["Identity", new Uint8Array(0)],
];

function client(username = "admin", password = "secret"): Session {
  return new Session("DEALER", new PlainClient(DEALER, utf8(username), utf8(password)));
}

/** A server, and what its handler was asked, which answers with a status, later; null is for none. */
function server(status: string | null = "200"): [Session, requests: Uint8Array[][]] {
  const requests: Uint8Array[][] = [];
  const door = new Door({ domain: "test", enforced: false }, "127.0.0.1", (request): Question => {
    requests.push(request);
    const frames = ["", "1.0", request[2], status ?? "", "", "", ""]
      .map((part) => typeof part === "string" ? utf8(part) : part);
    return {
      reply: status === null ? undefined : Promise.resolve(frames),
      cancel() {},
    };
  });
  const properties: [string, Uint8Array][] = [["Socket-Type", utf8("ROUTER")]];
  return [new Session("ROUTER", new PlainServer(properties, door)), requests];
}

/** Gives octets to a session in pieces, waiting when it has to; how many it took. */
async function feed(session: Session, octets: Uint8Array, size = Infinity): Promise<number> {
  let taken = 0;
  while (taken < octets.length) {
    if (session.waiting !== undefined) await session.waiting;
    const count = session.receive(octets.slice(taken, taken + size));
    taken += count;
    if (count === 0 && session.waiting === undefined) break;
  }
  if (session.waiting !== undefined) await session.waiting;
  return taken;
}

/** A client that has sent its HELLO, and a server that waits for it. */
function greeted(session: Session, greeting: Uint8Array): Session {
  session.receive(greeting);
  session.takeOutput();
  return session;
}

/** The ways in which octets may come. */
const SIZES: readonly number[] = [Infinity, 1, 2, 7, 64, 65];

describe("a PLAIN client", () => {
  it("greets as a client, and says HELLO behind the other's greeting (PLAIN-SEQ-01)", () => {
    const session = client();
    for (const octet of SERVER_GREETING.subarray(0, -1)) session.receive(Uint8Array.of(octet));
    assertEquals(toHex(outputOf(session)), toHex(GREETING));
    assertEquals(session.receive(SERVER_GREETING.subarray(-1)), 1);
    assertEquals(toHex(outputOf(session)), toHex(HELLO), "GV-P-01");
  });

  it("says empty names and passwords as GV-P-02", () => {
    const session = client("", "");
    session.receive(GREETING);
    assertEquals(toHex(outputOf(session)), toHex(concat(GREETING, EMPTY_HELLO)));
  });

  it("says 255 octets of each (PLAIN-HELLO-01)", () => {
    const session = client("u".repeat(255), "p".repeat(255));
    session.receive(GREETING);
    const expected = expand("06 0000000000000206 05 48454c4c4f ff 255*75 ff 255*70");
    assertEquals(toHex(outputOf(session)), toHex(concat(GREETING, expected)));
  });

  for (const greeting of [GREETING, SERVER_GREETING]) {
    const as = greeting[32] === 1 ? "says that it is a server" : "says nothing of it, as libzmq's";
    it(`PLAIN-SEQ-03, PLAIN-ROLE-01: answers GV-P-04 to one that ${as}`, async () => {
      for (const ready of [READY, READY_WITH_IDENTITY]) {
        for (const size of SIZES) {
          const session = client();
          const all = concat(greeting, WELCOME, ready);
          assertEquals(await feed(session, all, size), all.length);
          assertEquals(session.state, "traffic");
          assertEquals(toHex(outputOf(session)), toHex(concat(GREETING, HELLO, INITIATE)));
          assertEquals(session.peer!.socketType, "ROUTER");
          assertEquals(session.peer!.protocol, "3.1");
        }
      }
    });
  }

  it("takes no octet of what follows the handshake (PLAIN-SEQ-05)", () => {
    const session = client();
    const all = concat(GREETING, WELCOME, READY);
    assertEquals(session.receive(concat(all, pattern(100))), all.length);
  });

  for (const [id, error] of [["GV-P-06", ERROR_400], ["GV-P-07", MISSPELT_400]] as const) {
    for (const [where, before] of [["HELLO", GREETING], ["INITIATE", concat(GREETING, WELCOME)]]) {
      it(`PLAIN-X-03: is refused by ${id} instead of the answer to its ${where}`, () => {
        for (const tail of [new Uint8Array(0), pattern(100)]) {
          for (const size of SIZES) {
            const session = client();
            const all = concat(before as Uint8Array, error, tail);
            const thrown = failure(() => {
              for (let at = 0; at < all.length; at += size) {
                session.receive(all.slice(at, at + size));
              }
            }, "EACCES");
            assertInstanceOf(thrown, AuthenticationError);
            assertEquals(thrown.status, 400);
            assertEquals(session.state, "failed");
            assertEquals(session.receive(READY), 0);
          }
        }
      });
    }
  }

  it("knows what 500 means, and that other reasons are no status", () => {
    for (
      const [hex, code] of [
        ["040a054552524f5203353030", "EACCES"],
        ["04095e52524f5203353030", "EACCES"],
        ["0407054552524f5200", "ERR_ZMTP_UNSPECIFIED"],
        ["04065e52524f5200", "ERR_ZMTP_UNSPECIFIED"],
        ["040d054552524f5206736f72727921", "ERR_ZMTP_UNSPECIFIED"],
        ["0408054552524f520561", "ERR_ZMTP_MALFORMED_COMMAND_ERROR"],
      ]
    ) {
      const session = greeted(client(), GREETING);
      failure(() => session.receive(fromHex(hex)), code);
      assertEquals(toHex(outputOf(session)), "", "a client never sends ERROR");
    }
  });
});

describe("a PLAIN server", () => {
  it("greets as a server, and is silent until the client speaks (PLAIN-SEQ-01)", () => {
    const [session] = server();
    assertEquals(session.receive(GREETING), 64);
    assertEquals(toHex(outputOf(session)), toHex(SERVER_GREETING));
    assertEquals([session.waiting, session.state], [undefined, "handshake"]);
  });

  it("PLAIN-SEQ-02, PLAIN-SEQ-04: takes GV-P-01 and GV-P-04, answers GV-P-03, GV-P-05", async () => {
    for (const size of SIZES) {
      const [session, requests] = server();
      const all = concat(GREETING, HELLO, INITIATE);
      assertEquals(await feed(session, all, size), all.length);
      assertEquals(session.state, "traffic");
      assertEquals(toHex(outputOf(session)), toHex(concat(SERVER_GREETING, WELCOME, READY)));
      assertEquals(session.peer!.socketType, "DEALER");
      assertEquals(requests.length, 1);
      assertEquals(textsOf(requests[0]), [
        "",
        "1.0",
        textsOf(requests[0])[2],
        "test",
        "127.0.0.1",
        "",
        "PLAIN",
        "admin",
        "secret",
      ]);
    }
  });

  it("asks about GV-P-02 as about any other (PLAIN-HELLO-02)", async () => {
    const [session, requests] = server();
    await feed(session, concat(GREETING, EMPTY_HELLO));
    assertEquals(textsOf(requests[0]).slice(6), ["PLAIN", "", ""]);
    assertEquals(toHex(outputOf(session)), toHex(concat(SERVER_GREETING, WELCOME)));
  });

  it("takes nothing while it waits for its handler, and says nothing (ZAP-X-05)", async () => {
    const [session] = server();
    greeted(session, GREETING);
    assertEquals(session.receive(concat(HELLO, INITIATE)), HELLO.length);
    assertEquals(session.receive(INITIATE), 0);
    assertEquals(session.takeOutput(), []);
    await session.waiting;
    assertEquals(toHex(outputOf(session)), toHex(WELCOME));
    assertEquals(session.receive(concat(INITIATE, pattern(9))), INITIATE.length);
    assertEquals(session.state, "traffic");
  });

  const answers = [
    ["400", ERROR_400],
    ["500", fromHex("040a 05 4552524f52 03 353030")],
    ["300", new Uint8Array(0)],
  ] as const;
  for (const [status, sent] of answers) {
    const what = sent.length === 0 ? "nothing" : "an ERROR";
    it(`PLAIN-X-02, PLAIN-X-04, PLAIN-SEQ-02: that is told ${status} sends ${what}`, async () => {
      const [session] = server(status);
      greeted(session, GREETING);
      session.receive(HELLO);
      const error = await rejection(session.waiting!, "EACCES");
      assertInstanceOf(error, AuthenticationError);
      assertEquals(error.status, Number(status));
      assertEquals([session.state, toHex(outputOf(session))], ["failed", toHex(sent)]);
      assertEquals(session.receive(INITIATE), 0);
    });
  }

  it("without a handler refuses, and sends nothing (PLAIN-X-01)", async () => {
    const [session] = server(null);
    greeted(session, GREETING);
    session.receive(HELLO);
    await rejection(session.waiting!, "EFAULT");
    assertEquals([session.state, toHex(outputOf(session))], ["failed", ""]);
  });

  for (
    const [what, hex, code] of [
      ["a HELLO without its lengths", "0406 05 48454c4c4f", HELLO_CODE],
      ["a HELLO without the second length", "0408 05 48454c4c4f 01 61", HELLO_CODE],
      ["a HELLO with too few octets", "0409 05 48454c4c4f 00 02 61", HELLO_CODE],
      ["a HELLO with too many octets", "0409 05 48454c4c4f 00 00 61", HELLO_CODE],
      ["a name of more octets than there are", "0408 05 48454c4c4f ff 00", HELLO_CODE],
      ["READY", toHex(READY), UNEXPECTED],
      ["INITIATE", toHex(INITIATE), UNEXPECTED],
      ["WELCOME", toHex(WELCOME), UNEXPECTED],
      ["PING", "0407 04 50494e47 0000", UNEXPECTED],
      ["a message", "0005 68656c6c6f", UNEXPECTED],
    ]
  ) {
    it(`PLAIN-SEQ-01, PLAIN-SEQ-06, PLAIN-HELLO-01: breaks off at ${what} instead of HELLO`, () => {
      const octets = fromHex(hex);
      for (const tail of [new Uint8Array(0), pattern(100)]) {
        for (const size of [Infinity, 1]) {
          const [session, requests] = server();
          greeted(session, GREETING);
          const all = concat(octets, tail);
          const error = failure(() => {
            for (let at = 0; at < all.length; at += size) session.receive(all.slice(at, at + size));
          }, code);
          assertInstanceOf(error, ProtocolError);
          assertEquals([session.state, session.takeOutput(), requests], ["failed", [], []]);
        }
      }
    });
  }

  it("breaks off at a second HELLO, whatever the first one led to (PLAIN-SEQ-06)", async () => {
    const [session, requests] = server();
    greeted(session, GREETING);
    session.receive(HELLO);
    await session.waiting;
    failure(() => session.receive(HELLO), UNEXPECTED);
    assertEquals(requests.length, 1);
  });
});

describe("two sides of PLAIN that do not fit", () => {
  for (
    const [what, session, greeting, code] of [
      ["two servers", server()[0], SERVER_GREETING, "ERR_ZMTP_UNSPECIFIED"],
      ["a server and NULL", server()[0], vector("GV-G-01"), "ERR_ZMTP_MECHANISM_MISMATCH"],
      ["a client and NULL", client(), vector("GV-G-01"), "ERR_ZMTP_MECHANISM_MISMATCH"],
    ] as const
  ) {
    it(`PLAIN-ROLE-01: break off: ${what}`, () => {
      failure(() => session.receive(greeting), code);
      assertEquals([session.state, outputOf(session).length], ["failed", GREETING.length]);
    });
  }

  it("PLAIN-ROLE-01: break off: two clients", () => {
    const [one, other] = [client(), client()];
    one.receive(GREETING);
    const said = outputOf(one).slice(GREETING.length);
    other.receive(GREETING);
    failure(() => other.receive(said), UNEXPECTED);
    assert(other.state === "failed");
  });
});
