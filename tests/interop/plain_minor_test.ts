// Scripted PLAIN peers of ZMTP 3.0 and 3.1, against our sockets and, as the reference, against libzmq's.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { assertFrames, textOf, toHex, utf8 } from "../_util/bytes.ts";
import { concat, pattern } from "../_util/octets.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { command, greeting, message, ready, takeFrame, takeMessage } from "../_util/raw_zmtp.ts";
import { property, ROLES, zapRule } from "../_util/security_options.ts";
import { type Library, openStage, type Stage, tells } from "../_util/security_stage.ts";

const LONG = [pattern(70_000, 1), pattern(3), pattern(256, 2), pattern(0)];

for (const library of ["libzmq", "wasmq"] as const) {
  for (const minor of [0, 1]) {
    describe(`a PLAIN peer of ZMTP 3.${minor} with ${library}`, () => testPeer(library, minor));
  }
}

function testPeer(library: Library, minor: number): void {
  let stage: Stage;
  let listener: RawServer | undefined;
  let connection: RawConnection;
  afterEach(async () => {
    connection.destroy();
    listener?.close();
    listener = undefined;
    await stage.stop();
  });

  const greet = async (): Promise<void> => {
    const octets = greeting("PLAIN");
    octets[11] = minor;
    connection.send(octets);
    assertEquals(textOf((await connection.take(64)).subarray(12, 17)), "PLAIN");
  };
  const takeCommand = async (): Promise<string> => {
    const { command, body } = await takeFrame(connection);
    assertEquals(command, true);
    return textOf(body.subarray(1, 1 + body[0]));
  };
  const asClient = async (type: string): Promise<void> => {
    await greet();
    const credential = (text: string): Uint8Array => concat(Uint8Array.of(text.length), utf8(text));
    connection.send(command("HELLO", concat(credential("admin"), credential("secret"))));
    assertEquals(await takeCommand(), "WELCOME");
    connection.send(command("INITIATE", property("Socket-Type", type)));
    assertEquals(await takeCommand(), "READY");
  };
  const asServer = async (type: string): Promise<void> => {
    await greet();
    const hello = await takeFrame(connection);
    assertEquals(toHex(hello.body.subarray(6)), toHex(utf8("\x05admin\x06secret")));
    connection.send(command("WELCOME"));
    assertEquals(await takeCommand(), "INITIATE");
    connection.send(ready(type));
  };

  it("as a DEALER client talks to a ROUTER", async () => {
    stage = openStage(library);
    await stage.handleZap(zapRule());
    const router = await stage.open("Router", ROLES.PLAIN.server);
    connection = await dial(await router.bind());
    await asClient("DEALER");
    connection.send(message("hello", "world"), message(...LONG));
    const [id, ...hello] = await router.receive();
    assertFrames(hello, ["hello", "world"]);
    assertFrames((await router.receive()).slice(1), LONG);
    await router.send(id, ...LONG);
    assertFrames(await takeMessage(connection), LONG);
  });

  it("as a REP server answers a REQ", async () => {
    stage = openStage(library);
    listener = await RawServer.listen();
    const request = await stage.open("Request", ROLES.PLAIN.client);
    await request.connect(listener.endpoint);
    connection = await listener.accept();
    await asServer("REP");
    await request.send("question");
    assertFrames(await takeMessage(connection), ["", "question"]);
    connection.send(message("", "answer"));
    assertFrames(await request.receive(), ["answer"]);
  });

  it("as a SUB client is served by an XPUB", async () => {
    stage = openStage(library);
    await stage.handleZap(zapRule());
    const publisher = await stage.open("XPublisher", ROLES.PLAIN.server);
    connection = await dial(await publisher.bind());
    await asClient("SUB");
    if (minor === 0) connection.send(message("\x01topic"));
    else connection.send(command("SUBSCRIBE", utf8("topic")));
    assertFrames(await publisher.receive(), ["\x01topic"]);
    await publisher.send("other", "no");
    await publisher.send("topic", "yes");
    assertFrames(await takeMessage(connection), ["topic", "yes"]);
  });

  it("as a PUB server is asked in its own minor version's form", async () => {
    stage = openStage(library);
    listener = await RawServer.listen();
    const subscriber = await stage.open("Subscriber", ROLES.PLAIN.client);
    await subscriber.connect(listener.endpoint);
    connection = await listener.accept();
    await asServer("PUB");
    await tells(subscriber, "handshake");
    await subscriber.subscribe("topic");
    const { command, body } = await takeFrame(connection);
    assertEquals(
      [command, textOf(body)],
      minor === 0 ? [false, "\x01topic"] : [true, "\x09SUBSCRIBEtopic"],
    );
    connection.send(message("topic", "body"));
    assertFrames(await subscriber.receive(), ["topic", "body"]);
  });

  for (
    const [spelling, octets] of [
      ["rightly", command("ERROR", utf8("\x03400"))],
      ["as libzmq does", Uint8Array.of(4, 9, 0x5e, ...utf8("RROR\x03400"))],
    ] as const
  ) {
    it(`PLAIN-X-03: as a server refuses the client, ERROR spelt ${spelling}`, async () => {
      stage = openStage(library);
      listener = await RawServer.listen();
      const push = await stage.open("Push", { ...ROLES.PLAIN.client, reconnectInterval: 20 });
      await push.connect(listener.endpoint);
      connection = await listener.accept();
      await greet();
      await takeFrame(connection);
      connection.send(octets);
      // libzmq knows only its own spelling.
      const isUnknown = library === "libzmq" && spelling === "rightly";
      const told = await tells(
        push,
        isUnknown
          ? "handshake:error:protocol ERR_ZMTP_UNEXPECTED_COMMAND"
          : "handshake:error:auth 400",
      );
      await tells(push, "disconnect");
      assertEquals(told.includes("connect:retry"), false);
      assertEquals(listener.count, 1);
    });
  }
}
