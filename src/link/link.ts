// A link joins one stream, one session and one pipe: octets in become messages in the inbox, messages in the outbox become
// octets out. It decides when to write and when to read, and it ends once, in one order.

import type { Cancel } from "../clock.ts";
import { Opener } from "../core/opener.ts";
import type { Flight } from "../core/outbox.ts";
import { Receiver, type ReceiverEvents } from "../core/receiver.ts";
import { SealedFlight } from "../core/sealed_flight.ts";
import { ZmqError } from "../errors.ts";
import { concat, fill, type Filling } from "../octets.ts";
import type { PeerIdentity } from "../peer.ts";
import type { Pipe, PipeLink, WirePipe } from "../routing/pipe.ts";
import { Session } from "../session/session.ts";
import { hostOf, peerAddress } from "./addresses.ts";
import { Handshake, type Shaking } from "./handshake.ts";
import { type Beating, Heartbeat } from "./heartbeat.ts";
import type { LinkHost, Security } from "./host.ts";
import { routingIdOf } from "./identity.ts";
import { networkOf } from "./network.ts";
import type { ByteSink, ByteStream, FramedStream } from "./stream.ts";
import { tellDisconnect, tellFailure, tellHandshake, type Where } from "./telling.ts";
import type { TurnTask } from "./turns.ts";

/** Most octets of small messages in one write. */
const WRITE_LIMIT = 256 * 1024;
/** Most octets of one read, and octets of it for each message of the high-water mark. */
const READ_LIMIT = 256 * 1024;
const READ_SHARE = 256;
/** A peer that sends PINGs and does not read the answers gets no more than so many. */
const CONTROL_LIMIT = 64;
/** How long a peer may take to close after this side did, in milliseconds. */
export const CLOSE_TIME: number = 1000;
/** What `probeRouter` sends: a message of one empty frame. */
const PROBE = new Uint8Array(2);
const NOTHING = new Uint8Array(0);
const OLD_PROBE = Uint8Array.of(1, 0);

/** Who made the link, and gives it a pipe. */
export interface LinkOwner {
  /** The handshake is done: the pipe to serve, or why the peer is refused. */
  ready(link: Link, peer: PeerIdentity): Pipe | ZmqError;
  /** The link is over. `error` is undefined when the peer closed in peace or this side wanted it. */
  ended(link: Link, error: unknown): void;
  /** Its stream is closed, too. */
  gone?(link: Link): void;
}

export class Link implements ByteSink, PipeLink, ReceiverEvents, TurnTask, Beating, Shaking {
  readonly #host: LinkHost;
  readonly #owner: LinkOwner;
  readonly #stream: ByteStream;
  /** The same, if it is one. */
  readonly #framed: FramedStream | undefined;
  readonly #session: Session;
  #receiver: Receiver | undefined;
  /** What the stream fills during traffic: the receiver, or who reads older frames for it. */
  #incoming: Filling | undefined;
  #pipe: WirePipe | undefined;
  /** What of the pipe is written: as it lies there, or sealed. */
  #flight: Flight | undefined;
  /** Until traffic names its own target. */
  #handshake: Handshake | undefined;
  /** Frames that go before the next batch: handshake, PONG, probe. */
  #control: Uint8Array[] = [];
  /** The part of these that is being written. */
  #urgent: Uint8Array | undefined;
  /** The stream has octets it did not take yet. */
  #busy = false;
  /** Something was sent in this turn: what follows is collected. */
  #hot = false;
  /** In the list of tasks for the end of the turn. */
  #listed = false;
  /** Everything that waits is to be written, not only whole batches. */
  #flushing = false;
  #ended = false;
  #closing = false;
  /** Ended by a fault; the peer is told when the write under way is done. */
  #parting = false;
  #lingers = false;
  #cancelDeadline: Cancel | undefined;
  #heartbeat: Heartbeat | undefined;
  /** A PING is among the control frames. */
  #pinging = false;
  /** Messages that had come before the peer's last PING. */
  #beforePing = 0;
  /** Octets of the handshake, before there is a pipe to count them. */
  #bytesIn = 0;
  #overhead = 0;
  /** The endpoint that was bound or connected to. */
  readonly endpoint: string;
  /** The address of the peer as an endpoint. */
  readonly address: string;
  /** That of the peer's host, without a port; empty for transports that have none. */
  readonly peerHost: string;

  constructor(
    host: LinkHost,
    owner: LinkOwner,
    stream: ByteStream | FramedStream,
    endpoint: string,
    security: Security,
  ) {
    this.#host = host;
    this.#owner = owner;
    this.#stream = stream;
    this.peerHost = hostOf(stream);
    const mechanism = security(this.peerHost);
    const routingId = routingIdOf(host);
    if ("introduce" in stream) {
      this.#framed = stream;
      stream.introduce({ type: host.type, mechanism: mechanism.name, routingId });
    }
    this.#session = new Session(host.type, mechanism, routingId);
    this.#handshake = new Handshake(this.#session, stream, this);
    this.endpoint = endpoint;
    this.address = peerAddress(stream.remote, endpoint);
  }

  /** True from the end of the handshake to the end of the link. */
  get ready(): boolean {
    return this.#pipe !== undefined && !this.#ended;
  }

  /** The handshake was done. */
  get served(): boolean {
    return this.#pipe !== undefined;
  }

  start(): void {
    const { handshakeInterval } = this.#host.options;
    if (handshakeInterval > 0) {
      this.#cancelDeadline = this.#host.around.clock.after(handshakeInterval, () => {
        this.#end(
          new ZmqError(
            "ETIMEDOUT",
            `The peer did not finish the handshake within ${handshakeInterval} ms`,
            {
              address: this.address,
            },
          ),
        );
      });
    }
    this.#control.push(...this.#session.takeOutput());
    this.#flush();
    if (!this.#ended) this.#stream.start(this);
    else this.#owner.gone?.(this);
  }

  // Reading

  target(): Uint8Array {
    if (this.#handshake !== undefined) {
      if (!this.#handshake.done) return this.#handshake.target();
      this.#handshake = undefined;
    }
    return this.#incoming!.target();
  }

  filled(count: number): void {
    if (this.#ended) return;
    this.#bytesIn += count;
    this.#heartbeat?.heard();
    const before = this.#pipe?.inbox.messages ?? 0;
    try {
      if (this.#handshake === undefined) this.#incoming!.filled(count);
      else this.#handshake.filled(count);
    } catch (error) {
      this.#end(error);
    }
    this.#digest(before);
  }

  /** Something was received, when `before` messages were there. */
  #digest(before: number): void {
    if (this.#control.length > 0) this.#flush();
    const pipe = this.#pipe;
    if (pipe === undefined) return;
    // What came behind a PING in one read is a sign of life as well.
    if (this.#heartbeat !== undefined && pipe.inbox.received > this.#beforePing) {
      this.#heartbeat.heard();
      this.#beforePing = pipe.inbox.received;
    }
    pipe.inbox.octets += this.#bytesIn;
    this.#bytesIn = 0;
    // Messages that came before a fault are whole: they are delivered.
    if (pipe.inbox.messages > before) this.#host.pipeReadable(pipe);
    if (pipe.saturated && !pipe.paused && !this.#ended) {
      pipe.paused = true;
      pipe.tellPaused();
      this.#stream.pause();
    }
  }

  // Heartbeats

  get deaf(): boolean {
    return this.#pipe!.paused;
  }

  alive(): void {
    this.#heartbeat?.heard();
  }

  ping(): void {
    if (this.#framed !== undefined) {
      return this.#framed.ping?.(() => this.#heartbeat?.asked());
    }
    this.#session.ping(this.#host.options.heartbeatTimeToLive);
    this.#control.push(...this.#session.takeOutput());
    this.#pinging = true;
    this.#flush();
  }

  lost(error: ZmqError): void {
    this.#end(error);
  }

  get #beating(): Heartbeat {
    return this.#heartbeat ??= new Heartbeat(this.#host.around.clock, this, this.address);
  }

  // The handshake

  said(frames: Uint8Array[]): void {
    this.#control.push(...frames);
  }

  agreed(): void {
    this.#cancelDeadline?.();
    const pipe = this.#owner.ready(this, this.#session.peer!);
    if (pipe instanceof Error) throw pipe;
    // Only a STREAM has pipes of another kind.
    this.#serve(pipe as WirePipe);
  }

  traffic(octets: Uint8Array): void {
    if (!this.#ended) fill(this.#incoming!, octets);
  }

  wentOn(error: unknown): void {
    if (this.#ended) return;
    this.#control.push(...this.#session.takeOutput());
    if (error !== undefined) this.#end(error);
    this.#digest(0);
  }

  #serve(pipe: WirePipe): void {
    const { options, around } = this.#host;
    const mark = options.receiveHighWaterMark;
    const share = mark === 0 ? READ_LIMIT : Math.min(READ_LIMIT, mark * READ_SHARE);
    const { keys } = this.#session;
    const limit = this.#host.messageLimit;
    this.#receiver = new Receiver(
      around.memory,
      pipe.inbox,
      this,
      { frame: limit, parts: options.maxMessageParts, message: options.maxMultipartSize },
      share,
      this.#host.filter,
      keys && new Opener(keys, limit),
    );
    const protocol = this.#framed?.protocol ?? this.#session.peer!.protocol;
    const old = protocol === "1.0";
    this.#incoming = old ? networkOf(around).oldReader(this.#receiver) : this.#receiver;
    this.#flight = old
      ? networkOf(around).oldFlight(around.memory.outboxes, pipe.outbox)
      : pipe.outbox;
    if (keys !== undefined) {
      this.#flight = new SealedFlight(around.memory.outboxes, pipe.outbox, keys);
      // What is left of the handshake is not sealed.
      this.#urgent = concat([...(this.#urgent ? [this.#urgent] : []), ...this.#control]);
      if (this.#urgent.length === 0) this.#urgent = undefined;
      this.#control = [];
    }
    this.#pipe = pipe;
    this.#framed?.served?.();
    pipe.inbox.copied = around.runtime.copiedFrames ?? -1;
    pipe.peer = this.#session.peer;
    pipe.peerAddress = this.address;
    pipe.peerHost = this.peerHost;
    pipe.protocol = protocol;
    pipe.overhead += this.#overhead;
    pipe.link = this;
    // Peers of earlier versions do not know PING.
    const asks = protocol === "3.1" || this.#framed?.ping !== undefined;
    if (options.heartbeatInterval > 0 && asks) this.#beating.start(options);
    tellHandshake(this.#host.monitor, this.#where, pipe);
    if (options.probeRouter) this.#control.push(old ? OLD_PROBE : PROBE);
    this.#host.linked(pipe);
    this.#flushing = true;
    this.#flush();
    // With a connection a pipe holds more.
    if (!this.#ended) this.#host.pipeWritable(pipe);
  }

  get #where(): Where {
    return { address: this.endpoint, peerAddress: this.address };
  }

  command(body: Uint8Array): void {
    if (this.#ended) return;
    const command = this.#session.command(body);
    if (command === undefined) {
      this.#beforePing = this.#pipe!.inbox.received;
      if (this.#session.timeToLive > 0 || this.#heartbeat !== undefined) {
        this.#beating.timeToLive(this.#session.timeToLive);
      }
    } else {
      this.#heartbeat?.heard();
      const refusal = this.#host.command(this.#pipe!, command.name, command.data);
      if (refusal !== undefined) throw refusal;
    }
    if (this.#control.length < CONTROL_LIMIT) this.#control.push(...this.#session.takeOutput());
    else this.#session.takeOutput();
  }

  resume(): void {
    if (this.#ended) return;
    this.#heartbeat?.listening();
    this.#stream.resume();
  }

  // Writing

  appended(): void {
    if (this.#hot) {
      if (this.#pipe!.batched) this.#flush();
      return;
    }
    this.#hot = true;
    if (!this.#listed) {
      this.#listed = true;
      this.#host.around.turns.add(this);
    }
    this.#flushing = true;
    this.#flush();
  }

  turnEnded(): boolean {
    const outbox = this.#pipe?.outbox;
    const collected = outbox !== undefined && outbox.waiting > 0;
    if (collected) {
      this.#flushing = true;
      this.#flush();
    }
    // A busy stream reports when it goes on.
    const idle = this.#ended || outbox === undefined || this.#busy;
    // Where messages were collected more will come: the next turn collects from its first message on.
    this.#hot = collected && !idle;
    return this.#listed = !idle && (collected || this.#flight!.trim());
  }

  written(count: number): void {
    this.#busy = false;
    if (this.#ended) return this.#part(this.#urgent?.subarray(count) ?? NOTHING);
    this.#advance(count);
    this.#flush();
  }

  /** Writes until the stream is busy or nothing is worth a write. */
  #flush(): void {
    if (this.#busy || this.#ended) return;
    for (;;) {
      const octets = this.#next();
      if (this.#ended) return;
      if (octets === undefined) break;
      const taken = this.#stream.write(octets);
      if (this.#ended) return;
      this.#advance(taken);
      if (taken < octets.length) {
        this.#busy = true;
        break;
      }
    }
    const pipe = this.#pipe;
    if (pipe === undefined) return;
    if (!this.#busy) pipe.settle();
    if (!pipe.full) {
      pipe.hasRoom();
      this.#host.pipeWritable(pipe);
    }
    if (this.#closing && !this.#busy && pipe.outbox.empty) this.#end(undefined);
  }

  /** The octets to write now: what is begun, then control frames, then a batch if it is due. */
  #next(): Uint8Array | undefined {
    if (this.#urgent !== undefined) return this.#urgent;
    const flight = this.#flight;
    try {
      if (flight?.inFlight) return flight.next();
      if (this.#control.length > 0) return this.#urgent = this.#takeControl();
      if (flight === undefined || !(this.#flushing || this.#pipe!.batched)) return undefined;
      const taken = flight.take(WRITE_LIMIT);
      if (this.#pipe!.outbox.waiting === 0) this.#flushing = false;
      return taken ? flight.next() : undefined;
    } catch (error) {
      // There is no memory to seal in, or no nonce left.
      this.#end(error);
      return undefined;
    }
  }

  #takeControl(): Uint8Array {
    const frames = concat(this.#control);
    this.#control = [];
    const keys = this.#pipe && this.#session.keys;
    return keys === undefined ? frames : keys.sealFrames(frames);
  }

  #advance(count: number): void {
    if (this.#urgent === undefined) {
      if (this.#flight?.inFlight) this.#flight.advance(count);
      return;
    }
    if (this.#pipe !== undefined) this.#pipe.overhead += count;
    else this.#overhead += count;
    this.#urgent = count < this.#urgent.length ? this.#urgent.subarray(count) : undefined;
    if (this.#pinging && this.#urgent === undefined && this.#control.length === 0) {
      this.#pinging = false;
      this.#heartbeat?.asked();
    }
  }

  // Ending

  /** Ends the link as soon as everything that waits is written. */
  finish(): void {
    if (this.#pipe === undefined) return this.#end(undefined);
    this.#closing = true;
    this.#flushing = true;
    this.#flush();
  }

  /** Ends the link now; octets that were handed over still reach the peer. */
  close(): void {
    this.#end(undefined);
  }

  refuse(reason: Error): void {
    this.#end(reason);
  }

  /** As `refuse`; one that is over already is not waited for any more. */
  evict(reason: Error): void {
    if (this.#ended) this.#stream.abort();
    else this.#end(reason);
  }

  /** It is over, but the peer has not closed yet. */
  get lingers(): boolean {
    return this.#lingers;
  }

  closed(error: unknown): void {
    this.#end(error ?? (this.#pipe === undefined ? endedEarly(this.address) : undefined));
    this.#cancelDeadline?.();
    this.#lingers = false;
    this.#owner.gone?.(this);
    this.#receiver?.free();
    this.#receiver = undefined;
    this.#incoming = undefined;
  }

  /** The one tear-down: deadline, stream, pipe, owner, in this order, once. */
  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelDeadline?.();
    this.#heartbeat?.stop();
    this.#tellEnd(error);
    // Only a handshake has something to say about a fault; later there are no keys to say it with.
    if (error !== undefined && this.#pipe !== undefined) this.#control = [];
    if (error !== undefined && this.#control.length === 0) {
      // A WebSocket may still say why.
      this.#lingers = this.#framed !== undefined;
      this.#stream.abort(error);
    } else {
      this.#lingers = true;
      this.#cancelDeadline = this.#host.around.clock.after(CLOSE_TIME, () => this.#stream.abort());
      this.#parting = error !== undefined;
      if (!this.#parting) this.#stream.close();
      else if (!this.#busy) this.#part(NOTHING);
    }
    const pipe = this.#pipe;
    if (pipe !== undefined) {
      pipe.link = undefined;
      pipe.paused = false;
      this.#flight?.rewind();
      this.#receiver?.cut();
    }
    this.#session.end();
    this.#owner.ended(this, error);
  }

  #tellEnd(error: unknown): void {
    const { monitor } = this.#host;
    if (this.#pipe === undefined && error !== undefined) {
      tellFailure(monitor, this.#where, error);
    } else {
      tellDisconnect(monitor, this.#where, this.#pipe, error);
    }
  }

  /** Says the rest of what was under way when a fault was found, and why: an ERROR command. Then closes in peace. */
  #part(rest: Uint8Array): void {
    if (!this.#parting) return;
    if (rest.length === 0 && this.#control.length > 0) rest = this.#takeControl();
    while (rest.length > 0) {
      const taken = this.#stream.write(rest);
      if (taken < rest.length) {
        this.#busy = true;
        this.#urgent = rest.subarray(taken);
        return;
      }
      rest = this.#control.length > 0 ? this.#takeControl() : NOTHING;
    }
    this.#parting = false;
    this.#stream.close();
  }
}

function endedEarly(address: string): ZmqError {
  return new ZmqError(
    "ECONNRESET",
    "The peer ended the connection before the handshake was done: it may have refused it",
    { address },
  );
}
