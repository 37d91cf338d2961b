// A WebSocketReader that is fed as an unkind stream would: what is lent to it is filled with rubbish, and what takes its ZMTP
// frames takes few octets at a time.

import { assert, assertEquals } from "@std/assert";
import { CoreMemory } from "../../../src/core/memory.ts";
import { WebSocketReader, type WebSocketRules } from "../../../src/core/websocket_reader.ts";
import { concat, type Filling } from "../../../src/octets.ts";
import { WebSocketFault } from "../../../src/wire/websocket/fault.ts";
import { assertOctets } from "../../_util/octets.ts";
import { cut } from "./streams.ts";
import { type Control, readWeb } from "./websocket_model.ts";

const RUBBISH = 0xee;

export class WebStand implements Filling {
  readonly reader: WebSocketReader;
  readonly controls: Control[] = [];
  fault: WebSocketFault | undefined;
  /** What happens with the next octets that are given on, or control frame. */
  happening: (() => void) | undefined;
  readonly #out: Uint8Array[] = [];
  readonly #target: Uint8Array;
  #size = 0;

  /** What takes the ZMTP frames takes so many octets at a time. */
  constructor(rules: WebSocketRules, takes: number = 1000, memory: CoreMemory = shared) {
    this.#target = new Uint8Array(takes);
    this.reader = new WebSocketReader(memory, this, {
      control: (opcode, payload) => {
        this.controls.push({ after: this.#size, opcode, payload: payload.slice() });
        this.happening?.();
      },
    }, rules);
  }

  /** The ZMTP octets that came out. */
  get octets(): Uint8Array {
    return concat(this.#out);
  }

  target(): Uint8Array {
    this.#target.subarray(0, 300).fill(RUBBISH);
    return this.#target;
  }

  filled(count: number): void {
    assert(count > 0 && count <= this.#target.length);
    this.#out.push(this.#target.slice(0, count));
    this.#size += count;
    this.happening?.();
  }

  /** Reads octets in pieces of these sizes, or smaller ones; none after a fault. */
  read(octets: Uint8Array, sizes: readonly number[] = [Infinity]): void {
    for (const piece of cut(octets, sizes)) {
      for (let at = 0; at < piece.length && this.fault === undefined;) {
        const target = this.reader.target();
        assert(target.length > 0, "there is no room for a read");
        const some = piece.subarray(at, at + target.length);
        target.set(some);
        at += some.length;
        try {
          this.reader.filled(some.length);
        } catch (error) {
          if (!(error instanceof WebSocketFault)) throw error;
          this.fault = error;
          return;
        }
        // A stream may write further than it says in the end.
        this.reader.target().subarray(0, 300).fill(RUBBISH);
      }
    }
  }

  /** Compares with a plain reading of the same octets. */
  compare(octets: Uint8Array, rules: WebSocketRules): void {
    const expected = readWeb(octets, rules);
    assertEquals(this.fault?.closeCode, expected.fault);
    assertOctets(this.octets, expected.octets, "ZMTP");
    assertEquals(this.controls, expected.controls);
  }
}

/** What one reader gives back the next one gets, dirty. */
const shared = new CoreMemory();

/** Reads octets cut in these ways, and compares each time. */
export function compareReading(
  octets: Uint8Array,
  rules: WebSocketRules,
  ways: readonly (readonly number[])[],
  takes?: number,
): void {
  for (const sizes of ways) {
    const stand = new WebStand(rules, takes);
    stand.read(octets, sizes);
    stand.compare(octets, rules);
    stand.reader.free();
  }
}
