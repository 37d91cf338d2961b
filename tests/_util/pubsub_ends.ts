// Ends of publish-subscribe connections, ours and libzmq's, with the same methods: each question is
// written once and asked of every legal pair, with us at either end and in either role.

import { Publisher, Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { textOf, utf8 } from "./bytes.ts";
import { pause } from "./deadline.ts";
import { concat } from "./octets.ts";
import type { MessageSpec, Peer, PeerSocket } from "./peer.ts";
import { type Opened, receiveMany, sendMany } from "./traffic.ts";

/** A frame or a topic. */
export type Octets = string | Uint8Array;

/** One end, whosever it is. */
export interface End {
  bind(endpoint?: string): Promise<string>;
  connect(endpoint: string): Promise<void>;
  send(...frames: Octets[]): Promise<void>;
  sendEach(messages: readonly (readonly Octets[])[]): Promise<void>;
  sendMany(spec: MessageSpec, ...prefix: Octets[]): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  receiveMany(spec: MessageSpec, skip?: number): Promise<void>;
  receiveUntil(...last: Octets[]): Promise<Uint8Array[][]>;
  subscribe(...topics: Octets[]): Promise<void>;
  unsubscribe(...topics: Octets[]): Promise<void>;
  topicsCount(): Promise<number>;
  startFlood(...topics: Octets[]): Promise<void>;
  stopFlood(): Promise<number>;
  close(): Promise<void>;
}

/** The types that publish. */
export type PublisherType = "Publisher" | "XPublisher";

/** The types that subscribe. */
export type SubscriberType = "Subscriber" | "XSubscriber";

/** Our socket of any of the four types. */
export type OurPubSub = Publisher | Subscriber | XPublisher | XSubscriber;

/** Options of either library; they have the same names. */
export type EndOptions = Readonly<Record<string, string | number | boolean>>;

/** Our classes by name. */
export interface OurTypes {
  Publisher: Publisher;
  Subscriber: Subscriber;
  XPublisher: XPublisher;
  XSubscriber: XSubscriber;
}

const OURS: { readonly [T in keyof OurTypes]: new (options: object) => OurTypes[T] } = {
  Publisher,
  Subscriber,
  XPublisher,
  XSubscriber,
};
const RFC_NAMES = {
  Publisher: "PUB",
  Subscriber: "SUB",
  XPublisher: "XPUB",
  XSubscriber: "XSUB",
} as const;
const ANY_PORT = "tcp://127.0.0.1:*";
const WAIT_MS = 30_000;
const POLL_MS = 5;
const FLOOD_BURST = 10;
const MARK = "~";
let marks = 0;

/** Opens our socket; a receive or send that takes too long fails. */
export function openOurs<T extends keyof OurTypes>(type: T, options: object = {}): OurTypes[T] {
  const sends = type !== "Subscriber" ? { sendTimeout: WAIT_MS } : {};
  const receives = type !== "Publisher" ? { receiveTimeout: WAIT_MS } : {};
  return new OURS[type]({ reconnectInterval: 20, ...sends, ...receives, ...options });
}

/** Our socket as an end. */
export class OurEnd implements End {
  readonly socket: OurPubSub;
  #flood: { sent: number; stopped: boolean; done: Promise<void> } | undefined;

  constructor(socket: OurPubSub) {
    this.socket = socket;
  }

  async bind(endpoint: string = ANY_PORT): Promise<string> {
    await this.socket.bind(endpoint);
    return this.socket.lastEndpoint!;
  }

  // deno-lint-ignore require-await -- as the other end has it
  async connect(endpoint: string): Promise<void> {
    this.socket.connect(endpoint);
  }

  async send(...frames: Octets[]): Promise<void> {
    if (this.socket instanceof Subscriber) throw new TypeError("SUB cannot send");
    await this.socket.send(frames);
  }

  async sendEach(messages: readonly (readonly Octets[])[]): Promise<void> {
    for (const frames of messages) await this.send(...frames);
  }

  async sendMany(spec: MessageSpec, ...prefix: string[]): Promise<void> {
    await sendMany({ send: (frames) => this.send(...frames) }, spec, prefix);
  }

  async receive(): Promise<Uint8Array[]> {
    if (this.socket instanceof Publisher) throw new TypeError("PUB cannot receive");
    return await this.socket.receive();
  }

  async receiveMany(spec: MessageSpec, skip = 0): Promise<void> {
    await receiveMany(this, spec, skip);
  }

  async receiveUntil(...last: Octets[]): Promise<Uint8Array[][]> {
    const messages: Uint8Array[][] = [];
    for (;;) {
      const frames = await this.receive();
      if (frames.length === last.length && frames.every((x, i) => isSame(x, last[i]))) {
        return messages;
      }
      messages.push(frames);
    }
  }

  async subscribe(...topics: Octets[]): Promise<void> {
    await this.#request(1, topics);
  }

  async unsubscribe(...topics: Octets[]): Promise<void> {
    await this.#request(0, topics);
  }

  async topicsCount(): Promise<number> {
    return await this.socket.topicsCount;
  }

  // deno-lint-ignore require-await -- as the other end has it
  async startFlood(...topics: Octets[]): Promise<void> {
    const flood = { sent: 0, stopped: false, done: Promise.resolve() };
    const run = async (): Promise<void> => {
      while (!flood.stopped) {
        for (let i = 0; i < FLOOD_BURST; i++) {
          await this.send(topics[flood.sent % topics.length], String(flood.sent++));
        }
        await pause(1);
      }
    };
    flood.done = run();
    this.#flood = flood;
  }

  async stopFlood(): Promise<number> {
    const flood = this.#flood!;
    flood.stopped = true;
    await flood.done;
    return flood.sent;
  }

  async close(): Promise<void> {
    await this.socket.close();
  }

  async #request(first: 0 | 1, topics: Octets[]): Promise<void> {
    if (this.socket instanceof XSubscriber) {
      for (const topic of topics) await this.socket.send(requestOf(first, topic));
    } else if (!(this.socket instanceof Publisher)) {
      if (first === 1) this.socket.subscribe(...topics);
      else this.socket.unsubscribe(...topics);
    }
  }
}

/** A subscription (1) or its end (0) in the form that XPUB and XSUB show. */
export function requestOf(first: 0 | 1, topic: Octets): Uint8Array {
  return concat(Uint8Array.of(first), octetsOf(topic));
}

/** Such requests as text, for instance "+a" and "-b". */
export function requestTexts(messages: readonly (readonly Uint8Array[])[]): string[] {
  return messages.map(([frame]) => (frame[0] === 1 ? "+" : "-") + textOf(frame.subarray(1)));
}

/** UTF-8, where it is not octets already. */
export function octetsOf(octets: Octets): Uint8Array {
  return typeof octets === "string" ? utf8(octets) : octets;
}

/** True when the message belongs to a {@linkcode Channel}'s own book-keeping. */
export function isMark([first]: readonly Uint8Array[]): boolean {
  return first !== undefined && first[0] === MARK.charCodeAt(0);
}

/** A publisher and one subscriber of it. Topics that begin with "~" are the channel's own. */
export class Channel {
  readonly pub: End;
  readonly sub: End;
  #mark = "";

  constructor(pub: End, sub: End) {
    this.pub = pub;
    this.sub = sub;
  }

  /**
   * Returns when the publisher knows all that the subscriber has asked for; resolves to what was
   * received on the way. A fresh topic tells, as requests on one connection keep their order; unless
   * it was the end of a subscription to everything that is not known yet, which a decoy gives away.
   */
  async sync(wantsEverything = false): Promise<Uint8Array[][]> {
    const decoy = `${MARK}${++marks}`;
    const mark = this.#mark = `${MARK}${++marks}`;
    await this.sub.subscribe(mark);
    let over = false;
    const receive = async (): Promise<Uint8Array[][]> => {
      const all: Uint8Array[][] = [];
      for (;;) {
        const before = await this.sub.receiveUntil(mark);
        all.push(...before);
        if (wantsEverything || !before.some(([topic]) => isSame(topic, decoy))) return all;
      }
    };
    const received = receive().finally(() => over = true);
    received.catch(() => {}); // it is awaited below
    while (!over) {
      await this.pub.send(decoy);
      await this.pub.send(mark);
      await pause(POLL_MS);
    }
    return (await received).filter((message) => !isMark(message));
  }

  /** What the subscriber gets when these messages are published; a `sync` must have been before. */
  async deliver(messages: readonly (readonly Octets[])[]): Promise<Uint8Array[][]> {
    const end = [this.#mark, `end ${++marks}`];
    const publish = async (): Promise<void> => {
      await this.pub.sendEach(messages);
      await this.pub.send(...end);
    };
    const [received] = await Promise.all([this.sub.receiveUntil(...end), publish()]);
    return received.filter((message) => !isMark(message));
  }
}

/** One way to pair the sockets. */
export interface PubSubPair {
  readonly name: string;
  readonly pub: PublisherType;
  readonly sub: SubscriberType;
  readonly ours: "pub" | "sub";
  readonly binds: "we" | "they";
}

/** Every legal pair, with us at either end, in either role. */
export const PAIRS: readonly PubSubPair[] = (["Publisher", "XPublisher"] as const).flatMap((pub) =>
  (["Subscriber", "XSubscriber"] as const).flatMap((sub) =>
    (["pub", "sub"] as const).flatMap((ours) =>
      (["we", "they"] as const).map((binds) => ({
        name: (ours === "pub"
          ? `${RFC_NAMES[pub]} to libzmq's ${RFC_NAMES[sub]}`
          : `${RFC_NAMES[sub]} from libzmq's ${RFC_NAMES[pub]}`) + `, ${binds} bind`,
        pub,
        sub,
        ours,
        binds,
      }))
    )
  )
);

/** Opens both sockets of a pair and joins them. */
export async function openPair(
  pair: PubSubPair,
  peer: Peer,
  opened: Opened,
  options: { readonly pub?: EndOptions; readonly sub?: EndOptions } = {},
): Promise<Channel & { readonly theirs: PeerSocket }> {
  const type = pair[pair.ours];
  const ours = new OurEnd(opened.add(openOurs(type, options[pair.ours])));
  const other = pair.ours === "pub" ? "sub" : "pub";
  const theirs = await peer.open(pair[other], options[other]);
  if (pair.binds === "we") await theirs.connect(await ours.bind());
  else await ours.connect(await theirs.bind());
  const channel = pair.ours === "pub" ? new Channel(ours, theirs) : new Channel(theirs, ours);
  return Object.assign(channel, { theirs });
}

function isSame(frame: Uint8Array, expected: Octets): boolean {
  const octets = octetsOf(expected);
  return frame.length === octets.length && octets.every((octet, i) => frame[i] === octet);
}
