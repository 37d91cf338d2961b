// The golden vectors of PLAIN, said and understood by both sides, however they are cut.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { AuthenticationError } from "../../src/errors.ts";
import { PlainClient, PlainServer } from "../../src/security/plain.ts";
import { Door } from "../../src/security/zap.ts";
import { Session } from "../../src/session/session.ts";
import { textOf, toHex, utf8 } from "../_util/bytes.ts";
import { curveGreeting } from "../_util/curve_commands.ts";
import { deliver, greet } from "../_util/curve_session.ts";
import { concat } from "../_util/octets.ts";
import { PLAIN_COMMANDS, plainVector } from "../_util/plain_vectors.ts";
import { vector } from "../_util/vectors.ts";

const GREETING = curveGreeting({ mechanism: "PLAIN" });
const DEALER = [["Socket-Type", utf8("DEALER")], ["Identity", utf8("")]] as const;
const ROUTER = [["Socket-Type", utf8("ROUTER")]] as const;
const NO_METADATA = utf8("");

/** What a handler answers: frames of RFC 27 from its version on. */
function answer(id: Uint8Array, status: string): Uint8Array[] {
  const parts = ["1.0", textOf(id), status, "", ""].map(utf8);
  return [utf8(""), ...parts, NO_METADATA];
}

/** A server whose handler notes credentials and answers with a status. */
function serverSession(status = "200"): [Session, string[][]] {
  const asked: string[][] = [];
  const door = new Door({ domain: "", enforced: false }, "127.0.0.1", (request) => {
    asked.push(request.slice(7).map(toHex));
    return { reply: Promise.resolve(answer(request[2], status)), cancel: () => {} };
  });
  return [new Session("ROUTER", new PlainServer(ROUTER, door)), asked];
}

function clientSession(username = "admin", password = "secret"): Session {
  return new Session("DEALER", new PlainClient(DEALER, utf8(username), utf8(password)));
}

describe("the vectors of PLAIN", () => {
  for (const piece of [Infinity, 1, 3, 64]) {
    it(`GV-P-01, GV-P-04: are what a client says, ${piece} octets at a time`, async () => {
      for (const ready of [plainVector("GV-P-05"), vector("GV-C-03")]) {
        const session = clientSession();
        const [, hello] = await greet(session, GREETING, piece);
        assertEquals(toHex(hello), toHex(plainVector("GV-P-01")));
        const initiate = toHex(await deliver(session, plainVector("GV-P-03"), piece));
        assertEquals(initiate, toHex(plainVector("GV-P-04")));
        await deliver(session, ready, piece);
        assertEquals([session.state, session.peer!.socketType], ["traffic", "ROUTER"]);
      }
    });

    it(`GV-P-03, GV-P-05: are what a server says, ${piece} octets at a time`, async () => {
      for (const { octets, username, password } of PLAIN_COMMANDS) {
        if (username === undefined) continue;
        const [session, asked] = serverSession();
        assertEquals(toHex((await greet(session, GREETING, piece))[1]), "");
        const welcome = toHex(await deliver(session, octets, piece));
        assertEquals(welcome, toHex(plainVector("GV-P-03")));
        assertEquals(asked, [[toHex(username), toHex(password!)]]);
        const ready = toHex(await deliver(session, plainVector("GV-P-04"), piece));
        assertEquals(ready, toHex(plainVector("GV-P-05")));
        assertEquals([session.state, session.peer!.socketType], ["traffic", "DEALER"]);
      }
    });

    for (const id of ["GV-P-06", "GV-P-07"]) {
      it(`${id} tells a client that it is not let in, ${piece} octets at a time`, async () => {
        for (const before of [[], [plainVector("GV-P-03")]]) {
          const session = clientSession();
          await deliver(session, concat(GREETING, ...before));
          const error = await deliver(session, plainVector(id), piece).catch((error) => error);
          assertEquals(error instanceof AuthenticationError, true, String(error));
          assertEquals([error.code, error.status, session.state], ["EACCES", 400, "failed"]);
        }
      });
    }
  }

  it("may have the empty name and password (GV-P-02)", async () => {
    const [, hello] = await greet(clientSession("", ""), GREETING);
    assertEquals(toHex(hello), toHex(plainVector("GV-P-02")));
  });

  for (const [status, id] of [["400", "GV-P-06"], ["300", undefined]] as const) {
    it(`answer HELLO when the handler says ${status}: ${id ?? "with nothing"}`, async () => {
      const [session] = serverSession(status);
      await greet(session, GREETING);
      const error = await deliver(session, plainVector("GV-P-01")).catch((error) => error);
      assertEquals([error.code, error.status], ["EACCES", Number(status)]);
      const said = toHex(concat(...session.takeOutput()));
      assertEquals(said, id === undefined ? "" : toHex(plainVector(id)));
    });
  }

  it("are the end for a client when any bit was changed", async () => {
    for (const id of ["GV-P-03", "GV-P-06", "GV-P-07"]) {
      const octets = plainVector(id);
      for (let bit = 0; bit < 8 * octets.length; bit++) {
        const session = clientSession();
        await deliver(session, GREETING);
        const altered = octets.slice();
        altered[bit >> 3] ^= 1 << (bit & 7);
        await deliver(session, concat(altered, new Uint8Array(300))).catch(() => {});
        assertEquals(session.state, "failed", `bit ${bit} of ${id}`);
      }
    }
  });

  it("leave what follows them to others", async () => {
    const tail = Uint8Array.of(0, 0x22, 7, 0x4d);
    const [server] = serverSession();
    await greet(server, GREETING);
    for (const id of ["GV-P-01", "GV-P-04"]) {
      const octets = plainVector(id);
      assertEquals(server.receive(concat(octets, tail)), octets.length, id);
      await server.waiting;
    }
    assertEquals([server.state, server.receive(tail)], ["traffic", 0]);
    const client = clientSession();
    await greet(client, GREETING);
    const rest = concat(plainVector("GV-P-03"), plainVector("GV-P-05"));
    assertEquals(client.receive(concat(rest, tail)), rest.length);
    assertEquals([client.state, client.receive(tail)], ["traffic", 0]);
  });

  it("are refused by a server when HELLO does not add up", async () => {
    const hello = plainVector("GV-P-01");
    for (
      const [altered, code] of [
        [concat(Uint8Array.of(4, 0x12), hello.subarray(2, -1)), "HELLO"],
        [concat(Uint8Array.of(4, 0x14), hello.subarray(2), Uint8Array.of(0)), "HELLO"],
        [concat(Uint8Array.of(4, 6), hello.subarray(2, 8)), "HELLO"],
        [concat(Uint8Array.of(4, 7), hello.subarray(2, 9)), "HELLO"],
      ] as const
    ) {
      const [session, asked] = serverSession();
      const error = await deliver(session, concat(GREETING, altered)).catch((error) => error);
      assertEquals(error.code, `ERR_ZMTP_MALFORMED_COMMAND_${code}`, String(error));
      assertEquals(asked, []);
    }
  });
});
