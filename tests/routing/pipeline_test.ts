// PUSH and PULL: one way only, in turn.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { PullPattern } from "../../src/routing/pull.ts";
import { PushPattern } from "../../src/routing/push.ts";
import { utf8 } from "../_util/bytes.ts";
import { PipeEnd, texts } from "../_util/pipe_end.ts";

describe("PUSH", () => {
  it("sends whole messages to its peers in turn (PUSH-02, PIPE-X-01)", () => {
    const push = new PushPattern();
    const ends = [new PipeEnd(push), new PipeEnd(push)];
    for (let i = 0; i < 4; i++) assert(push.send([`${i}a`, `${i}b`]));
    assertEquals(ends.map((end) => end.heard()), [
      [["0a", "0b"], ["2a", "2b"]],
      [["1a", "1b"], ["3a", "3b"]],
    ]);
  });

  it("takes nothing when no peer has room (PUSH-03)", () => {
    const push = new PushPattern();
    assertEquals([push.canSend, push.send("m")], [false, false]);
    const end = new PipeEnd(push, { sendHighWaterMark: 2 });
    assertEquals([1, 2, 3].map(() => push.send("m")), [true, true, false]);
    assertEquals([push.canSend, end.heard().length, push.canSend], [false, 2, true]);
  });

  it("gives what a lost peer did not get to another one (PUSH-03)", () => {
    const push = new PushPattern();
    const [gone, there] = [new PipeEnd(push), new PipeEnd(push)];
    gone.leave();
    assertEquals(push.resend([utf8("a"), utf8("b")]), true);
    assertEquals(there.heard(), [["a", "b"]]);
    there.leave();
    assertEquals(push.resend([utf8("c")]), false);
  });

  it("does not receive (PUSH-01)", () => {
    const push = new PushPattern();
    const end = new PipeEnd(push);
    end.say("nonsense");
    assertEquals([push.receive(), push.canReceive, end.pipe.inbox.messages], [undefined, false, 0]);
    assertEquals(push.refuse("receive")?.code, "ENOTSUP");
    assertEquals(push.refuse("send"), undefined);
  });
});

describe("PULL", () => {
  it("receives from its peers in turn, frames as they are (PULL-01, PULL-Q5)", () => {
    const pull = new PullPattern();
    const ends = [new PipeEnd(pull), new PipeEnd(pull)];
    ends[0].say("0a", "").say("0b");
    ends[1].say("1a");
    assertEquals(pull.canReceive, true);
    const order = Array.from({ length: 3 }, () => texts(pull.receive()));
    assertEquals(order, [["0a", ""], ["1a"], ["0b"]]);
    assertEquals([pull.receive(), pull.canReceive], [undefined, false]);
  });

  it("keeps what a lost peer had sent", () => {
    const pull = new PullPattern();
    const end = new PipeEnd(pull);
    end.say("last words");
    end.leave();
    assertEquals(texts(pull.receive()), ["last words"]);
  });

  it("does not send (PULL-01)", () => {
    const pull = new PullPattern();
    new PipeEnd(pull);
    assertEquals([pull.send(), pull.canSend], [false, false]);
    assertEquals(pull.refuse("send")?.code, "ENOTSUP");
    assertEquals(pull.refuse("receive"), undefined);
  });
});
