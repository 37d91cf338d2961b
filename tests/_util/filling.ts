// Fills a socket until it takes no more.

import { ZmqError } from "../../mod.ts";

/** What is needed of a socket to be filled. */
export interface Fillable {
  sendTimeout: number;
  send(message: (Uint8Array | string)[]): Promise<void>;
}

/** So long no message may be taken for a socket to count as full. */
const FULL_MS = 150;

/** Sends the message until it would have to wait; how many were taken. */
export async function fill(
  socket: Fillable,
  message: (Uint8Array | string)[],
  most = 1_000_000,
): Promise<number> {
  const before = socket.sendTimeout;
  socket.sendTimeout = FULL_MS;
  let count = 0;
  try {
    while (count < most) {
      await socket.send(message);
      count++;
    }
  } catch (error) {
    if (!(error instanceof ZmqError) || error.code !== "EAGAIN") throw error;
    return count;
  } finally {
    socket.sendTimeout = before;
  }
  throw new Error(`Not full after ${most} messages`);
}
