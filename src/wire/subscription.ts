// Subscriptions on the wire: the commands SUBSCRIBE and CANCEL (RFC 37), or a message of one octet and the topic (RFC 23).

import { TOPIC_LIMIT } from "../../wasm/layout.ts";
import { withCode } from "../errors.ts";
import type { Part } from "../message.ts";

/** First octet of the message that subscribes. */
export const SUBSCRIBE = 1;
/** First octet of the message that unsubscribes. */
export const CANCEL = 0;

const COMMANDS: readonly Uint8Array[] = ["CANCEL", "SUBSCRIBE"].map((name) =>
  Uint8Array.of(name.length, ...new TextEncoder().encode(name))
);

/** The body of the command for a topic. */
export function encodeCommandForm(kind: number, topic: Uint8Array): Uint8Array {
  const name = COMMANDS[kind];
  const body = new Uint8Array(name.length + topic.length);
  body.set(name);
  body.set(topic, name.length);
  return body;
}

/** The message for a topic: to peers that do not know the commands, and to the user of an XPUB. */
export function encodeMessageForm(kind: number, topic: Uint8Array): Uint8Array {
  const body = new Uint8Array(1 + topic.length);
  body[0] = kind;
  body.set(topic, 1);
  return body;
}

/**
 * Refuses a topic that does not fit into a command.
 *
 * @throws {RangeError} `EINVAL`
 */
export function checkTopic(topic: Uint8Array): void {
  if (topic.length <= TOPIC_LIMIT) return;
  throw withCode(
    new RangeError(
      `A topic of ${topic.length} octets is too long: at most ${TOPIC_LIMIT} fit into a command`,
    ),
    "EINVAL",
  );
}

/** True when a frame has the message form. */
export function isRequest(frame: Part): boolean {
  return frame.length > 0 &&
    (typeof frame === "string" ? frame.charCodeAt(0) : frame[0]) <= SUBSCRIBE;
}
