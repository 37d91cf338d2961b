// The Jupyter kernel's messages and connection file, in memory.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseConnection } from "../../examples/apps/jupyter/connection.ts";
import { type MessageError, Wire } from "../../examples/apps/jupyter/messages.ts";

const FILE = {
  transport: "tcp",
  ip: "127.0.0.1",
  shell_port: 1,
  iopub_port: 2,
  control_port: 3,
  stdin_port: 4,
  hb_port: 5,
  key: "a key",
  signature_scheme: "hmac-sha256",
};

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const octets = (frames: readonly (Uint8Array | string)[]): Uint8Array[] =>
  frames.map((frame) => typeof frame === "string" ? utf8(frame) : frame);

/** The frames of a request, as a client would write them. */
function request(wire: Wire, content: Record<string, unknown> = { code: "1" }): Uint8Array[] {
  return octets(wire.write(["client"], { type: "execute_request", parent: {}, content }));
}

function reason(wire: Wire, frames: readonly Uint8Array[]): string {
  const error = assertThrows(() => wire.read(frames)) as MessageError;
  return error.reason;
}

describe("a connection file", () => {
  const parse = (change: Record<string, unknown>): ReturnType<typeof parseConnection> =>
    parseConnection(JSON.stringify({ ...FILE, ...change }));

  it("gives the five endpoints", () => {
    const { endpoints, key, digest } = parse({});
    assertEquals(endpoints, {
      shell: "tcp://127.0.0.1:1",
      iopub: "tcp://127.0.0.1:2",
      control: "tcp://127.0.0.1:3",
      stdin: "tcp://127.0.0.1:4",
      hb: "tcp://127.0.0.1:5",
    });
    assertEquals([key, digest], ["a key", "sha256"]);
    assertEquals(parse({ ip: "::1" }).endpoints.shell, "tcp://[::1]:1");
    assertEquals(parse({ transport: "ipc", ip: "/tmp/k" }).endpoints.hb, "ipc:///tmp/k-5");
  });

  it("may lack a key, and says what else is missing", () => {
    assertEquals(parse({ key: undefined }).key, "");
    for (
      const [change, expected] of [
        [{ shell_port: undefined }, /shell_port has to be a port, not undefined/],
        [{ hb_port: 70_000 }, /hb_port has to be a port, not 70000/],
        [{ transport: "udp" }, /transport has to be "tcp" or "ipc", not "udp"/],
        [{ key: 5 }, /key has to be text, not 5/],
        [{ signature_scheme: "md5" }, /cannot sign with "md5"/],
      ] as const
    ) {
      assertMatch(assertThrows(() => parse(change), TypeError).message, expected);
    }
    assertThrows(() => parseConnection("{"), TypeError, "is not JSON");
    assertThrows(() => parseConnection("[]"), TypeError, "has to be an object");
  });
});

describe("messages on the wire", () => {
  it("come back as they were written", () => {
    const wire = new Wire("key");
    const frames = request(wire, { code: "é𝒳", deep: { list: [1, null] } });
    const message = wire.read([...frames, utf8("buffer")]);
    assertEquals(message.identities.map((id) => new TextDecoder().decode(id)), ["client"]);
    assertEquals(message.header.msg_type, "execute_request");
    assertEquals(message.header.version, "5.3");
    assertEquals(message.content, { code: "é𝒳", deep: { list: [1, null] } });
    assertEquals(message.buffers, [utf8("buffer")]);
    assert(!Number.isNaN(Date.parse(String(message.header.date))));
  });

  it("have the signature that everybody else computes", () => {
    // printf '{}{}{}{}' | openssl dgst -sha256 -hmac key
    const signature = "ca767b02c5bc061ed184a9a029e7f93a7f2f7ed4e8fe74120fc1212f0b008fa3";
    // It is right, so only the header, which is empty, is complained about.
    const frames = ["<IDS|MSG>", signature, "{}", "{}", "{}", "{}"].map(utf8);
    assertEquals(reason(new Wire("key"), frames), "malformed");
    assertEquals(reason(new Wire("yek"), frames), "signature");
    assertEquals(new Wire("").write(["t"], { type: "a", parent: {}, content: {} })[2], "");
  });

  it("are not believed with a wrong signature", () => {
    const wire = new Wire("key");
    assertEquals(reason(wire, request(new Wire("other"))), "signature");
    for (const part of [2, 3, 4, 5, 6]) {
      const frames = request(wire);
      frames[part] = frames[part].slice();
      frames[part][frames[part].length - 1] ^= 1;
      assertEquals(reason(wire, frames), "signature", `part ${part}`);
    }
    const cut = request(wire);
    cut[2] = cut[2].slice(0, 10);
    assertEquals(reason(wire, cut), "signature");
  });

  it("are believed once", () => {
    const wire = new Wire("key", "sha256", 2);
    const frames = request(wire);
    wire.read(frames);
    assertEquals(reason(wire, frames), "replayed");
    // The memory is bounded: after two more it is forgotten.
    wire.read(request(wire));
    wire.read(request(wire));
    wire.read(frames);
  });

  it("are neither signed nor remembered without a key", () => {
    const wire = new Wire("");
    const frames = request(wire);
    wire.read(frames);
    wire.read(frames);
  });

  it("are malformed without the delimiter, without all parts, without JSON objects", () => {
    const wire = new Wire("");
    const good = request(wire);
    const changed = (part: number, text: string): Uint8Array[] =>
      good.map((frame, i) => i === part ? utf8(text) : frame);
    const cases = [
      [],
      [utf8("")],
      good.filter((_, i) => i !== 1),
      good.slice(0, 6),
      good.slice(0, 2),
      changed(3, "{"),
      changed(3, "[]"),
      changed(3, "null"),
      changed(3, '{"msg_type":"a"}'),
      changed(3, '{"msg_id":1,"msg_type":"a"}'),
      changed(4, "5"),
      changed(5, ""),
      changed(6, '"text"'),
      changed(6, "["),
      good.map((frame, i) => i === 6 ? new Uint8Array([0xff, 0xfe]) : frame),
    ];
    for (const [i, frames] of cases.entries()) {
      assertEquals(reason(wire, frames), "malformed", `case ${i}`);
    }
  });

  it("may be deeply nested: that is malformed at worst", () => {
    const wire = new Wire("");
    const frames = request(wire);
    frames[6] = utf8(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    try {
      wire.read(frames);
    } catch (error) {
      assertEquals((error as MessageError).reason, "malformed");
    }
  });

  it("refuse an unknown digest at the start", () => {
    assertThrows(() => new Wire("key", "nonsense"));
  });
});
