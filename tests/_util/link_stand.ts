// A link on a stand: fake stream below, fake host around, the test in the place of its owner and of the peer.

import type { ZmqError } from "../../src/errors.ts";
import { Link, type LinkOwner } from "../../src/link/link.ts";
import type { ByteStream } from "../../src/link/stream.ts";
import type { OptionValues } from "../../src/options.ts";
import { WirePipe } from "../../src/routing/pipe.ts";
import type { PeerIdentity } from "../../src/peer.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { readStream } from "../core/models/frame_model.ts";
import { FakeHost } from "./fake_host.ts";
import { FakeStream, type FakeStreamOptions } from "./fake_stream.ts";
import { concat } from "./octets.ts";
import { greeting, ready } from "./raw_zmtp.ts";
import { LEGAL_PEERS } from "./session_pair.ts";

/** What a stand can be built from. */
export interface StandOptions {
  readonly type?: SocketType;
  readonly options?: Partial<OptionValues>;
  readonly stream?: FakeStreamOptions;
  /** Takes the place of a host, and of a pipe that outlived its last link. */
  readonly host?: FakeHost;
  readonly pipe?: WirePipe;
  /** What the link is given in the place of the stream. */
  readonly wrap?: (stream: FakeStream, host: FakeHost) => ByteStream;
}

/** Octets of greeting and READY as this package sends them. */
const GREETING_SIZE = 64;

/** A link with all that it touches. */
export class LinkStand implements LinkOwner {
  readonly host: FakeHost;
  readonly stream: FakeStream;
  readonly pipe: WirePipe;
  readonly link: Link;
  /** The calls of the owner, in order. */
  readonly calls: string[] = [];
  /** What `ended` was told. */
  error: unknown;
  /** What `ready` answers, if not the pipe. */
  refusal: ZmqError | undefined;
  /** Messages that were received. */
  readonly received: Uint8Array[][] = [];

  constructor({ type = "DEALER", options, stream, host, pipe, wrap }: StandOptions = {}) {
    this.host = host ?? new FakeHost(type, options);
    const core = this.host.around.memory.outboxes;
    this.pipe = pipe ?? new WirePipe(core, this.host.options, this.host.hold, "test");
    this.stream = new FakeStream(stream);
    const wrapped = wrap?.(this.stream, this.host) ?? this.stream;
    this.link = new Link(this.host, this, wrapped, "tcp://127.0.0.1:5555", this.host.secure());
  }

  ready(_link: Link, peer: PeerIdentity): WirePipe | ZmqError {
    this.calls.push(`ready ${peer.socketType}`);
    return this.refusal ?? this.pipe;
  }

  ended(_link: Link, error: unknown): void {
    this.calls.push("ended");
    this.error = error;
  }

  /** The octets of the peer's side of the handshake. */
  get peerHandshake(): Uint8Array {
    return concat(greeting(), ready(LEGAL_PEERS[this.host.type][0]));
  }

  /** Starts the link and does the handshake; its own octets are out of the way. */
  serve(): this {
    this.link.start();
    this.stream.deliver(this.peerHandshake);
    this.stream.flow();
    this.stream.takeOutput();
    this.stream.writes.length = 0;
    this.stream.calls.length = 0;
    return this;
  }

  /** Takes what was received out of the pipe. */
  receiveAll(): Uint8Array[][] {
    for (let frames = this.pipe.receive(); frames; frames = this.pipe.receive()) {
      this.received.push(frames);
    }
    return this.received;
  }

  /** The messages that reached the peer since the last call; only whole ones. */
  sentMessages(): Uint8Array[][] {
    return readStream(this.stream.takeOutput()).messages;
  }
}

/** The messages in octets that begin with a handshake. */
export function messagesAfterHandshake(octets: Uint8Array): Uint8Array[][] {
  return readStream(octets.subarray(GREETING_SIZE)).messages;
}
