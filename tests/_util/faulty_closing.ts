// Sockets that are closed in the middle of everything: whatever waited settles, and so does closing.

import { Pull, Push } from "../../mod.ts";
import { within } from "./deadline.ts";
import type { Talk } from "./faulty_patterns.ts";

const WAIT_MS = 10_000;
const PENDING = 30;

const turn = (globalThis as unknown as { setImmediate(call: () => void): void }).setImmediate;

/** More sends and receives than can be served, and an end at any time. */
export const closing: Talk = async (stage) => {
  const { random } = stage;
  const pushBinds = random.chance(0.5);
  const linger = random.of([0, 20]);
  const push = stage.add(new Push({ ...stage.options(pushBinds, true, false), linger }));
  const pull = stage.add(new Pull({ ...stage.options(!pushBinds, false, true), linger }));
  push.sendHighWaterMark = 3;
  const joined = pushBinds ? stage.join(push, [pull]) : stage.join(pull, [push]);
  // The sockets may be closed while they bind.
  const pending: Promise<unknown>[] = [joined.catch(() => {})];
  const settles = (operation: Promise<unknown>): void => {
    pending.push(operation.catch((error) => {
      if (error.code !== "EAGAIN") throw error;
    }));
  };
  for (let i = 0; i < PENDING; i++) settles(push.send(stage.messages.make(i)));
  for (let i = 0; i < PENDING; i++) settles(pull.receive());
  for (let i = random.between(0, 60); i > 0; i--) await new Promise<void>(turn);
  const sockets = random.shuffle([push, pull]);
  for (const socket of sockets) {
    pending.push(socket.close());
    if (random.chance(0.5)) await new Promise<void>(turn);
  }
  await within(Promise.all(pending), WAIT_MS, "what waits when the sockets are closed");
};
