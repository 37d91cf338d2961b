// The life of a socket in the middle of its work: what an unbind, a disconnect, a close or the end of its context does to
// operations that wait, to its peers, and to messages that nobody has read.

import { assert, assertEquals } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import {
  Context,
  context as common,
  Dealer,
  Pair,
  Proxy,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { ALL_TRANSPORTS, anywhere, SYSTEM_TRANSPORTS, type Transport } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { fill } from "../_util/filling.ts";
import { numbers } from "../_util/pubsub.ts";
import { rejection } from "../_util/rejection.ts";
import { describeOver, nowhere, reserve } from "../_util/transports.ts";

const QUICK = { reconnectInterval: 5 } as const;
/** Far more than it takes to end anything. */
const SOON_MS = 3_000;
const SHORT_MS = 30;
const cleanup = new Cleanup();

interface Pipeline {
  readonly push: Push;
  readonly pull: Pull;
  readonly endpoint: string;
}

async function pipeline(transport: Transport, context = common): Promise<Pipeline> {
  const endpoint = await reserve(transport);
  const pull = cleanup.add(new Pull({ context, receiveHighWaterMark: 5, receiveTimeout: SOON_MS }));
  await pull.bind(endpoint);
  const push = cleanup.add(new Push({ context, ...QUICK, sendHighWaterMark: 5 }));
  push.connect(endpoint);
  return { push, pull, endpoint };
}

function ends(promise: Promise<unknown>, what: string): Promise<unknown> {
  return within(promise, SOON_MS, what);
}

describeOver(ALL_TRANSPORTS, "unbind", (transport) => {
  afterEach(() => cleanup.run());

  it("leaves a receive waiting, which gets what comes after the next bind", async () => {
    const { push, pull, endpoint } = await pipeline(transport);
    const receiving = pull.receive();
    await pull.unbind(endpoint);
    await staysPending(receiving, SHORT_MS, "a receive without an endpoint");
    await pull.bind(endpoint);
    // What a connection that was ending had taken is lost.
    const sending = eventually(async () => {
      await push.send("after");
      return await Promise.race([receiving.then(() => true), staysOpen()]);
    });
    assertFrames(await ends(receiving, "the receive") as Uint8Array[], ["after"]);
    await sending;
  });

  it("leaves a send waiting, which goes to who comes to the next bind", async () => {
    const endpoint = await reserve(transport);
    const push = cleanup.add(new Push());
    await push.bind(endpoint);
    const sending = push.send("kept");
    await push.unbind(endpoint);
    await staysPending(sending, SHORT_MS, "a send without a peer");
    await push.bind(endpoint);
    const pull = cleanup.add(new Pull());
    pull.connect(endpoint);
    await ends(sending, "the send");
    assertFrames(await pull.receive(), ["kept"]);
  });

  it("ends the turn of no other endpoint", async () => {
    const { push, pull, endpoint } = await pipeline(transport);
    const other = anywhere(transport);
    await pull.bind(other);
    const late = cleanup.add(new Push());
    late.connect(pull.lastEndpoint!);
    await pull.unbind(endpoint);
    await late.send("by the other");
    assertFrames(await pull.receive(), ["by the other"]);
    push.disconnect(endpoint);
  });
});

describeOver(ALL_TRANSPORTS, "disconnect", (transport) => {
  afterEach(() => cleanup.run());

  it("leaves a send waiting, which goes to the next peer", async () => {
    const { push, pull, endpoint } = await pipeline(transport);
    const taken = await fill(push, ["x", new Uint8Array(100_000)]);
    const sending = push.send("last");
    push.disconnect(endpoint);
    await staysPending(sending, SHORT_MS, "a send without a peer");
    const next = cleanup.add(new Pull({ receiveTimeout: SOON_MS }));
    await next.bind(anywhere(transport));
    push.connect(next.lastEndpoint!);
    await ends(sending, "the send");
    assertFrames(await next.receive(), ["last"]);
    for (let i = 0; i < taken; i++) assertEquals((await pull.receive()).length, 2);
  });

  it("leaves a receive waiting, which gets what the next peer sends", async () => {
    const pull = cleanup.add(new Pull(QUICK));
    pull.connect(nowhere(transport));
    const receiving = pull.receive();
    pull.disconnect(nowhere(transport));
    const push = cleanup.add(new Push());
    await push.bind(anywhere(transport));
    pull.connect(push.lastEndpoint!);
    await push.send("next");
    assertFrames(await ends(receiving, "the receive") as Uint8Array[], ["next"]);
  });

  it("of a REQ that waits for its reply leaves it waiting, and its REP free", async () => {
    const reply = cleanup.add(new Reply());
    await reply.bind(anywhere(transport));
    const request = cleanup.add(new Request({ receiveTimeout: SHORT_MS }));
    request.connect(reply.lastEndpoint!);
    await request.send("question");
    assertFrames(await reply.receive(), ["question"]);
    request.disconnect(reply.lastEndpoint!);
    await rejection(request.receive(), "EAGAIN");
    await ends(reply.send("to nobody"), "the reply");
    const other = cleanup.add(new Request());
    other.connect(reply.lastEndpoint!);
    await other.send("another");
    assertFrames(await reply.receive(), ["another"]);
  });
});

describeOver(ALL_TRANSPORTS, "close", (transport) => {
  afterEach(() => cleanup.run());

  it("of one end ends its operations, and leaves those of its peer waiting", async () => {
    const context = new Context();
    const { push, pull, endpoint } = await pipeline(transport, context);
    await push.send("1");
    assertFrames(await pull.receive(), ["1"]);
    const outcomes = [1, 2].map(() => rejection(pull.receive(), "EAGAIN"));
    await pull.close();
    await Promise.all(outcomes);
    await rejection(pull.receive(), "EBADF");
    const next = cleanup.add(new Pull({ context }));
    const receiving = next.receive();
    await next.bind(endpoint);
    const sending = eventually(async () => {
      await push.send("2");
      return await Promise.race([receiving.then(() => true), staysOpen()]);
    });
    assertFrames(await ends(receiving, "the receive") as Uint8Array[], ["2"]);
    await sending;
  });

  it("of a full sender ends the sends that wait, not those that were taken", async () => {
    const { push, pull } = await pipeline(transport);
    const taken = await fill(push, ["x", new Uint8Array(100_000)]);
    const outcomes = [1, 2].map(() => rejection(push.send("refused"), "EAGAIN"));
    const closing = push.close();
    await Promise.all(outcomes);
    for (let i = 0; i < taken; i++) assertFrames((await pull.receive()).slice(0, 1), ["x"]);
    await ends(closing, "close");
    assert(!pull.readable);
  });

  it("right after connect, bind or unbind is no trouble", async () => {
    for (const type of [Pair, Push, Pull, Dealer, Router, Publisher, Subscriber]) {
      const endpoint = await reserve(transport);
      const socket = new type() as Socket;
      socket.connect(nowhere(transport));
      const binding = socket.bind(endpoint).catch(() => {});
      await ends(Promise.all([socket.close(), binding]), `close of a ${type.name}`);
      const again = new type() as Socket;
      await again.bind(endpoint);
      const unbinding = again.unbind(endpoint).catch(() => {});
      await ends(Promise.all([again.close(), again.close(), unbinding]), "the second close");
    }
  });

  const pairs: Readonly<Record<string, () => [Socket & Sending, Socket & Sending]>> = {
    "PAIR and PAIR": () => [new Pair(), new Pair()],
    "DEALER and DEALER": () => [new Dealer(), new Dealer()],
    "PULL and PUSH": () => [new Pull() as unknown as Socket & Sending, new Push()],
    "REP and REQ": () => [new Reply(), new Request()],
    "ROUTER and DEALER": () => [new Router(), new Dealer()],
    "XPUB and XSUB": () => [new XPublisher(), new XSubscriber()],
  };
  for (const [name, open] of Object.entries(pairs)) {
    it(`of ${name} together ends, in either order, with unread messages`, async () => {
      for (const order of [[0, 1], [1, 0]]) {
        const sockets = open();
        for (const socket of sockets) cleanup.add(socket);
        await sockets[0].bind(anywhere(transport));
        sockets[1].connect(sockets[0].lastEndpoint!);
        await sockets[1].send("\x01unread");
        await eventually(() => sockets[0].readable);
        await ends(Promise.all(order.map((i) => sockets[i].close())), "both closes");
      }
    });
  }

  it("of a crowd at once ends, while it connects and subscribes", async () => {
    for (let round = 0; round < 3; round++) {
      const publisher = cleanup.add(new Publisher());
      await publisher.bind(anywhere(transport));
      const crowd = numbers(50).map((topic) => {
        const subscriber = new Subscriber(QUICK);
        subscriber.connect(publisher.lastEndpoint!);
        subscriber.subscribe(topic, "");
        return subscriber;
      });
      await publisher.send("hello");
      const all = [publisher, ...crowd].map((socket) => socket.close());
      await ends(Promise.all(all), "all closes");
      assertEquals(publisher.topicsCount, 0);
    }
  });
});

/** What can be sent to; the types above need nothing more. */
interface Sending {
  send(message: string): Promise<void>;
}

describeOver(ALL_TRANSPORTS, "the end of a context", (transport) => {
  afterEach(() => cleanup.run());

  it("ends what waits with ETERM, and all of its sockets", async () => {
    const context = new Context();
    const { push, pull } = await pipeline(transport, context);
    const idle = cleanup.add(new Push({ context }));
    const other = cleanup.add(new Dealer({ context }));
    other.connect(nowhere(transport));
    const outcomes = [pull.receive(), idle.send("x"), other.receive()]
      .map((operation) => rejection(operation, "ETERM"));
    await ends(context.terminate(), "terminate");
    await Promise.all(outcomes);
    for (const socket of [push, pull, idle, other]) assert(socket.closed);
    await rejection(push.send("x"), "EBADF");
  });

  it("does not wait for messages that a peer has and does not read", async () => {
    for (const bindsFirst of [true, false]) {
      const context = new Context();
      const one = cleanup.add(new Pair({ context }));
      const two = cleanup.add(new Pair({ context }));
      const endpoint = await reserve(transport);
      if (bindsFirst) await one.bind(endpoint);
      two.connect(endpoint);
      if (!bindsFirst) await one.bind(endpoint);
      await Promise.all([one.send("unread"), two.send("unread")]);
      await eventually(() => one.readable && two.readable);
      await ends(context.terminate(), "terminate");
    }
  });

  it("gives up what lingers for some milliseconds only", async () => {
    const context = new Context();
    const push = cleanup.add(new Push({ context, ...QUICK, linger: 50 }));
    push.connect(nowhere(transport));
    await push.send("dropped");
    await ends(context.terminate(), "terminate");
  });

  it("with blocky false drops at once what waits", async () => {
    const context = new Context({ blocky: false });
    const push = cleanup.add(new Push({ context, ...QUICK }));
    assertEquals(push.linger, 0);
    push.connect(nowhere(transport));
    await push.send("dropped");
    await ends(context.terminate(), "terminate");
  });

  it("ends a proxy", async () => {
    const context = new Context();
    const [front, back] = [new Pull({ context }), new Push({ context })];
    for (const socket of [front, back]) await cleanup.add(socket).bind(anywhere(transport));
    const running = new Proxy(front, back).run().catch(() => {});
    await ends(context.terminate(), "terminate");
    await ends(running, "run");
    assert(front.closed && back.closed);
  });

  it("leaves the endpoint to others", async () => {
    const { endpoint } = await pipeline(transport);
    const context = new Context();
    const first = cleanup.add(new Pull({ context }));
    const free = await reserve(transport);
    await first.bind(free);
    await ends(context.terminate(), "terminate");
    const second = cleanup.add(new Pull());
    await second.bind(free);
    assertEquals(second.lastEndpoint, free);
    assert(endpoint !== free);
  });
});

describeOver(SYSTEM_TRANSPORTS, "the end of a context with messages left", (transport) => {
  afterEach(() => cleanup.run());

  it("waits for a peer of another context to take what was sent", async () => {
    const context = new Context();
    const endpoint = await reserve(transport);
    const push = cleanup.add(new Push({ context, ...QUICK }));
    push.connect(endpoint);
    for (const text of numbers(100)) await push.send(text);
    const ending = context.terminate();
    await staysPending(ending, SHORT_MS, "the end of a context with messages left");
    const pull = cleanup.add(new Pull());
    await pull.bind(endpoint);
    for (const text of numbers(100)) assertFrames(await pull.receive(), [text]);
    await ends(ending, "terminate");
  });
});

/** False, after a moment. */
function staysOpen(): Promise<boolean> {
  return new Promise((resolve) => setTimeout(() => resolve(false), 5));
}
