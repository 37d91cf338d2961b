// What an operation failed with.

import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { within } from "./deadline.ts";

/** An error with what the tests look at. */
export interface Failure extends Error {
  readonly code?: string;
  readonly errno?: number;
  readonly address?: string;
}

const WAIT_MS = 5_000;

/** The error that the promise rejects with; checks its code. */
export async function rejection(promise: Promise<unknown>, code: string): Promise<Failure> {
  const outcome = await within(
    promise.then(() => undefined, (error: unknown) => ({ error })),
    WAIT_MS,
    `rejection with ${code}`,
  );
  if (outcome === undefined) throw new Error(`Resolved, where ${code} was expected`);
  return checked(outcome.error, code);
}

/** The error that the call throws; checks its code. */
export function failure(call: () => unknown, code: string): Failure {
  try {
    call();
  } catch (error) {
    return checked(error, code);
  }
  throw new Error(`Did not throw, where ${code} was expected`);
}

/** Checks that the message of an error has all these words. */
export function assertSays(error: Error, ...words: readonly string[]): void {
  for (const word of words) assertStringIncludes(error.message, word);
}

function checked(error: unknown, code: string): Failure {
  assertInstanceOf(error, Error);
  assertEquals((error as Failure).code, code, `${error.name}: ${error.message}`);
  return error;
}
