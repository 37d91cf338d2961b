// The properties in a READY command, read apart from the library's own parser.

import { textOf } from "./bytes.ts";

/** The properties of the body of a READY command, names as they were sent. */
export function readyProperties(body: Uint8Array): Record<string, string> {
  const properties: Record<string, string> = {};
  let at = 1 + body[0];
  if (textOf(body.subarray(1, at)) !== "READY") throw new Error("Not a READY command");
  while (at < body.length) {
    const name = textOf(body.subarray(at + 1, at + 1 + body[at]));
    at += 1 + body[at];
    const size = new DataView(body.buffer, body.byteOffset + at, 4).getUint32(0);
    properties[name] = textOf(body.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return properties;
}
