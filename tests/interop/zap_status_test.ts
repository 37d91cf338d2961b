// What each answer of a ZAP handler leads to, on both sides and for every mechanism.

import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertFrames } from "../_util/bytes.ts";
import {
  begins,
  CLOSED_EARLY,
  describeMeetings,
  goesOn,
  isGivenUp,
} from "../_util/security_meetings.ts";
import { ROLES, type Roles, zapRule } from "../_util/security_options.ts";
import { inShort, tells } from "../_util/security_stage.ts";

/** NULL asks only for a domain. */
const CASES: Readonly<Record<string, Roles>> = {
  NULL: { server: { zapDomain: "test" }, client: {} },
  ...ROLES,
};

for (const [mechanism, { server: serverOptions, client: clientOptions }] of Object.entries(CASES)) {
  describeMeetings(mechanism, (meeting, serverLibrary, clientLibrary) => {
    it("200 lets the client in", async () => {
      await meeting.server.handleZap(zapRule());
      const { server, client } = await meeting.join(serverOptions, clientOptions);
      await client.send("hello");
      assertFrames(await server.receive(), ["hello"]);
      await begins(server, "bind", "accept", "handshake");
      await begins(client, "connect:delay", "connect", "handshake");
      assertEquals((await meeting.server.zapRequests()).length, 1);
    });

    for (const status of ["400", "500"]) {
      it(`ZAP-X-03: ${status} is told to the client, which gives up`, async () => {
        await meeting.server.handleZap(zapRule({ status, text: "No access" }));
        const { server, client } = await meeting.join(serverOptions, clientOptions);
        const refusal = `handshake:error:auth ${status}`;
        await begins(server, "bind", "accept", refusal, /^disconnect/);
        // libzmq's PLAIN client knows ERROR only as its own server misspells it.
        const isUnknown = mechanism === "PLAIN" && serverLibrary === "wasmq" &&
          clientLibrary === "libzmq";
        await begins(
          client,
          "connect:delay",
          "connect",
          isUnknown ? "handshake:error:protocol ERR_ZMTP_UNEXPECTED_COMMAND" : refusal,
          /^disconnect/,
        );
        await isGivenUp(client);
        if (clientLibrary === "libzmq") return;
        assertEquals((await meeting.server.zapRequests()).length, 1);
      });
    }

    it("ZAP-X-03, CURVE-ERR-06: 300 is told to nobody, and the client goes on", async () => {
      await meeting.server.handleZap(zapRule({ status: "300", text: "Later" }));
      // libzmq leaves the connection to its handshake's deadline; wasmq must not come to it.
      const handshakeInterval = serverLibrary === "wasmq" ? 10_000 : 300;
      const { server, client } = await meeting.join(
        { ...serverOptions, handshakeInterval },
        { ...clientOptions, handshakeInterval: 0 },
      );
      await begins(server, "bind", "accept", "handshake:error:auth 300");
      await begins(client, ...CLOSED_EARLY);
      await goesOn(client);
      // Nothing but the handler's mind has to change.
      await meeting.server.handleZap(zapRule());
      await tells(client, "handshake");
      await client.send("hello");
      await server.receive();
      const ends = (await server.eventLog()).map(inShort).filter((event) => event === "handshake");
      assertEquals(ends.length, 1);
    });

    // libzmq's goes on after 400 and 500 as well, but after 300 not always.
    for (const status of serverLibrary === "wasmq" ? ["300", "400", "500"] : []) {
      it(`${status} does not keep a server that connects from coming again`, async () => {
        await meeting.server.handleZap(zapRule({ status, text: "Not now" }));
        const client = await meeting.client.open("Push", {
          ...clientOptions,
          handshakeInterval: 0,
        });
        const server = await meeting.server.open("Pull", {
          ...serverOptions,
          reconnectInterval: 20,
        });
        try {
          await server.connect(await client.bind());
          await tells(server, `handshake:error:auth ${status}`, 2);
          await meeting.server.handleZap(zapRule());
          await client.send("hello");
          assertFrames(await server.receive(), ["hello"]);
        } finally {
          await Promise.all([server.close(), client.close()]);
        }
      });
    }
  });
}
