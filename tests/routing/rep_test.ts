// REP: requests in turn, and replies that find their way back.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { StateError } from "../../src/errors.ts";
import { RepPattern } from "../../src/routing/rep.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { PipeEnd, texts } from "../_util/pipe_end.ts";
import { expand, vector } from "../_util/vectors.ts";

const NOBODY = { sends: 0, receives: 0 };

function receive(rep: RepPattern): string[] | undefined {
  return texts(rep.receive());
}

function codeOf(error: unknown): string | undefined {
  return (error as StateError | undefined)?.code;
}

describe("REP", () => {
  it("receives requests without their envelope, and answers with it (GV-RR-01, GV-RR-02, REP-06)", () => {
    const rep = new RepPattern();
    const { pipe } = new PipeEnd(rep);
    pipe.inbox.push(vector("GV-RR-01").slice(), 1);
    rep.readable(pipe);
    assertEquals(receive(rep), ["hello"]);
    assert(rep.send("yo"));
    pipe.outbox.take(100);
    assertEquals(toHex(pipe.outbox.next()), toHex(vector("GV-RR-02")));
  });

  it("keeps an envelope of identities (GV-RR-03, REP-04, REP-05)", () => {
    const rep = new RepPattern();
    const { pipe } = new PipeEnd(rep);
    pipe.inbox.push(vector("GV-RR-03").slice(), 1);
    rep.readable(pipe);
    assertEquals(receive(rep), ["hi"]);
    rep.send("yo");
    pipe.outbox.take(100);
    assertEquals(toHex(pipe.outbox.next()), toHex(expand("01 02 6964 01 00 00 02 796f")));
  });

  it("keeps an envelope of several hops, binary and long (REP-04)", () => {
    const rep = new RepPattern();
    const end = new PipeEnd(rep);
    const hops = [utf8("x".repeat(255)), Uint8Array.of(0, 1, 2, 3, 255), utf8("last")];
    end.say(...hops, "", "question");
    assertEquals(receive(rep), ["question"]);
    rep.send(["an", "swer"]);
    const [reply] = end.pipe.outbox.drain();
    assertEquals(reply.map(toHex), [...hops, utf8(""), utf8("an"), utf8("swer")].map(toHex));
  });

  it("alters nothing behind the envelope, empty frames neither (REP-03)", () => {
    const rep = new RepPattern();
    const end = new PipeEnd(rep);
    end.say("", "", "a", "");
    assertEquals(receive(rep), ["", "a", ""]);
    rep.send(["", ""]);
    assertEquals(end.heard(), [["", "", ""]]);
  });

  it("takes an empty body for a request (REP-09)", () => {
    const rep = new RepPattern();
    const end = new PipeEnd(rep);
    end.say("", "");
    assertEquals(receive(rep), [""]);
  });

  it("drops what has no delimiter or no body, without losing its turn (REP-08)", () => {
    const rep = new RepPattern();
    const end = new PipeEnd(rep);
    end.say("no", "delimiter").say("id", "").say("").say("", "right");
    assertEquals(receive(rep), ["right"]);
    rep.send("a");
    assertEquals(end.heard(), [["", "a"]]);
  });

  it("takes turns: receive, then send (REP-02)", () => {
    const rep = new RepPattern();
    const end = new PipeEnd(rep);
    const refusal = rep.refuse("send", NOBODY);
    assert(refusal instanceof StateError);
    assertEquals([refusal.code, rep.canSend, rep.send("a")], ["EFSM", false, false]);
    assertEquals(rep.refuse("receive", NOBODY), undefined);
    end.say("", "one").say("", "two");
    assertEquals([rep.canReceive, receive(rep)], [true, ["one"]]);
    assertEquals(codeOf(rep.refuse("receive", NOBODY)), "EFSM");
    assertEquals([rep.canReceive, receive(rep), rep.canSend], [false, undefined, true]);
    assertEquals(rep.refuse("send", NOBODY), undefined);
    rep.send("a");
    assertEquals(codeOf(rep.refuse("send", NOBODY)), "EFSM");
    assertEquals(receive(rep), ["two"]);
  });

  it("counts the operations that wait in its turns (REP-02)", () => {
    const rep = new RepPattern();
    assertEquals(rep.refuse("send", { sends: 0, receives: 1 }), undefined);
    assertEquals(codeOf(rep.refuse("send", { sends: 1, receives: 1 })), "EFSM");
    assertEquals(rep.refuse("receive", { sends: 1, receives: 1 }), undefined);
    assertEquals(codeOf(rep.refuse("receive", { sends: 0, receives: 1 })), "EFSM");
  });

  it("serves its peers in turn, each reply to its own requester (REP-05, REP-06)", () => {
    const rep = new RepPattern();
    const ends = [new PipeEnd(rep), new PipeEnd(rep), new PipeEnd(rep)];
    for (const [i, end] of ends.entries()) end.say("", `${i}a`).say("", `${i}b`);
    for (const expected of ["0a", "1a", "2a", "0b", "1b", "2b"]) {
      assertEquals(receive(rep), [expected]);
      rep.send(`to ${expected}`);
    }
    assertEquals(ends[1].heard(), [["", "to 1a"], ["", "to 1b"]]);
  });

  it("drops the reply to a requester that is gone, and goes on (REP-07)", () => {
    const rep = new RepPattern();
    const [gone, there] = [new PipeEnd(rep), new PipeEnd(rep)];
    gone.say("", "q");
    assertEquals(receive(rep), ["q"]);
    gone.leave();
    assertEquals([rep.canSend, rep.send("a")], [true, true]);
    assertEquals(gone.pipe.outbox.waiting, 0);
    there.say("", "next");
    assertEquals(receive(rep), ["next"]);
    rep.send("b");
    assertEquals(there.heard(), [["", "b"]]);
  });

  it("never waits for a requester that does not read: the reply is dropped (REP-07)", () => {
    const rep = new RepPattern();
    const end = new PipeEnd(rep, { sendHighWaterMark: 1 });
    end.say("", "one").say("", "two");
    for (const reply of ["a", "b"]) {
      receive(rep);
      assertEquals(rep.send(reply), true);
    }
    assertEquals(end.heard(), [["", "a"]]);
  });

  it("still answers the requests of a lost peer, into the void", () => {
    const rep = new RepPattern();
    const end = new PipeEnd(rep);
    end.say("", "q");
    end.leave();
    assertEquals(receive(rep), ["q"]);
    assertEquals(rep.send("a"), true);
  });
});
