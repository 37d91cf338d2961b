// Publishers with subscribers of all kinds, for tests: those that read, scripted ones, and such as do not read.

import { Publisher, Subscriber, XPublisher } from "../../mod.ts";
import { anywhere, type Transport } from "./anywhere.ts";
import { Cleanup } from "./cleanup.ts";
import { eventually } from "./deadline.ts";
import { takeTexts } from "./pubsub.ts";
import type { RawConnection } from "./raw_peer.ts";
import { connectAs, message } from "./raw_zmtp.ts";
import { joinAsSubscriber, type Saying, type ScriptedSubscriber } from "./scripted_subscriber.ts";

type AnyPublisher = Publisher | XPublisher;

const RECEIVES = { receiveTimeout: 10_000 } as const;
/** A user message: when it comes, all that was sent before it has come. */
const MARK = "mark";

/** More octets than the system's buffers on both sides of a loopback connection take. */
export const BUFFERS = 16_000_000;
/** Octets that wait beyond the mark: a batch that is written, one that is collected. */
export const BATCHES: number = 2 * 256 * 1024;

/** What one test opens. */
export class PublisherStage {
  /** Closes all of it. */
  readonly cleanup: Cleanup = new Cleanup();
  readonly #transport: Transport;

  constructor(transport: Transport = "tcp") {
    this.#transport = transport;
  }

  /** A bound publisher. */
  async open(options: ConstructorParameters<typeof Publisher>[0] = {}): Promise<Publisher> {
    const publisher = this.cleanup.add(new Publisher(options));
    await publisher.bind(anywhere(this.#transport));
    return publisher;
  }

  /** A bound XPUB. */
  async openExtended(): Promise<XPublisher> {
    const publisher = this.cleanup.add(new XPublisher(RECEIVES));
    await publisher.bind(anywhere(this.#transport));
    return publisher;
  }

  /** A subscriber without topics, maybe not connected yet. */
  connect(publisher: AnyPublisher): Subscriber {
    const subscriber = this.cleanup.add(new Subscriber(RECEIVES));
    subscriber.connect(publisher.lastEndpoint!);
    return subscriber;
  }

  /** A subscriber whose topics have arrived. */
  async join(publisher: AnyPublisher, ...topics: string[]): Promise<Subscriber> {
    const before = publisher.stats().peers.length;
    const subscriber = this.connect(publisher);
    subscriber.subscribe(...topics);
    await allSubscribed(publisher, before + 1);
    return subscriber;
  }

  /** A raw SUB past its handshake; not over inproc. */
  async raw(publisher: AnyPublisher): Promise<RawConnection> {
    return this.cleanup.add(await connectAs(publisher.lastEndpoint!, "SUB"));
  }

  /** A subscriber that does only what it is told. */
  async guest(publisher: AnyPublisher): Promise<ScriptedSubscriber> {
    return this.cleanup.add(await joinAsSubscriber(publisher.lastEndpoint!));
  }

  /** A guest that has a topic and does not read. */
  async stall(publisher: AnyPublisher, topic = ""): Promise<ScriptedSubscriber> {
    const before = publisher.stats().peers.length;
    const peer = await this.guest(publisher);
    peer.pause();
    peer.ask(`+${topic}`);
    await allSubscribed(publisher, before + 1);
    return peer;
  }
}

/** What the XPUB receives of a guest's requests and messages, all of it. */
export async function heard(
  publisher: XPublisher,
  peer: ScriptedSubscriber,
  ...sayings: Saying[]
): Promise<string[]> {
  peer.ask(...sayings, [MARK]);
  return await heardBeforeMark(publisher);
}

/** What the XPUB receives of a raw peer's octets, all of it. */
export async function heardRaw(
  publisher: XPublisher,
  peer: RawConnection,
  ...sent: Uint8Array[]
): Promise<string[]> {
  peer.send(...sent, message(MARK));
  return await heardBeforeMark(publisher);
}

async function heardBeforeMark(publisher: XPublisher): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const frames = await takeTexts(publisher);
    if (frames[0] === MARK) return texts;
    texts.push(frames.join("|"));
  }
}

/** Waits until the publisher has so many peers, all with subscriptions. */
async function allSubscribed(publisher: AnyPublisher, count: number): Promise<void> {
  await eventually(() => {
    const { peers } = publisher.stats();
    return peers.length === count && peers.every(({ subscriptions }) => subscriptions > 0);
  });
}
