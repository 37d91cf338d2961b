// A link with CURVE on a stand: it is the server of the golden vectors, with their randomness, and its peer their client. So
// all that both say before the first message is known beforehand, and so is the key of the session.

import { CurveServer as ServerMechanism } from "../../src/security/curve_server.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import type { ZmqError } from "../../src/errors.ts";
import type { Security } from "../../src/link/host.ts";
import type { OptionValues } from "../../src/options.ts";
import type { PeerIdentity } from "../../src/peer.ts";
import type { WirePipe } from "../../src/routing/pipe.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { utf8 } from "./bytes.ts";
import { commandFrame, curveGreeting, INNER_COMMAND, properties } from "./curve_commands.ts";
import { CurveClient } from "./curve_oracle.ts";
import { SERVER_ENTROPY } from "./curve_session.ts";
import { KEYS, vectorClient, vectorServer } from "./curve_vectors.ts";
import { within } from "./deadline.ts";
import { FakeHost } from "./fake_host.ts";
import type { FakeStreamOptions } from "./fake_stream.ts";
import { LinkStand } from "./link_stand.ts";
import { concat } from "./octets.ts";
import { openDoor } from "./open_door.ts";
import { LEGAL_PEERS } from "./session_pair.ts";

const WAIT_MS = 5_000;
const pair = KeyPair.of(KEYS.serverSecret);

/** The host of a CURVE server that is not random. */
class CurveHost extends FakeHost {
  override secure(): Security {
    const left = [...SERVER_ENTROPY];
    const identity = {
      core: this.around.memory.outboxes,
      entropy: () => left.shift()!.slice(),
      pair,
    };
    return () => new ServerMechanism(identity, [["Socket-Type", utf8(this.type)]], openDoor());
  }
}

/** What a stand can be built from. */
export interface CurveLinkOptions {
  readonly type?: SocketType;
  readonly options?: Partial<OptionValues>;
  readonly stream?: FakeStreamOptions;
  /** Of the peer. */
  readonly minor?: number;
  /** What was before: its host and its pipe go on. */
  readonly before?: CurveLink;
}

/** A link, its pipe, and the peer at the other end of a fake stream. */
export class CurveLink extends LinkStand {
  /** Past its handshake. */
  readonly peer: CurveClient = new CurveClient({ serverKey: KEYS.server, nonce: 3n });
  readonly #minor: number;
  readonly #served: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #over: PromiseWithResolvers<void> = Promise.withResolvers();
  /** Octets of the peer's frames that were not whole yet, and the frames of its message. */
  #rest: Uint8Array = new Uint8Array(0);
  #frames: Uint8Array[] = [];
  /** Whole messages and commands that reached the peer. */
  readonly arrived: Uint8Array[][] = [];
  readonly commands: Uint8Array[] = [];

  constructor(options: CurveLinkOptions = {}) {
    const { type = "DEALER", minor = 1, before, stream } = options;
    super({
      host: before?.host ?? new CurveHost(type, options.options),
      ...(before && { pipe: before.pipe }),
      ...(stream && { stream }),
    });
    this.#minor = minor;
    this.peer.key = KEYS.session;
    this.peer.heard = 1n;
  }

  override ready(link: never, peer: PeerIdentity): WirePipe | ZmqError {
    this.#served.resolve();
    return super.ready(link, peer);
  }

  override ended(link: never, error: unknown): void {
    super.ended(link, error);
    this.#over.resolve();
  }

  /** What the peer says until it is in. */
  override get peerHandshake(): Uint8Array {
    return handshakeOf(LEGAL_PEERS[this.host.type][0], this.#minor);
  }

  /** Octets of this side's greeting, WELCOME and READY. */
  get handshakeSize(): number {
    const metadata = properties(["Socket-Type", this.host.type]);
    return 64 + 170 + 2 + 30 + metadata.length;
  }

  /** Starts the link and does the handshake, as far as the stream takes it. */
  async shakeHands(): Promise<this> {
    this.link.start();
    this.stream.deliver(this.peerHandshake);
    await within(Promise.race([this.#served.promise, this.#over.promise]), WAIT_MS, "a handshake");
    // The link goes on behind the promise that its session waited for.
    await Promise.resolve();
    this.stream.flow();
    return this;
  }

  /** The same; then its own octets are out of the way. */
  async enter(): Promise<this> {
    await this.shakeHands();
    this.stream.takeOutput();
    this.stream.writes.length = 0;
    this.stream.calls.length = 0;
    return this;
  }

  /** The peer takes in what the stream took, without the handshake; only whole messages are heard. */
  listen(octets: Uint8Array = this.stream.takeOutput()): Uint8Array[][] {
    let rest = concat(this.#rest, octets);
    for (let size = frameSize(rest); size <= rest.length; size = frameSize(rest)) {
      const { flags, payload } = this.peer.takeMessage(rest.subarray(rest[0] & 2 ? 9 : 2, size));
      rest = rest.subarray(size);
      if (flags & INNER_COMMAND) {
        this.commands.push(payload);
        continue;
      }
      this.#frames.push(payload);
      if (flags === 0) this.arrived.push(this.#frames.splice(0));
    }
    this.#rest = rest;
    return this.arrived;
  }

  /** The connection breaks; what the peer had of it, without the handshake. */
  cut(error?: Error): Uint8Array[][] {
    this.stream.end(error);
    return this.listen(this.stream.takeOutput().subarray(this.handshakeSize));
  }
}

/** Octets of the frame that these begin with; infinite when that cannot be told yet. */
function frameSize(octets: Uint8Array): number {
  if (octets.length < 2) return Infinity;
  if ((octets[0] & 2) === 0) return 2 + octets[1];
  if (octets.length < 9) return Infinity;
  return 9 + Number(new DataView(octets.buffer, octets.byteOffset).getBigUint64(1));
}

const handshakes = new Map<string, Uint8Array>();

/** Greeting, HELLO and INITIATE of the vectors' client as a socket of this type, to the vectors' server. */
function handshakeOf(type: string, minor: number): Uint8Array {
  const known = handshakes.get(type + minor);
  if (known !== undefined) return known;
  const client = vectorClient();
  const server = vectorServer();
  const hello = client.hello();
  server.takeHello(hello);
  client.takeWelcome(server.welcome());
  const initiate = client.initiate({ metadata: properties(["Socket-Type", type]) });
  const octets = concat(curveGreeting({ minor }), commandFrame(hello), commandFrame(initiate));
  handshakes.set(type + minor, octets);
  return octets;
}
