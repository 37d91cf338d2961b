// The life of a part of a pattern, and its events.

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Context, StateError } from "../../../mod.ts";
import { Emitter } from "../../../src/patterns/base/emitter.ts";
import { Part, type PartOptions, socketSettings } from "../../../src/patterns/base/part.ts";

class Clerk extends Part<{ note: { text: string }; error: { error: unknown } }> {
  shuts = 0;
  readonly #leaving: () => Promise<void>;

  constructor(options: PartOptions = {}, leaving: () => Promise<void> = () => Promise.resolve()) {
    super(options);
    this.#leaving = leaving;
  }

  get signal(): AbortSignal {
    return this.closing;
  }

  work(): void {
    this.assertOpen();
  }

  protected shut(): Promise<void> {
    this.shuts++;
    return this.#leaving();
  }
}

describe("a part", () => {
  it("closes once, and answers the same promise", async () => {
    const clerk = new Clerk();
    assertEquals(clerk.closed, false);
    clerk.work();
    const closing = clerk.close();
    assertEquals(clerk.closed, true);
    assertStrictEquals(clerk.close(), closing);
    await closing;
    assertEquals(clerk.shuts, 1);
    const error = assertThrows(() => clerk.work(), StateError, "Clerk is closed");
    assertEquals(error.code, "EBADF");
  });

  it("closes for `await using`", async () => {
    // Node 22 does not know `await using` yet.
    const clerk = new Clerk();
    await clerk[Symbol.asyncDispose]();
    assertEquals(clerk.shuts, 1);
  });

  it("closes when its signal is aborted, before it is made or later", async () => {
    const control = new AbortController();
    const clerk = new Clerk({ signal: control.signal });
    control.abort();
    assert(clerk.closed);
    const late = new Clerk({ signal: control.signal });
    assertEquals(late.closed, false);
    await Promise.resolve();
    assert(late.closed);
    assertEquals([clerk.shuts, late.shuts], [1, 1]);
  });

  it("lets go of the signal when it is closed", async () => {
    const control = new AbortController();
    const clerk = new Clerk({ signal: control.signal });
    await clerk.close();
    control.abort();
    assertEquals(clerk.shuts, 1);
  });

  it("tells what waits inside that it is closing, before its end", async () => {
    const order: string[] = [];
    const clerk: Clerk = new Clerk({}, () => {
      order.push("shut");
      return Promise.resolve();
    });
    clerk.signal.addEventListener("abort", () => order.push("closing"));
    await clerk.close();
    assertEquals(order, ["closing", "shut"]);
    assertEquals(clerk.signal.reason.code, "EBADF");
  });

  it("is not thrown at by a signal when it was never made", async () => {
    class Broken extends Clerk {
      readonly #desk: { leave(): Promise<void> };

      constructor(options: PartOptions) {
        super(options);
        this.#desk = { leave: () => Promise.resolve() };
        throw new Error("no desk");
      }

      protected override shut(): Promise<void> {
        return this.#desk.leave();
      }
    }
    class Absent extends Clerk {
      protected override shut(): Promise<void> {
        throw new Error("not there");
      }
    }
    const aborted = { signal: AbortSignal.abort() };
    assertThrows(() => new Broken(aborted), Error, "no desk");
    await assertRejects(() => new Absent().close(), Error, "not there");
    await new Promise((resolve) => setTimeout(resolve, 1)); // an uncaught error would end the test
  });

  it("tells by `close` what went wrong, and by nothing else", async () => {
    const control = new AbortController();
    const clerk = new Clerk({ signal: control.signal }, () => Promise.reject(new Error("no")));
    control.abort();
    await assertRejects(() => clerk.close(), Error, "no");
  });
});

describe("socketSettings()", () => {
  it("joins the user's options, those that are needed, and the context", () => {
    const context = new Context();
    assertEquals(
      socketSettings({ context, socketOptions: { linger: 5, backlog: 7 } }, { linger: 0 }),
      { context, linger: 0, backlog: 7 },
    );
    assertEquals(socketSettings({}, { linger: 0 }), { linger: 0 });
  });
});

describe("an emitter", () => {
  it("calls its listeners in order, as often as they were added", () => {
    const emitter = new Emitter<{ note: number }>();
    const heard: string[] = [];
    const first = (note: number): void => void heard.push(`first ${note}`);
    emitter.on("note", first).on("note", (note) => void heard.push(`second ${note}`));
    emitter.on("note", first);
    emitter.emit("note", 1);
    emitter.off("note", first);
    emitter.emit("note", 2);
    assertEquals(heard, ["first 1", "second 1", "first 1", "first 2", "second 2"]);
  });

  it("calls a listener once that wants no more", () => {
    const emitter = new Emitter<{ note: number }>();
    const heard: number[] = [];
    emitter.once("note", (note) => void heard.push(note));
    assert(emitter.heard("note"));
    emitter.emit("note", 1);
    emitter.emit("note", 2);
    assertEquals(heard, [1]);
    assert(!emitter.heard("note"));
  });

  it("takes a listener away that `once` added", () => {
    const emitter = new Emitter<{ note: number }>();
    const heard: number[] = [];
    const listener = (note: number): void => void heard.push(note);
    emitter.once("note", listener).off("note", listener);
    emitter.emit("note", 1);
    assertEquals(heard, []);
  });
});
