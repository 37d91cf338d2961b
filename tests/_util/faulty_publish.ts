// Publishing over connections that break: what is published meanwhile may be lost, but a subscriber that is back has its
// topics again, gets nothing else, nothing twice, and nothing before what went before it.

import { type Frame, Subscriber, XPublisher } from "../../mod.ts";
import { textOf } from "./bytes.ts";
import { eventually } from "./deadline.ts";
import type { Talk } from "./faulty_patterns.ts";
import type { FaultyStage } from "./faulty_stage.ts";
import { Received } from "./faulty_talk.ts";

const WAIT_MS = 25_000;
/** Most messages: not every connection breaks as early as it may. */
const MOST = 400;
const WANTED = ["a", "b"];
const TOPICS = [...WANTED, "c"];

const turn = (globalThis as unknown as { setImmediate(call: () => void): void }).setImmediate;

/** What an XPUB is told of topics. */
class Requests {
  /** Each topic, and whether it is wanted. */
  readonly wanted: Map<string, boolean> = new Map();

  add([request]: readonly Frame[]): void {
    const [topic, wanted] = [textOf(request.subarray(1)), request[0] === 1];
    if ((this.wanted.get(topic) ?? false) === wanted) {
      throw new Error(`${topic} was ${wanted ? "asked for" : "given up"} twice in a row`);
    }
    this.wanted.set(topic, wanted);
  }
}

/** Calls with each message until the socket is closed. */
async function readAll(
  socket: XPublisher | Subscriber,
  take: (message: Frame[]) => void,
): Promise<void> {
  for (;;) {
    const message = await socket.receive().catch((error) => {
      if (!socket.closed) throw error;
    });
    if (message === undefined) return;
    take(message);
  }
}

/** A publisher and its subscriber. */
export const publishing: Talk = async (stage) => {
  const publisherBinds = stage.random.chance(0.5);
  const publisher = stage.add(new XPublisher(stage.options(publisherBinds, true, false)));
  const subscriber = stage.add(new Subscriber(stage.options(!publisherBinds, false, true)));
  subscriber.subscribe(...WANTED);
  if (publisherBinds) await stage.join(publisher, [subscriber]);
  else await stage.join(subscriber, [publisher]);

  const requests = new Requests();
  const received = new Received(stage.messages);
  const reading = Promise.all([
    readAll(publisher, (message) => requests.add(message)),
    readAll(subscriber, ([topic, ...frames]) => {
      received.add(frames);
      const expected = TOPICS[received.numbers.at(-1)! % TOPICS.length];
      if (textOf(topic) === expected && WANTED.includes(expected)) return;
      throw new Error(`A message came with ${textOf(topic)} instead of ${expected}`);
    }),
  ]);
  await Promise.race([reading, publishAll(stage, publisher, received)]);
  received.assertNotTwice();
  if (!stage.trouble.anyOrder && publisherBinds) received.assertInOrder();

  subscriber.unsubscribe(WANTED[0]);
  const last = () => requests.wanted.get(WANTED[0]) === false;
  await Promise.race([reading, eventually(last, WAIT_MS, "the end of a topic is known")]);
  // What is still to be published would wait for a subscriber that is gone.
  publisher.linger = 0;
  await Promise.all([publisher.close(), subscriber.close()]);
  await reading;
};

/** Publishes until no connection breaks any more, and what is published then arrives. */
async function publishAll(
  stage: FaultyStage,
  publisher: XPublisher,
  { numbers }: Received,
): Promise<void> {
  let next = 0;
  const publish = async (): Promise<void> => {
    const number = next++;
    await publisher.send([TOPICS[number % TOPICS.length], ...stage.messages.make(number)]);
    await new Promise<void>(turn);
  };
  while (next < MOST && stage.place.connections <= stage.trouble.resets) await publish();
  const first = next;
  const through = async (): Promise<boolean> => {
    await publish();
    return numbers.some((number) => number >= first);
  };
  await eventually(through, WAIT_MS, "a message after the last break arrives");
}
