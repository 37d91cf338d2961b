// The two queues between a socket and a peer: when they are full, and what holds the process alive.

import { assert, assertEquals, assertGreater } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Core } from "../../src/core/instance.ts";
import { defaultOptions } from "../../src/option_values.ts";
import type { OptionValues } from "../../src/options.ts";
import { WirePipe } from "../../src/routing/pipe.ts";
import { Span } from "../../src/span.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertMessages, pattern } from "../_util/octets.ts";
import { PipeEnd } from "../_util/pipe_end.ts";
import { failure } from "../_util/rejection.ts";

/** Sends until the pipe is full; how many messages that took. */
function fill(pipe: WirePipe, size: number): number {
  let count = 0;
  while (!pipe.full) {
    assert(pipe.send(pattern(size)));
    assert(++count < 100_000);
  }
  return count;
}

describe("a pipe", () => {
  it("without a connection is full at its high-water mark (DEALER-Q4, PUSH-Q4)", () => {
    for (const sendHighWaterMark of [1, 2, 1_000]) {
      const { pipe } = new PipeEnd(undefined, { sendHighWaterMark });
      assertEquals(fill(pipe, 10), sendHighWaterMark);
    }
  });

  it("with a connection also takes a batch for the next write, as libzmq's encoder does", () => {
    const small = new PipeEnd(undefined, { sendHighWaterMark: 10 }).online().pipe;
    const count = fill(small, 10);
    assertGreater(count, 10);
    assert(small.outbox.bytes < 2 * 10 * 132);
    const large = new PipeEnd(undefined, { sendHighWaterMark: 10 }).online().pipe;
    assertEquals(fill(large, 100_000), 10);
  });

  it("with a high-water mark of 0 is never full", () => {
    const { pipe } = new PipeEnd(undefined, { sendHighWaterMark: 0 });
    for (let i = 0; i < 5_000; i++) pipe.send("m");
    assertEquals(pipe.full, false);
    const online = new PipeEnd(undefined, { sendHighWaterMark: 0 }).online().pipe;
    for (let i = 0; i < 5_000; i++) online.send(pattern(100));
    assertEquals([online.full, online.batched], [false, true]);
  });

  it("follows its socket's high-water mark when that changes", () => {
    const options: OptionValues = { ...defaultOptions(), sendHighWaterMark: 5 };
    const pipe = new WirePipe(new Core(), options, () => () => {}, "test");
    fill(pipe, 10);
    options.sendHighWaterMark = 8;
    assertEquals(fill(pipe, 10), 3);
  });

  it("tells its connection of each message", () => {
    const { pipe } = new PipeEnd();
    let told = 0;
    pipe.send("before");
    pipe.link = { appended: () => told++, resume() {}, refuse() {} };
    pipe.send("after");
    assertEquals([told, pipe.outbox.waiting], [1, 2]);
  });

  it("holds the process from its first message until all are gone", () => {
    let holds = 0;
    const hold = (): () => void => {
      holds++;
      return () => holds--;
    };
    const pipe = new WirePipe(new Core(), defaultOptions(), hold, "test");
    pipe.settle();
    assertEquals(holds, 0);
    pipe.send("a");
    pipe.send("b");
    pipe.settle();
    assertEquals(holds, 1);
    pipe.outbox.drain();
    pipe.settle();
    pipe.settle();
    assertEquals(holds, 0);
    pipe.send("c");
    assertEquals(holds, 1);
    assertMessages(pipe.dispose(), [[utf8("c")]]);
    assertEquals(holds, 0);
  });

  it("lets its connection read on at half of the receive high-water mark", () => {
    const end = new PipeEnd(undefined, { receiveHighWaterMark: 4 });
    let resumed = 0;
    end.pipe.link = { appended() {}, resume: () => resumed++, refuse() {} };
    for (let i = 0; i < 4; i++) {
      assertEquals(end.pipe.saturated, false);
      end.say("m");
    }
    assertEquals(end.pipe.saturated, true);
    end.pipe.paused = true;
    const seen = Array.from({ length: 4 }, () => {
      end.pipe.receive();
      return resumed;
    });
    assertEquals([seen, end.pipe.paused, end.pipe.receive()], [[0, 1, 1, 1], false, undefined]);
  });

  it("lets its connection read on when what was taken out is read, or dropped", () => {
    const end = new PipeEnd(undefined, { receiveHighWaterMark: 4 });
    const { pipe } = end;
    let resumed = 0;
    pipe.link = { appended() {}, resume: () => resumed++, refuse() {} };
    const span = new Span(new Uint8Array(0), 0, 0);
    const steps: [() => void, number, boolean][] = [
      [() => void (pipe.inbox.shift(), pipe.unread++), 0, true],
      [() => pipe.take(span), 0, false],
      [() => pipe.read(), 1, false],
      [() => end.say("x", "y").say("x").say("x"), 1, true],
      [() => pipe.filter(() => false), 2, false],
    ];
    for (let i = 0; i < 4; i++) end.say("m");
    for (const [step, expected, saturated] of steps) {
      pipe.paused ||= pipe.saturated;
      step();
      assertEquals([resumed, pipe.saturated], [expected, saturated]);
    }
  });

  it("is stalled from when it was found to take nothing until it takes something", () => {
    const { pipe } = new PipeEnd();
    for (let i = 0; i < 3; i++) pipe.send("message");
    assertEquals(pipe.stalled, false);
    pipe.stall();
    assertEquals(pipe.stalled, true);
    pipe.outbox.take(1);
    pipe.send("another");
    assertEquals(pipe.stalled, true);
    pipe.outbox.advance(1);
    assertEquals([pipe.stalled, pipe.outbox.sent], [false, 1]);
    pipe.outbox.rewind();
    assertEquals(pipe.stalled, false);
  });

  it("with conflate is never full, never saturated, and keeps the newest message", () => {
    const end = new PipeEnd(undefined, {
      conflate: true,
      sendHighWaterMark: 1,
      receiveHighWaterMark: 1,
    });
    for (const text of ["1", "2", "3"]) assert(end.pipe.send(text));
    assertEquals([end.pipe.full, end.pipe.outbox.waiting, end.heard()], [false, 1, [["3"]]]);
    assertEquals(end.say("a").say("b").pipe.saturated, false);
  });

  it("refuses a message that memory has no room for, at once or when the rest has left", () => {
    const core = new Core();
    core.exports.memoryLimit(core.bytes.length / 65_536);
    const pipe = new WirePipe(
      core,
      { ...defaultOptions(), sendHighWaterMark: 0 },
      () => () => {},
      "test",
    );
    let count = 0;
    while (pipe.send(pattern(200))) count++;
    assertEquals(pipe.outbox.waiting, count);
    pipe.outbox.drain();
    assert(pipe.send(pattern(200)));
    pipe.outbox.drain();
    const frames = Array.from({ length: 10 }, () => pattern(20_000));
    const error = failure(() => pipe.send(frames), "ENOBUFS");
    assert(error.message.length > 0);
    assertEquals(pipe.outbox.empty, true);
  });
});
