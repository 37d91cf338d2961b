// A connection of a STREAM: octets as they come and go, without ZMTP.

import type { ZmqError } from "../errors.ts";
import { Frame } from "../message.ts";
import { concat } from "../octets.ts";
import type { PeerIdentity } from "../peer.ts";
import type { Pipe, PipeLink } from "../routing/pipe.ts";
import type { ReferencePipe } from "../routing/references.ts";
import type { LinkHost } from "./host.ts";
import { hostOf, peerAddress } from "./addresses.ts";
import { CLOSE_TIME } from "./link.ts";
import type { ByteSink, ByteStream } from "./stream.ts";
import { tellDisconnect } from "./telling.ts";

/** Most octets of one read at first, and later where reads fill it. */
const READ_SIZE = 8 * 1024;
const READ_LIMIT = 64 * 1024;
const NOTHING = new Uint8Array(0);
/** Short pieces are gathered up to this for one write. */
const WRITE_LIMIT = 64 * 1024;

/** Nobody introduces themselves here. */
const ANYBODY: PeerIdentity = {
  socketType: "",
  routingId: new Uint8Array(0),
  metadata: new Map(),
};

/** Who made the link, and gives it a pipe. */
export interface RawLinkOwner {
  /** The connection stands: the pipe to serve, or why it is refused. */
  ready(link: RawLink, peer: PeerIdentity): Pipe | ZmqError;
  /** The link is over. `error` is undefined when the peer closed in peace or this side wanted it. */
  ended(link: RawLink, error: unknown): void;
  /** Its stream is closed, too. */
  gone?(link: RawLink): void;
}

export class RawLink implements ByteSink, PipeLink {
  readonly #host: LinkHost;
  readonly #owner: RawLinkOwner;
  readonly #stream: ByteStream;
  #pipe: ReferencePipe | undefined;
  #memory: Uint8Array = new Uint8Array(READ_SIZE);
  /** What is being written. */
  #writing: Uint8Array | undefined;
  #busy = false;
  #closing = false;
  #ended = false;
  /** The user ended it: there is to be no other one in its place. */
  final = false;
  readonly endpoint: string;
  readonly address: string;
  readonly peerHost: string;
  /** It waits for nobody. */
  readonly lingers = false;

  constructor(host: LinkHost, owner: RawLinkOwner, stream: ByteStream, endpoint: string) {
    this.#host = host;
    this.#owner = owner;
    this.#stream = stream;
    this.endpoint = endpoint;
    this.address = peerAddress(stream.remote, endpoint);
    this.peerHost = hostOf(stream);
  }

  get ready(): boolean {
    return this.#pipe !== undefined && !this.#ended;
  }

  start(): void {
    const pipe = this.#owner.ready(this, ANYBODY);
    if (pipe instanceof Error) return this.#end(pipe);
    // A STREAM has pipes of this kind only.
    this.#pipe = pipe as ReferencePipe;
    this.#pipe.peerAddress = this.address;
    this.#pipe.peer = { ...ANYBODY };
    this.#pipe.peerHost = this.peerHost;
    this.#pipe.link = this;
    this.#host.linked(pipe);
    this.#notify();
    if (!this.#ended) this.#stream.start(this);
    this.#flush();
    if (!this.#ended) this.#host.pipeWritable(pipe);
  }

  /** Tells the user of the connection, or of its end. */
  #notify(): void {
    if (this.#host.options.notify) this.#deliver(new Frame(0));
  }

  #deliver(frame: Frame): void {
    const pipe = this.#pipe!;
    pipe.inbox.push([frame], frame.length);
    this.#host.pipeReadable(pipe);
    if (this.#ended || pipe.paused || !pipe.saturated) return;
    pipe.paused = true;
    pipe.tellPaused();
    this.#stream.pause();
  }

  target(): Uint8Array {
    return this.#memory;
  }

  filled(count: number): void {
    if (this.#ended) return;
    const octets = new Frame(count);
    octets.set(this.#memory.subarray(0, count));
    if (count === this.#memory.length && count < READ_LIMIT) {
      this.#memory = new Uint8Array(2 * count);
    }
    this.#deliver(octets);
  }

  resume(): void {
    if (!this.#ended) this.#stream.resume();
  }

  appended(): void {
    this.#flush();
  }

  written(count: number): void {
    this.#busy = false;
    if (this.#ended) return;
    this.#advance(count);
    this.#flush();
  }

  #flush(): void {
    while (!this.#busy && !this.#ended) {
      const octets = this.#writing ??= this.#gather();
      if (octets === undefined) break;
      const taken = this.#stream.write(octets);
      if (this.#ended) return;
      this.#busy = taken < octets.length;
      this.#advance(taken);
    }
    const pipe = this.#pipe;
    if (pipe === undefined || this.#ended) return;
    if (!this.#busy) pipe.settle();
    if (!pipe.full) {
      pipe.hasRoom();
      this.#host.pipeWritable(pipe);
    }
    if (this.#closing && !this.#busy && pipe.outbox.empty) this.#end(undefined);
  }

  #gather(): Uint8Array | undefined {
    const { outbox } = this.#pipe!;
    const pieces: Uint8Array[] = [];
    let size = 0;
    while (size < WRITE_LIMIT) {
      const frames = outbox.shift();
      if (frames === undefined) break;
      pieces.push(frames[0]);
      size += frames[0].length;
      outbox.messagesSent++;
    }
    return pieces.length === 0 ? undefined : concat(pieces);
  }

  #advance(count: number): void {
    const octets = this.#writing;
    if (octets === undefined) return;
    this.#pipe!.outbox.sent += count;
    this.#writing = count < octets.length ? octets.subarray(count) : undefined;
  }

  /** Ends the link as soon as everything that waits is written. */
  finish(): void {
    this.#closing = true;
    this.#flush();
  }

  hangUp(): void {
    this.final = true;
    this.finish();
  }

  /** Ends the link now; octets that were handed over still reach the peer. */
  close(): void {
    this.#end(undefined);
  }

  refuse(reason: Error): void {
    this.#end(reason);
  }

  evict(reason: Error): void {
    this.#end(reason);
  }

  closed(error: unknown): void {
    this.#cancelAbort();
    // Messages that nobody reads may keep this one for long.
    this.#memory = NOTHING;
    // The peer ended it: the user did not.
    if (!this.#ended && this.#pipe !== undefined && !this.#closing) this.#notify();
    this.#end(error);
    this.#owner.gone?.(this);
  }

  #cancelAbort: () => void = () => {};

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    if (error !== undefined) {
      this.#stream.abort();
    } else {
      this.#cancelAbort = this.#host.around.clock.after(CLOSE_TIME, () => this.#stream.abort());
      this.#stream.close();
    }
    const pipe = this.#pipe;
    if (pipe !== undefined) {
      const where = { address: this.endpoint, peerAddress: this.address };
      tellDisconnect(this.#host.monitor, where, pipe, error);
      pipe.link = undefined;
      pipe.paused = false;
      // What was for this connection is for no other.
      pipe.outbox.clear();
      pipe.settle();
    }
    this.#owner.ended(this, error);
  }
}
