// What pages ask for. A request is [part, number, command] on a DEALER, the answer [part, number, answer].

/** The most tasks a second, and the sizes a task can have. */
export const MOST_RATE = 50_000;
export const LEAST_SIZE = 16;
export const MOST_SIZE = 65_536;

/** `rate` and `size` are for the part `source`, `pause` and `resume` for a worker, the others for `live`. */
export type Command =
  | { readonly do: "rate" | "size"; readonly value: number }
  | { readonly do: "pause" | "resume" | "ping" | "history" };

/** What came of it. */
export type Answer = { readonly ok: unknown } | { readonly error: string };

/** A number of a command, when it is a whole one within bounds. @throws {Error} when not. */
export function wholeNumber(value: unknown, least: number, most: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) {
    return value;
  }
  throw new Error(`Expected a whole number from ${least} to ${most}, not ${String(value)}`);
}

/** The answer to the JSON of a command; whatever is wrong with it becomes an answer too. */
export function answer(json: string, handle: (command: Command) => unknown): Answer {
  try {
    const command = JSON.parse(json) as Command;
    return { ok: handle(command) ?? true };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
