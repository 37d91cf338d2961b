// Options that clients and servers share.

import { type MessageLike, ZmqError } from "../../../mod.ts";
import { checkCount, refuse } from "../base/checks.ts";
import type { HeartbeatOptions } from "../base/liveness.ts";
import { octetsOf } from "../base/octets.ts";
import type { PartOptions } from "../base/part.ts";
import {
  areProperties,
  type CloneLimits,
  type CloneProperties,
  isReserved,
  isSubtree,
} from "./message.ts";

/** Options of all parts of Clone. Clients and servers should have the same heartbeats. */
export interface CloneOptions extends PartOptions, HeartbeatOptions {
  /**
   * So many keys are kept at most; updates that would make more are refused.
   * @default {100000}
   */
  readonly maxKeys?: number | undefined;
  /**
   * A key has so many octets at most.
   * @default {255}
   */
  readonly maxKeyLength?: number | undefined;
  /**
   * A value has so many octets at most.
   * @default {1048576}
   */
  readonly maxValueSize?: number | undefined;
  /**
   * So many updates are held at most while they wait: at a client for a snapshot to be complete, and for the server to
   * publish them; at a passive server for the active one to publish them.
   * @default {10000}
   */
  readonly maxPending?: number | undefined;
  /**
   * So many messages may wait for one peer. A client that is further behind misses updates; one that follows everything
   * notices and synchronises anew.
   * @default {10000}
   */
  readonly highWaterMark?: number | undefined;
}

/** How a value is set. */
export interface CloneSetOptions {
  /** Seconds, a whole number, after which the server deletes the value unless it is set again. */
  readonly ttl?: number | undefined;
  /** Goes with the update to all clients. Neither names nor values have newlines, names no "=". */
  readonly properties?: CloneProperties | undefined;
}

/** The limits, checked, with their defaults. */
export interface Limits extends CloneLimits {
  readonly maxKeys: number;
  readonly maxPending: number;
  readonly highWaterMark: number;
}

/** Checks the limits. */
export function limitsOf(options: CloneOptions): Limits {
  return {
    maxKeys: checkCount("maxKeys", options.maxKeys ?? 100_000, 1),
    maxKeyLength: checkCount("maxKeyLength", options.maxKeyLength ?? 255, 1),
    maxValueSize: checkCount("maxValueSize", options.maxValueSize ?? 1_048_576, 1),
    maxPending: checkCount("maxPending", options.maxPending ?? 10_000, 1),
    highWaterMark: checkCount("highWaterMark", options.highWaterMark ?? 10_000, 1),
  };
}

/** Checks a subtree. */
export function checkSubtree(subtree: string, limits: Limits): string {
  if (typeof subtree === "string" && isSubtree(subtree)) {
    if (octetsOf(subtree).length <= limits.maxKeyLength) return subtree;
  }
  return refuse("subtree", subtree, `"" or "/name/…/", of ${limits.maxKeyLength} octets at most`);
}

/** Checks a key. */
export function checkKey(key: string, subtree: string, limits: Limits): void {
  if (typeof key !== "string" || isReserved(key) || octetsOf(key).length > limits.maxKeyLength) {
    refuse("key", key, `text of 1 to ${limits.maxKeyLength} octets, not "HUGZ" or "KTHXBAI"`);
  }
  if (!key.startsWith(subtree)) refuse("key", key, `inside of the subtree "${subtree}"`);
}

/** Checks a value; its octets, in memory of their own. */
export function checkValue(value: MessageLike, limits: Limits): Uint8Array {
  const octets = toOctets(value);
  if (octets.length <= limits.maxValueSize) return octets;
  throw new ZmqError(
    "EMSGSIZE",
    `A value of ${octets.length} octets is above maxValueSize, ${limits.maxValueSize}`,
  );
}

/** Checks how a value is set; its properties as they are sent. */
export function checkSet({ ttl, properties = {} }: CloneSetOptions): CloneProperties {
  if (!areProperties(properties)) {
    refuse("properties", properties, "text by name, without newlines, of 4096 octets at most");
  }
  if (ttl === undefined) return properties;
  if (!Number.isInteger(ttl) || ttl < 1 || ttl > 999_999_999) {
    refuse("ttl", ttl, "whole seconds, from 1 to 999999999");
  }
  return { ...properties, ttl: String(ttl) };
}

function toOctets(value: MessageLike): Uint8Array {
  if (value === null) return new Uint8Array(0);
  if (typeof value === "string" || typeof value === "number") return octetsOf(String(value));
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  }
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return new Uint8Array(value).slice();
  }
  return refuse("value", value, "text, octets, a number or null");
}
