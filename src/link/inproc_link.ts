// One end of an inproc connection: what its socket appends is in the other's inbox at once. What this decides is when the
// other socket is woken: soon after a lone message, but once for many while they come in a stream.

import type { PipeLink } from "../routing/pipe.ts";
import type { ReferencePipe } from "../routing/references.ts";
import type { LinkHost } from "./host.ts";
import type { InprocNames } from "./inproc_names.ts";
import type { TurnTask } from "./turns.ts";

/** So many messages are worth waking a reader. */
const BATCH = 256;

/** Called when one end wants the connection to be over, and why. */
export type InprocEnd = (link: InprocLink, error: Error | undefined) => void;

export class InprocLink implements PipeLink, TurnTask {
  readonly host: LinkHost;
  readonly pipe: ReferencePipe;
  readonly #end: InprocEnd;
  readonly #names: InprocNames;
  /** The other end, while both are there. */
  #other: InprocLink | undefined;
  #over = false;
  /** The other socket wants the newest message only. */
  #conflating = false;
  /** The other socket is to be woken. */
  #waking = false;
  /** That waits for a batch or the end of the turn. */
  #collecting = false;
  /** In the list of tasks for the end of the turn. */
  #listed = false;
  /** Messages of the context when it was last looked. */
  #seen = 0;

  constructor(host: LinkHost, pipe: ReferencePipe, end: InprocEnd) {
    this.host = host;
    this.pipe = pipe;
    this.#end = end;
    this.#names = host.around.inproc;
  }

  /** Messages reach the other end from now on, also those that wait already. */
  open(other: InprocLink): void {
    this.#other = other;
    const { outbox } = this.pipe;
    const { options } = other.host;
    this.#conflating = options.conflate;
    outbox.join({ pipe: other.pipe, options }, this.#relieved);
    if (other.pipe.inbox.messages > 0) this.#arrived(other);
  }

  appended(): void {
    const other = this.#other;
    if (other === undefined) return;
    this.#names.appended++;
    const { pipe } = other;
    if (this.#conflating) pipe.inbox.keepLast();
    const { messages } = pipe.inbox;
    // While there are others before it, nobody waits for this one.
    if (messages === 1) this.#first(other);
    else if (this.#collecting && messages >= BATCH) this.#wake();
  }

  #first(other: InprocLink): void {
    const { host, pipe } = other;
    host.arrived(pipe);
    // A socket that takes messages out by itself counts those its user did not read.
    if (pipe.unread > 0 && pipe.saturated) pipe.paused = true;
    if (this.#waking || !host.expectant) return;
    this.#waking = true;
    queueMicrotask(this.#look);
  }

  #arrived(other: InprocLink): void {
    other.host.arrived(other.pipe);
    other.host.changed();
  }

  readonly #look = (): void => {
    this.#seen = this.#names.appended;
    queueMicrotask(this.#lookAgain);
  };

  /** Wakes the reader if nobody has sent anything meanwhile; else more is to come. */
  readonly #lookAgain = (): void => {
    if (!this.#waking) return;
    if (this.#names.appended === this.#seen) return this.#wake();
    this.#collecting = true;
    if (this.#listed) return;
    this.#listed = true;
    this.host.around.turns.add(this);
  };

  turnEnded(): boolean {
    this.#listed = false;
    if (this.#collecting) this.#wake();
    return false;
  }

  #wake(): void {
    this.#waking = false;
    this.#collecting = false;
    this.#other?.host.changed();
  }

  /** The other socket has read enough for this one to go on. */
  readonly #relieved = (): void => {
    this.pipe.hasRoom();
    this.host.drained(this.pipe);
    if (this.host.expectant) queueMicrotask(this.#changed);
  };

  readonly #changed = (): void => this.host.changed();

  /** This socket has read what it took out of the inbox: there is room for the other. */
  resume(): void {
    if (this.#other !== undefined) this.#other.#relieved();
  }

  refuse(reason: Error | undefined): void {
    if (!this.#over) this.#end(this, reason);
  }

  /** Undoes `open`. What the other socket did not read comes back if it is closed. */
  shut(): void {
    const other = this.#other;
    this.#over = true;
    this.#other = undefined;
    this.pipe.link = undefined;
    this.pipe.outbox.leave(other?.host.closed === true);
  }
}
