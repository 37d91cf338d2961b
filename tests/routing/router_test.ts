// ROUTER: routing ids on messages that come and go, who may have which, and what cannot be routed.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ZmqError } from "../../src/errors.ts";
import { defaultOptions } from "../../src/option_values.ts";
import type { OptionValues } from "../../src/options.ts";
import { RouterPattern } from "../../src/routing/router.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { type Body, PipeEnd, texts } from "../_util/pipe_end.ts";
import { failure } from "../_util/rejection.ts";

function newRouter(options: Partial<OptionValues> = {}): RouterPattern {
  return new RouterPattern({ ...defaultOptions(), ...options });
}

/** A peer that connected and announced an id. */
function accept(
  router: RouterPattern,
  id: Body = "",
  options: Partial<OptionValues> = {},
): PipeEnd & { error: ZmqError | undefined } {
  const end = new PipeEnd(undefined, options).online();
  const error = router.identify(end.pipe, typeof id === "string" ? utf8(id) : id) ??
    router.attach(end.pipe);
  return Object.assign(end, { error });
}

/** Has a peer say something, and receives it. */
function hear(router: RouterPattern, end: PipeEnd, ...frames: Body[]): Uint8Array[] {
  end.say(...frames);
  router.readable(end.pipe);
  return router.receive()!;
}

describe("ROUTER", () => {
  it("puts the peer's id before what it receives (ROUTER-03, ROUTER-04)", () => {
    const router = newRouter();
    const end = accept(router, "me");
    assertEquals(texts(hear(router, end, "", "hi")), ["me", "", "hi"]);
    assertEquals(texts(hear(router, end, "")), ["me", ""]);
  });

  it("takes the first frame off what it sends, to find the peer (ROUTER-05)", () => {
    const router = newRouter();
    const ends = [accept(router, "a"), accept(router, "b")];
    router.send(["b", "", "to b"]);
    router.send([utf8("a"), "to a"]);
    router.send(["b", ""]);
    assertEquals(ends.map((end) => end.heard()), [[["to a"]], [["", "to b"], [""]]]);
  });

  it("makes up an id of a zero octet and four more, one for each peer (ROUTER-02, ROUTER-07)", () => {
    const router = newRouter();
    const ids = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const end = accept(router);
      const [id] = hear(router, end, "x");
      assertEquals([id.length, id[0]], [5, 0]);
      ids.add(toHex(id));
      router.send([id, "back"]);
      assertEquals(end.heard(), [["back"]]);
    }
    assertEquals(ids.size, 300);
  });

  it("starts its ids at random (ROUTER-07)", () => {
    const first = (): string => {
      const router = newRouter();
      return toHex(hear(router, accept(router), "x")[0]);
    };
    assertEquals(new Set(Array.from({ length: 5 }, first)).size, 5);
  });

  it("takes ids of any octets, up to 255 (ROUTER-02, ZMTP31-ID-03)", () => {
    const router = newRouter();
    const ids = [
      Uint8Array.of(0),
      Uint8Array.of(0, 0),
      Uint8Array.of(255, 0, 128),
      new Uint8Array(255).fill(0xee),
      utf8("ä"),
      Uint8Array.of(0xe4),
    ];
    const ends = ids.map((id) => accept(router, id));
    for (const [i, id] of ids.entries()) {
      assertEquals(toHex(hear(router, ends[i], "x")[0]), toHex(id));
      router.send([id.slice(), `to ${i}`]);
      assertEquals(ends[i].heard(), [[`to ${i}`]]);
    }
  });

  it("keeps an id's octets to itself", () => {
    const router = newRouter();
    const id = utf8("me");
    const end = accept(router, id);
    id.fill(0);
    assertEquals(texts(hear(router, end, "x")), ["me", "x"]);
  });

  it("receives from its peers in turn (ROUTER-Q5)", () => {
    const router = newRouter();
    const ends = [accept(router, "a"), accept(router, "b")];
    for (const end of ends) {
      for (const text of ["1", "2", "3"]) end.say(text);
      router.readable(end.pipe);
    }
    const order = Array.from({ length: 6 }, () => texts(router.receive())!.join(""));
    assertEquals(order, ["a1", "b1", "a2", "b2", "a3", "b3"]);
    assertEquals([router.receive(), router.canReceive], [undefined, false]);
  });

  it("sends and receives in any order (ROUTER-01)", () => {
    const router = newRouter();
    assertEquals([router.refuse(), router.canSend], [undefined, true]);
  });

  it("drops what names no peer, silently (ROUTER-06)", () => {
    const router = newRouter();
    const end = accept(router, "a");
    assertEquals([router.send(["b", "x"]), router.send("b"), router.send(["", "x"])], [
      true,
      true,
      true,
    ]);
    assertEquals(end.heard(), []);
  });

  it("drops what its peer has no room for, silently (ROUTER-06)", () => {
    const router = newRouter();
    const end = accept(router, "a", { sendHighWaterMark: 1 });
    end.pipe.link = undefined;
    assertEquals([router.send(["a", "1"]), router.send(["a", "2"])], [true, true]);
    assertEquals(end.heard(), [["1"]]);
  });

  it("drops a message that is nothing but an id (ROUTER-10)", () => {
    const router = newRouter();
    const end = accept(router, "a");
    assertEquals([router.send("a"), router.send(["a"])], [true, true]);
    assertEquals(end.heard(), []);
  });

  it("knows a peer no more that is gone, but what it had sent", () => {
    const router = newRouter({ mandatory: true });
    const end = accept(router, "a");
    end.say("last words");
    router.readable(end.pipe);
    router.detach(end.pipe);
    failure(() => router.send(["a", "x"]), "EHOSTUNREACH");
    assertEquals(texts(router.receive()), ["a", "last words"]);
  });

  it("gives no second chance to what a lost peer did not get (ROUTER-Q3)", () => {
    assertEquals("resend" in newRouter(), false);
  });
});

describe("ROUTER with mandatory", () => {
  it("says EHOSTUNREACH for an unknown peer, and which (ROUTER-08)", () => {
    const router = newRouter({ mandatory: true });
    accept(router, "a");
    assert(failure(() => router.send(["b", "x"]), "EHOSTUNREACH").message.includes('"b"'));
    const binary = failure(() => router.send([Uint8Array.of(0, 255), "x"]), "EHOSTUNREACH");
    assert(binary.message.includes("0x00ff"), binary.message);
    failure(() => router.send("b"), "EHOSTUNREACH");
  });

  it("waits for a peer without room (ROUTER-08)", () => {
    const router = newRouter({ mandatory: true });
    const end = accept(router, "a", { sendHighWaterMark: 1 });
    end.pipe.link = undefined;
    assertEquals([router.send(["a", "1"]), router.canSend], [true, false]);
    assertEquals(router.send(["a", "2"]), false);
    assertEquals(end.heard(), [["1"]]);
    assertEquals([router.canSend, router.send(["a", "2"])], [true, true]);
  });

  it("cannot send before its first peer", () => {
    const router = newRouter({ mandatory: true });
    assertEquals(router.canSend, false);
    accept(router);
    assertEquals(router.canSend, true);
  });
});

describe("two peers with one id", () => {
  it("the second is refused, and the first stays (ROUTER-09)", () => {
    const router = newRouter();
    const first = accept(router, "a");
    const second = accept(router, "a");
    assertEquals([second.error?.code, first.refusal], ["EADDRINUSE", undefined]);
    assert(second.error!.message.includes('"a"'));
    router.send(["a", "x"]);
    assertEquals(first.heard(), [["x"]]);
  });

  it("the second takes over with handover, and the first's connection ends (ROUTER-09)", () => {
    const router = newRouter({ handover: true });
    const first = accept(router, "a");
    const second = accept(router, "a");
    assertEquals([second.error, (first.refusal as ZmqError).code], [undefined, "EADDRINUSE"]);
    router.detach(first.pipe);
    router.send(["a", "x"]);
    assertEquals([first.heard(), second.heard()], [[], [["x"]]]);
    assertEquals(texts(hear(router, second, "hi")), ["a", "hi"]);
  });

  it("the id is free again when its holder is gone (ROUTER-09)", () => {
    const router = newRouter();
    router.detach(accept(router, "a").pipe);
    const next = accept(router, "a");
    assertEquals(next.error, undefined);
    router.send(["a", "x"]);
    assertEquals(next.heard(), [["x"]]);
  });

  it("one that comes back after it was taken over takes over in turn, or is refused", () => {
    const router = newRouter({ handover: true });
    const dialled = new PipeEnd(router).online();
    router.identify(dialled.pipe, utf8("a"));
    const other = accept(router, "a");
    assertNotEquals(dialled.refusal, undefined);
    assertEquals(router.identify(dialled.pipe, utf8("a")), undefined);
    assertNotEquals(other.refusal, undefined);
    router.send(["a", "x"]);
    assertEquals([dialled.heard(), other.heard()], [[["x"]], []]);
  });
});

describe("the peer of a ROUTER's connect", () => {
  it("keeps its id over its connections, made up or not", () => {
    const router = newRouter();
    for (const announced of ["", "me"]) {
      const end = new PipeEnd(router).online();
      assertEquals(router.identify(end.pipe, utf8(announced)), undefined);
      const [id] = hear(router, end, "x");
      assertEquals(router.identify(end.pipe, utf8(announced)), undefined);
      assertEquals(toHex(hear(router, end, "y")[0]), toHex(id));
      router.send([id, "back"]);
      assertEquals(end.heard(), [["back"]]);
    }
  });

  it("has its new id when it comes back with another one", () => {
    const router = newRouter({ mandatory: true });
    const end = new PipeEnd(router).online();
    router.identify(end.pipe, utf8("old"));
    router.identify(end.pipe, utf8("new"));
    assertEquals(texts(hear(router, end, "x")), ["new", "x"]);
    failure(() => router.send(["old", "x"]), "EHOSTUNREACH");
    router.send(["new", "back"]);
    assertEquals(end.heard(), [["back"]]);
  });

  it("can be sent to before it is there under the name that connect gave it", () => {
    const router = newRouter({ mandatory: true });
    const end = new PipeEnd(router, {}, utf8("mine"));
    router.send(["mine", "early"]);
    assertEquals(end.heard(), [["early"]]);
    router.identify(end.pipe, utf8("its own"));
    assertEquals(texts(hear(router, end, "x")), ["mine", "x"]);
    failure(() => router.send(["its own", "x"]), "EHOSTUNREACH");
  });

  it("cannot be given a name that another peer has", () => {
    const router = newRouter();
    accept(router, "taken");
    const { pipe } = new PipeEnd(undefined, {}, utf8("taken"));
    assertEquals(router.attach(pipe)?.code, "EADDRINUSE");
  });
});
