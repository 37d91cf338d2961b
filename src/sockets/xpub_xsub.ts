// XPUB and XSUB: publish-subscribe with the subscriptions in the user's hands, for proxies and caches (RFC 29).

import { LIST_ACTIVE } from "../../wasm/layout.ts";
import type {
  CommonOptions,
  PublisherOptions,
  ReceiveOptions,
  SendOptions,
  SubscriptionOptions,
  XPublisherOptions,
} from "../options.ts";
import { XPubPattern } from "../routing/xpub.ts";
import { XSubPattern } from "../routing/xsub.ts";
import { CANCEL, SUBSCRIBE } from "../wire/subscription.ts";
import { engineOf, patternOf } from "./inside.ts";
import { complete, type Readable, Socket, type SocketOptions, type Writable } from "./socket.ts";
import { type Topic, topicList } from "./topics.ts";

/**
 * Publishes as a Publisher does, and receives who wants what: a message of one octet, 1 to subscribe and 0 to unsubscribe,
 * and the topic. Other messages that XSubscribers send arrive as they are.
 *
 * @example Know when somebody listens
 * ```ts
 * import { Subscriber, XPublisher } from "@wasmq/wasmq";
 *
 * const publisher = new XPublisher();
 * await publisher.bind("tcp://127.0.0.1:*");
 * const subscriber = new Subscriber();
 * subscriber.connect(publisher.lastEndpoint!);
 * subscriber.subscribe("news");
 *
 * const [request] = await publisher.receive();
 * console.log(request[0], request.subarray(1).toString()); // 1 "news"
 * await publisher.send("news: somebody listens");
 * await subscriber.receive();
 *
 * await publisher.close();
 * await subscriber.close();
 * ```
 */
export class XPublisher extends Socket {
  /** Makes an XPUB socket. */
  constructor(
    options?: SocketOptions<
      & CommonOptions
      & SendOptions
      & ReceiveOptions
      & PublisherOptions
      & SubscriptionOptions
      & XPublisherOptions
    >,
  ) {
    super(
      "XPUB",
      ({ options, around, monitor }) =>
        new XPubPattern(options, around.memory, around.pace, monitor),
      options,
    );
  }

  /**
   * Gives topics to the subscriber whose request was received last, in `manual` mode; without effect when it is gone.
   *
   * @example Choose the topic for a subscriber
   * ```ts
   * import { Subscriber, XPublisher } from "@wasmq/wasmq";
   *
   * const publisher = new XPublisher({ manual: true });
   * await publisher.bind("tcp://127.0.0.1:*");
   * const subscriber = new Subscriber();
   * subscriber.connect(publisher.lastEndpoint!);
   * subscriber.subscribe("prices.today");
   *
   * const [request] = await publisher.receive();
   * if (request[0] === 1) publisher.subscribe(request.subarray(1), "prices.today.all");
   * await publisher.send("prices.today: 3.50");
   * await subscriber.receive();
   *
   * await publisher.close();
   * await subscriber.close();
   * ```
   *
   * @throws {StateError} `EINVAL` without `manual`, `EBADF` when the socket is closed.
   * @throws {TypeError} `EINVAL` for what is neither text nor octets.
   */
  subscribe(...topics: Topic[]): void {
    const pattern = patternOf<XPubPattern>(this);
    for (const topic of topicList(this, topics)) pattern.decide(SUBSCRIBE, topic);
  }

  /**
   * Takes topics from the subscriber whose request was received last, in `manual` mode.
   *
   * @throws {StateError} `EINVAL` without `manual`, `EBADF` when the socket is closed.
   * @throws {TypeError} `EINVAL` for what is neither text nor octets.
   */
  unsubscribe(...topics: Topic[]): void {
    const pattern = patternOf<XPubPattern>(this);
    for (const topic of topicList(this, topics)) pattern.decide(CANCEL, topic);
    // A send with `noDrop` may have waited for this subscriber.
    engineOf(this).changed();
  }

  /** How many different topics somebody is subscribed to. `ZMQ_TOPICS_COUNT`. */
  get topicsCount(): number {
    return patternOf<XPubPattern>(this).distributor.fan.topics(LIST_ACTIVE);
  }
}

/** What an XPublisher can do, and its options. */
export interface XPublisher
  extends
    Writable,
    Readable,
    SendOptions,
    ReceiveOptions,
    PublisherOptions,
    SubscriptionOptions,
    XPublisherOptions {}

complete(XPublisher, {
  sends: true,
  receives: true,
  options: [
    "invertMatching",
    "noDrop",
    "maxTopicLength",
    "maxSubscriptions",
    "verbosity",
    "onlyFirstSubscribe",
    "manual",
    "manualLastValue",
    "welcomeMessage",
  ],
});

/**
 * Receives from all its publishers, and subscribes by messages: one octet, 1 to subscribe and 0 to unsubscribe, and the
 * topic. Other messages go to all publishers, where an XPublisher receives them.
 *
 * @example Subscribe by a message
 * ```ts
 * import { XPublisher, XSubscriber } from "@wasmq/wasmq";
 *
 * const publisher = new XPublisher();
 * await publisher.bind("tcp://127.0.0.1:*");
 * const subscriber = new XSubscriber();
 * subscriber.connect(publisher.lastEndpoint!);
 *
 * await subscriber.send("\x01news");
 * await publisher.receive();
 * await publisher.send(["news", "hello"]);
 * console.log(String(await subscriber.receive())); // "news,hello"
 *
 * await publisher.close();
 * await subscriber.close();
 * ```
 */
export class XSubscriber extends Socket {
  /** Makes an XSUB socket. Its `linger` is 0 unless it is given. */
  constructor(
    options?: SocketOptions<CommonOptions & SendOptions & ReceiveOptions & SubscriptionOptions>,
  ) {
    super("XSUB", ({ options: values, around }) => {
      values.linger = 0;
      return new XSubPattern(values, around.memory);
    }, options);
  }

  /** How many different topics it is subscribed to. `ZMQ_TOPICS_COUNT`. */
  get topicsCount(): number {
    return patternOf<XSubPattern>(this).topics.count;
  }
}

/** What an XSubscriber can do, and its options. */
export interface XSubscriber
  extends Writable, Readable, SendOptions, ReceiveOptions, SubscriptionOptions {}

complete(XSubscriber, {
  sends: true,
  receives: true,
  options: ["verbosity", "onlyFirstSubscribe"],
});
