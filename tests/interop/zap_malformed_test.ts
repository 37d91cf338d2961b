// Replies that a ZAP handler must not give: the server says which rule is broken and closes, the client learns nothing and
// tries again.

import { it } from "@std/testing/bdd";
import { concat } from "../_util/octets.ts";
import type { ZapRule } from "../_util/peer.ts";
import { begins, CLOSED_EARLY, describeMeetings, goesOn } from "../_util/security_meetings.ts";
import { property, ROLES, type Roles, zapRule } from "../_util/security_options.ts";
import { tells } from "../_util/security_stage.ts";

type Reply = NonNullable<ZapRule["reply"]>;

const MECHANISMS: Readonly<Record<string, Roles>> = {
  NULL: { server: { zapDomain: "test" }, client: {} },
  ...ROLES,
};
const TRUNCATED = property("X-Role", "admin").subarray(0, -1);

const BROKEN: Readonly<Record<string, readonly [code: string, reply: Reply]>> = {
  "of one frame": ["MALFORMED_REPLY", ["1.0"]],
  "without metadata": ["MALFORMED_REPLY", ["1.0", "id", "200", "OK", ""]],
  "with a frame too many": ["MALFORMED_REPLY", ["1.0", "id", "200", "OK", "", "", ""]],
  "of another version": ["BAD_VERSION", ["2.0", "id", "200", "OK", "", ""]],
  "without a version": ["BAD_VERSION", ["", "id", "200", "OK", "", ""]],
  "to another request": ["BAD_REQUEST_ID", ["1.0", "another", "200", "OK", "", ""]],
  "without a request id": ["BAD_REQUEST_ID", ["1.0", "", "200", "OK", "", ""]],
  "with an unknown status": ["INVALID_STATUS_CODE", ["1.0", "id", "700", "OK", "", ""]],
  "with a status close to 200": ["INVALID_STATUS_CODE", ["1.0", "id", "201", "OK", "", ""]],
  "with a status of two digits": ["INVALID_STATUS_CODE", ["1.0", "id", "20", "OK", "", ""]],
  "with a status of four digits": ["INVALID_STATUS_CODE", ["1.0", "id", "2000", "OK", "", ""]],
  "without a status": ["INVALID_STATUS_CODE", ["1.0", "id", "", "OK", "", ""]],
  "with truncated metadata": ["INVALID_METADATA", ["1.0", "id", "200", "OK", "joe", TRUNCATED]],
  "with metadata and more": [
    "INVALID_METADATA",
    ["1.0", "id", "200", "OK", "joe", concat(property("X-Role", "admin"), Uint8Array.of(1))],
  ],
};

for (const [mechanism, { server: serverRole, client: clientRole }] of Object.entries(MECHANISMS)) {
  describeMeetings(`${mechanism}, a reply`, (meeting, serverLibrary) => {
    for (const [what, [code, reply]] of Object.entries(BROKEN)) {
      it(`ZAP-REP-01, ZAP-REP-02, ZAP-REP-05: ${what} is ERR_ZAP_${code}`, async () => {
        await meeting.server.handleZap({ reply });
        const { server, client } = await meeting.join(
          { ...serverRole, handshakeInterval: 1_000 },
          clientRole,
        );
        const start = ["bind", "accept", `handshake:error:protocol ERR_ZAP_${code}`];
        await begins(server, ...start);
        // libzmq sometimes notices its own error at the next deadline only.
        if (serverLibrary === "wasmq") await begins(server, ...start, /^disconnect/);
        await begins(client, ...CLOSED_EARLY);
      });
    }

    it("that is right at last lets the client in", async () => {
      await meeting.server.handleZap({ reply: ["1.0"] });
      const { server, client } = await meeting.join(
        { ...serverRole, handshakeInterval: 1_000 },
        clientRole,
      );
      await goesOn(client);
      await meeting.server.handleZap(zapRule());
      await tells(client, "handshake");
      await client.send("hello");
      await server.receive();
    });
  });
}
