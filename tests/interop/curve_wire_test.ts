// CURVE as it goes over the wire: what can be seen without a key is the same whoever is the server and whoever the client.

import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { textOf, toHex } from "../_util/bytes.ts";
import { eventually } from "../_util/deadline.ts";
import { describeMeetings } from "../_util/security_meetings.ts";
import { ROLES, zapRule } from "../_util/security_options.ts";
import type { PeerOptions } from "../_util/peer.ts";
import { type Direction, Tap, type TappedConnection } from "../_util/security_tap.ts";

/** Both sides announce Socket-Type and Identity. */
const METADATA = 35;
const COMMAND = 4;
const LONG = 2;
/** Where the short nonce is in the commands that have one. */
const NONCE_AT: Readonly<Record<string, number>> = {
  HELLO: 112,
  INITIATE: 105,
  READY: 6,
  MESSAGE: 8,
};

/** Of each frame the flags, the name, the size and the counting nonce. */
function outlines(direction: Direction): (string | number)[][] {
  return direction.frames.map(({ flags, body }) => {
    const name = textOf(body.subarray(1, 1 + body[0]));
    const at = NONCE_AT[name];
    const nonce = at === undefined
      ? []
      : [Number(new DataView(body.buffer, body.byteOffset + at).getBigUint64(0))];
    return [flags, name, body.length, ...nonce];
  });
}

describeMeetings("CURVE on the wire", (meeting, serverLibrary) => {
  async function tapped(
    sizes: readonly number[],
    server: PeerOptions = ROLES.CURVE.server,
    refused = false,
  ): Promise<TappedConnection> {
    const router = await meeting.server.open("Router", server);
    const dealer = await meeting.client.open("Dealer", {
      ...ROLES.CURVE.client,
      reconnectInterval: 10_000,
    });
    const tap = await Tap.on(await router.bind());
    try {
      await dealer.connect(tap.endpoint);
      const connection = await tap.accept();
      if (!refused) {
        await dealer.send(...sizes.map((size) => new Uint8Array(size)));
        const [id, ...frames] = await router.receive();
        await router.send(id, ...frames);
        await dealer.receive();
      }
      const count = 2 + (refused ? 0 : sizes.length);
      await eventually(
        () => connection.fromServer.frames.length >= count,
        10_000,
        "the server's frames",
      );
      return connection;
    } finally {
      await Promise.all([dealer.close(), router.close()]);
      tap.close();
    }
  }

  it("CURVE-SEQ-01, CURVE-NONCE-01, CURVE-MSG-09: the handshake and messages of all kinds", async () => {
    const { fromClient, fromServer } = await tapped([5, 0, 222, 223, 70_000]);
    assertEquals(outlines(fromClient), [
      [COMMAND, "HELLO", 200, 1],
      [COMMAND | LONG, "INITIATE", 257 + METADATA, 2],
      [0, "MESSAGE", 33 + 5, 3],
      [0, "MESSAGE", 33 + 0, 4],
      [0, "MESSAGE", 33 + 222, 5],
      [LONG, "MESSAGE", 33 + 223, 6],
      [LONG, "MESSAGE", 33 + 70_000, 7],
    ]);
    assertEquals(outlines(fromServer), [
      [COMMAND, "WELCOME", 168],
      [COMMAND, "READY", 30 + METADATA, 1],
      [0, "MESSAGE", 33 + 5, 2],
      [0, "MESSAGE", 33 + 0, 3],
      [0, "MESSAGE", 33 + 222, 4],
      [LONG, "MESSAGE", 33 + 223, 5],
      [LONG, "MESSAGE", 33 + 70_000, 6],
    ]);
    const [hello, initiate] = fromClient.frames;
    const [welcome] = fromServer.frames;
    assertEquals(toHex(hello.body.subarray(6, 80)), `0100${"00".repeat(72)}`);
    assert(welcome.body.length > 0 && initiate.body.length > 0);
    for (const { greeting } of [fromClient, fromServer]) {
      assertEquals(textOf(greeting.subarray(12, 17)), "CURVE");
      assertEquals(toHex(greeting.subarray(17, 32)), "00".repeat(15));
    }
    // libzmq never says that it is the server.
    assertEquals(fromClient.greeting[32], 0);
    assertEquals(fromServer.greeting[32], serverLibrary === "wasmq" ? 1 : 0);
  });

  it("CURVE-KEY-01, CURVE-NONCE-08: nothing of two connections is the same", async () => {
    const [one, two] = [await tapped([32]), await tapped([32])];
    const boxes = ({ fromClient, fromServer }: TappedConnection): Set<string> =>
      new Set([...fromClient.frames, ...fromServer.frames].flatMap(({ body }) => [
        toHex(body.subarray(-48)),
        // Transient keys and long nonces.
        ...(body.length === 200 ? [toHex(body.subarray(80, 112))] : []),
        ...(body.length === 168 ? [toHex(body.subarray(8, 24))] : []),
      ]));
    const both = boxes(one).intersection(boxes(two));
    assertEquals([...both], []);
  });

  it("CURVE-SEQ-02, CURVE-ERR-05: an ERROR in place of READY", async () => {
    await meeting.server.handleZap(zapRule({ status: "400", text: "No access" }));
    const { fromClient, fromServer } = await tapped([], undefined, true);
    assertEquals(outlines(fromClient).map(([, name]) => name), ["HELLO", "INITIATE"]);
    assertEquals(toHex(fromServer.frames[1].octets), "040a054552524f5203343030");
  });
});
