// Names and passwords that a handler does not know: what both sides say, and whether the client goes on.

import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertFrames, textsOf } from "../_util/bytes.ts";
import {
  begins,
  cannotBothServe,
  describeMeetings,
  isGivenUp,
} from "../_util/security_meetings.ts";
import { ROLES, zapRule } from "../_util/security_options.ts";
import { inShort, tells } from "../_util/security_stage.ts";

const { server: SERVER, client: CLIENT } = ROLES.PLAIN;
const KNOWN = zapRule({ when: { mechanism: "PLAIN", credentials: ["admin", "secret"] } });
const NOBODY = zapRule({ status: "400", text: "No access" });
const LONGEST = "x".repeat(255);

describeMeetings("PLAIN", (meeting, serverLibrary, clientLibrary) => {
  // libzmq's PLAIN client knows ERROR only as its own server misspells it.
  const told = serverLibrary === "wasmq" && clientLibrary === "libzmq"
    ? "handshake:error:protocol ERR_ZMTP_UNEXPECTED_COMMAND"
    : "handshake:error:auth 400";
  const wrong = {
    "a wrong password": { ...CLIENT, plainPassword: "Secret" },
    "a wrong name": { ...CLIENT, plainUsername: "root" },
    // libzmq takes no empty password.
    ...(clientLibrary === "wasmq" && {
      "an empty password": { ...CLIENT, plainPassword: "" },
    }),
    "name and password that add up to the same": {
      plainUsername: "admins",
      plainPassword: "ecret",
    },
  };

  for (const [what, options] of Object.entries(wrong)) {
    it(`${what} is refused, and the client gives up`, async () => {
      await meeting.server.handleZap(KNOWN, NOBODY);
      const { server, client } = await meeting.join(SERVER, options);
      await begins(server, "bind", "accept", "handshake:error:auth 400", /^disconnect/);
      await begins(client, "connect:delay", "connect", told, /^disconnect/);
      await isGivenUp(client);
      if (clientLibrary === "libzmq") return;
      assertEquals((await meeting.server.zapRequests()).length, 1);
    });
  }

  // One of libzmq's sometimes goes on beside it, and then what it sends may wait for that.
  if (clientLibrary === "wasmq") {
    it("a client that was refused comes in with the right password", async () => {
      await meeting.server.handleZap(KNOWN, NOBODY);
      const { server, client, endpoint } = await meeting.join(SERVER, wrong["a wrong password"]);
      await tells(client, told);
      await isGivenUp(client);
      await client.set("plainPassword", "secret");
      await client.connect(endpoint);
      await client.send("hello");
      assertFrames(await server.receive(), ["hello"]);
    });
  }

  for (
    const [what, username, password] of [
      ["long", LONGEST, LONGEST.toUpperCase()],
      ["without a password", "admin", ""],
      ["not of ASCII", "Käthe", "пароль"],
    ]
  ) {
    if (password === "" && clientLibrary === "libzmq") continue;
    it(`credentials that are ${what} reach the handler as they are`, async () => {
      await meeting.server.handleZap(
        zapRule({ when: { credentials: [username, password] } }),
        NOBODY,
      );
      const { server, client } = await meeting.join(SERVER, {
        plainUsername: username,
        plainPassword: password,
      });
      await client.send("hello");
      assertFrames(await server.receive(), ["hello"]);
      const [request] = await meeting.server.zapRequests();
      assertEquals(textsOf(request.slice(5)), ["PLAIN", username, password]);
    });
  }

  it("two clients do not understand each other", async () => {
    const { server, client } = await meeting.join(CLIENT, CLIENT);
    const unexpected = /^handshake:error:(protocol ERR_ZMTP_UNEXPECTED_COMMAND|other)/;
    await begins(server, "bind", "accept", unexpected);
    await begins(client, "connect:delay", "connect", unexpected, /^disconnect/);
    const events = [...await server.eventLog(), ...await client.eventLog()].map(inShort);
    assertEquals(events.filter((event) => event === "handshake"), []);
    assertEquals(events.some((event) => event.endsWith("ERR_ZMTP_UNEXPECTED_COMMAND")), true);
  });

  it("two servers do not understand each other", async () => {
    for (const stage of [meeting.server, meeting.client]) await stage.handleZap(KNOWN);
    const options = { ...SERVER, handshakeInterval: 150 };
    const { server, client } = await meeting.join(options, options);
    await cannotBothServe(server, client, serverLibrary === "wasmq" && clientLibrary === "wasmq");
  });
});
