// A socket with CURVE, in either role, with one healthy peer that is served while others attack it over real connections.

import { assertEquals, assertMatch } from "@std/assert";
import { Pull, Push, type SocketOptions } from "../../mod.ts";
import { assertFrames } from "./bytes.ts";
import type { Cleanup } from "./cleanup.ts";
import { type KeyPair, keyPair, properties } from "./curve_commands.ts";
import { asClient, asServer, type RawParty } from "./curve_raw.ts";
import { pause } from "./deadline.ts";
import { EventLog, type Logged } from "./event_log.ts";
import { pattern } from "./octets.ts";
import { dial, type RawConnection, RawServer } from "./raw_peer.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const PUSH = properties(["Socket-Type", "PUSH"]);

/** The keys of all tests that need only some. */
export const SERVER: KeyPair = keyPair(pattern(32, 0x51));
export const CLIENT: KeyPair = keyPair(pattern(32, 0x52));

/** The options of one role. */
export interface RoleOptions {
  readonly curveServer?: boolean;
  readonly curveServerKey?: Uint8Array;
  readonly curvePublicKey: Uint8Array;
  readonly curveSecretKey: Uint8Array;
}

/** Options of a client of our own. */
export const CLIENT_OPTIONS: RoleOptions = {
  curveServerKey: SERVER.publicKey,
  curvePublicKey: CLIENT.publicKey,
  curveSecretKey: CLIENT.secretKey,
};

/** Options of a server of our own. */
export const SERVER_OPTIONS: RoleOptions = {
  curveServer: true,
  curvePublicKey: SERVER.publicKey,
  curveSecretKey: SERVER.secretKey,
};

/** The role of the socket that is attacked. */
export type Role = "server" | "client";

/** The codes and texts of what a socket told of one attack. */
export interface Verdict {
  readonly type: "handshake:error:protocol" | "disconnect";
  readonly code: string;
  readonly text: string;
}

/** A PULL that is attacked, and a PUSH that is not part of it. */
export class CurveStage {
  readonly role: Role;
  readonly pull: Pull;
  readonly log: EventLog;
  readonly #cleanup: Cleanup;
  readonly #healthy: Push;
  readonly #listener: RawServer | undefined;
  #count = 0;

  private constructor(
    role: Role,
    pull: Pull,
    healthy: Push,
    cleanup: Cleanup,
    listener: RawServer | undefined,
  ) {
    this.role = role;
    this.pull = pull;
    this.log = new EventLog(pull);
    this.#healthy = healthy;
    this.#cleanup = cleanup;
    this.#listener = listener;
  }

  /** Opens both; the PULL binds when it is the server, and connects when it is the client. */
  static async open(
    role: Role,
    cleanup: Cleanup,
    options: SocketOptions<Pull> = {},
  ): Promise<CurveStage> {
    const isServer = role === "server";
    const [ours, theirs] = isServer
      ? [SERVER_OPTIONS, CLIENT_OPTIONS]
      : [CLIENT_OPTIONS, SERVER_OPTIONS];
    const pull = cleanup.add(
      new Pull({ receiveTimeout: 5_000, reconnectInterval: 5, ...ours, ...options }),
    );
    const healthy = cleanup.add(new Push({ sendTimeout: 5_000, ...theirs }));
    const listener = isServer ? undefined : cleanup.add(await RawServer.listen());
    const stage = new CurveStage(role, pull, healthy, cleanup, listener);
    const [bound, connected] = isServer ? [pull, healthy] : [healthy, pull];
    await bound.bind(ANY_PORT);
    connected.connect(bound.lastEndpoint!);
    await stage.exchange();
    return stage;
  }

  /** One message of the healthy peer, and nothing else, arrives. */
  async exchange(): Promise<void> {
    const text = `healthy ${this.#count++}`;
    await this.#healthy.send([text, "tail"]);
    assertFrames(await this.pull.receive(), [text, "tail"]);
  }

  /** The healthy peer is served until the promise settles, and after that. */
  async servedDuring<T>(attack: Promise<T>): Promise<T> {
    let over = false;
    const settled = attack.finally(() => over = true);
    settled.catch(() => {}); // thrown below
    while (!over) {
      await this.exchange();
      await pause(1);
    }
    const value = await settled;
    for (let i = 0; i < 3; i++) await this.exchange();
    assertEquals(this.pull.readable, false, "something else was delivered");
    return value;
  }

  /** One more client comes in. */
  async newcomer(): Promise<void> {
    const push = this.#cleanup.add(new Push({ sendTimeout: 5_000, ...CLIENT_OPTIONS }));
    push.connect(this.pull.lastEndpoint!);
    await push.send("newcomer");
    assertFrames(await this.pull.receive(), ["newcomer"]);
    await push.close();
  }

  /** A connection to the socket on which nothing was said yet. */
  async stranger(): Promise<RawConnection> {
    if (this.#listener === undefined) return this.#cleanup.add(await dial(this.pull.lastEndpoint!));
    this.pull.connect(this.#listener.endpoint);
    return await this.#listener.accept();
  }

  /** A peer past its handshake. */
  async insider(minor = 1): Promise<RawParty> {
    const connection = await this.stranger();
    return this.#listener === undefined
      ? await asClient(connection, {
        serverKey: SERVER.publicKey,
        keys: CLIENT,
        metadata: PUSH,
      }, { minor })
      : await asServer(connection, { keys: SERVER, metadata: PUSH }, { minor });
  }

  /** Checks how the first connection that broke was ended. */
  async assertVerdict(type: Verdict["type"], code: string, says: RegExp): Promise<void> {
    const verdict = await this.verdict();
    assertEquals([verdict.type, verdict.code], [type, code], verdict.text);
    assertMatch(verdict.text, says);
  }

  /** How the first connection that broke was ended. */
  async verdict(): Promise<Verdict> {
    const broken = (): Logged[] => this.log.all.filter((event) => "error" in event);
    await this.log.nth("disconnect");
    const [event] = broken() as unknown as Logged<"disconnect">[];
    if (event === undefined) throw new Error(`Nothing was told: ${this.log.types}`);
    const { code, message } = event.error!;
    return { type: event.type as Verdict["type"], code: code!, text: message };
  }
}
