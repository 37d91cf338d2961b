// PLAIN as it goes over the wire, octet by octet: whoever is the server and whoever the client, it is the same.

import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { fromHex, textOf, toHex } from "../_util/bytes.ts";
import { eventually } from "../_util/deadline.ts";
import { frame } from "../_util/raw_zmtp.ts";
import { describeMeetings, type Meeting } from "../_util/security_meetings.ts";
import { ROLES, zapRule } from "../_util/security_options.ts";
import { Tap, type TappedConnection } from "../_util/security_tap.ts";

// The vectors of the specification that libzmq was seen to send, by their numbers there.
const GV_P_01 = "04 13 05 48454c4c4f 05 61646d696e 06 736563726574";
const GV_P_02 = "04 08 05 48454c4c4f 00 00";
const GV_P_03 = "04 08 07 57454c434f4d45";
const GV_P_04 = "04 2c 08 494e495449415445 0b 536f636b65742d54797065 00000006 4445414c4552" +
  "08 4964656e74697479 00000000";
const GV_P_05 = "04 29 05 5245414459 0b 536f636b65742d54797065 00000006 524f55544552" +
  "08 4964656e74697479 00000000";
const GV_P_06 = "04 0a 05 4552524f52 03 343030";
const GV_P_07 = "04 09 5e 52524f52 03 343030";

const hex = (...vectors: string[]): string[] => vectors.map((vector) => toHex(fromHex(vector)));
const sent = (frames: TappedConnection["fromClient"]): string[] =>
  frames.frames.map(({ octets }) => toHex(octets));

describeMeetings("PLAIN on the wire", (meeting, serverLibrary, clientLibrary) => {
  /** What goes between a ROUTER and a DEALER until both directions have so many frames. */
  async function tapped(
    [fromClient, fromServer]: readonly [number, number],
    client: Parameters<Meeting["join"]>[1] = ROLES.PLAIN.client,
    talk: (say: (text: string) => Promise<void>) => Promise<void> = () => Promise.resolve(),
  ): Promise<TappedConnection> {
    const router = await meeting.server.open("Router", ROLES.PLAIN.server);
    const dealer = await meeting.client.open("Dealer", { ...client, reconnectInterval: 10_000 });
    const tap = await Tap.on(await router.bind());
    try {
      await dealer.connect(tap.endpoint);
      const connection = await tap.accept();
      await talk(async (text) => {
        await dealer.send(text);
        const [id, body] = await router.receive();
        await router.send(id, `${textOf(body)} back`);
        await dealer.receive();
      });
      await eventually(
        () =>
          connection.fromClient.frames.length >= fromClient &&
          connection.fromServer.frames.length >= fromServer,
        10_000,
        "the frames of the handshake",
      );
      return connection;
    } finally {
      await Promise.all([dealer.close(), router.close()]);
      tap.close();
    }
  }

  it("PLAIN-SEQ-03, PLAIN-SEQ-04, PLAIN-MSG-01: the handshake and the messages after it", async () => {
    await meeting.server.handleZap(zapRule());
    const { fromClient, fromServer } = await tapped([3, 3], undefined, (say) => say("hello"));
    const [hello, ...rest] = sent(fromClient);
    assertEquals([hello, ...rest], [...hex(GV_P_01, GV_P_04), toHex(frame("hello"))]);
    assertEquals(sent(fromServer), [...hex(GV_P_03, GV_P_05), toHex(frame("hello back"))]);
    for (const { greeting } of [fromClient, fromServer]) {
      assertEquals(textOf(greeting.subarray(12, 17)), "PLAIN");
      assertEquals(toHex(greeting.subarray(17, 32)), "00".repeat(15));
    }
    // libzmq never says that it is the server.
    assertEquals(fromClient.greeting[32], 0);
    assertEquals(fromServer.greeting[32], serverLibrary === "wasmq" ? 1 : 0);
  });

  if (clientLibrary === "wasmq") {
    it("no name and no password", async () => {
      await meeting.server.handleZap(zapRule());
      const nobody = { plainUsername: "", plainPassword: "" };
      const { fromClient } = await tapped([2, 2], nobody);
      assertEquals(sent(fromClient), hex(GV_P_02, GV_P_04));
    });
  }

  it("PLAIN-X-04: an ERROR, which libzmq misspells", async () => {
    await meeting.server.handleZap(zapRule({ status: "400", text: "No access" }));
    const { fromClient, fromServer } = await tapped([1, 1]);
    assertEquals(sent(fromClient), hex(GV_P_01));
    assertEquals(sent(fromServer), hex(serverLibrary === "wasmq" ? GV_P_06 : GV_P_07));
  });
});
