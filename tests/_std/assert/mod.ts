/**
 * The part of `@std/assert` that the tests use, taken from the official sources on npm, with the
 * types of the JSR package (npm's copy has none). JSR's own package can take this one's place.
 *
 * @module
 */

import { assertAlmostEquals as almostEquals } from "deno-std/assert/almost_equals.js";
import { assertArrayIncludes as arrayIncludes } from "deno-std/assert/array_includes.js";
import { assert as truthy } from "deno-std/assert/assert.js";
import { AssertionError as StdAssertionError } from "deno-std/assert/assertion_error.js";
import { equal as deepEqual } from "deno-std/assert/equal.js";
import { assertEquals as equals } from "deno-std/assert/equals.js";
import { assertExists as exists } from "deno-std/assert/exists.js";
import { fail as failTest } from "deno-std/assert/fail.js";
import { assertFalse as falsy } from "deno-std/assert/false.js";
import { assertGreater as greater } from "deno-std/assert/greater.js";
import { assertGreaterOrEqual as greaterOrEqual } from "deno-std/assert/greater_or_equal.js";
import { assertInstanceOf as instanceOf } from "deno-std/assert/instance_of.js";
import { assertIsError as isError } from "deno-std/assert/is_error.js";
import { assertLess as less } from "deno-std/assert/less.js";
import { assertLessOrEqual as lessOrEqual } from "deno-std/assert/less_or_equal.js";
import { assertMatch as match } from "deno-std/assert/match.js";
import { assertNotEquals as notEquals } from "deno-std/assert/not_equals.js";
import { assertNotInstanceOf as notInstanceOf } from "deno-std/assert/not_instance_of.js";
import { assertNotMatch as notMatch } from "deno-std/assert/not_match.js";
import { assertNotStrictEquals as notStrictEquals } from "deno-std/assert/not_strict_equals.js";
import { assertObjectMatch as objectMatch } from "deno-std/assert/object_match.js";
import { assertRejects as rejects } from "deno-std/assert/rejects.js";
import { assertStrictEquals as strictEquals } from "deno-std/assert/strict_equals.js";
import { assertStringIncludes as stringIncludes } from "deno-std/assert/string_includes.js";
import { assertThrows as throws } from "deno-std/assert/throws.js";
import { unreachable as unreachableCode } from "deno-std/assert/unreachable.js";

/** Values that are false in a condition. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

// A parameter list that every constructor is assignable to.
// deno-lint-ignore no-explicit-any
type AnyArguments = any[];

/** A class, abstract or not, whose instances are `T`. */
export type ClassOf<T> = abstract new (...args: AnyArguments) => T;

/** The class of the errors that failed assertions throw. */
export const AssertionError: new (
  message: string,
  options?: ErrorOptions,
) => Error = StdAssertionError;

/** Fails unless `expr` is truthy. */
export const assert: (expr: unknown, msg?: string) => asserts expr = truthy;

/** Fails unless the numbers are equal within a tolerance. */
export const assertAlmostEquals: (
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
) => void = almostEquals;

/** Fails unless `actual` contains every element of `expected`. */
export const assertArrayIncludes: <T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
) => void = arrayIncludes;

/** Fails unless both values are deeply equal. */
export const assertEquals: <T>(actual: T, expected: T, msg?: string) => void = equals;

/** Fails if the value is null or undefined. */
export const assertExists: <T>(
  actual: T,
  msg?: string,
) => asserts actual is NonNullable<T> = exists;

/** Fails unless `expr` is falsy. */
export const assertFalse: (
  expr: unknown,
  msg?: string,
) => asserts expr is Falsy = falsy;

/** Fails unless `actual > expected`. */
export const assertGreater: <T>(actual: T, expected: T, msg?: string) => void = greater;

/** Fails unless `actual >= expected`. */
export const assertGreaterOrEqual: <T>(
  actual: T,
  expected: T,
  msg?: string,
) => void = greaterOrEqual;

/** Fails unless `actual` is an instance of the class. */
export const assertInstanceOf: <T extends ClassOf<unknown>>(
  actual: unknown,
  expectedType: T,
  msg?: string,
) => asserts actual is InstanceType<T> = instanceOf;

/** Fails unless `error` is an error of the class with a matching message. */
export const assertIsError: <E extends Error = Error>(
  error: unknown,
  ErrorClass?: ClassOf<E>,
  msgMatches?: string | RegExp,
  msg?: string,
) => asserts error is E = isError;

/** Fails unless `actual < expected`. */
export const assertLess: <T>(actual: T, expected: T, msg?: string) => void = less;

/** Fails unless `actual <= expected`. */
export const assertLessOrEqual: <T>(
  actual: T,
  expected: T,
  msg?: string,
) => void = lessOrEqual;

/** Fails unless the text matches the expression. */
export const assertMatch: (
  actual: string,
  expected: RegExp,
  msg?: string,
) => void = match;

/** Fails if both values are deeply equal. */
export const assertNotEquals: <T>(
  actual: T,
  expected: T,
  msg?: string,
) => void = notEquals;

/** Fails if `actual` is an instance of the class. */
export const assertNotInstanceOf: <A, T>(
  actual: A,
  unexpectedType: ClassOf<T>,
  msg?: string,
) => asserts actual is Exclude<A, T> = notInstanceOf;

/** Fails if the text matches the expression. */
export const assertNotMatch: (
  actual: string,
  expected: RegExp,
  msg?: string,
) => void = notMatch;

/** Fails if both are the same value. */
export const assertNotStrictEquals: <T>(
  actual: T,
  expected: T,
  msg?: string,
) => void = notStrictEquals;

/** Fails unless `expected` is a part of `actual`, compared deeply. */
export const assertObjectMatch: (
  actual: object,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
) => void = objectMatch;

/** Fails unless the promise rejects, with an error of the class if one is given. */
export const assertRejects: {
  (fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  <E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    ErrorClass: ClassOf<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
} = rejects;

/** Fails unless both are the same value. */
export const assertStrictEquals: <T>(
  actual: unknown,
  expected: T,
  msg?: string,
) => asserts actual is T = strictEquals;

/** Fails unless the text contains the other. */
export const assertStringIncludes: (
  actual: string,
  expected: string,
  msg?: string,
) => void = stringIncludes;

/** Fails unless the function throws, an error of the class if one is given. */
export const assertThrows: {
  (fn: () => unknown, msg?: string): unknown;
  <E extends Error = Error>(
    fn: () => unknown,
    ErrorClass: ClassOf<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
} = throws;

/** Tells whether both values are deeply equal. */
export const equal: (a: unknown, b: unknown) => boolean = deepEqual;

/** Fails. */
export const fail: (msg?: string) => never = failTest;

/** Fails: this line must not be reached. */
export const unreachable: (reason?: string) => never = unreachableCode;
