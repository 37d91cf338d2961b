// What a WebSocket writes on its stream: pieces of the link's octets, and remarks between frames, however little of them
// the stream takes at a time.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CoreMemory } from "../../../src/core/memory.ts";
import { WebSocketWriter } from "../../../src/core/websocket_writer.ts";
import { Output } from "../../../src/link/websocket/output.ts";
import type { ByteSink } from "../../../src/link/stream.ts";
import { PING, PONG, readWeb } from "../../core/models/websocket_model.ts";
import { utf8 } from "../../_util/bytes.ts";
import { FakeStream, type FakeStreamOptions } from "../../_util/fake_stream.ts";
import { concat } from "../../_util/octets.ts";
import { frame, message } from "../../_util/raw_zmtp.ts";

const memory = new CoreMemory();
const RULES = { masked: false, limit: -1, commands: true };

/** An output on a stream that takes what a test lets it take. */
class Stand implements ByteSink {
  readonly stream: FakeStream;
  readonly output: Output;
  /** How many of the link's octets have left, by what `written` and `write` answered. */
  left = 0;

  constructor(options: FakeStreamOptions = {}) {
    this.stream = new FakeStream(options);
    this.output = new Output(this.stream);
    this.output.writer = new WebSocketWriter(memory.outboxes, false, () => {});
    this.stream.start(this);
  }

  target(): Uint8Array {
    return new Uint8Array(1);
  }

  filled(): void {}

  written(count: number): void {
    this.left += this.output.written(count);
  }

  closed(): void {}

  /** Offers octets again and again, as a link does. */
  writeAll(octets: Uint8Array): void {
    for (let before = -1; this.left < octets.length && before !== this.left;) {
      before = this.left;
      this.left += this.output.write(octets.subarray(this.left));
      this.stream.flow();
    }
  }

  /** What the peer reads. */
  read(): ReturnType<typeof readWeb> {
    return readWeb(this.stream.takeOutput(), RULES);
  }
}

const MESSAGES = concat(
  message("a", "bc"),
  frame(new Uint8Array(300).fill(7)),
  frame(new Uint8Array(150_000).fill(8)),
);

describe("the output of a WebSocket", () => {
  const streams: Readonly<Record<string, FakeStreamOptions>> = {
    "takes all": {},
    "takes all later": { late: true },
    "takes 701 octets at a time": { gulp: 701 },
    "takes 1000 octets at a time, later": { gulp: 1_000, late: true },
  };
  for (const [what, options] of Object.entries(streams)) {
    it(`writes every frame on a stream that ${what}`, () => {
      const stand = new Stand(options);
      stand.writeAll(MESSAGES);
      assertEquals(stand.left, MESSAGES.length);
      assertEquals(stand.read().octets, MESSAGES);
    });

    it(`says remarks between frames on a stream that ${what}`, () => {
      const stand = new Stand(options);
      const { output } = stand;
      const said: string[] = [];
      const remark = (opcode: number, text: string) =>
        output.say(output.writer!.control(opcode, utf8(text)), () => said.push(text));
      remark(PING, "before");
      stand.writeAll(MESSAGES.subarray(0, 7));
      remark(PONG, "between");
      remark(PONG, "too");
      stand.writeAll(MESSAGES);
      stand.stream.flow();
      assertEquals(said, ["before", "between", "too"]);
      const { octets, controls } = stand.read();
      assertEquals(octets, MESSAGES);
      assertEquals(controls.map(({ opcode }) => opcode), [PING, PONG, PONG]);
    });
  }

  it("says nothing in the middle of a frame", () => {
    const stand = new Stand();
    const { output } = stand;
    const half = MESSAGES.length - 100_000;
    stand.left = output.write(MESSAGES.subarray(0, half));
    assertEquals(stand.left, half);
    output.say(output.writer!.control(PING, new Uint8Array(0)));
    assertEquals(stand.read().controls, []);
    stand.left += output.write(MESSAGES.subarray(half));
    // The end of the frame, and then the remark.
    assertEquals(stand.stream.writes.at(-1), Uint8Array.of(0x89, 0));
  });

  it("ends when all is said, and says nothing more", () => {
    const stand = new Stand({ room: 0 });
    const { output } = stand;
    let ended = 0;
    assertEquals(output.write(message("a")), 0);
    output.say(output.writer!.control(PONG, utf8("x")));
    output.end(() => ended++);
    assertEquals(ended, 0);
    stand.stream.drain();
    stand.stream.flow();
    assertEquals(ended, 1);
    const { octets, controls } = stand.read();
    assertEquals([octets, controls.length], [message("a"), 1]);
    output.say(output.writer!.control(PONG, utf8("y")));
    assertEquals([stand.stream.takeOutput().length, ended], [0, 1]);
  });

  it("ends at once in the middle of a frame that does not go on", () => {
    const stand = new Stand();
    const { output } = stand;
    output.write(MESSAGES.subarray(0, MESSAGES.length - 100_000));
    stand.stream.takeOutput();
    let ended = 0;
    output.say(output.writer!.control(PONG, utf8("x")));
    output.end(() => ended++);
    assertEquals([ended, stand.stream.takeOutput().length], [1, 0]);
  });

  it("tells which frames left whole when the stream is gone", () => {
    const octets = concat(message("a", "bc"), message("defg"), message("h"));
    const wire = [3 + 1, 3 + 2, 3 + 4, 3 + 1];
    const plain = [3, 4, 6, 3];
    for (let room = 0; room <= wire.reduce((sum, size) => sum + size); room++) {
      const stand = new Stand({ room });
      const written = stand.output.write(octets);
      let [left, whole] = [room, 0];
      for (let i = 0; i < wire.length && left >= wire[i]; i++) {
        left -= wire[i];
        whole += plain[i];
      }
      assertEquals(written === octets.length ? written : stand.output.lost(), whole, `${room}`);
    }
  });
});
