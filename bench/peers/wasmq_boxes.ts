// NaCl's box and CURVE's frames, asked of the core itself: everything lies in its memory, as it does for a connection.

import {
  CURVE_DONE,
  CURVE_KEYS_SIZE,
  CURVE_NEXT,
  CURVE_NONCE,
  CURVE_OVERHEAD,
  FLAG_LONG,
  LONG_HEADER,
  RESULTS,
  SHORT_HEADER,
} from "../../wasm/layout.ts";
import { Core } from "../../src/core/instance.ts";
import type { Batch } from "./boxes.ts";

const KEY_SIZE = 32;
const NONCE_SIZE = 24;
const TAG_SIZE = 16;
/** Octets behind a text that the core may change. */
const SLACK = 16;

function place(core: Core, size: number): number {
  const at = core.exports.alloc(size) >>> 0;
  if (core.bytes.length === 0) core.refresh();
  return at;
}

function placeRandom(core: Core, size: number): number {
  const at = place(core, size);
  crypto.getRandomValues(core.bytes.subarray(at, at + size));
  return at;
}

/** Texts one after the other, sealed and opened where they are. */
function texts(count: number, size: number): Batch {
  const core = new Core();
  const { secretboxSeal, secretboxOpen } = core.exports;
  const key = placeRandom(core, KEY_SIZE);
  const nonce = placeRandom(core, NONCE_SIZE);
  const step = TAG_SIZE + size + SLACK;
  const first = place(core, count * step);
  const seal = () => {
    for (let i = 0; i < count; i++) secretboxSeal(key, nonce, first + i * step, size);
  };
  return {
    seal,
    refill: seal,
    open() {
      for (let i = 0; i < count; i++) {
        if (secretboxOpen(key, nonce, first + i * step, size) === 0) {
          throw new Error("A box does not open");
        }
      }
    },
  };
}

/** Frames as they wait in an outbox, sealed into a batch, and opened as they arrive: one call for all of them. */
function frames(count: number, size: number): Batch {
  const core = new Core();
  const { curveSeal, curveOpen } = core.exports;
  const keys = placeRandom(core, CURVE_KEYS_SIZE);
  const resetNonce = (next: number) => {
    core.bytes.fill(0, keys + CURVE_NONCE, keys + CURVE_KEYS_SIZE);
    core.bytes[keys + CURVE_NONCE] = next;
  };

  const header = size > 255 ? LONG_HEADER : SHORT_HEADER;
  const plainSize = count * (header + size);
  const plain = place(core, plainSize + SLACK);
  for (let i = 0; i < count; i++) {
    const view = new DataView(core.bytes.buffer, plain + i * (header + size), header);
    if (header === LONG_HEADER) {
      view.setUint8(0, FLAG_LONG);
      view.setBigUint64(1, BigInt(size));
    } else {
      view.setUint8(1, size);
    }
  }

  const room = count * (size + LONG_HEADER + CURVE_OVERHEAD + SLACK);
  const out = place(core, room);
  const seal = () => {
    resetNonce(1);
    const sealed = curveSeal(keys, plain, plain + plainSize, out, room) >>> 0;
    if (core.words[(RESULTS >> 2) + CURVE_NEXT] !== plain + plainSize) {
      throw new Error("A frame was left");
    }
    return sealed;
  };
  const sealedSize = seal();
  const sealed = core.bytes.slice(out, out + sealedSize);
  return {
    seal,
    refill() {
      core.bytes.set(sealed, out);
      resetNonce(0);
    },
    open() {
      const status = curveOpen(keys, out, out + sealedSize, -1);
      if (status !== CURVE_DONE) throw new Error(`The core answers ${status}`);
    },
  };
}

/** What is measured of the core. */
export function coreBoxes(
  count: number,
  size: number,
): { sealed: string; opened: string; batch: Batch }[] {
  return [
    { sealed: "sealed", opened: "opened", batch: texts(count, size) },
    { sealed: "sealedFrames", opened: "openedFrames", batch: frames(count, size) },
  ];
}
