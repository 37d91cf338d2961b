// REQ: the envelope on the wire, strict turns, and replies that are none.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { StateError } from "../../src/errors.ts";
import { defaultOptions } from "../../src/option_values.ts";
import type { OptionValues } from "../../src/options.ts";
import { ReqPattern } from "../../src/routing/req.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { PipeEnd, texts } from "../_util/pipe_end.ts";
import { vector } from "../_util/vectors.ts";

const NOBODY = { sends: 0, receives: 0 };

function newReq(options: Partial<OptionValues> = {}): ReqPattern {
  return new ReqPattern({ ...defaultOptions(), ...options });
}

function receive(req: ReqPattern): string[] | undefined {
  return texts(req.receive());
}

function codeOf(error: unknown): string | undefined {
  return (error as StateError | undefined)?.code;
}

describe("REQ", () => {
  it("puts an empty frame before the request (GV-RR-01, REQ-03)", () => {
    const req = newReq();
    const { pipe } = new PipeEnd(req);
    assert(req.send("hello"));
    pipe.outbox.take(100);
    assertEquals(toHex(pipe.outbox.next()), toHex(vector("GV-RR-01")));
  });

  it("takes the empty frame off the reply (GV-RR-02, REQ-03)", () => {
    const req = newReq();
    const end = new PipeEnd(req);
    req.send("hello");
    end.say("", "yo");
    assertEquals([receive(req), receive(req)], [["yo"], undefined]);
  });

  it("keeps all frames of request and reply, empty ones too (REQ-03)", () => {
    const req = newReq();
    const end = new PipeEnd(req);
    req.send(["", "a", ""]);
    assertEquals(end.heard(), [["", "", "a", ""]]);
    end.say("", "", "b");
    assertEquals(receive(req), ["", "b"]);
  });

  it("asks its peers in turn, only those with room (REQ-04)", () => {
    const req = newReq();
    const ends = [new PipeEnd(req), new PipeEnd(req, { sendHighWaterMark: 1 }), new PipeEnd(req)];
    ends[1].pipe.send("full");
    for (const expected of [0, 2, 0]) {
      assert(req.send("q"));
      assertEquals(
        ends.map((end) => end.pipe.outbox.waiting > 0),
        [0, 1, 2].map((i) => i === 1 || i === expected),
      );
      ends[expected].heard();
      ends[expected].say("", "a");
      assertEquals(receive(req), ["a"]);
    }
  });

  it("waits while there is no peer, and takes nothing (REQ-05)", () => {
    const req = newReq();
    assertEquals([req.send("q"), req.canSend, req.canReceive], [false, false, false]);
    const end = new PipeEnd(req);
    assertEquals(req.canSend, true);
    assert(req.send("q"));
    assertEquals(end.heard(), [["", "q"]]);
  });

  it("takes turns: send, then receive (REQ-02, REQ-07)", () => {
    const req = newReq();
    const end = new PipeEnd(req);
    assertEquals(codeOf(req.refuse("receive", NOBODY)), "EFSM");
    assertEquals(req.refuse("send", NOBODY), undefined);
    req.send("q");
    const refusal = req.refuse("send", NOBODY);
    assert(refusal instanceof StateError);
    assertEquals(refusal.code, "EFSM");
    assertEquals([req.refuse("receive", NOBODY), req.canSend], [undefined, false]);
    assertEquals(req.send("again"), false);
    end.heard();
    end.say("", "a");
    assertEquals([req.canReceive, receive(req)], [true, ["a"]]);
    assertEquals(codeOf(req.refuse("receive", NOBODY)), "EFSM");
    assertEquals([req.refuse("send", NOBODY), req.canSend], [undefined, true]);
  });

  it("counts the operations that wait in its turns (REQ-02)", () => {
    const req = newReq();
    assertEquals(req.refuse("receive", { sends: 1, receives: 0 }), undefined);
    assertEquals(codeOf(req.refuse("receive", { sends: 1, receives: 1 })), "EFSM");
    assertEquals(req.refuse("send", { sends: 1, receives: 1 }), undefined);
    assertEquals(codeOf(req.refuse("send", { sends: 1, receives: 0 })), "EFSM");
  });

  it("hears only the peer that it asked (REQ-06)", () => {
    const req = newReq();
    const ends = [new PipeEnd(req), new PipeEnd(req)];
    req.send("q");
    ends[1].say("", "not asked");
    assertEquals(receive(req), undefined);
    ends[0].say("", "asked");
    assertEquals(receive(req), ["asked"]);
    assertEquals(ends[1].pipe.inbox.messages, 0, "the other's message is dropped");
  });

  it("never delivers a reply without the empty frame (REQ-11)", () => {
    const req = newReq();
    const end = new PipeEnd(req);
    req.send("q");
    end.say("a").say("x", "a").say("").say("", "right");
    assertEquals(receive(req), ["right"]);
  });

  it("drops a second reply, also when it comes before the next request (REQ-10)", () => {
    const req = newReq();
    const end = new PipeEnd(req);
    req.send("one");
    end.say("", "to one").say("", "to one again");
    assertEquals(receive(req), ["to one"]);
    req.send("two");
    assertEquals(receive(req), undefined);
    end.say("", "to two");
    assertEquals(receive(req), ["to two"]);
  });

  it("drops what comes unasked", () => {
    const req = newReq();
    const end = new PipeEnd(req);
    end.say("", "unasked");
    assertEquals([receive(req), req.canReceive], [undefined, false]);
    req.send("q");
    assertEquals(receive(req), undefined);
  });

  it("sends the request to another peer when the first is lost (REQ-05)", () => {
    const req = newReq();
    const ends = [new PipeEnd(req), new PipeEnd(req)];
    req.send("q");
    const [request] = ends[0].pipe.outbox.drain();
    ends[0].leave();
    assertEquals(req.resend(request), true);
    assertEquals(ends[1].heard(), [["", "q"]]);
    ends[1].say("", "a");
    assertEquals(receive(req), ["a"]);
  });

  it("has a request wait that comes back while there is no other peer", () => {
    const req = newReq();
    const end = new PipeEnd(req);
    req.send("q");
    const [request] = end.pipe.outbox.drain();
    end.leave();
    assertEquals(req.resend(request), false);
    const next = new PipeEnd(req);
    assertEquals([req.resend(request), next.heard()], [true, [["", "q"]]]);
  });

  it("forgets a request that comes back when it was answered", () => {
    const req = newReq();
    const end = new PipeEnd(req);
    req.send("q");
    end.say("", "a");
    receive(req);
    assertEquals([req.resend([utf8(""), utf8("q")]), end.heard()], [true, [["", "q"]]]);
  });

  it("takes the reply of any peer once the one that it asked is lost, as libzmq does", () => {
    const req = newReq();
    const ends = [new PipeEnd(req), new PipeEnd(req)];
    req.send("q");
    ends[0].heard();
    ends[0].leave();
    ends[1].say("", "a");
    assertEquals(receive(req), ["a"]);
  });

  it("takes the reply that had come when its peer was lost", () => {
    const req = newReq();
    const end = new PipeEnd(req);
    req.send("q");
    end.say("", "a");
    end.leave();
    assertEquals(receive(req), ["a"]);
  });
});

describe("REQ with correlate", () => {
  it("sends a number of four octets before the empty frame (REQ-08)", () => {
    const req = newReq({ correlate: true });
    const { pipe } = new PipeEnd(req);
    req.send("q");
    pipe.outbox.take(100);
    const octets = pipe.outbox.next();
    assertEquals(toHex(octets.subarray(0, 2)), "0104");
    assertEquals(toHex(octets.subarray(6)), "0100000171");
  });

  it("takes only the reply with its request's number (REQ-08)", () => {
    const req = newReq({ correlate: true });
    const end = new PipeEnd(req);
    req.send("q");
    const [[number]] = end.pipe.outbox.drain();
    const other = number.map((octet) => octet ^ 1);
    end.say(other, "", "wrong number").say("", "no number").say("number", "", "x");
    end.say(number, "no delimiter").say(number, "").say(number, "", "right");
    assertEquals(receive(req), ["right"]);
  });

  it("never uses a number twice in a row (REQ-08)", () => {
    const req = newReq({ correlate: true, relaxed: true });
    const end = new PipeEnd(req);
    const numbers = new Set<string>();
    for (let i = 0; i < 300; i++) {
      req.send("q");
      numbers.add(toHex(end.pipe.outbox.drain()[0][0]));
      end.pipe.link = undefined;
      req.writable(end.pipe);
    }
    assertEquals(numbers.size, 300);
  });
});

describe("REQ with relaxed", () => {
  it("may send again before the reply (REQ-09)", () => {
    const req = newReq({ relaxed: true });
    const end = new PipeEnd(req);
    assertEquals(req.send("one"), true);
    assertEquals([req.refuse("send", NOBODY), req.canSend], [undefined, true]);
    assertEquals(req.send("two"), true);
    assertNotEquals(end.heard().length, 0);
  });

  it("keeps the last request while there is no room for the next one (REQ-05, REQ-09)", () => {
    const req = newReq({ relaxed: true });
    const end = new PipeEnd(req, { sendHighWaterMark: 1 });
    assertEquals([req.send("one"), req.send("two")], [true, false]);
    assertEquals(end.heard(), [["", "one"]]);
    end.say("", "to one");
    assertEquals(receive(req), ["to one"]);
  });

  it("ends the connection whose reply would pass for the next one's (REQ-09)", () => {
    const req = newReq({ relaxed: true });
    const end = new PipeEnd(req).online();
    req.send("one");
    req.send("two");
    assertEquals(codeOf(end.refusal), "EFSM");
  });

  it("knows late replies by their numbers with correlate, and keeps the connection (REQ-08, REQ-09)", () => {
    const req = newReq({ relaxed: true, correlate: true });
    const end = new PipeEnd(req).online();
    req.send("one");
    const [[one]] = end.pipe.outbox.drain();
    req.send("two");
    const [[two]] = end.pipe.outbox.drain();
    end.say(one, "", "late").say(two, "", "in time");
    assertEquals([receive(req), end.refusal], [["in time"], undefined]);
  });

  it("still receives only after a request (REQ-07)", () => {
    assertEquals(codeOf(newReq({ relaxed: true }).refuse("receive", NOBODY)), "EFSM");
  });
});
