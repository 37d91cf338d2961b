// A worker as the gateway sees it, and an item on its way.

import type { Frame, MessageLike } from "../../../mod.ts";
import type { Liveness } from "../base/liveness.ts";
import { type Body, framesOf } from "../base/octets.ts";

/** Something to be done. */
export interface Item {
  readonly body: readonly MessageLike[];
  /** How often it came back undone from a worker that died or refused it. */
  failures: number;
}

/** A body as an item, or why it cannot be one: it is sent later, where nobody hears of it. */
export function itemOf(body: Body): Item | TypeError {
  const frames = framesOf(body);
  if (frames.length > 0 && frames.every(isFrame)) return { body: frames, failures: 0 };
  return Object.assign(
    new TypeError("An item must be one frame or several: strings, octets, numbers or null"),
    { code: "EINVAL" },
  );
}

function isFrame(value: unknown): boolean {
  if (typeof value === "string" || typeof value === "number" || value === null) return true;
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer);
}

/** What is known of a worker. */
export interface GatewayMemberStats {
  /** Its routing id in hexadecimal digits, by which `drain` knows it. */
  readonly id: string;
  /** The name that it gave itself. */
  readonly name: string;
  /** How many items it takes at a time. */
  readonly credit: number;
  /** Items that it has, and did not acknowledge yet. */
  readonly held: number;
  /** Items that it was given. */
  readonly given: number;
  /** Items that it has done. */
  readonly done: number;
  /** Items that it refused. */
  readonly refused: number;
  /** True when it gets no more, because it is to leave. */
  readonly leaving: boolean;
}

/** A worker that is there. */
export class Member {
  /** Items that it did not acknowledge yet. */
  readonly held: Map<number, Item> = new Map();
  given = 0;
  done = 0;
  refused = 0;
  leaving = false;
  /** It stands in the line of those with credit. */
  waiting = false;
  /** Since when its connection is gone; what it sent before can still be on its way. */
  gone: number | undefined;
  /** Called when it is there no longer. */
  readonly farewells: (() => void)[] = [];
  readonly key: string;
  readonly id: Frame;
  readonly name: string;
  readonly credit: number;
  readonly liveness: Liveness;

  constructor(key: string, id: Frame, name: string, credit: number, liveness: Liveness) {
    this.key = key;
    this.id = id;
    this.name = name;
    this.credit = credit;
    this.liveness = liveness;
  }

  /** True when it can be given another item. */
  get free(): boolean {
    return !this.leaving && this.gone === undefined && this.held.size < this.credit;
  }

  /** Who it is, for people. */
  get label(): { readonly id: string; readonly name: string } {
    return { id: hexOf(this.id), name: this.name };
  }

  stats(): GatewayMemberStats {
    const { credit, given, done, refused, leaving } = this;
    return { ...this.label, credit, held: this.held.size, given, done, refused, leaving };
  }
}

function hexOf(octets: Uint8Array): string {
  let hex = "";
  for (const octet of octets) hex += octet.toString(16).padStart(2, "0");
  return hex;
}
