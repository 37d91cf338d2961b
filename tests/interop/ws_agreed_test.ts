// Servers that agree on ZWS2.0/NULL because it is offered first, and what they speak then: plain ZWS2.0, as jszmq, or NULL.

import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Context, Dealer } from "../../mod.ts";
import { assertFrames, textOf, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause, within } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { bodied, RawWebSocket, readying } from "../_util/raw_web_socket.ts";

const WAIT_MS = 30_000;

describe("A socket whose server agreed on ZWS2.0/NULL", () => {
  const cleanup = new Cleanup();
  let dealer: Dealer;
  let log: EventLog;
  let server: RawWebSocket;
  beforeEach(async () => {
    const listener = cleanup.add(await RawServer.listen());
    dealer = cleanup.add(
      new Dealer({ context: new Context(), routingId: "our name", receiveTimeout: WAIT_MS }),
    );
    log = new EventLog(dealer);
    dealer.connect(listener.endpoint.replace("tcp", "ws"));
    server = (await RawWebSocket.accept(await listener.accept(), "ZWS2.0/NULL")).webSocket;
  });
  afterEach(() => cleanup.run());

  it("says its READY to one that waits for it (ZWS2-MECH-01)", async () => {
    const { payload } = await within(server.next(), WAIT_MS, "a READY");
    assertEquals(textOf(payload.subarray(0, 7)), "\x02\x05READY");
    server.send(readying("ROUTER"));
    await dealer.send("asked");
    assertFrames(await server.hear(), ["asked"]);
    server.say("answered");
    assertFrames(await dealer.receive(), ["answered"]);
  });

  it("says its routing id, and nothing else, to one that begins with its own", async () => {
    server.send(bodied(0, "its name"));
    assertFrames(await within(server.hear(), WAIT_MS, "a routing id"), ["our name"]);
    server.say("more", "than one part");
    assertFrames(await dealer.receive(), ["more", "than one part"]);
    await dealer.send("answered");
    assertFrames(await server.hear(), ["answered"]);
    assertEquals((await log.next("handshake")).protocol, "ZWS2.0");
  });

  for (const [what, first] of [["routing id", bodied(0, "")], ["READY", readying("ROUTER")]]) {
    it(`takes the ${what} of its server octet by octet`, async () => {
      for (const octet of server.frame(first)) {
        server.connection.send(Uint8Array.of(octet));
        await pause(0);
      }
      server.say("hello");
      assertFrames(await dealer.receive(), ["hello"]);
    });
  }

  for (
    const [what, flag, body] of [
      ["a message of several frames", 1, utf8("part")],
      ["more than 255 octets", 0, new Uint8Array(256)],
    ] as const
  ) {
    it(`ends a server that begins with ${what} (ZWS2-NONE-01)`, async () => {
      server.send(bodied(flag, body));
      assertEquals((await server.untilClose()).code, 1002);
      assertEquals(codeOf(await log.next("handshake:error:protocol", WAIT_MS)), "ERR_WS_FRAME");
    });
  }
});
