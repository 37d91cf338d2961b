// Inproc between two hosts that do what the test says: what is left, and for whom, when one of them goes.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ProtocolError, ZmqError } from "../../src/errors.ts";
import { InprocBinding } from "../../src/link/inproc.ts";
import { textOf } from "../_util/bytes.ts";
import { ENDPOINT, InprocStand, numbers, readAll, send } from "../_util/inproc_stand.ts";

describe("over inproc, when the binding side closes", () => {
  it("the connecting one waits for the next, and keeps its pipe and its messages", () => {
    const stand = new InprocStand().meet();
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
      const stand = new InprocStand().meet();
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
    const stand = new InprocStand(["PUSH", "PULL"]).meet();
    send(stand.theirs, 0, 5);
    stand.own.receive();
    stand.connecter.closed = true;
    stand.connection.close();
    assertEquals(stand.binder.backlog.map(([first]) => textOf(first)), numbers(1, 5));
  });

  it("with immediate the pipe goes, and its messages to others", () => {
    const stand = new InprocStand(undefined, [{}, { immediate: true }]).meet();
    send(stand.own, 0, 3);
    stand.binder.closed = true;
    stand.binding.close();
    assertEquals(stand.connecter.attached.size, 0);
    assertEquals(stand.connecter.backlog.map(([first]) => textOf(first)), numbers(0, 3));
  });

  it("with reconnectInterval -1 it is over", () => {
    const stand = new InprocStand(undefined, [{}, { reconnectInterval: -1 }]).meet();
    stand.binding.close();
    assertEquals(stand.done, ["connection", "binding"]);
  });

  it("because it refuses its peer, it is asked again after a while; a breach of rules ends it", () => {
    for (const breach of [false, true]) {
      const stand = new InprocStand(["ROUTER", "DEALER"], [{}, { reconnectInterval: 30 }]).meet();
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
    const stand = new InprocStand().meet();
    const { theirs } = stand;
    send(stand.own, 0, 3);
    stand.connection.finish(true);
    stand.connection.finish(true);
    assertEquals(stand.done, ["connection"]);
    assertEquals(readAll(theirs), numbers(0, 3));
  });

  it("waits for a peer if it should, and is over when there was one", () => {
    const stand = new InprocStand();
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
    const stand = new InprocStand();
    stand.connection.start();
    send(stand.own, 0, 3);
    stand.connection.finish(false);
    assertEquals([stand.done, stand.connecter.backlog.length], [["connection"], 3]);
    stand.binding.listen();
    assertEquals(stand.binder.attached.size, 0);
  });

  it("does not wait for a peer to take what another one has left", () => {
    const stand = new InprocStand().meet();
    send(stand.own, 0, 3);
    stand.binder.closed = true;
    stand.binding.close();
    stand.connection.finish(true);
    assertEquals(stand.done, ["binding", "connection"]);
  });

  it("does not wait when the context is over", () => {
    const stand = new InprocStand();
    stand.connection.start();
    send(stand.own, 0, 3);
    stand.connecter.around.inproc.close();
    stand.connection.finish(true);
    assertEquals(stand.done, ["connection"]);
  });
});
