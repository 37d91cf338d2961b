// PUB and SUB: one message to all who asked for it (RFC 29).

import { LIST_ACTIVE } from "../../wasm/layout.ts";
import type {
  CommonOptions,
  ConflateOptions,
  MatchingOptions,
  PublisherOptions,
  ReceiveOptions,
  SendOptions,
} from "../options.ts";
import { PubPattern } from "../routing/pub.ts";
import { SubPattern } from "../routing/sub.ts";
import { patternOf } from "./inside.ts";
import { complete, type Readable, Socket, type SocketOptions, type Writable } from "./socket.ts";
import { type Topic, topicList } from "./topics.ts";

/**
 * Sends each message to every subscriber that asked for a start of its first frame. It never waits: a subscriber that is
 * not there yet, or that is `sendHighWaterMark` messages behind, does without, unless `noDrop` is set.
 *
 * @example Publish under topics
 * ```ts
 * import { Publisher, Subscriber } from "@wasmq/wasmq";
 *
 * const publisher = new Publisher();
 * await publisher.bind("tcp://127.0.0.1:*");
 * const subscriber = new Subscriber();
 * subscriber.connect(publisher.lastEndpoint!);
 * subscriber.subscribe("weather.");
 *
 * // A subscription takes a moment to arrive; what was published before is gone.
 * while (publisher.topicsCount === 0) await new Promise((resolve) => setTimeout(resolve, 1));
 * await publisher.send(["sports.tennis", "40:15"]);
 * await publisher.send(["weather.oslo", "-3"]);
 * const [topic, degrees] = await subscriber.receive();
 * console.log(`${topic}: ${degrees}`); // "weather.oslo: -3"
 *
 * await publisher.close();
 * await subscriber.close();
 * ```
 */
export class Publisher extends Socket {
  /** Makes a PUB socket. */
  constructor(
    options?: SocketOptions<CommonOptions & SendOptions & PublisherOptions & ConflateOptions>,
  ) {
    super(
      "PUB",
      ({ options, around, monitor }) =>
        new PubPattern(options, around.memory, around.pace, monitor),
      options,
    );
  }

  /** How many different topics somebody is subscribed to. `ZMQ_TOPICS_COUNT`. */
  get topicsCount(): number {
    return patternOf<PubPattern>(this).distributor.fan.topics(LIST_ACTIVE);
  }
}

/** What a Publisher can do, and its options. */
export interface Publisher extends Writable, SendOptions, PublisherOptions, ConflateOptions {}

complete(Publisher, {
  sends: true,
  receives: false,
  options: ["conflate", "invertMatching", "noDrop", "maxTopicLength", "maxSubscriptions"],
});

/**
 * Receives what it is subscribed to from all its publishers, one message of each in turn. At first that is nothing.
 *
 * @example Everything from one publisher
 * ```ts
 * import { Publisher, Subscriber } from "@wasmq/wasmq";
 *
 * const publisher = new Publisher();
 * await publisher.bind("tcp://127.0.0.1:*");
 * const subscriber = new Subscriber();
 * subscriber.connect(publisher.lastEndpoint!);
 * subscriber.subscribe();
 *
 * const timer = setInterval(() => publisher.send("tick"), 1);
 * for await (const [frame] of subscriber) {
 *   console.log(frame.toString()); // "tick"
 *   break;
 * }
 * clearInterval(timer);
 * await publisher.close();
 * await subscriber.close();
 * ```
 */
export class Subscriber extends Socket {
  /** Makes a SUB socket. Its `linger` is 0 unless it is given. */
  constructor(
    options?: SocketOptions<CommonOptions & ReceiveOptions & MatchingOptions & ConflateOptions>,
  ) {
    super("SUB", ({ options: values, around }) => {
      values.linger = 0;
      return new SubPattern(values, around.memory);
    }, options);
  }

  /**
   * Asks all publishers, those to come included, for messages that begin with one of the topics; without any, for all
   * messages. A topic that is subscribed twice has to be unsubscribed twice. `ZMQ_SUBSCRIBE`.
   *
   * @throws {StateError} `EBADF` when the socket is closed.
   * @throws {TypeError} `EINVAL` for what is neither text nor octets; `RangeError` for a topic above 65526 octets.
   */
  subscribe(...topics: Topic[]): void {
    const pattern = patternOf<SubPattern>(this);
    for (const topic of topicList(this, topics)) pattern.subscribe(topic);
  }

  /**
   * Takes topics back; without any, the empty one. From then on nothing is received that matches no other topic, not even
   * what has arrived already. A topic that is not subscribed is no error. `ZMQ_UNSUBSCRIBE`.
   *
   * @throws {StateError} `EBADF` when the socket is closed.
   * @throws {TypeError} `EINVAL` as for `subscribe`.
   */
  unsubscribe(...topics: Topic[]): void {
    patternOf<SubPattern>(this).unsubscribeAll(topicList(this, topics));
  }

  /** How many different topics it is subscribed to. `ZMQ_TOPICS_COUNT`. */
  get topicsCount(): number {
    return patternOf<SubPattern>(this).topics.count;
  }
}

/** What a Subscriber can do, and its options. */
export interface Subscriber extends Readable, ReceiveOptions, MatchingOptions, ConflateOptions {}

complete(Subscriber, { sends: false, receives: true, options: ["conflate", "invertMatching"] });
