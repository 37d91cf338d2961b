// Topics as users give them.

import { withCode } from "../errors.ts";
import { describe, toBytes, viewOf } from "../message.ts";
import { checkTopic } from "../wire/subscription.ts";
import { engineOf } from "./inside.ts";
import type { Socket } from "./socket.ts";

/** The start of the messages that are wanted: text as UTF-8, or octets. */
export type Topic = string | ArrayBufferView | ArrayBuffer;

/**
 * The topics of a call as octets, the empty one if there is none.
 *
 * @throws {StateError} `EBADF` when the socket is closed.
 * @throws {TypeError} `EINVAL`
 */
export function topicList(socket: Socket, topics: readonly Topic[]): Uint8Array[] {
  engineOf(socket).assertOpen();
  return topics.length === 0 ? [new Uint8Array(0)] : topics.map(octetsOf);
}

function octetsOf(topic: Topic): Uint8Array {
  const octets = typeof topic === "string" ? toBytes(topic) : viewOf(topic);
  if (octets === undefined) {
    throw withCode(
      new TypeError(`A topic must be a string or octets, not ${describe(topic)}`),
      "EINVAL",
    );
  }
  checkTopic(octets);
  return octets;
}
