// Keys that do not fit: what both sides say of them, and whether the client goes on.

import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertFrames } from "../_util/bytes.ts";
import {
  begins,
  cannotBothServe,
  CLOSED_EARLY,
  describeMeetings,
  goesOn,
  isGivenUp,
} from "../_util/security_meetings.ts";
import { CLIENT_KEYS, ROLES, SERVER_KEYS, zapRule } from "../_util/security_options.ts";
import { decodeZ85 } from "../../mod.ts";
import { inShort, tells } from "../_util/security_stage.ts";

const { server: SERVER, client: CLIENT } = ROLES.CURVE;

describeMeetings("CURVE", (meeting, serverLibrary, clientLibrary) => {
  it("CURVE-ERR-06: a client with the key of another server is turned away, and goes on", async () => {
    const { server, client } = await meeting.join(SERVER, {
      ...CLIENT,
      curveServerKey: CLIENT_KEYS.publicKey,
    });
    const refusal = "handshake:error:protocol ERR_ZMTP_CRYPTOGRAPHIC";
    await begins(server, "bind", "accept", refusal, /^disconnect/, "accept", refusal);
    await begins(client, ...CLOSED_EARLY);
    await goesOn(client);
  });

  it("a server with another secret key turns everybody away", async () => {
    const { server, client } = await meeting.join(
      { curveServer: true, curveSecretKey: CLIENT_KEYS.secretKey },
      CLIENT,
    );
    await begins(server, "bind", "accept", "handshake:error:protocol ERR_ZMTP_CRYPTOGRAPHIC");
    await begins(client, ...CLOSED_EARLY);
    await goesOn(client);
  });

  it("a client whose public key is not its own", async () => {
    const foreign = { ...CLIENT, curvePublicKey: SERVER_KEYS.publicKey };
    if (clientLibrary === "wasmq") {
      const told = await meeting.join(SERVER, foreign).then(() => "", (error) => error.code);
      assertEquals(told, "EINVAL", "we refuse to connect with it");
      return;
    }
    const { server, client } = await meeting.join(SERVER, foreign);
    const refusal = "handshake:error:protocol ERR_ZMTP_CRYPTOGRAPHIC";
    await begins(server, "bind", "accept", refusal, /^disconnect/, "accept", refusal);
    await begins(client, ...CLOSED_EARLY);
    await goesOn(client);
  });

  it("a client whose key the handler does not know gives up; another comes in", async () => {
    const known = decodeZ85(CLIENT_KEYS.publicKey);
    await meeting.server.handleZap(
      zapRule({ when: { mechanism: "CURVE", credentials: [known] }, userId: "joe" }),
      zapRule({ status: "400" }),
    );
    const { server, client: stranger, endpoint } = await meeting.join(SERVER, {
      ...CLIENT,
      curvePublicKey: SERVER_KEYS.publicKey,
      curveSecretKey: SERVER_KEYS.secretKey,
    });
    const refusal = "handshake:error:auth 400";
    await begins(server, "bind", "accept", refusal, /^disconnect/);
    await begins(stranger, "connect:delay", "connect", refusal, /^disconnect/);
    await isGivenUp(stranger);
    const friend = await meeting.client.open("Push", { ...CLIENT, linger: 0 });
    try {
      await friend.connect(endpoint);
      await friend.send("hello");
      assertFrames(await server.receive(), ["hello"]);
    } finally {
      await friend.close();
    }
  });

  // One of libzmq's sometimes goes on beside it, and then what it sends may wait for that.
  if (clientLibrary === "wasmq") {
    it("a client that gave up comes in when it connects with other keys", async () => {
      const known = decodeZ85(CLIENT_KEYS.publicKey);
      await meeting.server.handleZap(
        zapRule({ when: { credentials: [known] } }),
        zapRule({ status: "400" }),
      );
      const { server, client, endpoint } = await meeting.join(SERVER, {
        ...CLIENT,
        curvePublicKey: SERVER_KEYS.publicKey,
        curveSecretKey: SERVER_KEYS.secretKey,
      });
      await tells(client, "handshake:error:auth 400");
      await isGivenUp(client);
      await client.set("curvePublicKey", CLIENT_KEYS.publicKey);
      await client.set("curveSecretKey", CLIENT_KEYS.secretKey);
      await client.connect(endpoint);
      await client.send("hello");
      assertFrames(await server.receive(), ["hello"]);
    });
  }

  it("two clients do not understand each other", async () => {
    const { server, client } = await meeting.join(
      { ...CLIENT, curveServerKey: CLIENT_KEYS.publicKey },
      CLIENT,
    );
    const unexpected = /^handshake:error:(protocol ERR_ZMTP_UNEXPECTED_COMMAND|other)/;
    await begins(server, "bind", "accept", unexpected);
    await begins(client, "connect:delay", "connect", unexpected, /^disconnect/);
    const told = [...await server.eventLog(), ...await client.eventLog()].map(inShort);
    assertEquals(told.filter((event) => event === "handshake"), []);
    assertEquals(told.some((event) => event.endsWith("ERR_ZMTP_UNEXPECTED_COMMAND")), true);
  });

  it("two servers do not understand each other", async () => {
    const options = { ...SERVER, handshakeInterval: 150 };
    const { server, client } = await meeting.join(options, options);
    await cannotBothServe(server, client, serverLibrary === "wasmq" && clientLibrary === "wasmq");
  });
});
