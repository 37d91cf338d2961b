// One message to the outboxes of many peers, by their topics: the core's publish.

import {
  BOX_TOPICS,
  BOX_TOUCHED,
  FAN_DROPPED,
  FAN_NO_MEMORY,
  FAN_SAME,
  FAN_TOPIC,
  PUBLISH_FIRST,
  PUBLISH_NAME_ALL,
  RESULTS,
} from "../../wasm/layout.ts";
import { SendError, ZmqError } from "../errors.ts";
import type { Outgoing } from "../message.ts";
import type { Core } from "./instance.ts";
import { Outbox } from "./outbox.ts";

const RESULT_WORD = RESULTS >> 2;
const NONE: readonly Uint8Array[] = [];

/** A topic that was taken away from a peer. */
export interface Popped {
  readonly topic: Uint8Array;
  /** Nobody has it any more. */
  readonly last: boolean;
}

/** Something with an outbox of the core. */
export interface Addressed {
  /** Its address. */
  readonly box: number;
}

export class FanOut {
  readonly #core: Core;
  readonly #fan: number;
  /** The message being published, as the frames that every outbox gets. */
  readonly #draft: Outbox;
  /** The long bodies of the message last published, which the outboxes named by `publish` share. */
  bodies: readonly Uint8Array[] = NONE;
  /** What `dropped` was when the memory was given back. */
  #final: number | undefined;

  constructor(core: Core) {
    this.#core = core;
    this.#fan = core.exports.fanNew() >>> 0;
    if (core.bytes.length === 0) core.refresh();
    if (this.#fan === 0) throw noMemory();
    this.#draft = new Outbox(core);
  }

  /** Messages that were dropped for peers whose outbox was full, also for those that are gone. */
  get dropped(): number {
    return this.#final ?? this.#core.floats[(this.#fan >>> 3) + (FAN_DROPPED >>> 1)];
  }

  /** Distinct topics of a list. */
  topics(list: number): number {
    return this.#final === undefined ? this.#core.exports.fanTopics(this.#fan, list) : 0;
  }

  /** Topics of a list that one peer has. */
  topicsOf(list: number, outbox: Addressed): number {
    return this.#core.words[(outbox.box >>> 2) + BOX_TOPICS + list];
  }

  join(outbox: Addressed): void {
    this.#core.exports.fanJoin(this.#fan, outbox.box);
  }

  /** A peer whose topics are all popped is gone. */
  leave(outbox: Addressed): void {
    this.#core.exports.fanLeave(this.#fan, outbox.box);
  }

  /**
   * Subscribes a peer: FAN_SAME, FAN_ONE or FAN_TOPIC.
   *
   * @throws {ZmqError} `ENOBUFS` when there is no memory.
   */
  add(list: number, outbox: Addressed, topic: Uint8Array): number {
    const core = this.#core;
    const at = core.place(topic);
    const answer = at === 0
      ? FAN_NO_MEMORY
      : core.exports.fanAdd(this.#fan, list, outbox.box, at, topic.length);
    if (core.bytes.length === 0) core.refresh();
    if (answer === FAN_NO_MEMORY) throw noMemory();
    return answer;
  }

  /** Takes a peer's topic away: FAN_SAME, FAN_OTHERS, FAN_ONE or FAN_TOPIC. */
  remove(list: number, outbox: Addressed, topic: Uint8Array): number {
    const core = this.#core;
    const at = core.place(topic);
    if (at === 0) return FAN_SAME;
    const answer = core.exports.fanRemove(this.#fan, list, outbox.box, at, topic.length);
    // Taking nodes away may need memory for a moment.
    if (core.bytes.length === 0) core.refresh();
    return answer;
  }

  /** Takes one of a peer's topics away, whichever; undefined when it has none. */
  pop(list: number, outbox: Addressed): Popped | undefined {
    const core = this.#core;
    const out = core.room(core.exports.fanLongest(this.#fan, list));
    const size = core.exports.fanPop(this.#fan, list, outbox.box, out);
    if (core.bytes.length === 0) core.refresh();
    if (size < 0) return undefined;
    return {
      topic: core.bytes.slice(out, out + size),
      last: core.words[RESULT_WORD] === FAN_TOPIC,
    };
  }

  /**
   * Publishes to every peer with a matching topic, or only to `only` among them; `mark`, `batch` and `flags` as the core's
   * `publish`. Answers the first of the outboxes that have to be looked at (0 for none; `after` tells the next), or
   * undefined when PUBLISH_ALL_OR_NONE kept the message from all.
   *
   * @throws {SendError} `ENOBUFS` when there is no memory for the message.
   */
  publish(
    message: Outgoing,
    only: Addressed | undefined,
    mark: number,
    batch: number,
    flags: number,
  ): number | undefined {
    const core = this.#core;
    const draft = this.#draft;
    if (!draft.append(message)) {
      throw new SendError("ENOBUFS", "Cannot publish: the core's memory is exhausted");
    }
    let key = 0;
    let size = 0;
    if (draft.bodies.length > 0) {
      this.bodies = draft.bodies.slice();
      flags |= PUBLISH_NAME_ALL;
      if (draft.referenceFirst) {
        const topic = this.bodies[0].subarray(0, core.exports.fanLongest(this.#fan, 0));
        key = core.place(topic);
        size = topic.length;
      }
    } else if (this.bodies !== NONE) {
      this.bodies = NONE;
    }
    const one = only === undefined ? 0 : only.box;
    const done = core.exports.publish(this.#fan, draft.box, key, size, one, mark, batch, flags);
    if (core.bytes.length === 0) core.refresh();
    if (this.bodies !== NONE || done === 0) draft.clear();
    return done === 0 ? undefined : core.words[RESULT_WORD + PUBLISH_FIRST];
  }

  /**
   * As `publish`, where all outboxes are apart: the message itself is not needed, only the start of its first frame.
   */
  name(
    start: Uint8Array,
    only: Addressed | undefined,
    mark: number,
    flags: number,
  ): number | undefined {
    const core = this.#core;
    const topic = start.subarray(0, core.exports.fanLongest(this.#fan, 0));
    const key = core.place(topic);
    if (key === 0) throw new SendError("ENOBUFS", "Cannot publish: the core's memory is exhausted");
    const done = core.exports.publish(
      this.#fan,
      this.#draft.box,
      key,
      topic.length,
      only === undefined ? 0 : only.box,
      mark,
      0,
      flags,
    );
    if (core.bytes.length === 0) core.refresh();
    return done === 0 ? undefined : core.words[RESULT_WORD + PUBLISH_FIRST];
  }

  /** The outbox after `box` in the list of the last `publish`; 0 for the end. */
  after(box: number): number {
    return this.#core.words[(box >>> 2) + BOX_TOUCHED];
  }

  /** Gives the memory back. All peers must have left. */
  free(): void {
    this.#final = this.dropped;
    this.#draft.free();
    this.#core.exports.fanFree(this.#fan);
    if (this.#core.bytes.length === 0) this.#core.refresh();
  }
}

function noMemory(): ZmqError {
  return new ZmqError("ENOBUFS", "Cannot add a subscription: the core's memory is exhausted");
}
