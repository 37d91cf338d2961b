// capability: what it promises is there, what it denies is not.

import { assertEquals, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { capability, Pair, Publisher } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { rejection } from "../_util/rejection.ts";

const cleanup = new Cleanup();

describe("capability", () => {
  afterEach(() => cleanup.run());

  it("has the names of zeromq.js, each true or false", () => {
    const names = ["curve", "draft", "gssapi", "ipc", "norm", "pgm", "tipc"];
    for (const name of names) {
      assertEquals(
        typeof (capability as unknown as Record<string, unknown>)[name],
        "boolean",
        name,
      );
    }
  });

  it("cannot be changed", () => {
    const open = capability as unknown as Record<string, boolean>;
    assertThrows(() => open.ipc = !open.ipc, TypeError);
  });

  it("promises ipc exactly where it works", async () => {
    const pair = cleanup.add(new Pair({ receiveTimeout: 5_000 }));
    if (!capability.ipc) {
      await rejection(pair.bind("ipc://*"), "ENOCOMPATPROTO");
      return;
    }
    await pair.bind("ipc://*");
    const other = cleanup.add(new Pair());
    other.connect(pair.lastEndpoint!);
    await other.send("x");
    assertFrames(await pair.receive(), ["x"]);
  });

  it("promises no transport that bind refuses", async () => {
    for (const scheme of ["pgm", "tipc", "norm"] as const) {
      assertEquals(capability[scheme], false);
      const publisher = cleanup.add(new Publisher());
      await rejection(publisher.bind(`${scheme}://127.0.0.1:5555`), "EPROTONOSUPPORT");
    }
  });
});
