// One publisher, which binds, and as many subscribers as a test wants: either it is ours and they
// are libzmq's, or the other way round.

import { textOf } from "./bytes.ts";
import { type Peer, startPeer } from "./peer.ts";
import {
  Channel,
  type End,
  type EndOptions,
  openOurs,
  OurEnd,
  type PublisherType,
  requestTexts,
  type SubscriberType,
} from "./pubsub_ends.ts";
import { Opened } from "./traffic.ts";

/** Opens and closes the ends of one test after the other. */
export class Stand {
  readonly #publisherIsOurs: boolean;
  readonly #opened = new Opened();
  #peer: Peer | undefined;
  #theirs: { close(): Promise<void> }[] = [];
  #publisher: End | undefined;
  #endpoint = "";

  constructor(ours: "pub" | "sub") {
    this.#publisherIsOurs = ours === "pub";
  }

  /** For `before`. */
  start(): void {
    this.#peer = startPeer();
  }

  /** For `after`. */
  async stop(): Promise<void> {
    await this.#peer?.stop();
  }

  /** For `afterEach`. */
  async close(): Promise<void> {
    await this.#opened.close();
    // A socket that the test has closed is known no more.
    await Promise.allSettled(this.#theirs.splice(0).map((socket) => socket.close()));
  }

  /** Opens the publisher, and binds it. */
  async publish(type: PublisherType, options: EndOptions = {}): Promise<End> {
    this.#publisher = await this.#open(this.#publisherIsOurs, type, options);
    this.#endpoint = await this.#publisher.bind();
    return this.#publisher;
  }

  /** Opens a subscriber, and connects it unless that is left to the test. */
  async join(type: SubscriberType, options: EndOptions = {}, connects = true): Promise<End> {
    const end = await this.#open(!this.#publisherIsOurs, type, options);
    if (connects) await end.connect(this.#endpoint);
    return end;
  }

  /** Where the publisher is bound. */
  get endpoint(): string {
    return this.#endpoint;
  }

  /** The publisher and the subscriber. */
  channel(subscriber: End): Channel {
    return new Channel(this.#publisher!, subscriber);
  }

  /** The requests that an XPUB receives next, such as "+a" and "-b"; a user message is quoted. */
  async requests(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) {
      const message = await this.#publisher!.receive();
      const isRequest = message.length === 1 && message[0].length > 0 && message[0][0] < 2;
      texts.push(isRequest ? requestTexts([message])[0] : `"${message.map(textOf).join("|")}"`);
    }
    return texts;
  }

  async #open(
    isOurs: boolean,
    type: PublisherType | SubscriberType,
    options: EndOptions,
  ): Promise<End> {
    if (isOurs) return new OurEnd(this.#opened.add(openOurs(type, options)));
    const socket = await this.#peer!.open(type, options);
    this.#theirs.push(socket);
    return socket;
  }
}
