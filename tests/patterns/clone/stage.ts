// What the tests of Clone share: a server's and a client's raw ends, and waiting.

import {
  Dealer,
  type Frame,
  type MessageLike,
  Publisher,
  Router,
  Subscriber,
} from "../../../mod.ts";
import { BinaryStar } from "../../../src/patterns/binary_star/mod.ts";
import {
  CloneClient,
  type CloneClientOptions,
  type CloneEndpoints,
  CloneServer,
  type CloneServerOptions,
} from "../../../src/patterns/clone/mod.ts";
import { fromHex, toHex, utf8 } from "../../_util/bytes.ts";
import { eventually, within } from "../../_util/deadline.ts";

/** Whatever has to happen, happens within this time. */
export const WAIT_MS = 20_000;
/** Quick enough for tests, patient enough for a busy machine. */
export const BEATS = { heartbeatInterval: 100, heartbeatLiveness: 8 } as const;
/** Milliseconds of silence after which an end is given up. */
export const PATIENCE: number = BEATS.heartbeatInterval * BEATS.heartbeatLiveness;

interface Part {
  close(): unknown;
}

/** Servers, clients and sockets of one test. */
export class Stage {
  readonly #parts: Part[] = [];

  /** Remembers to close it. */
  keep<T extends Part>(part: T): T {
    this.#parts.push(part);
    return part;
  }

  /** Closes all. */
  async close(): Promise<void> {
    await within(Promise.all(this.#parts.splice(0).map((part) => part.close())), WAIT_MS, "close");
  }

  /** A bound server. */
  async server(options: CloneServerOptions = {}): Promise<CloneServer> {
    const server = this.keep(new CloneServer({ ...BEATS, ...options }));
    await server.bind("tcp://127.0.0.1:*");
    return server;
  }

  /** A client of servers. */
  client(
    servers: readonly (CloneServer | CloneEndpoints)[],
    options: Partial<CloneClientOptions> = {},
  ): CloneClient {
    const all = servers.map((server) => server instanceof CloneServer ? server.endpoints! : server);
    return this.keep(new CloneClient({ ...BEATS, servers: all, ...options }));
  }

  /** A client that has all values. */
  async readyClient(
    servers: readonly (CloneServer | CloneEndpoints)[],
    options: Partial<CloneClientOptions> = {},
  ): Promise<CloneClient> {
    const client = this.client(servers, options);
    await within(client.ready, WAIT_MS, "a client is ready");
    return client;
  }

  /** A pair of servers; the first is active, the second has followed it. */
  async pair(options: CloneServerOptions = {}): Promise<[CloneServer, CloneServer]> {
    const stars = (["primary", "backup"] as const)
      .map((role) => this.keep(new BinaryStar({ role, ...BEATS })));
    for (const star of stars) await star.bind("tcp://127.0.0.1:*");
    const servers = [
      await this.server({ ...options, binaryStar: stars[0] }),
      await this.server({ ...options, binaryStar: stars[1] }),
    ] as const;
    servers[0].follow(servers[1].endpoints!);
    servers[1].follow(servers[0].endpoints!);
    stars[0].connect(stars[1].endpoint!);
    stars[1].connect(stars[0].endpoint!);
    await eventually(
      () => servers[0].active && servers[1].synchronised && !servers[1].active,
      WAIT_MS,
      "a pair is ready",
    );
    return [...servers];
  }

  /** The raw end of a client: a DEALER, a SUB and a PUB. */
  async rawClient(endpoints: CloneEndpoints): Promise<RawClient> {
    const raw = {
      dealer: this.keep(new Dealer({ linger: 0 })),
      subscriber: this.keep(new Subscriber()),
      publisher: this.keep(new Publisher({ linger: 0 })),
    };
    raw.subscriber.subscribe();
    raw.dealer.connect(endpoints.snapshots);
    raw.subscriber.connect(endpoints.updates);
    raw.publisher.connect(endpoints.collector);
    await eventually(() => raw.publisher.topicsCount === 1, WAIT_MS, "the collector subscribes");
    await within(raw.subscriber.receive(), WAIT_MS, "the first HUGZ");
    return raw;
  }

  /** A DEALER for requests alone. */
  dealerTo({ snapshots }: CloneEndpoints): Dealer {
    const dealer = this.keep(new Dealer({ linger: 0 }));
    dealer.connect(snapshots);
    return dealer;
  }

  /** A PUB that one collector has subscribed to. */
  async publisherTo({ collector }: CloneEndpoints): Promise<Publisher> {
    const publisher = this.keep(new Publisher({ linger: 0 }));
    publisher.connect(collector);
    await eventually(() => publisher.topicsCount === 1, WAIT_MS, "the collector subscribes");
    return publisher;
  }

  /** The raw end of a server: a ROUTER, a PUB and a SUB. */
  async rawServer(): Promise<RawServer> {
    const router = this.keep(new Router({ linger: 0 }));
    const publisher = this.keep(new Publisher({ linger: 0 }));
    const collector = this.keep(new Subscriber());
    collector.subscribe();
    for (const socket of [router, publisher, collector]) await socket.bind("tcp://127.0.0.1:*");
    const endpoints = {
      snapshots: router.lastEndpoint!,
      updates: publisher.lastEndpoint!,
      collector: collector.lastEndpoint!,
    };
    return { router, publisher, collector, endpoints };
  }
}

/** A client without its logic. */
export interface RawClient {
  readonly dealer: Dealer;
  readonly subscriber: Subscriber;
  readonly publisher: Publisher;
}

/** A server without its logic. */
export interface RawServer {
  readonly router: Router;
  readonly publisher: Publisher;
  readonly collector: Subscriber;
  readonly endpoints: CloneEndpoints;
}

/** A sequence number on the wire. */
export function number(value: number): Uint8Array {
  return fromHex(value.toString(16).padStart(16, "0"));
}

/** The five frames of CHP. */
export function keyValue(
  key: string,
  sequence: number,
  value: MessageLike,
  { uuid = new Uint8Array(0), properties = "" }: { uuid?: Uint8Array; properties?: string } = {},
): MessageLike[] {
  return [key, number(sequence), uuid, properties, value];
}

/** A UUID that is easy to read. */
export function uuidOf(n: number): Uint8Array {
  return new Uint8Array(16).fill(n);
}

/** A message as the golden vectors have it: flags, length, octets of each frame. */
export function wireOf(frames: readonly Uint8Array[]): string {
  return frames.map((frame, i) => {
    const more = i < frames.length - 1 ? "01" : "00";
    return [more, frame.length.toString(16).padStart(2, "0"), toHex(frame)].filter(Boolean).join(
      " ",
    );
  }).join(" ");
}

/** The next message of a subscriber that is no HUGZ. */
export async function nextUpdate(subscriber: Subscriber): Promise<Frame[]> {
  for (;;) {
    const frames = await within(subscriber.receive(), WAIT_MS, "an update");
    if (String(frames[0]) !== "HUGZ") return frames;
  }
}

/** All messages up to and with KTHXBAI. */
export async function snapshotOf(
  dealer: Dealer,
  subtree: string,
  ...more: string[]
): Promise<Frame[][]> {
  await dealer.send(["ICANHAZ?", subtree, ...more]);
  const all: Frame[][] = [];
  for (;;) {
    const frames = await within(dealer.receive(), WAIT_MS, `a snapshot of "${subtree}"`);
    all.push(frames);
    if (String(frames[0]) === "KTHXBAI") return all;
  }
}

/** Keys and values as text, in order of the keys. */
export function textOf(map: Iterable<readonly [string, Uint8Array]>): [string, string][] {
  return Array.from(map, ([key, value]): [string, string] => [key, String(value)]).sort();
}

/** Waits until all have the same values. */
export async function equal(
  ...maps: readonly (Iterable<readonly [string, Uint8Array]>)[]
): Promise<void> {
  const told = (): string[] => maps.map((map) => JSON.stringify(textOf(map)));
  const same = (): boolean => new Set(told()).size === 1;
  await eventually(same, WAIT_MS, "all have the same values").catch((error) => {
    throw new Error(`${error.message}\n${told().map((text) => text.slice(0, 500)).join("\n")}`);
  });
}

export { utf8 };
