// What a ZAP handler answers, changed anywhere: a peer is let in by a right answer alone, and every other one has a name.

import { assertEquals } from "@std/assert";
import { Door } from "../../../src/security/zap.ts";
import { Refusal } from "../../../src/security/mechanism.ts";
import type { Metadata } from "../../../src/wire/metadata.ts";
import { encodeMetadata } from "../../../src/wire/metadata.ts";
import { utf8 } from "../../_util/bytes.ts";
import { maybeMutate } from "../mutate.ts";
import { checkProtocolError, type Target } from "../target.ts";

interface Input {
  readonly frames: readonly Uint8Array[];
  /** Which of the frames is the id of the request; -1 for none. */
  readonly echo: number;
}

const PARTS: readonly (readonly string[])[] = [
  ["", "", "x"],
  ["1.0", "1.0", "1.0", "1.1", "\ufeff1.0", ""],
  [""],
  ["200", "200", "200", "300", "400", "500", "404", "20", "200 "],
  ["", "OK", "x".repeat(300)],
  ["", "me", "x".repeat(255), "x".repeat(256)],
];

/** A byte order mark is a character like others. */
const text = new TextDecoder("utf-8", { ignoreBOM: true });

export const zap: Target<Input> = {
  name: "zap",
  draw(tape) {
    const frames: Uint8Array[] = PARTS.map((choices) => utf8(tape.pick(choices)));
    frames.push(
      maybeMutate(tape, encodeMetadata(tape.list(3, () => ["X-a", tape.octets(3)] as const))),
    );
    if (tape.oneIn(6)) frames[tape.below(7)] = tape.octets(tape.below(12));
    if (tape.oneIn(10)) frames.splice(tape.below(7), 1);
    if (tape.oneIn(10)) frames.push(tape.octets(tape.below(4)));
    return { frames, echo: tape.oneIn(12) ? -1 : 2 };
  },
  async check({ frames, echo }) {
    const said = (index: number): string | undefined => frames[index] && text.decode(frames[index]);
    const door = new Door({ domain: "test", enforced: true }, "127.0.0.1", (request) => ({
      reply: Promise.resolve(frames.map((frame, i) => i === echo ? request[2] : frame)),
      cancel() {},
    }));
    let admission: Metadata | undefined;
    try {
      admission = await door.admit("PLAIN", [utf8("me"), utf8("secret")]);
    } catch (thrown) {
      const error = checkProtocolError(thrown instanceof Refusal ? thrown.error : thrown);
      const whole = frames.length === 7 && frames[0].length === 0 && said(1) === "1.0" &&
        echo === 2;
      if (whole && /^[345]00$/.test(said(3)!)) assertEquals(error.code, "EACCES");
      else assertEquals(error.code.startsWith("ERR_ZAP_"), true, error.code);
    }
    if (admission === undefined) return;
    assertEquals(
      [frames.length, said(0), said(1), echo, said(3), frames[5].length <= 255],
      [7, "", "1.0", 2, "200", true],
    );
    assertEquals(admission.has("user-id"), frames[5].length > 0);
  },
};
