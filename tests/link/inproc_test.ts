// Inproc between two hosts that do what the test says: who meets whom, and when a reader or a writer is woken.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EndpointError, ZmqError } from "../../src/errors.ts";
import { InprocBinding } from "../../src/link/inproc.ts";
import { InprocNames } from "../../src/link/inproc_names.ts";
import { textOf } from "../_util/bytes.ts";
import { ENDPOINT, InprocStand, numbers, readAll, send } from "../_util/inproc_stand.ts";
import { microtasks } from "../_util/manual_clock.ts";

/** So many messages are worth waking a reader. */
const BATCH = 256;

describe("an inproc connection", () => {
  it("meets who is bound, within the call", () => {
    const stand = new InprocStand(["ROUTER", "DEALER"], [{}, { routingId: "me" }]);
    stand.binding.listen();
    assertEquals(stand.connection.start(), undefined);
    assertEquals(stand.binder.calls, ["identify me", "attach"]);
    assertEquals(stand.connecter.calls, ["attach", "identify "]);
    for (const pipe of [stand.own, stand.theirs]) assert(pipe.link !== undefined);
    assertEquals([stand.own.peer!.socketType, stand.theirs.peer!.socketType], ["ROUTER", "DEALER"]);
    assertEquals(textOf(stand.theirs.peer!.routingId), "me");
  });

  it("waits for the name; what it was given meanwhile is there when it is bound", () => {
    const stand = new InprocStand();
    assertEquals(stand.connection.start(), undefined);
    send(stand.own, 0, 3);
    assertEquals([stand.own.link, stand.connecter.holds], [undefined, 1]);
    stand.binding.listen();
    assertEquals(readAll(stand.theirs), numbers(0, 3));
    assertEquals(stand.connecter.holds, 0);
  });

  it("has no pipe before it has met, with immediate", () => {
    const stand = new InprocStand(undefined, [{}, { immediate: true }]);
    stand.connection.start();
    assertEquals(stand.connecter.attached.size, 0);
    stand.binding.listen();
    assertEquals(stand.connecter.attached.size, 1);
  });

  it("says what the socket says that refuses another pipe", () => {
    const stand = new InprocStand(["PAIR", "PAIR"]);
    stand.connecter.refusal = new ZmqError("EBUSY", "one is enough");
    assertEquals(stand.connection.start(), stand.connecter.refusal);
    assertEquals(stand.connecter.census.pipes.size, 0);
    stand.binding.listen();
    assertEquals(stand.binder.calls, []);
  });

  it("is over when the types do not go together", () => {
    for (const bindsFirst of [true, false]) {
      const stand = new InprocStand(["REP", "PUSH"]);
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
      const stand = new InprocStand(["ROUTER", "ROUTER"], [{}, { reconnectInterval: 70 }]);
      const { connecter, binder } = stand;
      stand.binding.listen();
      stand.connection.start();
      const again = new InprocStand(["ROUTER", "ROUTER"], [{}, { reconnectInterval: 70 }]);
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
    const stand = new InprocStand(["ROUTER", "ROUTER"], [{}, { reconnectInterval: -1 }]);
    stand.binder.refusal = new ZmqError("EADDRINUSE", "taken");
    stand.binding.listen();
    stand.connection.start();
    assertEquals([stand.done, stand.connecter.clock.delays], [["connection"], []]);
  });

  it("brings what a socket tells its peer first, before what waits", () => {
    const stand = new InprocStand(["XPUB", "SUB"]);
    stand.connecter.onLinked = (pipe) => pipe.send("topics");
    stand.binder.onLinked = (pipe) => pipe.send("welcome");
    stand.meet();
    assertEquals([readAll(stand.own), readAll(stand.theirs)], [["welcome"], ["topics"]]);
  });

  it("ends without harm when a socket ends it while it is told of it", () => {
    const stand = new InprocStand();
    stand.connecter.onLinked = () => stand.connection.close();
    stand.meet();
    assertEquals(stand.done, ["connection"]);
    assertEquals([stand.binder.census.pipes.size, stand.connecter.census.pipes.size], [0, 0]);
  });

  it("that is closed while another one meets the name does not meet it", () => {
    const stand = new InprocStand();
    const other = new InprocStand();
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
    const stand = new InprocStand().meet();
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
  function expectant(): InprocStand {
    const stand = new InprocStand().meet();
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
    const stand = new InprocStand().meet();
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
    const stand = new InprocStand(undefined, [{ conflate: true }]).meet();
    send(stand.own, 0, 10);
    assertEquals(readAll(stand.theirs), ["9"]);
  });
});

describe("over inproc, a writer", () => {
  it("is full at both marks together, and told of room at half of them", async () => {
    const marks = [{ receiveHighWaterMark: 2 }, { sendHighWaterMark: 4 }] as const;
    const stand = new InprocStand(undefined, marks).meet();
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
    const stand = new InprocStand();
    stand.connection.start();
    send(stand.own, 0, 3);
    assertEquals(stand.connecter.holds, 1);
    stand.binding.listen();
    send(stand.own, 3, 6);
    assertEquals([stand.connecter.holds, stand.theirs.inbox.messages], [0, 6]);
  });
});
