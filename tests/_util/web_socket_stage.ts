// A bound socket with a WebSocket endpoint: what is said to it comes back, strangers may say what they like, and one good
// peer is asked after each of them.

import { assertEquals } from "@std/assert";
import { Context, type EventType, Router } from "../../mod.ts";
import { textOf, textsOf } from "./bytes.ts";
import type { Cleanup } from "./cleanup.ts";
import { codeOf, EventLog, type Logged } from "./event_log.ts";
import { RawWebSocket } from "./raw_web_socket.ts";
import { dial, type RawConnection } from "./raw_peer.ts";

/** A Router that sends everything back, and one good peer of it. */
export class WebSocketStage {
  readonly router: Router;
  readonly log: EventLog;
  /** The last frames of all messages that came, as texts. */
  readonly received: string[] = [];
  readonly #cleanup: Cleanup;
  #good: RawWebSocket | undefined;
  #said = 0;

  private constructor(router: Router, cleanup: Cleanup) {
    this.router = router;
    this.log = new EventLog(router);
    this.#cleanup = cleanup;
  }

  /** Binds. */
  static async open(
    cleanup: Cleanup,
    options: NonNullable<ConstructorParameters<typeof Router>[0]> = {},
    endpoint: string = "ws://127.0.0.1:*",
  ): Promise<WebSocketStage> {
    const router = cleanup.add(new Router({ context: new Context(), ...options }));
    const stage = new WebSocketStage(router, cleanup);
    await router.bind(endpoint);
    void stage.#echo();
    return stage;
  }

  get endpoint(): string {
    return this.router.lastEndpoint!;
  }

  /** A connection on which nothing was said. */
  async stranger(): Promise<RawConnection> {
    const { host } = new URL(this.endpoint.replace(/^ws/, "http"));
    return this.#cleanup.add(await dial(`tcp://${host}`));
  }

  /** A peer past all handshakes. */
  async insider(type: string = "DEALER"): Promise<RawWebSocket> {
    const webSocket = await RawWebSocket.connectAs(this.endpoint, type);
    this.#cleanup.add(webSocket.connection);
    return webSocket;
  }

  /** A peer past the HTTP part. */
  async guest(protocol?: string, path: string = ""): Promise<RawWebSocket> {
    const webSocket = await RawWebSocket.connect(this.endpoint + path, protocol);
    this.#cleanup.add(webSocket.connection);
    return webSocket;
  }

  /** The good peer, who was there before all strangers, gets its answer. */
  async serves(): Promise<void> {
    this.#good ??= await this.insider();
    const text = `good ${this.#said++}`;
    this.#good.say(text);
    assertEquals(textsOf(await this.#good.hear()), [text]);
  }

  /** The next event of this type that has an error has this one. */
  async tells(type: EventType, code: string): Promise<Logged> {
    for (;;) {
      const event = await this.log.next(type, 15_000);
      if (codeOf(event) === undefined) continue;
      assertEquals(codeOf(event), code, `${type}: ${String((event as { error?: Error }).error)}`);
      return event;
    }
  }

  async #echo(): Promise<void> {
    for await (const frames of this.router) {
      this.received.push(textOf(frames.at(-1)!));
      // Who is gone gets nothing.
      await this.router.send(frames).catch(() => {});
    }
  }
}
