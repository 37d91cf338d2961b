import { assertEquals, assertStringIncludes } from "@std/assert";
import { after, afterEach, before, it } from "@std/testing/bdd";
import { textOf } from "../_util/bytes.ts";
import { Chromium, describeInChromium, type OpenPage } from "../_util/chromium.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { RawServer } from "../_util/raw_peer.ts";
import {
  bodied,
  CONTINUATION,
  PING,
  PONG,
  RawWebSocket,
  readying,
  TEXT,
} from "../_util/raw_web_socket.ts";

const LONG_MS = 30_000;

describeInChromium("A page and a server by hand", () => {
  let browser: Chromium;
  let page: OpenPage;
  let server: RawServer;
  const cleanup = new Cleanup();
  before(async () => {
    browser = await Chromium.start();
  });
  afterEach(async () => {
    await page.close();
    await cleanup.run();
  });
  after(() => browser.stop());

  /** The page's DEALER connects; the server's side of that. */
  async function dealing(protocol: string): Promise<RawWebSocket> {
    server = cleanup.add(await RawServer.listen());
    page = await browser.open();
    await page.run(({ Dealer }, at) => {
      const dealer = new Dealer({
        maxMessageSize: 100,
        reconnectInterval: 10,
        routingId: "page",
      });
      const ends: string[] = [];
      dealer.events.on(
        "disconnect",
        ({ error }) => ends.push(`${error?.code} ${error?.message}`),
      );
      const heard: string[] = [];
      void (async () => {
        for await (const parts of dealer) heard.push(parts.join("|"));
      })();
      dealer.connect(at);
      Object.assign(globalThis, { ends, heard });
    }, server.endpoint.replace("tcp", "ws"));
    const { webSocket, request } = await RawWebSocket.accept(await server.accept(), protocol);
    assertStringIncludes(request.join("\n"), "ZWS2.0-NULL, ZWS2.0");
    return webSocket;
  }

  /** As `dealing`, when both sides have said who they are. */
  async function ready(): Promise<RawWebSocket> {
    const webSocket = await dealing("ZWS2.0-NULL");
    webSocket.send(readying("DEALER"));
    assertEquals(textOf((await webSocket.next()).payload.subarray(0, 7)), "\x02\x05READY");
    return webSocket;
  }

  async function said(what: "ends" | "heard"): Promise<string[]> {
    return await page.page.evaluate<string[]>(what);
  }

  async function hears(message: string): Promise<void> {
    await eventually(async () => (await said("heard")).includes(message), LONG_MS, message);
  }

  it("speaks plain ZWS 2.0, with routing ids (ZWS2-HS-05, ZWS2-NONE-01)", async () => {
    const webSocket = await dealing("ZWS2.0");
    webSocket.send(bodied(0, "server"));
    assertEquals(textOf((await webSocket.next()).payload), "\x00page");
    webSocket.say("hello", "world");
    await hears("hello|world");
  });

  it("takes fragments, and answers pings between them (ZWS2-FRAME-03)", async () => {
    const webSocket = await ready();
    webSocket.send(bodied(0, "he"), { fin: false });
    webSocket.send("", { opcode: PING });
    webSocket.send("llo", { opcode: CONTINUATION });
    await hears("hello");
    assertEquals((await webSocket.next()).opcode, PONG);
  });

  const faults: Readonly<
    Record<
      string,
      readonly [payload: Uint8Array | string, opcode: number, code: number, says: string]
    >
  > = {
    "text (ZWS2-FRAME-01)": ["hello", TEXT, 4003, "a text message"],
    "an empty message (ZWS2-FRAME-02)": [new Uint8Array(0), 2, 4002, "without a flag octet"],
    "an unknown flag": [bodied(9, "x"), 2, 4002, "flag octet 9"],
    "a message that is too long": [bodied(0, "x".repeat(101)), 2, 4009, "101"],
  };
  for (const [what, [payload, opcode, code, says]] of Object.entries(faults)) {
    it(`ends the connection for ${what}, and gives that server up`, async () => {
      const webSocket = await ready();
      webSocket.say("before");
      webSocket.send(payload, { opcode });
      assertEquals((await webSocket.untilClose()).code, code);
      await hears("before");
      await eventually(async () => (await said("ends")).length > 0, LONG_MS, "its end is told");
      const ends = await said("ends");
      assertEquals(ends.length, 1);
      assertStringIncludes(ends[0], says);
    });
  }

  it("connects again after a server that closed in peace, and one that was lost", async () => {
    const first = await ready();
    await first.part();
    const { webSocket: second } = await RawWebSocket.accept(
      await server.accept(),
      "ZWS2.0-NULL",
    );
    second.send(readying("DEALER"));
    second.say("again");
    await hears("again");
    second.connection.destroy();
    const { webSocket: third } = await RawWebSocket.accept(
      await server.accept(),
      "ZWS2.0-NULL",
    );
    third.send(readying("DEALER"));
    third.say("and again");
    await hears("and again");
    const ends = await said("ends");
    assertEquals(ends[0], "undefined undefined");
    assertStringIncludes(ends[1], "ECONNRESET The WebSocket was lost");
  });
});
