// What an HTTP server of the program's own hands to a socket and the socket must not let in, and what ends those that it
// let in: each is told why as the RFCs have it, the events tell it, and others are served as before.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Authenticator,
  type CommonOptions,
  Context,
  Dealer,
  Router,
  Stream,
  upgrade,
} from "../../mod.ts";
import { type AttachKind, attachKinds, type AttachServer } from "../_util/attach_servers.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, within } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { runtimeName } from "../_util/process.ts";
import { dial, type RawConnection } from "../_util/raw_peer.ts";
import { bodied, CLOSE, RawWebSocket, readying, takeHead, TEXT } from "../_util/raw_web_socket.ts";
import { type Fields, requestOf } from "../_util/upgrade.ts";

/** Longer than any machine takes for it. */
const WAIT_MS = 20_000;
const UPGRADE = "ERR_WS_UPGRADE";
const SUBPROTOCOL = "ERR_WS_SUBPROTOCOL";

const cleanup = new Cleanup();

/** A Router that sends everything back, on a server at `/zmq`. */
class Stage {
  readonly router: Router;
  readonly log: EventLog;
  readonly server: AttachServer;
  #good: Dealer | undefined;
  #count = 0;

  private constructor(router: Router, server: AttachServer) {
    this.router = router;
    this.log = new EventLog(router);
    this.server = server;
  }

  static async open(kind: AttachKind, options: Partial<CommonOptions> = {}): Promise<Stage> {
    const router = cleanup.add(new Router({ context: new Context(), ...options }));
    const stage = new Stage(router, await kind.serve({ "/zmq": router }));
    cleanup.add({ close: () => stage.close() });
    void stage.#echo();
    return stage;
  }

  async #echo(): Promise<void> {
    for await (const frames of this.router) await this.router.send(frames).catch(() => {});
  }

  async close(): Promise<void> {
    this.router.linger = 0;
    await this.router.close();
    await within(this.server.close(), WAIT_MS, "the server closes");
  }

  /** A connection that said a request but for these headers, and the lines of the answer. */
  async request(
    fields: Fields = {},
    method: string = "GET",
  ): Promise<{ peer: RawConnection; lines: string[] }> {
    const peer = cleanup.add(await dial(`tcp://127.0.0.1:${this.server.port}`));
    const host = `127.0.0.1:${this.server.port}`;
    peer.send(requestOf({ Host: host, ...fields }, `${method} /zmq HTTP/1.1`));
    return { peer, lines: await takeHead(peer) };
  }

  /** A peer past all handshakes. */
  async insider(): Promise<RawWebSocket> {
    const { peer, lines } = await this.request();
    assertMatch(lines[0], /^HTTP\/1\.1 101 /);
    const insider = new RawWebSocket(peer, true);
    insider.send(readying("DEALER"));
    assertEquals((await insider.next()).payload[0], 2);
    return insider;
  }

  /** Expects this status, and an event that says why. */
  async refuses(
    status: number,
    code: string,
    fields: Fields = {},
    method: string = "GET",
  ): Promise<string[]> {
    const { peer, lines } = await this.request(fields, method);
    assertMatch(lines[0], new RegExp(`^HTTP/1\\.1 ${status} [A-Z]`));
    peer.destroy();
    await this.tells("handshake:error:protocol", code);
    await this.serves();
    return lines;
  }

  /** The next event of the type that has an error has this one. */
  async tells(type: "handshake:error:protocol" | "disconnect", ...codes: string[]): Promise<void> {
    for (;;) {
      const event = await this.log.next(type, WAIT_MS);
      const code = codeOf(event);
      if (code === undefined && !codes.includes("")) continue;
      return assert(codes.includes(code ?? ""), `${type}: ${code}`);
    }
  }

  /** A good peer, who was there before, gets its answer. */
  async serves(): Promise<void> {
    if (this.#good === undefined) {
      this.#good = cleanup.add(new Dealer({ context: new Context(), linger: 0 }));
      this.#good.connect(`ws://127.0.0.1:${this.server.port}/zmq`);
    }
    const text = `good ${this.#count++}`;
    await this.#good.send(text);
    assertEquals((await within(this.#good.receive(), WAIT_MS, "an answer")).map(String), [text]);
  }
}

/** The other side ends the connection: by a close frame, unless a server of the runtime's just drops it. */
async function ended(peer: RawWebSocket): Promise<void> {
  const said = await peer.untilClose().catch(() => undefined);
  if (said !== undefined) await peer.part();
  await peer.connection.untilClosed(WAIT_MS);
  peer.connection.destroy();
}

for (const kind of attachKinds) {
  describe(`upgrade() with ${kind.name}, asked for what must not be`, () => {
    afterEach(() => cleanup.run());

    it("refuses requests without a subprotocol that it speaks, with 400 (ZWS2-HS-04)", async () => {
      const stage = await Stage.open(kind);
      for (const offered of [undefined, "chat", "ZWS2.0/CURVE", "zws2.0"]) {
        await stage.refuses(400, SUBPROTOCOL, { "Sec-WebSocket-Protocol": offered });
      }
    });

    it("refuses other versions with 426, and tells its own", async () => {
      const stage = await Stage.open(kind);
      const lines = await stage.refuses(426, UPGRADE, { "Sec-WebSocket-Version": "12" });
      assert(lines.some((line) => /^sec-websocket-version: 13$/i.test(line)), lines.join("\n"));
    });

    it("refuses a key that is none with 400, and other methods with 405", async () => {
      const stage = await Stage.open(kind);
      await stage.refuses(400, UPGRADE, { "Sec-WebSocket-Key": "c2hvcnQ=" });
      await stage.refuses(400, UPGRADE, { "Sec-WebSocket-Key": undefined });
      const { peer, lines } = await stage.request({}, "PUT");
      // Some servers take it for a request without an upgrade.
      assertMatch(lines[0], /^HTTP\/1\.1 (?:405|200|400) /);
      peer.destroy();
      await stage.serves();
    });

    it("keeps foreign pages out where peers show credentials, with 403", async () => {
      const policy = { plain: { ann: "secret" } };
      const context = new Context();
      const authenticator = cleanup.add(new Authenticator({ ...policy, context }));
      const stage = await Stage.open(kind, { context, plainServer: true } as object);
      const plain = { "Sec-WebSocket-Protocol": "ZWS2.0/PLAIN" };
      const { peer, lines } = await stage.request({ ...plain, Origin: "https://evil.example" });
      assertMatch(lines[0], /^HTTP\/1\.1 403 /);
      peer.destroy();
      await stage.tells("handshake:error:protocol", UPGRADE);
      const own = await stage.request({
        ...plain,
        Origin: `http://127.0.0.1:${stage.server.port}`,
      });
      assertMatch(own.lines[0], /^HTTP\/1\.1 101 /);
      own.peer.destroy();
      stage.router.origins = "https://good.example";
      const good = await stage.request({ ...plain, Origin: "https://good.example" });
      assertMatch(good.lines[0], /^HTTP\/1\.1 101 /);
      good.peer.destroy();
      await authenticator.close();
    });

    it("looks at the address of the peer", async () => {
      const stage = await Stage.open(kind, { tcpAcceptFilter: "10.0.0.0/8" });
      const peer = cleanup.add(await dial(`tcp://127.0.0.1:${stage.server.port}`));
      peer.send(requestOf({ "Connection": "Upgrade, close" }, "GET /zmq HTTP/1.1"));
      const event = await stage.log.next("accept:error", WAIT_MS);
      assertEquals(codeOf(event), "EACCES");
      // A program that has the connection itself drops it, without a word.
      if (kind.name.startsWith("node:")) await peer.untilClosed(WAIT_MS);
      else assertMatch((await takeHead(peer))[0], /^HTTP\/1\.1 403 /);
      peer.destroy();
      stage.router.tcpAcceptFilter = "127.0.0.1";
      await stage.serves();
    });

    it("answers 503 for a socket that is closed", async () => {
      const stage = await Stage.open(kind);
      await stage.router.close();
      const { lines } = await stage.request();
      assertMatch(lines[0], /^HTTP\/1\.1 503 /);
    });

    it("ends a connection that breaks the rules, and no other", async () => {
      const stage = await Stage.open(kind, { maxMessageSize: 100_000 });
      await stage.serves();
      const broken: ((peer: RawWebSocket) => void)[] = [
        (peer) => peer.send(bodied(0, "x"), { reserved: 4 }),
        (peer) => peer.send("text", { opcode: TEXT }),
        (peer) => peer.send(bodied(3, "x")),
        (peer) => peer.send(""),
        (peer) => peer.send(bodied(0, new Uint8Array(100_001))),
        (peer) => peer.send("", { announced: 1n << 63n, lengthOctets: 8 }),
      ];
      if (!kind.unmasked) broken.push((peer) => peer.send(bodied(0, "x"), { masked: false }));
      for (const breakRule of broken) {
        const peer = await stage.insider();
        breakRule(peer);
        await ended(peer);
        await stage.tells("disconnect", "ERR_WS_FRAME", "EMSGSIZE", "ECONNRESET");
        await stage.serves();
      }
    });

    it("notices peers that leave, in peace or in the middle of a message", async () => {
      const stage = await Stage.open(kind);
      const calm = await stage.insider();
      calm.send(Uint8Array.of(1000 >> 8, 1000 & 255), { opcode: CLOSE });
      await calm.connection.untilClosed(WAIT_MS);
      await stage.log.next("disconnect", WAIT_MS);
      const rude = await stage.insider();
      rude.send(bodied(0, new Uint8Array(10)), { announced: 1_000n });
      rude.connection.destroy();
      await stage.log.next("disconnect", WAIT_MS);
      await stage.serves();
    });

    it("waits for nobody who does not introduce themselves", async () => {
      const stage = await Stage.open(kind, { handshakeInterval: 300 });
      const { peer, lines } = await stage.request();
      assertMatch(lines[0], /^HTTP\/1\.1 101 /);
      const event = await stage.log.next("handshake:error:other", WAIT_MS);
      assertEquals(codeOf(event), "ETIMEDOUT");
      await ended(new RawWebSocket(peer, true));
      await stage.serves();
    });

    it("lets newcomers in when too many do not introduce themselves", async () => {
      const stage = await Stage.open(kind, { maxPendingHandshakes: 2 });
      const strangers: RawConnection[] = [];
      for (let i = 0; i < 5; i++) strangers.push((await stage.request()).peer);
      for (let i = 0; i < 3; i++) {
        const event = await stage.log.next("handshake:error:other", WAIT_MS);
        assertEquals(codeOf(event), "ENOBUFS");
        await ended(new RawWebSocket(strangers[i], true));
      }
      await stage.serves();
    });

    it("holds nothing of peers that came and went", async () => {
      const stage = await Stage.open(kind);
      for (let i = 0; i < 50; i++) {
        const peer = await stage.insider();
        peer.say("hello");
        assertEquals((await peer.hear()).map(String).length, 1);
        peer.connection.destroy();
      }
      await eventually(() => stage.router.stats().peers.length === 0, WAIT_MS, "nobody is left");
    });

    it("waits for no goodbye", async () => {
      const stage = await Stage.open(kind);
      const mute = await stage.insider();
      const deaf = await stage.insider();
      deaf.connection.pause();
      await within(stage.close(), WAIT_MS, "the socket and its server end");
      mute.connection.destroy();
    });

    it("says goodbye when the socket is closed", async () => {
      const stage = await Stage.open(kind);
      const peer = await stage.insider();
      const closed = stage.router.close();
      assertEquals((await peer.untilClose()).code, 1000);
      await peer.part();
      await within(closed, WAIT_MS, "the socket closes");
    });
  });
}

describe("upgrade()", () => {
  it("has nothing to do with requests for something else", () => {
    const router = cleanup.add(new Router({ context: new Context() }));
    assertEquals(upgrade(router, new Request("http://127.0.0.1/")), undefined);
    const request = { method: "GET", url: "/", httpVersion: "1.1", rawHeaders: ["Upgrade", "h2c"] };
    assertEquals(upgrade(router, request, {} as never, new Uint8Array(0)), false);
  });

  it("refuses what it cannot upgrade", async () => {
    const asking = new Request("http://127.0.0.1/", { headers: { upgrade: "websocket" } });
    const stream = cleanup.add(new Stream({ context: new Context() }));
    const router = cleanup.add(new Router({ context: new Context() }));
    const info = { remoteAddr: { hostname: "127.0.0.1", port: 1 } };
    const cases: [object, unknown, string][] = [
      [{}, info, "EINVAL"],
      [stream, info, "ENOCOMPATPROTO"],
      [router, undefined, "EINVAL"],
    ];
    if (runtimeName !== "Deno") cases.push([router, info, "ENOTSUP"]);
    for (const [socket, from, code] of cases) {
      const error = assertThrows(() => upgrade(socket as Router, asking, from as typeof info));
      assertEquals((error as { code?: string }).code, code);
    }
    await cleanup.run();
  });
});
