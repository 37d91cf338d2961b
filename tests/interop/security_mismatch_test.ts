// Two sockets with different mechanisms never understand each other: at least one of them says why, and neither is harmed.

import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertFrames } from "../_util/bytes.ts";
import { eventually } from "../_util/deadline.ts";
import { describeMeetings } from "../_util/security_meetings.ts";
import { ROLES, zapRule } from "../_util/security_options.ts";
import { inShort } from "../_util/security_stage.ts";

const SERVERS = { NULL: {}, PLAIN: ROLES.PLAIN.server, CURVE: ROLES.CURVE.server } as const;
const CLIENTS = { NULL: {}, PLAIN: ROLES.PLAIN.client, CURVE: ROLES.CURVE.client } as const;
const MISMATCH = "handshake:error:protocol ERR_ZMTP_MECHANISM_MISMATCH";
type Name = keyof typeof SERVERS;

describeMeetings("mechanisms that differ", (meeting) => {
  for (const wanted of Object.keys(SERVERS) as Name[]) {
    for (const offered of Object.keys(CLIENTS) as Name[]) {
      if (wanted === offered) continue;
      it(`the server's is ${wanted}, the client's ${offered}`, async () => {
        await meeting.server.handleZap(zapRule());
        const { server, client, endpoint } = await meeting.join(SERVERS[wanted], CLIENTS[offered]);
        let told: string[][] = [];
        await eventually(
          async () => {
            told = [(await server.eventLog()).map(inShort), (await client.eventLog()).map(inShort)];
            return told.every((events) => events.some((event) => event.includes(":error:")));
          },
          10_000,
          "both tell of an error",
        );
        // Who closes first keeps the other from reading why.
        for (const event of told.flat()) {
          assert(
            !event.includes(":error:") || event === MISMATCH || event.includes(":other"),
            event,
          );
        }
        assert(told.flat().includes(MISMATCH), told.join());
        assertEquals(told.flat().filter((event) => event === "handshake"), []);
        // A client that has the right mechanism comes in beside it.
        const friend = await meeting.client.open("Push", CLIENTS[wanted]);
        try {
          await friend.connect(endpoint);
          await friend.send("hello");
          assertFrames(await server.receive(), ["hello"]);
        } finally {
          await friend.close();
        }
      });
    }
  }
});
