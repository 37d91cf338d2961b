// When a handler is asked, and what happens when there is none, as the domain and its enforcement say.

import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { textOf } from "../_util/bytes.ts";
import { begins, describeMeetings } from "../_util/security_meetings.ts";
import { ROLES, type Roles, zapRule } from "../_util/security_options.ts";
import { tells } from "../_util/security_stage.ts";

/** Whom a server lets in when nobody answers, and when the answer is 400. */
type Outcome = "everybody" | "nobody";

interface Case {
  readonly zapDomain: string;
  readonly zapEnforceDomain: boolean;
  readonly unanswered: Outcome;
  readonly refused: Outcome;
}

const MECHANISMS: Readonly<Record<string, Roles>> = { NULL: { server: {}, client: {} }, ...ROLES };
const CASES: Readonly<Record<string, readonly Case[]>> = {
  NULL: [
    { zapDomain: "", zapEnforceDomain: false, unanswered: "everybody", refused: "everybody" },
    { zapDomain: "", zapEnforceDomain: true, unanswered: "everybody", refused: "everybody" },
    { zapDomain: "here", zapEnforceDomain: false, unanswered: "everybody", refused: "nobody" },
    { zapDomain: "here", zapEnforceDomain: true, unanswered: "nobody", refused: "nobody" },
  ],
  // Without a domain, enforcement ends libzmq's whole process.
  PLAIN: [
    { zapDomain: "", zapEnforceDomain: false, unanswered: "nobody", refused: "nobody" },
    { zapDomain: "here", zapEnforceDomain: false, unanswered: "nobody", refused: "nobody" },
    { zapDomain: "here", zapEnforceDomain: true, unanswered: "nobody", refused: "nobody" },
  ],
  CURVE: [
    { zapDomain: "", zapEnforceDomain: false, unanswered: "everybody", refused: "nobody" },
    { zapDomain: "", zapEnforceDomain: true, unanswered: "everybody", refused: "everybody" },
    { zapDomain: "here", zapEnforceDomain: false, unanswered: "everybody", refused: "nobody" },
    { zapDomain: "here", zapEnforceDomain: true, unanswered: "nobody", refused: "nobody" },
  ],
};

for (const [mechanism, cases] of Object.entries(CASES)) {
  describeMeetings(mechanism, (meeting, serverLibrary) => {
    const roles = MECHANISMS[mechanism];

    // A handler stays for good, so those without one come first.
    for (const { zapDomain, zapEnforceDomain, unanswered } of cases) {
      it(`${nameOf(zapDomain, zapEnforceDomain)}: ${unanswered} is let in without a handler`, async () => {
        const { server, client } = await meeting.join(
          { ...roles.server, ...domainOf(zapDomain), zapEnforceDomain },
          roles.client,
        );
        if (unanswered === "nobody") {
          await begins(server, "bind", "accept", "handshake:error:other EFAULT");
          return;
        }
        await client.send("hello");
        await server.receive();
        await begins(server, "bind", "accept", "handshake");
      });
    }

    it("a handler that comes later is asked about those who come after it", async () => {
      const options = { ...roles.server, zapDomain: "here", zapEnforceDomain: true };
      // libzmq may leave a peer whom nobody lets in to its handshake's deadline; wasmq must not come to it.
      const handshakeInterval = serverLibrary === "wasmq" ? 10_000 : 300;
      const { server, client } = await meeting.join(
        { ...options, handshakeInterval },
        roles.client,
      );
      await begins(server, "bind", "accept", "handshake:error:other EFAULT");
      await meeting.server.handleZap(zapRule());
      await tells(client, "handshake");
      await client.send("hello");
      await server.receive();
    });

    for (const { zapDomain, zapEnforceDomain, refused } of cases) {
      it(`${nameOf(zapDomain, zapEnforceDomain)}: ${refused} is let in when the handler refuses`, async () => {
        await meeting.server.handleZap(zapRule({ status: "400" }));
        const { server, client } = await meeting.join(
          { ...roles.server, ...domainOf(zapDomain), zapEnforceDomain },
          roles.client,
        );
        if (refused === "nobody") {
          await begins(server, "bind", "accept", "handshake:error:auth 400", /^disconnect/);
        } else {
          await client.send("hello");
          await server.receive();
          await begins(server, "bind", "accept", "handshake");
        }
        const domains = (await meeting.server.zapRequests()).map((frames) => textOf(frames[2]));
        assertEquals(domains, refused === "nobody" ? [zapDomain] : []);
      });
    }

    it("a handler that never answers leaves the client to the handshake's deadline", async () => {
      await meeting.server.handleZap({ reply: null });
      const { server, client } = await meeting.join(
        { ...roles.server, zapDomain: "here", handshakeInterval: 150 },
        { ...roles.client, handshakeInterval: 0 },
      );
      // libzmq tells whatever error it had last.
      const tooLate = serverLibrary === "wasmq"
        ? "handshake:error:other ETIMEDOUT"
        : /^handshake:error:other/;
      await begins(server, "bind", "accept", tooLate, /^disconnect/);
      await tells(client, "connect", 2);
      await meeting.server.handleZap(zapRule());
      await client.send("hello");
      await server.receive();
    });
  });
}

/** In the words of a test's name. */
function nameOf(domain: string, enforced: boolean): string {
  return `${domain === "" ? "without a domain" : "with a domain"}${enforced ? ", enforced" : ""}`;
}

/** zeromq.js takes no empty domain. */
function domainOf(zapDomain: string): { zapDomain?: string } {
  return zapDomain === "" ? {} : { zapDomain };
}
