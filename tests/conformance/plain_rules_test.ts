// The rules of PLAIN (RFC 24), each kept and each broken by the peer: roles, the order of commands, what is in them, and
// what is told to whom.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ZmqError } from "../../src/errors.ts";
import type { Security } from "../../src/link/host.ts";
import { sameOctets } from "../../src/octets.ts";
import { PlainServer } from "../../src/security/plain.ts";
import { Door } from "../../src/security/zap.ts";
import { Session } from "../../src/session/session.ts";
import { textOf, textsOf, toHex, utf8 } from "../_util/bytes.ts";
import { curveGreeting, framed, properties } from "../_util/curve_commands.ts";
import { deliver, greet } from "../_util/curve_session.ts";
import { FakeHost } from "../_util/fake_host.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { sessionOf } from "../_util/mechanism_sessions.ts";
import { assertMessages, concat, pattern } from "../_util/octets.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { plainVector } from "../_util/plain_vectors.ts";
import { command, frame, longHeader, message, ping, ready } from "../_util/raw_zmtp.ts";

const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const METADATA = "ERR_ZMTP_INVALID_METADATA";
const FLAGS = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const malformed = (name: string): string => `ERR_ZMTP_MALFORMED_COMMAND_${name}`;

const [HELLO, WELCOME, INITIATE] = ["GV-P-01", "GV-P-03", "GV-P-04"].map(plainVector);
const READY = ready("ROUTER");
const GREETING = curveGreeting({ mechanism: "PLAIN" });

/** A session past the greeting that has heard these, and has nothing more to say. */
async function after(side: "client" | "server", ...heard: Uint8Array[]): Promise<Session> {
  const session = sessionOf(`PLAIN ${side}`);
  await greet(session, GREETING);
  await deliver(session, concat(...heard));
  return session;
}

/** Checks that octets break a session, whole and one at a time; what it says then is `said`. */
async function assertBreaks(
  make: () => Promise<Session>,
  octets: Uint8Array,
  code: string,
  said = "",
): Promise<void> {
  for (const piece of [Infinity, 1]) {
    const session = await make();
    const outcome = await deliver(session, octets, piece).then(toHex, (error) => error);
    assertEquals([outcome.code, session.state], [code, "failed"], `${outcome}`);
    assertEquals([session.peer, toHex(concat(...session.takeOutput()))], [undefined, said]);
  }
}

/** All that is not the command of this name. */
function othersThan(name: string): [string, Uint8Array][] {
  const all: Readonly<Record<string, Uint8Array>> = {
    HELLO,
    WELCOME,
    INITIATE,
    READY,
    MESSAGE: command("MESSAGE", new Uint8Array(40)),
    PING: ping("x"),
    SUBSCRIBE: command("SUBSCRIBE", utf8("a")),
    "a message": message("early"),
    "an empty frame": frame(""),
    "a part": frame("early", true),
    "a long frame": concat(longHeader(300n), new Uint8Array(300)),
    "a command with MORE": framed(HELLO.subarray(2), 5),
  };
  return Object.entries(all).filter(([each]) => each !== name);
}

describe("PLAIN's roles", () => {
  it("PLAIN-ROLE-01: are told by as-server, which a server may leave out", async () => {
    for (const side of ["client", "server"] as const) {
      for (let asServer = 0; asServer < 256; asServer++) {
        const session = sessionOf(`PLAIN ${side}`);
        const greeting = curveGreeting({ mechanism: "PLAIN", asServer });
        const outcome = await greet(session, greeting).then(() => "", ({ code }) => code);
        const fits = asServer === 0 || (asServer === 1 && side === "client");
        assertEquals(outcome, fits ? "" : "ERR_ZMTP_UNSPECIFIED", `${side} and ${asServer}`);
      }
    }
  });

  it("GSSAPI-02: of GSSAPI are none of ours: the mechanism is refused", async () => {
    for (const side of ["NULL", "PLAIN client", "PLAIN server", "CURVE client"] as const) {
      const session = sessionOf(side);
      const octets = concat(curveGreeting({ mechanism: "GSSAPI" }), HELLO);
      const outcome = await deliver(session, octets).then(toHex, ({ code }) => code);
      assertEquals([outcome, session.state], ["ERR_ZMTP_MECHANISM_MISMATCH", "failed"]);
    }
  });
});

describe("a PLAIN client", () => {
  for (const [name, octets] of othersThan("WELCOME")) {
    it(`PLAIN-SEQ-02, PLAIN-SEQ-06: breaks off at ${name} instead of WELCOME`, async () => {
      await assertBreaks(() => after("client"), octets, UNEXPECTED);
    });
  }

  for (const [name, octets] of othersThan("READY")) {
    it(`PLAIN-SEQ-04, PLAIN-SEQ-05, PLAIN-SEQ-06: breaks off at ${name} instead of READY`, async () => {
      await assertBreaks(() => after("client", WELCOME), octets, UNEXPECTED);
    });
  }

  it("PLAIN-WELCOME-01: takes a WELCOME of 8 octets only", async () => {
    for (const more of [1, 2, 247, 248, 1_000]) {
      const octets = command("WELCOME", new Uint8Array(more));
      await assertBreaks(() => after("client"), octets, malformed("WELCOME"));
    }
    for (const name of ["WELCOM", "WELCOMEX", "Welcome"]) {
      await assertBreaks(() => after("client"), command(name), UNEXPECTED);
    }
    const long = concat(longHeader(8n, 4), WELCOME.subarray(2));
    const session = await after("client");
    assertEquals(toHex(await deliver(session, long)), toHex(plainVector("GV-P-04")));
  });
});

describe("a PLAIN server", () => {
  for (const [name, octets] of othersThan("INITIATE")) {
    it(`PLAIN-SEQ-03, PLAIN-SEQ-05, PLAIN-SEQ-06: breaks off at ${name} instead of INITIATE`, async () => {
      await assertBreaks(() => after("server", HELLO), octets, UNEXPECTED);
    });
  }

  it("PLAIN-HELLO-01, PLAIN-HELLO-02: takes names and passwords of 0 to 255 octets", () => {
    for (const [name, word] of [[0, 0], [0, 255], [255, 0], [1, 254], [255, 255], [128, 127]]) {
      const asked: Uint8Array[][] = [];
      const door = new Door({ domain: "", enforced: false }, "", (request) => {
        asked.push(request);
        return { reply: new Promise(() => {}), cancel() {} };
      });
      const session = new Session("ROUTER", new PlainServer([], door));
      const credentials = [pattern(name, 1), pattern(word, 2)];
      const parts = credentials.map((octets) => concat(Uint8Array.of(octets.length), octets));
      session.receive(concat(GREETING, command("HELLO", concat(...parts))));
      assertEquals(asked[0].slice(7).map(toHex), credentials.map(toHex));
    }
  });

  it("PLAIN-HELLO-01: takes no HELLO whose sizes do not add up exactly", async () => {
    const data = HELLO.subarray(8);
    for (let at = 0; at < data.length; at++) {
      await assertBreaks(
        () => after("server"),
        command("HELLO", data.subarray(0, at)),
        malformed("HELLO"),
      );
    }
    for (const at of [0, 6]) {
      for (let size = 0; size < 256; size++) {
        const altered = data.slice();
        altered[at] = size;
        // A password's length may be found in the name, or the name's in the password.
        const second = 1 + altered[0];
        if (second + 1 + altered[second] === altered.length) continue;
        const session = await after("server");
        const error = await deliver(session, command("HELLO", altered)).catch((error) => error);
        assertEquals(error.code, malformed("HELLO"), `${size} at ${at}`);
      }
    }
  });
});

describe("PLAIN's properties", () => {
  const wrongType = properties(["Socket-Type", "PUB"]);
  const broken: Readonly<Record<string, Uint8Array>> = {
    "end in the middle": properties(["Socket-Type", "DEALER"]).subarray(0, -1),
    "have an octet too many": concat(properties(["X-a", "1"]), Uint8Array.of(0)),
    "have no name": properties(["", "x"]),
    "announce 2^32 - 1 octets": Uint8Array.of(1, 0x58, 255, 255, 255, 255),
    "have a name of other characters": properties(["X a", "1"]),
    "say two types": properties(["Socket-Type", "DEALER"], ["socket-type", "REQ"]),
    "have a routing id of 256 octets": properties(["Identity", "x".repeat(256)]),
  };

  for (const side of ["client", "server"] as const) {
    const [before, name] = side === "client" ? [[WELCOME], "READY"] : [[HELLO], "INITIATE"];
    for (const [what, octets] of Object.entries(broken)) {
      it(`PLAIN-META-01, PLAIN-SEQ-04: a ${side} breaks off at those that ${what}`, async () => {
        await assertBreaks(() => after(side, ...before), command(name, octets), METADATA);
      });
    }

    it(`PLAIN-META-01: are known to a ${side}, whatever the case of their names`, async () => {
      const session = await after(side, ...before);
      const type = side === "client" ? "ROUTER" : "DEALER";
      const given = properties(["SOCKET-type", type], ["identity", "me"], ["X-a", ""]);
      await deliver(session, command(name, given));
      const { socketType, routingId, metadata } = session.peer!;
      assertEquals([socketType, textOf(routingId)], [type, "me"]);
      assertEquals(metadata.get("x-a")!.length, 0);
    });
  }

  it("PLAIN-META-01, PLAIN-SEQ-04: of a type that does not fit lead to ERROR, or to the end", async () => {
    const error = toHex(command("ERROR", concat(Uint8Array.of(19), utf8("Invalid socket type"))));
    await assertBreaks(
      () => after("server", HELLO),
      command("INITIATE", wrongType),
      METADATA,
      error,
    );
    await assertBreaks(() => after("client", WELCOME), command("READY", wrongType), METADATA);
  });
});

/** A server of PLAIN that lets everybody in. */
class PlainHost extends FakeHost {
  override secure(): Security {
    const door = new Door({ domain: "", enforced: false }, "", (request) => ({
      reply: Promise.resolve(["", "1.0", textsOf(request)[2], "200", "", "", ""].map(utf8)),
      cancel() {},
    }));
    return () => new PlainServer([["Socket-Type", utf8(this.type)]], door);
  }
}

/** A link past PLAIN's handshake. */
async function linked(): Promise<LinkStand> {
  const stand = new LinkStand({ host: new PlainHost("ROUTER") });
  stand.link.start();
  stand.stream.deliver(concat(GREETING, HELLO, INITIATE));
  for (let i = 0; i < 5 && stand.calls.length === 0; i++) await microtasks();
  assertEquals(stand.calls, ["ready DEALER"]);
  stand.stream.flow();
  stand.stream.takeOutput();
  return stand;
}

describe("after PLAIN's handshake", () => {
  it("PLAIN-MSG-01: frames and commands go both ways in clear", async () => {
    const stand = await linked();
    const long = pattern(70_000);
    stand.stream.deliver(concat(
      message("one", "two"),
      ping("context"),
      message(long, ""),
      command("UNKNOWN", new Uint8Array(300)),
      command("MESSAGE", new Uint8Array(60)),
      frame("last"),
    ));
    const received = [[utf8("one"), utf8("two")], [long, utf8("")], [utf8("last")]];
    assertMessages(stand.receiveAll(), received);
    assertEquals(toHex(stand.stream.takeOutput()), toHex(command("PONG", utf8("context"))));
    stand.pipe.send([utf8("to"), utf8("you")]);
    stand.host.clock.settle();
    assertEquals(toHex(stand.stream.takeOutput()), toHex(message("to", "you")));
    stand.stream.end();
  });

  for (const flags of [5, 7, 8, 0x10, 0x80, 0xff]) {
    it(`PLAIN-MSG-01: a frame with the flags 0x${flags.toString(16)} ends it`, async () => {
      const stand = await linked();
      stand.stream.deliver(concat(message("good"), framed(utf8("\x04PINGxx"), flags)));
      assertMessages(stand.receiveAll(), [[utf8("good")]]);
      assertEquals((stand.error as ZmqError).code, FLAGS);
      stand.stream.end();
    });
  }
});

describe("two passwords", () => {
  /** Octets that count how often each of them is looked at. */
  function watched(text: string, looks: number[]): Uint8Array {
    const octets = utf8(text);
    return new Proxy(octets, {
      get(_, name) {
        if (typeof name === "string" && /^\d+$/.test(name)) looks[Number(name)]++;
        return Reflect.get(octets, name, octets);
      },
    });
  }

  it("PLAIN-X-05: are compared to the last octet, wherever they differ", () => {
    for (const other of ["secret", "xecret", "secrex", "", "se", "secrets and more"]) {
      const looks = new Array<number>(6).fill(0);
      assertEquals(sameOctets(watched("secret", looks), utf8(other)), other === "secret");
      assert(looks.every((count) => count === looks[0] && count > 0), `${other}: ${looks}`);
    }
  });
});
