// What the fuzzer attacks, and how a case is made, checked and written down.

import type { Arbitrary } from "fast-check";
import { AuthenticationError, ProtocolError, ZmqError } from "../../src/errors.ts";
import { fromHex, toHex } from "../_util/bytes.ts";
import type { Tape } from "./tape.ts";

/** A kind of case: how inputs are made, and what must hold for each. */
export interface Target<I> {
  readonly name: string;
  /** Makes a case from a tape: plain data, so that it can be written down. */
  readonly draw?: (tape: Tape) => I;
  /** Or an arbitrary of fast-check, which makes cases and shrinks them. */
  readonly arbitrary?: Arbitrary<I>;
  /** Throws when a property does not hold. */
  check(input: I): void | Promise<void>;
  /** Frees what cases shared. */
  end?(): void | Promise<void>;
}

/** A target whatever its inputs are. */
// deno-lint-ignore no-explicit-any
export type AnyTarget = Target<any>;

/** Octets stand as hex in JSON. */
const OCTETS = "hex:";

/** An input as it is written down. */
export function formatInput(input: unknown): string {
  return JSON.stringify(
    input,
    (_, value) => value instanceof Uint8Array ? OCTETS + toHex(value) : value,
  );
}

/** The input of a JSON value. */
export function restoreInput(value: unknown): unknown {
  if (typeof value === "string") {
    return value.startsWith(OCTETS) ? fromHex(value.slice(OCTETS.length)) : value;
  }
  if (Array.isArray(value)) return value.map(restoreInput);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, restoreInput(each)]));
}

/** Every code that a peer's octets may end a connection with. */
const CODE = /^(?:ERR_(?:Z(?:MTP|AP)|WS)_[A-Z_]+|E[A-Z]+)$/;

/** Fails unless it is an error that a peer may cause, with a code that does not change. */
export function checkError(error: unknown): ZmqError {
  if (!(error instanceof ZmqError)) throw new Error(`no error of ours: ${describe(error)}`);
  if (!CODE.test(error.code)) throw new Error(`no stable code: ${describe(error)}`);
  return error;
}

/** The same for an error in what the peer said. */
export function checkProtocolError(error: unknown): ZmqError {
  const checked = checkError(error);
  if (checked instanceof ProtocolError || checked instanceof AuthenticationError) return checked;
  throw new Error(`no ProtocolError: ${describe(error)}`);
}

/** Fails unless it is the error for a wrong argument. */
export function checkArgumentError(error: unknown): void {
  const wrong = error instanceof TypeError || error instanceof RangeError ||
    error instanceof ZmqError;
  const { code } = error as { code?: unknown };
  if (!wrong || typeof code !== "string" || !CODE.test(code)) {
    throw new Error(`no error for a wrong argument: ${describe(error)}`);
  }
}

/** An error with its name, code and stack. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: string };
  return `${error.name}${code === undefined ? "" : ` ${code}`}: ${error.message}\n${error.stack}`;
}
