// Options that are accepted and do nothing, since nothing here could do it, and those that are refused when they matter.

import { assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Dealer,
  EndpointError,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { textsOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { realRuntime } from "../_util/fake_runtime.ts";
import { CLASS_NAMES, CLASSES, type ClassName, OPTIONS, valuesOf } from "../_util/option_table.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { subscribed } from "../_util/pubsub.ts";
import { assertSays, failure, rejection } from "../_util/rejection.ts";

const cleanup = new Cleanup();

/** The options that do nothing, with values that would do something to libzmq. */
const WITHOUT_EFFECT: Readonly<Record<string, unknown>> = {
  affinity: 5,
  rate: 1,
  recoveryInterval: 1,
  multicastHops: 9,
  multicastMaxTransportDataUnit: 100,
  typeOfService: 0x28,
  sendBufferSize: 4_096,
  receiveBufferSize: 4_096,
  loopbackFastPath: true,
  vmciBufferSize: 1,
  vmciBufferMinSize: 1,
  vmciBufferMaxSize: 1,
  vmciConnectTimeout: 1,
};

/** Those that a class has. */
function withoutEffect(name: ClassName): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(WITHOUT_EFFECT).filter(([option]) => option in OPTIONS[name]),
  );
}

/** Opens a socket with all of them, and another one that talks to it; one message has to get through. */
const TALKS: Readonly<Record<string, () => Promise<void>>> = {
  "Pair and Pair": () => oneWay(new Pair(all("Pair")), new Pair(all("Pair"))),
  "Push and Pull": () => oneWay(new Push(all("Push")), new Pull(all("Pull"))),
  "Dealer and Dealer": () => oneWay(new Dealer(all("Dealer")), new Dealer(all("Dealer"))),
  "Request and Reply": async () => {
    const [request, reply] = [new Request(all("Request")), new Reply(all("Reply"))];
    await oneWay(request, reply);
    await reply.send("answer");
    assertEquals(textsOf(await request.receive()), ["answer"]);
  },
  "Dealer and Router": async () => {
    const [dealer, router] = [new Dealer(all("Dealer")), new Router(all("Router"))];
    await join(dealer, router);
    await dealer.send("x");
    assertEquals(String((await router.receive())[1]), "x");
  },
  "Publisher and Subscriber": async () => {
    const publisher = new Publisher(all("Publisher"));
    const subscriber = new Subscriber(all("Subscriber"));
    subscriber.subscribe();
    await join(subscriber, publisher);
    await subscribed(publisher, 1);
    await publisher.send("x");
    assertEquals(textsOf(await subscriber.receive()), ["x"]);
  },
  "XPublisher and XSubscriber": async () => {
    const publisher = new XPublisher(all("XPublisher"));
    const subscriber = new XSubscriber(all("XSubscriber"));
    await join(subscriber, publisher);
    await subscriber.send(Uint8Array.of(1));
    assertEquals([...(await publisher.receive())[0]], [1]);
    await publisher.send("x");
    assertEquals(textsOf(await subscriber.receive()), ["x"]);
  },
  "Stream and Stream": async () => {
    const [one, other] = [new Stream(all("Stream")), new Stream(all("Stream"))];
    await join(one, other);
    const [id] = await one.receive();
    await other.receive();
    await one.send([id, "x"]);
    assertEquals(String((await other.receive())[1]), "x");
  },
};

function all(name: ClassName): object {
  const timeouts = { sendTimeout: 5_000, receiveTimeout: 5_000 };
  const own = Object.entries(timeouts).filter(([option]) => option in OPTIONS[name]);
  return { ...withoutEffect(name), ...Object.fromEntries(own) };
}

async function join(connecting: Socket, binding: Socket): Promise<void> {
  cleanup.add(connecting);
  await cleanup.add(binding).bind(ANY_PORT);
  connecting.connect(binding.lastEndpoint!);
}

async function oneWay(
  from: Socket & { send(text: string): Promise<void> },
  to: Socket & { receive(): Promise<Uint8Array[]> },
): Promise<void> {
  await join(from, to);
  await from.send("x");
  assertEquals(textsOf(await to.receive()), ["x"]);
}

describe("an option that does nothing here", () => {
  afterEach(() => cleanup.run());

  for (const name of CLASS_NAMES) {
    it(`is kept by a ${name} as it was set`, async () => {
      const options = withoutEffect(name);
      const socket = cleanup.add(new CLASSES[name](options));
      await socket.bind(ANY_PORT);
      socket.connect("tcp://127.0.0.1:9");
      for (const [option, value] of Object.entries(options)) {
        assertEquals(valuesOf(socket)[option], value, option);
      }
    });
  }

  for (const [who, talk] of Object.entries(TALKS)) {
    it(`does not keep ${who} from talking`, () => talk());
  }
});

describe("an option that would have to do something and cannot", () => {
  afterEach(() => cleanup.run());

  const refused: readonly (readonly [option: string, value: unknown, standard: unknown])[] = [
    ["tcpKeepaliveCount", 5, -1],
    ["tcpKeepaliveInterval", 5, -1],
    ["tcpMaxRetransmitTimeout", 1_000, 0],
    ["interface", "lo", null],
  ];
  for (const [option, value, standard] of refused) {
    it(`such as ${option} is refused by name when binding or connecting`, async () => {
      for (const name of CLASS_NAMES) {
        const socket = cleanup.add(new CLASSES[name]({ [option]: value }));
        const errors = [
          await rejection(socket.bind(ANY_PORT), "ENOTSUP"),
          failure(() => socket.connect("tcp://127.0.0.1:9"), "ENOTSUP"),
          failure(() => socket.bindSync(ANY_PORT), "ENOTSUP"),
        ];
        for (const error of errors) {
          assertInstanceOf(error, EndpointError);
          assertSays(error, option, realRuntime().name, String(standard));
        }
        assertEquals(socket.lastEndpoint, null);
      }
    });

    it(`such as ${option} is no trouble at its default`, async () => {
      const socket = cleanup.add(new CLASSES.Push({ [option]: value }));
      valuesOf(socket)[option] = standard;
      await socket.bind(ANY_PORT);
      socket.connect("tcp://127.0.0.1:9");
    });
  }
});
