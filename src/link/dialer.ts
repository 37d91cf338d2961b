// The connecting side of one endpoint: dials, serves the pipe with the link, and dials again when it is lost.

import type { Cancel } from "../clock.ts";
import { isWebSocket, type StreamEndpoint } from "../endpoint.ts";
import { AuthenticationError, codeOf, ProtocolError, ZmqError } from "../errors.ts";
import { asError } from "../events.ts";
import { listOf } from "../option_values.ts";
import type { ReconnectStop } from "../options.ts";
import type { PeerIdentity } from "../peer.ts";
import type { Pipe } from "../routing/pipe.ts";
import type { MechanismName } from "../wire/greeting.ts";
import { offersOf } from "../wire/websocket/subprotocol.ts";
import type { LinkHost, Security } from "./host.ts";
import { peerAddress } from "./addresses.ts";
import { Link, type LinkOwner } from "./link.ts";
import { networkOf } from "./network.ts";
import { admitPipe, closePipe, meetPipe, openPipe } from "./pipes.ts";
import type { RawLink } from "./raw_link.ts";
import type { ByteStream } from "./stream.ts";
import { tellRetry } from "./telling.ts";
import { limited } from "./timed.ts";
import { openNative } from "./websocket/native.ts";

export class Dialer implements LinkOwner {
  readonly #host: LinkHost;
  readonly #endpoint: StreamEndpoint;
  readonly #assignedId: Uint8Array | undefined;
  readonly #done: () => void;
  readonly #security: Security;
  readonly #mechanism: MechanismName;
  /** There from the start, unless `immediate` asks for connections that stand. */
  #pipe: Pipe | undefined;
  #link: Link | RawLink | undefined;
  /** There was a connection before. */
  #linked = false;
  #attempts = 0;
  #cancelRetry: Cancel | undefined;
  /** Cancels the attempt under way. */
  #abort: AbortController | undefined;
  #closed = false;
  #finishing = false;
  /** What the peer of the last connection does not take is for nobody. */
  #disconnected = false;

  /** `done` is called once, when the endpoint is given up. */
  constructor(
    host: LinkHost,
    endpoint: StreamEndpoint,
    assignedId: Uint8Array | undefined,
    done: () => void,
  ) {
    this.#host = host;
    this.#endpoint = endpoint;
    this.#assignedId = assignedId;
    this.#done = done;
    this.#security = host.secure();
    this.#mechanism = host.mechanism;
  }

  /** Starts to dial. Answers why not, when the socket refuses another pipe. */
  start(): ZmqError | undefined {
    if (!this.#host.options.immediate) {
      const pipe = admitPipe(this.#host, this.#newPipe());
      if (pipe instanceof Error) return pipe;
      this.#pipe = pipe;
    }
    this.#dial();
    return undefined;
  }

  /**
   * Takes no more messages, and ends when all that waits is sent. Without a connection it goes on dialling for that if
   * `persist` is set, else it ends now.
   */
  finish(persist: boolean): void {
    if (this.#closed || this.#finishing) return;
    this.#finishing = true;
    this.#disconnected = !persist && this.#stops("afterDisconnect");
    const pipe = this.#pipe;
    if (pipe === undefined || (this.#link?.ready !== true && (pipe.outbox.empty || !persist))) {
      return this.close();
    }
    this.#host.detach(pipe);
    this.#link?.finish();
  }

  /** Ends now. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelRetry?.();
    this.#abort?.abort(new ZmqError("ECANCELED", "The endpoint was disconnected"));
    this.#link?.close();
    this.#drop();
  }

  #newPipe(): Pipe {
    return openPipe(this.#host, this.#endpoint.text, this.#assignedId);
  }

  /** Gives the pipe up for good. */
  #drop(): void {
    const pipe = this.#pipe;
    this.#pipe = undefined;
    if (pipe !== undefined) closePipe(this.#host, pipe);
    this.#done();
  }

  async #dial(): Promise<void> {
    this.#cancelRetry = undefined;
    const { monitor } = this.#host;
    const { text: address } = this.#endpoint;
    monitor.emit({ type: "connect:delay", address });
    let stream: ByteStream;
    this.#abort = new AbortController();
    try {
      stream = await this.#open(this.#abort.signal);
      this.#abort = undefined;
    } catch (error) {
      // Nobody listens yet, or no longer: that is no error of a connect, only a reason to try again.
      if (!this.#closed) this.#failed(error);
      return;
    }
    if (this.#closed) return stream.abort();
    if (isSelf(stream)) {
      // The kernel connected the socket to itself, as it may for a local port in the ephemeral range.
      stream.abort();
      this.#failed(new ZmqError("ECONNREFUSED", "The connection led back to itself", { address }));
      return;
    }
    monitor.emit({ type: "connect", address, peerAddress: peerAddress(stream.remote, address) });
    const link = this.#host.type === "STREAM"
      ? networkOf(this.#host.around).rawLink(this.#host, this, stream, address)
      : new Link(this.#host, this, stream, address, this.#security);
    this.#link = link;
    link.start();
  }

  /** With the runtime's own WebSocket, or over the network. */
  #open(signal: AbortSignal): Promise<ByteStream> {
    const { runtime } = this.#host.around;
    if (runtime.webSocket === undefined || !isWebSocket(this.#endpoint)) {
      return networkOf(this.#host.around).dial(this.#endpoint, this.#host, signal);
    }
    const endpoint = this.#endpoint;
    const offers = offersOf(this.#mechanism, endpoint.path, true);
    return limited(this.#host, signal, (limit) => openNative(endpoint, runtime, offers, limit));
  }

  #failed(cause: unknown): void {
    const { text: address } = this.#endpoint;
    const error = asError(cause);
    this.#host.monitor.emit({ type: "close", address, error });
    if (codeOf(cause) === "ECONNREFUSED" && this.#stops("refused")) return this.close();
    this.#retry(error);
  }

  #stops(reason: ReconnectStop): boolean {
    return listOf(this.#host.options.reconnectStop).includes(reason);
  }

  /**
   * Waits, then dials again: `reconnectInterval` and a random part, which doubles with the attempts as far as
   * `reconnectMaxInterval` allows.
   */
  #retry(error: unknown): void {
    if (this.#closed) return;
    const { reconnectInterval: least, reconnectMaxInterval } = this.#host.options;
    if (least < 0) return this.close();
    const most = reconnectMaxInterval > least
      ? Math.min(least * 2 ** Math.min(this.#attempts + 1, 30), reconnectMaxInterval)
      : 2 * least;
    this.#attempts++;
    const interval = least + Math.random() * (most - least);
    tellRetry(this.#host.monitor, this.#endpoint.text, Math.round(interval), error);
    this.#cancelRetry = this.#host.around.clock.after(interval, () => void this.#dial());
  }

  ready(link: Link | RawLink, peer: PeerIdentity): Pipe | ZmqError {
    this.#attempts = 0;
    const pipe = meetPipe(this.#host, this.#pipe, () => this.#newPipe(), peer);
    if (pipe instanceof Error) return pipe;
    this.#pipe = pipe;
    if (this.#linked) pipe.reconnects++;
    this.#linked = true;
    if (this.#finishing) this.#host.around.turns.once(() => link.finish());
    return pipe;
  }

  ended(link: Link | RawLink, error: unknown): void {
    this.#link = undefined;
    if (this.#closed) return;
    const pipe = this.#pipe;
    const finished = this.#finishing &&
      (pipe!.outbox.empty || this.#host.options.immediate || this.#disconnected);
    if (finished || isFinal(error) || this.#isLast(link)) return this.close();
    if (pipe !== undefined && this.#host.options.immediate) {
      // Messages are not left waiting for a peer that is away.
      this.#pipe = undefined;
      closePipe(this.#host, pipe);
    } else if (pipe !== undefined) {
      this.#host.unlinked(pipe);
    }
    this.#retry(error);
  }

  /** The user ended it for good, or does not want another after a handshake that failed. */
  #isLast(link: Link | RawLink): boolean {
    if (!(link instanceof Link)) return link.final;
    return !link.served && this.#stops("handshakeFailed");
  }
}

/**
 * A peer that broke the protocol, or that knows us and says no, would do so again (RFC 37); the rest is temporary, also that
 * this side does not let the peer in: it may be another one next time.
 */
function isFinal(error: unknown): boolean {
  // What is wrong with this side's own ZAP handler is not the peer's doing either.
  return (error instanceof ProtocolError && !error.code.startsWith("ERR_ZAP_")) ||
    (error instanceof AuthenticationError && error.byPeer && error.status !== 300);
}

function isSelf({ local, remote }: ByteStream): boolean {
  return "host" in local && "host" in remote && local.port === remote.port &&
    local.host === remote.host;
}
