// The endpoints of a socket that come and go, and how long `linger` lets them send their last.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Endpoints } from "../../src/link/endpoints.ts";
import type { OptionValues } from "../../src/options.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { utf8 } from "../_util/bytes.ts";
import { FakeHost } from "../_util/fake_host.ts";
import type { FakeStream } from "../_util/fake_stream.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { assertMessages, concat } from "../_util/octets.ts";
import { greeting, ready } from "../_util/raw_zmtp.ts";
import { failure, rejection } from "../_util/rejection.ts";
import { ScriptedRuntime } from "../_util/scripted_runtime.ts";

const PEER = "tcp://127.0.0.1:5555";
/** Octets of greeting and READY. */
const HANDSHAKE = 94;

class Stage {
  readonly runtime: ScriptedRuntime = new ScriptedRuntime();
  readonly host: FakeHost;
  readonly endpoints: Endpoints;
  /** How often everything had ended. */
  emptied = 0;

  constructor(options: Partial<OptionValues> = {}, type: SocketType = "DEALER") {
    this.host = new FakeHost(type, options, this.runtime);
    this.endpoints = new Endpoints(this.host, () => this.emptied++);
  }

  /** Connects to a peer that takes its part of the handshake and nothing more. */
  async blockedPeer(): Promise<FakeStream> {
    this.endpoints.connect(PEER, undefined);
    await microtasks();
    const stream = await this.runtime.attempts.at(-1)!.succeed({ room: HANDSHAKE });
    stream.deliver(concat(greeting(), ready("ROUTER")));
    [...this.host.attached].at(-1)!.send("last");
    return stream;
  }
}

describe("the endpoints of a socket", () => {
  it("remember the last that was bound or connected", async () => {
    const { endpoints } = new Stage();
    assertEquals([endpoints.last, endpoints.size], [null, 0]);
    assertEquals(await endpoints.bind("tcp://127.0.0.1:*"), true);
    assertEquals(endpoints.last, "tcp://127.0.0.1:40001");
    endpoints.connect(PEER, undefined);
    assertEquals([endpoints.last, endpoints.size], [PEER, 2]);
    endpoints.close();
  });

  it("are one for each connect, but for DEALER and REQ", () => {
    for (const [type, count] of [["DEALER", 1], ["REQ", 1], ["PUSH", 2], ["ROUTER", 2]] as const) {
      const { endpoints } = new Stage({}, type);
      endpoints.connect(PEER, undefined);
      endpoints.connect(PEER, undefined);
      assertEquals(endpoints.size, count);
      for (let i = 0; i < count; i++) assertEquals(endpoints.size, count);
      endpoints.close();
    }
  });

  it("that are unknown cannot be left, and the error says which there are", async () => {
    const { endpoints } = new Stage();
    assertStringIncludes(
      failure(() => endpoints.disconnect(PEER), "ENOENT").message,
      "there is none",
    );
    endpoints.connect(PEER, undefined);
    const error = failure(() => endpoints.disconnect("tcp://127.0.0.1:1"), "ENOENT");
    assertStringIncludes(error.message, PEER);
    await rejection(endpoints.unbind(PEER), "ENOENT");
    endpoints.close();
  });

  it("refuse by name the options that no runtime can set", async () => {
    for (const name of ["tcpKeepaliveCount", "tcpKeepaliveInterval"] as const) {
      const { endpoints } = new Stage({ [name]: 3 });
      assertStringIncludes(
        failure(() => endpoints.connect(PEER, undefined), "ENOTSUP").message,
        name,
      );
      assertStringIncludes((await rejection(endpoints.bind(PEER), "ENOTSUP")).message, name);
      assertEquals(endpoints.size, 0);
    }
  });

  it("do not bind when everything was ended meanwhile", async () => {
    const stage = new Stage();
    const bound = stage.endpoints.bind("tcp://127.0.0.1:*");
    stage.endpoints.finish();
    assertEquals(await bound, false);
    assertEquals(stage.runtime.listeners.map(({ closed }) => closed), [true]);
  });
});

describe("leaving an endpoint", () => {
  it("lets it send its last for as long as it takes with a linger of -1", async () => {
    const stage = new Stage();
    const stream = await stage.blockedPeer();
    stage.endpoints.disconnect(PEER);
    stage.host.clock.advance(1e9);
    assertEquals(stream.calls, ["start"]);
    stream.drain();
    assertEquals(stream.calls, ["start", "close"]);
    assertEquals(stage.host.backlog, []);
  });

  it("gives it linger milliseconds, and what is left to the other peers", async () => {
    const stage = new Stage({ linger: 50 });
    const stream = await stage.blockedPeer();
    stage.endpoints.disconnect(PEER);
    stage.host.clock.advance(49);
    assertEquals(stream.calls, ["start"]);
    stage.host.clock.advance(1);
    assertEquals(stream.calls, ["start", "close"]);
    assertMessages(stage.host.backlog, [[utf8("last")]]);
  });

  it("ends it with the turn with a linger of 0", async () => {
    const stage = new Stage({ linger: 0 });
    const stream = await stage.blockedPeer();
    stage.endpoints.disconnect(PEER);
    assertEquals(stream.calls, ["start"]);
    stage.host.clock.settle();
    assertEquals(stream.calls, ["start", "close"]);
  });

  it("lets the same endpoint be connected again at once", async () => {
    const stage = new Stage();
    await stage.blockedPeer();
    stage.endpoints.disconnect(PEER);
    stage.endpoints.connect(PEER, undefined);
    await microtasks();
    assertEquals([stage.runtime.attempts.length, stage.endpoints.size], [2, 1]);
    stage.endpoints.close();
    assertEquals(stage.emptied, 1);
  });

  it("is heard of when all have ended", async () => {
    const stage = new Stage();
    const stream = await stage.blockedPeer();
    await stage.endpoints.bind("tcp://127.0.0.1:*");
    stage.endpoints.finish();
    await microtasks();
    assertEquals(stage.emptied, 0);
    stream.drain();
    assertEquals(stage.emptied, 1);
  });

  it("is over at once when there are none", () => {
    const stage = new Stage();
    stage.endpoints.finish();
    assertEquals(stage.emptied, 1);
  });
});
