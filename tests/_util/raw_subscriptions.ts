// Subscriptions as octets, in both of ZMTP's forms, for raw peers; and what a raw publisher has received.

import { utf8 } from "./bytes.ts";
import { concat } from "./octets.ts";
import type { RawConnection } from "./raw_peer.ts";
import { command, frame, greeting, ready, takeFrame } from "./raw_zmtp.ts";

const MINOR = 11;
const GREETING_SIZE = 64;

/** A subscription or its end, as a publisher gets it. */
export interface RawRequest {
  readonly form: "command" | "message";
  readonly subscribes: boolean;
  readonly topic: Uint8Array;
}

/** The SUBSCRIBE command of ZMTP 3.1. */
export function subscribeCommand(topic: Uint8Array | string): Uint8Array {
  return command("SUBSCRIBE", octetsOf(topic));
}

/** The CANCEL command of ZMTP 3.1. */
export function cancelCommand(topic: Uint8Array | string): Uint8Array {
  return command("CANCEL", octetsOf(topic));
}

/** The subscription message of ZMTP 3.0. */
export function subscribeMessage(topic: Uint8Array | string): Uint8Array {
  return frame(concat(Uint8Array.of(1), octetsOf(topic)));
}

/** The unsubscription message of ZMTP 3.0. */
export function cancelMessage(topic: Uint8Array | string): Uint8Array {
  return frame(concat(Uint8Array.of(0), octetsOf(topic)));
}

/** A greeting of ZMTP 3.0. */
export function oldGreeting(): Uint8Array {
  const octets = greeting();
  octets[MINOR] = 0;
  return octets;
}

/** Does the handshake as a peer that speaks ZMTP 3.0. */
export async function shakeHandsAsOld(
  connection: RawConnection,
  socketType: string,
): Promise<void> {
  connection.send(oldGreeting(), ready(socketType));
  await connection.take(GREETING_SIZE);
  await takeFrame(connection);
}

/** Reads the next subscription or its end, in either form. */
export async function takeRequest(connection: RawConnection): Promise<RawRequest> {
  const { body, command: isCommand } = await takeFrame(connection);
  if (!isCommand) {
    return { form: "message", subscribes: body[0] === 1, topic: body.subarray(1) };
  }
  const name = new TextDecoder().decode(body.subarray(1, 1 + body[0]));
  if (name !== "SUBSCRIBE" && name !== "CANCEL") throw new Error(`Got ${name}`);
  return {
    form: "command",
    subscribes: name === "SUBSCRIBE",
    topic: body.subarray(1 + body[0]),
  };
}

/** The next `count` of them, such as "+news" and "-news". */
export async function takeRequests(connection: RawConnection, count: number): Promise<string[]> {
  const requests: string[] = [];
  while (requests.length < count) {
    const { subscribes, topic } = await takeRequest(connection);
    requests.push((subscribes ? "+" : "-") + new TextDecoder().decode(topic));
  }
  return requests;
}

function octetsOf(topic: Uint8Array | string): Uint8Array {
  return typeof topic === "string" ? utf8(topic) : topic;
}
