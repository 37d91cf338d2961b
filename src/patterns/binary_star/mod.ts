/**
 * Binary Star: two servers, one active and one that stands by (guide, chapter 4).
 *
 * @module
 */

export {
  BinaryStarClient,
  type BinaryStarClientEvents,
  type BinaryStarClientOptions,
  type BinaryStarClientStats,
} from "./client.ts";
export {
  type BinaryStarFacts,
  type BinaryStarInput,
  type BinaryStarOutcome,
  type BinaryStarRole,
  type BinaryStarState,
  binaryStarTransition,
} from "./machine.ts";
export {
  BinaryStar,
  type BinaryStarEvents,
  type BinaryStarOptions,
  type BinaryStarStats,
} from "./star.ts";
