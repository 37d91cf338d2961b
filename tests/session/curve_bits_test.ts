// One bit of a handshake command changed on the way: whichever it is, the session fails, by the name of the rule that was
// broken, and says nothing more.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ProtocolError } from "../../src/errors.ts";
import type { Session } from "../../src/session/session.ts";
import { toHex } from "../_util/bytes.ts";
import { commandFrame, curveGreeting } from "../_util/curve_commands.ts";
import { clientSession, deliver, greeted, serverSession } from "../_util/curve_session.ts";
import { HANDSHAKE, vectorClient } from "../_util/curve_vectors.ts";
import { concat } from "../_util/octets.ts";

const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const SEQUENCE = "ERR_ZMTP_INVALID_SEQUENCE";
const CRYPTOGRAPHIC = "ERR_ZMTP_CRYPTOGRAPHIC";
const NAMELESS = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const TOO_LONG = "EMSGSIZE";
const AT_ONCE = 64;
const GREETING_SIZE = 64;

const [HELLO, WELCOME, INITIATE, READY] = HANDSHAKE.map(({ frame }) => frame);
/** Behind an altered header the frame may seem to be longer. */
const TAIL = new Uint8Array(9_000);

const octetsOf = (bits: Iterable<number>): Set<number> => new Set([...bits].map((bit) => bit >> 3));

/** Runs one task for each bit, some of them at once. */
async function forEachBit(
  octets: Uint8Array,
  task: (bit: number, altered: Uint8Array) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < 8 * octets.length; from += AT_ONCE) {
    const bits = Array.from({ length: AT_ONCE }, (_, i) => from + i);
    await Promise.all(
      bits.filter((bit) => bit < 8 * octets.length).map((bit) => {
        const altered = octets.slice();
        altered[bit >> 3] ^= 1 << (bit & 7);
        return task(bit, altered);
      }),
    );
  }
}

/** Gives altered octets to a session, and checks that it fails and says nothing; the code and the text of the error. */
async function broken(
  session: Session,
  altered: Uint8Array,
  bit: number,
  greeting = 0,
): Promise<ProtocolError> {
  const said = deliver(session, concat(altered, TAIL));
  const error = await said.then((octets) => toHex(octets), (error) => error);
  assert(error instanceof ProtocolError, `bit ${bit}: ${error}`);
  assertEquals([session.state, session.peer], ["failed", undefined]);
  assertEquals(concat(...session.takeOutput()).length, greeting, `bit ${bit} is answered`);
  session.end();
  return error;
}

/** Where the name of a command is in its frame, and where its fields begin. */
interface Layout {
  readonly header: number;
  readonly name: number;
  /** Where a field begins, and the codes that an altered bit of it may have. */
  readonly fields: readonly (readonly [at: number, ...codes: string[]])[];
}

/** The codes that fit a bit of a command. */
function codesFor(bit: number, { header, name, fields }: Layout, command: string): string[] {
  const at = bit >> 3;
  // The size says less, more, or too much; the flags may make a long frame of a short one and the other way round.
  if (at < header) {
    return [UNEXPECTED, TOO_LONG, NAMELESS, CRYPTOGRAPHIC, `ERR_ZMTP_MALFORMED_COMMAND_${command}`];
  }
  if (at === header) return [UNEXPECTED, NAMELESS];
  if (at < header + 1 + name) return [UNEXPECTED, NAMELESS];
  let codes: readonly string[] = [];
  for (const [from, ...those] of fields) if (at - header >= from) codes = those;
  return [...codes];
}

function assertCode(error: ProtocolError, bit: number, layout: Layout, command: string): void {
  const codes = codesFor(bit, layout, command);
  assert(codes.includes(error.code), `bit ${bit}: ${error.code}, ${error.message}, not ${codes}`);
}

const MALFORMED_HELLO = "ERR_ZMTP_MALFORMED_COMMAND_HELLO";

describe("any changed bit", () => {
  it("of HELLO is refused by the server (CURVE-HELLO-02, CURVE-HELLO-03)", async () => {
    const layout: Layout = {
      header: 2,
      name: 5,
      fields: [[6, MALFORMED_HELLO], [80, CRYPTOGRAPHIC]],
    };
    // X25519 does not look at the last bit of a public key: the box opens, and only the vouch tells.
    const blind = 8 * (2 + 112) - 1;
    const refused = new Set<number>();
    await forEachBit(HELLO, async (bit, altered) => {
      const session = await greeted(serverSession());
      if (bit === blind) {
        const client = vectorClient();
        client.hello();
        client.takeWelcome((await deliver(session, altered)).subarray(2));
        altered = commandFrame(client.initiate());
      }
      const error = await broken(session, altered, bit);
      refused.add(bit);
      if (bit !== blind) assertCode(error, bit, layout, "HELLO");
      else assertEquals(error.code, "ERR_ZMTP_MALFORMED_COMMAND_INITIATE");
    });
    assertEquals(octetsOf(refused).size, 202);
  });

  it("of WELCOME is refused by the client (CURVE-WELCOME-03)", async () => {
    const layout: Layout = { header: 2, name: 7, fields: [[8, CRYPTOGRAPHIC]] };
    const refused = new Set<number>();
    await forEachBit(WELCOME, async (bit, altered) => {
      const session = await greeted(clientSession());
      const error = await broken(session, altered, bit);
      refused.add(bit);
      assertCode(error, bit, layout, "WELCOME");
    });
    assertEquals(octetsOf(refused).size, 170);
  });

  it("of INITIATE is refused by the server (CURVE-INIT-04, CURVE-INIT-05)", async () => {
    const layout: Layout = {
      header: 9,
      name: 8,
      fields: [[9, CRYPTOGRAPHIC], [105, CRYPTOGRAPHIC, SEQUENCE], [113, CRYPTOGRAPHIC]],
    };
    const refused = new Set<number>();
    await forEachBit(INITIATE, async (bit, altered) => {
      const session = await greeted(serverSession());
      await deliver(session, HELLO);
      const error = await broken(session, altered, bit);
      refused.add(bit);
      assertCode(error, bit, layout, "INITIATE");
    });
    assertEquals(octetsOf(refused).size, 301);
  });

  it("of READY is refused by the client (CURVE-READY-02)", async () => {
    const layout: Layout = { header: 2, name: 5, fields: [[6, CRYPTOGRAPHIC]] };
    const refused = new Set<number>();
    await forEachBit(READY, async (bit, altered) => {
      const session = await greeted(clientSession());
      await deliver(session, WELCOME);
      const error = await broken(session, altered, bit);
      refused.add(bit);
      assertCode(error, bit, layout, "READY");
    });
    assertEquals(octetsOf(refused).size, 67);
  });

  it("of the greeting's mechanism is refused by both", async () => {
    await forEachBit(curveGreeting(), async (bit, altered) => {
      const at = bit >> 3;
      const mechanism = at >= 12 && at < 32;
      if (!mechanism) return;
      for (const session of [serverSession(), clientSession()]) {
        const error = await broken(session, altered, bit, GREETING_SIZE);
        assertEquals(error.code, "ERR_ZMTP_MECHANISM_MISMATCH");
      }
    });
  });
});

describe("the as-server octet", () => {
  const roles = Array.from({ length: 256 }, (_, role) => role);

  it("CURVE-ROLE-01: of a client may be 0 only", async () => {
    for (const asServer of roles) {
      const session = serverSession();
      const outcome = deliver(session, curveGreeting({ asServer })).then(
        () => "",
        (error) => error,
      );
      if (asServer === 0) {
        assertEquals([await outcome, session.state], ["", "handshake"]);
        continue;
      }
      const error = await outcome;
      assert(error instanceof ProtocolError, `${asServer} is accepted`);
      assertEquals([error.code, session.state], ["ERR_ZMTP_UNSPECIFIED", "failed"]);
      assert(error.message.includes(asServer === 1 ? "server" : String(asServer)), error.message);
    }
  });

  it("CURVE-ROLE-01: of a server may be 1, or 0 as libzmq's", async () => {
    for (const asServer of roles) {
      const session = clientSession();
      const outcome = deliver(session, curveGreeting({ asServer })).then(
        () => "",
        (error) => error,
      );
      if (asServer <= 1) {
        await outcome;
        assertEquals(session.state, "handshake");
        assert((await deliver(session, WELCOME)).length > 0);
        session.end();
        continue;
      }
      const error = await outcome;
      assert(error instanceof ProtocolError, `${asServer} is accepted`);
      assertEquals([error.code, session.state], ["ERR_ZMTP_UNSPECIFIED", "failed"]);
    }
  });

  it("CURVE-ROLE-01: does not help two clients: each waits for WELCOME and gets HELLO", async () => {
    const session = await greeted(clientSession());
    const error = await broken(session, HELLO, 0);
    assertEquals(error.code, UNEXPECTED);
    assert(error.message.includes("HELLO") && error.message.includes("WELCOME"), error.message);
  });
});
