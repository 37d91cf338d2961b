// What a link does for publishers and subscribers: it tells when it begins and ends, passes on commands, and has only what
// is wanted received.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Topics } from "../../src/core/topics.ts";
import { parseEndpoint, type TcpEndpoint } from "../../src/endpoint.ts";
import { ProtocolError, ZmqError } from "../../src/errors.ts";
import { Dialer } from "../../src/link/dialer.ts";
import type { Pipe } from "../../src/routing/pipe.ts";
import { encodeCommandForm, SUBSCRIBE } from "../../src/wire/subscription.ts";
import { readStream } from "../core/models/frame_model.ts";
import { textOf, utf8 } from "../_util/bytes.ts";
import { FakeHost } from "../_util/fake_host.ts";
import { LinkStand, messagesAfterHandshake } from "../_util/link_stand.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { command, frame, greeting, message, ping, ready } from "../_util/raw_zmtp.ts";
import { ScriptedRuntime } from "../_util/scripted_runtime.ts";

/** The commands that reached a host, as texts. */
function commandsOf(host: FakeHost): string[] {
  return host.commands.map(([name, data]) => `${name} ${textOf(data)}`);
}

/** A host whose links keep what begins with one of the topics. */
function filteringHost(...topics: string[]): FakeHost & { topics: Topics } {
  const host = new FakeHost("SUB");
  const own = new Topics(host.around.memory);
  for (const topic of topics) own.add(utf8(topic));
  host.filter = { topics: own, inverted: false };
  return Object.assign(host, { topics: own });
}

describe("a link that begins", () => {
  for (const minor of [0, 1, 2]) {
    it(`tells its host once, when the version is known: 3.${minor} (ZMTP31-VER-05, ZMTP31-VER-09)`, () => {
      const stand = new LinkStand({ type: "SUB" });
      const told: string[] = [];
      stand.host.onLinked = ({ protocol }) => told.push(protocol);
      stand.link.start();
      const octets = stand.peerHandshake;
      octets[11] = minor;
      stand.stream.deliver(octets.subarray(0, -1));
      assertEquals(told, []);
      stand.stream.deliver(concat(octets.subarray(-1), message("x")));
      assertEquals(told, [minor === 0 ? "3.0" : "3.1"]);
    });
  }

  it("sends what its host has to say before anything else", () => {
    const stand = new LinkStand({ type: "SUB" });
    stand.host.onLinked = (pipe) => {
      pipe.outbox.appendCommand(encodeCommandForm(SUBSCRIBE, utf8("A")));
      pipe.appended();
    };
    stand.host.onWritable = (pipe) => {
      stand.host.onWritable = () => {};
      pipe.send("hello");
    };
    stand.link.start();
    stand.stream.deliver(stand.peerHandshake);
    stand.stream.flow();
    stand.host.clock.endTurn();
    const { messages, commands } = readStream(stand.stream.takeOutput().subarray(64));
    assertEquals(commands.map(({ after, body }) => [after, textOf(body.subarray(1))]), [
      [0, textOf(commands[0].body.subarray(1))],
      [0, "SUBSCRIBEA"],
    ]);
    assertMessages(messages, [[utf8("hello")]]);
  });

  it("is over at once when its host refuses the peer then", () => {
    const stand = new LinkStand({ type: "PUB" });
    const reason = new ZmqError("ENOBUFS", "no");
    stand.host.onLinked = (pipe) => pipe.link!.refuse(reason);
    stand.link.start();
    stand.stream.deliver(concat(stand.peerHandshake, command("SUBSCRIBE", utf8("A"))));
    assertStrictEquals(stand.error, reason);
    assertEquals(stand.host.commands, []);
  });
});

describe("a link's commands", () => {
  it("go to the host with their data, however they are cut", () => {
    const octets = concat(
      command("SUBSCRIBE", utf8("A")),
      command("CANCEL"),
      command("SUBSCRIBE", pattern(300).fill(65)),
      command("WHATEVER", utf8("x")),
    );
    for (const size of [Infinity, 1, 100]) {
      const stand = new LinkStand({ type: "PUB" }).serve();
      stand.stream.deliver(octets, size);
      assertEquals(commandsOf(stand.host), [
        "SUBSCRIBE A",
        "CANCEL ",
        `SUBSCRIBE ${"A".repeat(300)}`,
        "WHATEVER x",
      ]);
    }
  });

  it("that came with the handshake are not lost (CONN-02)", () => {
    const stand = new LinkStand({ type: "PUB" });
    stand.link.start();
    stand.stream.deliver(concat(stand.peerHandshake, command("SUBSCRIBE", utf8("A"))));
    assertEquals(commandsOf(stand.host), ["SUBSCRIBE A"]);
  });

  it("find the messages that were sent before them in the inbox", () => {
    const stand = new LinkStand({ type: "PUB" }).serve();
    const waiting: number[] = [];
    const { host, pipe } = stand;
    host.command = () => {
      waiting.push(pipe.inbox.messages);
      return undefined;
    };
    stand.stream.deliver(
      concat(message("1"), command("CANCEL"), frame("2", true), command("CANCEL"), frame("3")),
    );
    assertEquals([waiting, pipe.inbox.messages], [[1, 1], 2]);
  });

  it("that the session answers do not reach the host", () => {
    const stand = new LinkStand({ type: "PUB" }).serve();
    stand.stream.deliver(ping("?"));
    stand.stream.flow();
    assertEquals(stand.host.commands, []);
    assertOctets(stand.stream.takeOutput(), command("PONG", utf8("?")));
  });

  it("end the link when the host refuses one, and nothing behind it is looked at", () => {
    const stand = new LinkStand({ type: "PUB" }).serve();
    stand.host.commandRefusal = new ProtocolError("EMSGSIZE", "too long");
    stand.stream.deliver(
      concat(message("before"), command("SUBSCRIBE", utf8("A")), command("CANCEL"), message("x")),
    );
    assertStrictEquals(stand.error, stand.host.commandRefusal);
    assertEquals(commandsOf(stand.host), ["SUBSCRIBE A"]);
    assertMessages(stand.receiveAll(), [[utf8("before")]]);
    assertEquals(stand.calls.at(-1), "ended");
  });

  it("reach nobody once the link is over", () => {
    const stand = new LinkStand({ type: "PUB" }).serve();
    stand.host.command = (_pipe, name) => {
      stand.host.commands.push([name, pattern(0)]);
      stand.link.close();
      return undefined;
    };
    stand.stream.deliver(concat(command("SUBSCRIBE"), command("CANCEL")));
    assertEquals(stand.host.commands.length, 1);
  });
});

describe("a link with a filter", () => {
  it("receives what is wanted, however the stream is cut", () => {
    const octets = concat(
      message("A1", "x"),
      message("B1", "A"),
      message("A2"),
      frame("B", true),
      command("WHATEVER"),
      frame(pattern(9_000)),
      message("A3", pattern(20_000)),
    );
    for (const size of [Infinity, 1, 777]) {
      const stand = new LinkStand({ host: filteringHost("A") }).serve();
      stand.stream.deliver(octets, size);
      const expected = [[utf8("A1"), utf8("x")], [utf8("A2")], [utf8("A3"), pattern(20_000)]];
      assertMessages(stand.receiveAll(), expected);
      assertEquals(commandsOf(stand.host), ["WHATEVER "]);
    }
  });

  it("tells nobody of what is not, and does not stop reading for it", () => {
    const host = filteringHost("A");
    host.options.receiveHighWaterMark = 2;
    const stand = new LinkStand({ host }).serve();
    let told = 0;
    host.onReadable = () => told++;
    for (let i = 0; i < 5; i++) stand.stream.deliver(concat(message("B"), message("B")));
    assertEquals([told, stand.pipe.inbox.messages, stand.stream.calls], [0, 0, []]);
    stand.stream.deliver(concat(message("A"), message("B"), message("A")));
    assertEquals([told, stand.pipe.inbox.messages, stand.stream.calls], [1, 2, ["pause"]]);
  });

  it("follows the topics as they change between two reads", () => {
    const host = filteringHost();
    const stand = new LinkStand({ host }).serve();
    stand.stream.deliver(message("A1"));
    host.topics.add(utf8("A"));
    stand.stream.deliver(message("A2"));
    host.topics.remove(utf8("A"));
    stand.stream.deliver(message("A3"));
    assertMessages(stand.receiveAll(), [[utf8("A2")]]);
  });

  it("reads on when the memory for topics is enlarged under it", () => {
    const host = filteringHost("A");
    const stands = Array.from({ length: 3 }, () => new LinkStand({ host }).serve());
    const octets = message("A", pattern(500));
    for (const { stream } of stands) stream.deliver(octets.subarray(0, 100));
    assert(host.around.memory.filters.enlarge());
    for (const stand of stands) {
      stand.stream.deliver(concat(octets.subarray(100), octets));
      assertEquals(stand.receiveAll().length, 2);
    }
  });
});

describe("a dialer's pipe", () => {
  /** A SUB's dialer, with what its host was told. */
  async function dial(options = {}): Promise<{
    runtime: ScriptedRuntime;
    host: FakeHost;
    dialer: Dialer;
    told: string[];
  }> {
    const runtime = new ScriptedRuntime();
    const host = new FakeHost("SUB", options, runtime);
    const told: string[] = [];
    const state = (pipe: Pipe): string => pipe.link === undefined ? "without" : "with";
    host.onLinked = (pipe) => told.push(`linked ${state(pipe)}`);
    host.onUnlinked = (pipe) => told.push(`unlinked ${state(pipe)}`);
    const dialer = new Dialer(
      host,
      parseEndpoint("tcp://127.0.0.1:5", "connect") as TcpEndpoint,
      undefined,
      () => {},
    );
    dialer.start();
    await microtasks();
    return { runtime, host, dialer, told };
  }

  it("is linked and unlinked with each connection", async () => {
    const { runtime, host, told } = await dial();
    for (let i = 1; i <= 3; i++) {
      const stream = await runtime.attempts.at(-1)!.succeed();
      stream.deliver(concat(greeting(), ready("PUB")));
      stream.end();
      assertEquals(told.length, 2 * i);
      host.clock.advance(host.clock.delays[0]);
      await microtasks();
    }
    assertEquals(new Set(told), new Set(["linked with", "unlinked without"]));
  });

  it("is gone with its connection when it is immediate, or closed", async () => {
    for (const immediate of [true, false]) {
      const { runtime, host, dialer, told } = await dial({ immediate });
      const stream = await runtime.attempts[0].succeed();
      stream.deliver(concat(greeting(), ready("PUB")));
      if (immediate) stream.end();
      else dialer.close();
      assertEquals([told, host.calls.at(-2)], [["linked with"], "detach"]);
    }
  });

  it("sends what waited behind what the host has to say first", async () => {
    const { runtime, host } = await dial();
    const [pipe] = host.attached;
    pipe.send("waited");
    host.onLinked = (each) => {
      const waiting = each.outbox.drain();
      each.send("first");
      for (const frames of waiting) each.send(frames);
    };
    const stream = await runtime.attempts[0].succeed();
    stream.deliver(concat(greeting(), ready("PUB")));
    host.clock.endTurn();
    stream.flow();
    assertMessages(messagesAfterHandshake(stream.takeOutput()), [[utf8("first")], [
      utf8("waited"),
    ]]);
  });
});
