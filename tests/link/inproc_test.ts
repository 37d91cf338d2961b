// Inproc between two hosts that do what the test says: who meets whom, when a reader is woken, what is left when one goes.

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { InprocEndpoint } from "../../src/endpoint.ts";
import { EndpointError, ProtocolError, ZmqError } from "../../src/errors.ts";
import { InprocBinding, InprocConnection } from "../../src/link/inproc.ts";
import { InprocNames } from "../../src/link/inproc_names.ts";
import type { OptionValues } from "../../src/options.ts";
import type { Pipe } from "../../src/routing/pipe.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { textOf } from "../_util/bytes.ts";
import { FakeHost } from "../_util/fake_host.ts";
import { microtasks } from "../_util/manual_clock.ts";

const ENDPOINT: InprocEndpoint = { transport: "inproc", text: "inproc://x", name: "x" };
/** So many messages are worth waking a reader. */
const BATCH = 256;

/** Two sockets of one context, the first of which binds and the second of which connects. */
class Stand {
  readonly binder: FakeHost;
  readonly connecter: FakeHost;
  readonly binding: InprocBinding;
  readonly connection: InprocConnection;
  /** Who has ended. */
  readonly done: string[] = [];

  constructor(
    types: readonly [SocketType, SocketType] = ["PULL", "PUSH"],
    options: readonly [Partial<OptionValues>?, Partial<OptionValues>?] = [],
  ) {
    const names = new InprocNames();
    [this.binder, this.connecter] = types.map((type, i) => {
      const host = new FakeHost(type, options[i]);
      Object.assign(host.around, { inproc: names });
      return host;
    });
    this.binding = new InprocBinding(this.binder, ENDPOINT, () => this.done.push("binding"));
    this.connection = new InprocConnection(
      this.connecter,
      ENDPOINT,
      undefined,
      () => this.done.push("connection"),
    );
  }

  /** Binds and connects; the calls until then are forgotten. */
  meet(): this {
    this.binding.listen();
    assertEquals(this.connection.start(), undefined);
    for (const host of [this.binder, this.connecter]) host.calls.length = 0;
    return this;
  }

  /** The pipe of a host that has one. */
  get theirs(): Pipe {
    return [...this.binder.attached][0];
  }
  get own(): Pipe {
    return [...this.connecter.attached][0];
  }
}

/** Everything that can be read from a pipe. */
function readAll(pipe: Pipe): string[] {
  const texts: string[] = [];
  for (let frames = pipe.receive(); frames !== undefined; frames = pipe.receive()) {
    texts.push(frames.map(textOf).join("|"));
  }
  return texts;
}

function send(pipe: Pipe, from: number, to: number): void {
  for (let i = from; i < to; i++) pipe.send(String(i));
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(from + i));
}

describe("an inproc connection", () => {
  it("meets who is bound, within the call", () => {
    const stand = new Stand(["ROUTER", "DEALER"], [{}, { routingId: "me" }]);
    stand.binding.listen();
    assertEquals(stand.connection.start(), undefined);
    assertEquals(stand.binder.calls, ["identify me", "attach"]);
    assertEquals(stand.connecter.calls, ["attach", "identify "]);
    for (const pipe of [stand.own, stand.theirs]) assert(pipe.link !== undefined);
    assertEquals([stand.own.peer!.socketType, stand.theirs.peer!.socketType], ["ROUTER", "DEALER"]);
    assertEquals(textOf(stand.theirs.peer!.routingId), "me");
  });

  it("waits for the name; what it was given meanwhile is there when it is bound", () => {
    const stand = new Stand();
    assertEquals(stand.connection.start(), undefined);
    send(stand.own, 0, 3);
    assertEquals([stand.own.link, stand.connecter.holds], [undefined, 1]);
    stand.binding.listen();
    assertEquals(readAll(stand.theirs), numbers(0, 3));
    assertEquals(stand.connecter.holds, 0);
  });

  it("has no pipe before it has met, with immediate", () => {
    const stand = new Stand(undefined, [{}, { immediate: true }]);
    stand.connection.start();
    assertEquals(stand.connecter.attached.size, 0);
    stand.binding.listen();
    assertEquals(stand.connecter.attached.size, 1);
  });

  it("says what the socket says that refuses another pipe", () => {
    const stand = new Stand(["PAIR", "PAIR"]);
    stand.connecter.refusal = new ZmqError("EBUSY", "one is enough");
    assertEquals(stand.connection.start(), stand.connecter.refusal);
    assertEquals(stand.connecter.census.pipes.size, 0);
    stand.binding.listen();
    assertEquals(stand.binder.calls, []);
  });

  it("is over when the types do not go together", () => {
    for (const bindsFirst of [true, false]) {
      const stand = new Stand(["REP", "PUSH"]);
      if (bindsFirst) stand.binding.listen();
      stand.connection.start();
      if (!bindsFirst) stand.binding.listen();
      assertEquals(stand.done, ["connection"]);
      assertEquals([stand.binder.census.pipes.size, stand.connecter.census.pipes.size], [0, 0]);
      assertEquals([...stand.connecter.attached], []);
    }
  });

  for (const who of ["binder", "connecter"] as const) {
    it(`is tried again after reconnectInterval when the ${who} refuses the peer`, () => {
      const stand = new Stand(["ROUTER", "ROUTER"], [{}, { reconnectInterval: 70 }]);
      const { connecter, binder } = stand;
      stand.binding.listen();
      stand.connection.start();
      const again = new Stand(["ROUTER", "ROUTER"], [{}, { reconnectInterval: 70 }]);
      again.binding.listen();
      const refusing = again[who];
      const attach = again.connecter.attach;
      if (who === "connecter") {
        // It has its own pipe, and refuses the peer's id.
        again.connecter.attach = (pipe) => {
          const answer = attach.call(again.connecter, pipe);
          refusing.refusal = new ZmqError("EADDRINUSE", "taken");
          return answer;
        };
      } else {
        refusing.refusal = new ZmqError("EADDRINUSE", "taken");
      }
      assertEquals(again.connection.start(), undefined);
      assertEquals([again.binder.attached.size, again.binder.census.pipes.size], [0, 0]);
      assertEquals(again.connecter.clock.delays, [70]);
      refusing.refusal = undefined;
      again.connecter.attach = attach;
      again.connecter.clock.advance(69);
      assertEquals(again.binder.attached.size, 0);
      again.connecter.clock.advance(1);
      assertEquals(again.binder.attached.size, 1);
      assertEquals([connecter.clock.delays, binder.clock.delays], [[], []], "nobody refused here");
    });
  }

  it("is not tried again with reconnectInterval -1", () => {
    const stand = new Stand(["ROUTER", "ROUTER"], [{}, { reconnectInterval: -1 }]);
    stand.binder.refusal = new ZmqError("EADDRINUSE", "taken");
    stand.binding.listen();
    stand.connection.start();
    assertEquals([stand.done, stand.connecter.clock.delays], [["connection"], []]);
  });

  it("brings what a socket tells its peer first, before what waits", () => {
    const stand = new Stand(["XPUB", "SUB"]);
    stand.connecter.onLinked = (pipe) => pipe.send("topics");
    stand.binder.onLinked = (pipe) => pipe.send("welcome");
    stand.meet();
    assertEquals([readAll(stand.own), readAll(stand.theirs)], [["welcome"], ["topics"]]);
  });

  it("ends without harm when a socket ends it while it is told of it", () => {
    const stand = new Stand();
    stand.connecter.onLinked = () => stand.connection.close();
    stand.meet();
    assertEquals(stand.done, ["connection"]);
    assertEquals([stand.binder.census.pipes.size, stand.connecter.census.pipes.size], [0, 0]);
  });

  it("that is closed while another one meets the name does not meet it", () => {
    const stand = new Stand();
    const other = new Stand();
    Object.assign(other.connecter.around, { inproc: stand.connecter.around.inproc });
    stand.connecter.onLinked = () => other.connection.close();
    stand.connection.start();
    other.connection.start();
    stand.binding.listen();
    assertEquals(stand.binder.attached.size, 1);
    assertEquals(other.done, ["connection"]);
  });
});

describe("a name of inproc", () => {
  it("is EADDRINUSE for a second one, and free when the first has closed", () => {
    const stand = new Stand().meet();
    const second = new InprocBinding(stand.binder, ENDPOINT, () => {});
    const error = assertThrows(() => second.listen(), EndpointError);
    assertEquals([error.code, error.address], ["EADDRINUSE", "inproc://x"]);
    stand.binding.close();
    stand.binding.close();
    assertEquals(stand.done, ["binding"]);
    second.listen();
    assertEquals(stand.binder.attached.size, 1, "the peer has found it");
  });

  it("is met by all who wait, in the order in which they came, once", () => {
    const names = new InprocNames();
    const met: number[] = [];
    const waiting = [0, 1, 2].map((i) => ({ meet: () => met.push(i) }));
    for (const each of waiting) names.wait("x", each);
    names.forget("x", waiting[1]);
    names.forget("y", waiting[1]);
    const bound = { name: "x" };
    names.bind(bound);
    assertEquals([met, names.find("x"), names.find("y")], [[0, 2], bound, undefined]);
    names.unbind(bound);
    names.bind(bound);
    assertEquals(met, [0, 2]);
  });
});

describe("over inproc, a reader", () => {
  /** One that waits in receive. */
  function expectant(): Stand {
    const stand = new Stand().meet();
    stand.binder.expectant = true;
    return stand;
  }

  it("is told of a first message at once, and woken soon after", async () => {
    const stand = expectant();
    stand.own.send("x");
    assertEquals(stand.binder.calls, ["arrived"]);
    await microtasks();
    assertEquals(stand.binder.calls, ["arrived", "changed"]);
    assert(!stand.connecter.clock.turning);
  });

  it("is not woken when it does not wait", async () => {
    const stand = new Stand().meet();
    send(stand.own, 0, 10);
    await microtasks();
    assertEquals(stand.binder.calls, ["arrived"]);
    assert(!stand.connecter.clock.turning);
  });

  it("is woken once for many that come in a stream: at the end of the turn", async () => {
    const stand = expectant();
    for (let i = 0; i < 20; i++) {
      stand.own.send(String(i));
      await undefined;
    }
    assertEquals(stand.binder.calls, ["arrived"]);
    stand.connecter.clock.settle();
    assertEquals(stand.binder.calls, ["arrived", "changed"]);
    assertEquals(readAll(stand.theirs), numbers(0, 20));
  });

  it("is woken before that for a whole batch", async () => {
    const stand = expectant();
    for (let i = 0; i < BATCH - 1; i++) {
      stand.own.send(String(i));
      await undefined;
    }
    assertEquals(stand.binder.calls, ["arrived"]);
    stand.own.send("last");
    assertEquals(stand.binder.calls, ["arrived", "changed"]);
    stand.connecter.clock.settle();
    assertEquals(stand.binder.calls, ["arrived", "changed"]);
  });

  it("is woken again when it has read everything and waits", async () => {
    const stand = expectant();
    for (let round = 0; round < 5; round++) {
      stand.binder.calls.length = 0;
      stand.own.send(String(round));
      await microtasks();
      assertEquals(stand.binder.calls, ["arrived", "changed"]);
      assertEquals(readAll(stand.theirs), [String(round)]);
    }
  });

  it("is not woken any more when the connection has gone meanwhile", async () => {
    const stand = expectant();
    stand.own.send("x");
    stand.binder.expectant = false;
    stand.connection.close();
    stand.binder.calls.length = 0;
    await microtasks();
    stand.connecter.clock.settle();
    assertEquals(stand.binder.calls, []);
  });

  it("that wants the newest only has no other", () => {
    const stand = new Stand(undefined, [{ conflate: true }]).meet();
    send(stand.own, 0, 10);
    assertEquals(readAll(stand.theirs), ["9"]);
  });
});

describe("over inproc, a writer", () => {
  it("is full at both marks together, and told of room at half of them", async () => {
    const marks = [{ receiveHighWaterMark: 2 }, { sendHighWaterMark: 4 }] as const;
    const stand = new Stand(undefined, marks).meet();
    let count = 0;
    for (; !stand.own.full; count++) stand.own.send("x");
    assertEquals(count, 6);
    stand.connecter.expectant = true;
    for (let i = 0; i < 2; i++) stand.theirs.receive();
    assertEquals(stand.connecter.calls, []);
    stand.theirs.receive();
    assertEquals(stand.connecter.calls, ["drained"]);
    await microtasks();
    assertEquals(stand.connecter.calls, ["drained", "changed"]);
    assert(!stand.own.full);
  });

  it("holds the process only while nobody can read what it sent", () => {
    const stand = new Stand();
    stand.connection.start();
    send(stand.own, 0, 3);
    assertEquals(stand.connecter.holds, 1);
    stand.binding.listen();
    send(stand.own, 3, 6);
    assertEquals([stand.connecter.holds, stand.theirs.inbox.messages], [0, 6]);
  });
});

describe("over inproc, when the binding side closes", () => {
  it("the connecting one waits for the next, and keeps its pipe and its messages", () => {
    const stand = new Stand().meet();
    const { own } = stand;
    stand.binding.close();
    assertEquals([own.link, stand.binder.attached.size], [undefined, 0]);
    send(own, 0, 3);
    const next = new InprocBinding(stand.binder, ENDPOINT, () => {});
    next.listen();
    assertEquals(stand.own, own);
    assertEquals([readAll(stand.theirs), own.reconnects], [numbers(0, 3), 1]);
  });

  for (const closed of [true, false]) {
    it(`what is unread ${closed ? "waits again" : "stays"} when its socket is ${closed ? "closed" : "open"}`, () => {
      const stand = new Stand().meet();
      const { theirs } = stand;
      send(stand.own, 0, 5);
      theirs.receive();
      stand.binder.closed = closed;
      stand.binding.close();
      assertEquals(readAll(theirs), closed ? [] : numbers(1, 5));
      const next = new InprocBinding(stand.binder, ENDPOINT, () => {});
      next.listen();
      assertEquals(readAll(stand.theirs), closed ? numbers(1, 5) : []);
    });
  }

  it("its own messages are given to others of its peers", () => {
    const stand = new Stand(["PUSH", "PULL"]).meet();
    send(stand.theirs, 0, 5);
    stand.own.receive();
    stand.connecter.closed = true;
    stand.connection.close();
    assertEquals(stand.binder.backlog.map(([first]) => textOf(first)), numbers(1, 5));
  });

  it("with immediate the pipe goes, and its messages to others", () => {
    const stand = new Stand(undefined, [{}, { immediate: true }]).meet();
    send(stand.own, 0, 3);
    stand.binder.closed = true;
    stand.binding.close();
    assertEquals(stand.connecter.attached.size, 0);
    assertEquals(stand.connecter.backlog.map(([first]) => textOf(first)), numbers(0, 3));
  });

  it("with reconnectInterval -1 it is over", () => {
    const stand = new Stand(undefined, [{}, { reconnectInterval: -1 }]).meet();
    stand.binding.close();
    assertEquals(stand.done, ["connection", "binding"]);
  });

  it("because it refuses its peer, it is asked again after a while; a breach of rules ends it", () => {
    for (const breach of [false, true]) {
      const stand = new Stand(["ROUTER", "DEALER"], [{}, { reconnectInterval: 30 }]).meet();
      const side = breach ? stand.own : stand.theirs;
      const error = breach
        ? new ProtocolError("ERR_ZMTP_UNSPECIFIED", "nonsense")
        : new ZmqError("EADDRINUSE", "a newer peer has the id");
      side.link!.refuse(error);
      assertEquals(
        [stand.done, stand.connecter.clock.delays],
        breach ? [["connection"], []] : [
          [],
          [30],
        ],
      );
      assertEquals(stand.binder.attached.size, 0);
    }
  });
});

describe("over inproc, a connection that is to finish", () => {
  it("is over at once when a peer can read everything", () => {
    const stand = new Stand().meet();
    const { theirs } = stand;
    send(stand.own, 0, 3);
    stand.connection.finish(true);
    stand.connection.finish(true);
    assertEquals(stand.done, ["connection"]);
    assertEquals(readAll(theirs), numbers(0, 3));
  });

  it("waits for a peer if it should, and is over when there was one", () => {
    const stand = new Stand();
    stand.connection.start();
    send(stand.own, 0, 3);
    stand.connection.finish(true);
    assertEquals([stand.done, stand.connecter.attached.size], [[], 0]);
    const received: string[] = [];
    stand.binder.onReadable = (pipe) => received.push(...readAll(pipe));
    stand.binding.listen();
    assertEquals([stand.done, received], [["connection"], numbers(0, 3)]);
  });

  it("does not wait otherwise: its messages go to others", () => {
    const stand = new Stand();
    stand.connection.start();
    send(stand.own, 0, 3);
    stand.connection.finish(false);
    assertEquals([stand.done, stand.connecter.backlog.length], [["connection"], 3]);
    stand.binding.listen();
    assertEquals(stand.binder.attached.size, 0);
  });

  it("does not wait for a peer to take what another one has left", () => {
    const stand = new Stand().meet();
    send(stand.own, 0, 3);
    stand.binder.closed = true;
    stand.binding.close();
    stand.connection.finish(true);
    assertEquals(stand.done, ["binding", "connection"]);
  });

  it("does not wait when the context is over", () => {
    const stand = new Stand();
    stand.connection.start();
    send(stand.own, 0, 3);
    stand.connecter.around.inproc.close();
    stand.connection.finish(true);
    assertEquals(stand.done, ["connection"]);
    assertInstanceOf(stand.connecter.around.inproc, InprocNames);
  });
});
