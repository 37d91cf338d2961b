// The only file with timers. Everything above takes a Clock, so that tests can turn time by hand.

/** Cancels what it was given for; harmless when that has happened already. */
export type Cancel = () => void;

/** Time, delays and turns of the event loop. */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls once after `ms`, without keeping the process alive. */
  after(ms: number, call: () => void): Cancel;
  /** Calls when the event loop comes round: after the microtasks and after pending I/O had its chance. */
  turn(call: () => void): void;
  /** Calls when the event loop has looked at I/O, whatever that takes on this runtime. */
  poll(call: () => void): void;
  /** Keeps the process alive until cancelled. */
  hold(): Cancel;
}

/** The longest delay a timer can have, some 24 days. */
const LONGEST = 2 ** 31 - 1;

const immediate = (globalThis as { setImmediate?: (call: () => void) => unknown }).setImmediate;

function nextTurn(call: () => void): void {
  if (immediate !== undefined) immediate(call);
  else setTimeout(call, 0);
}

/**
 * The real clock. `unref` is how the runtime lets a timer not keep the process alive; `turnsToPoll` is after how many
 * turns its event loop has looked at I/O for certain; `turn` is its own way to the next one, if it has any.
 */
export function systemClock(
  unref: (timer: unknown) => void,
  turnsToPoll: number,
  turn: (call: () => void) => void = nextTurn,
): Clock {
  const turns = (count: number, call: () => void): void =>
    turn(count > 1 ? () => turns(count - 1, call) : call);
  return {
    now: () => performance.now(),
    after(ms, call) {
      const timer = setTimeout(call, Math.min(ms, LONGEST));
      unref(timer);
      return () => clearTimeout(timer);
    },
    turn,
    poll: (call) => turns(turnsToPoll, call),
    hold() {
      const timer = setInterval(() => {}, LONGEST);
      return () => clearInterval(timer);
    },
  };
}

/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
