// The connecting side of one endpoint: dials, serves the pipe with the link, and dials again when it is lost.

import type { Cancel } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import { ProtocolError, ZmqError } from "../errors.ts";
import { Pipe } from "../routing/pipe.ts";
import type { PeerIdentity } from "../session/session.ts";
import type { LinkHost } from "./host.ts";
import { Link, type LinkOwner } from "./link.ts";
import { resolveLocal, resolveRemote } from "./names.ts";
import type { ByteStream } from "./stream.ts";

export class Dialer implements LinkOwner {
  readonly #host: LinkHost;
  readonly #endpoint: Endpoint;
  readonly #assignedId: Uint8Array | undefined;
  readonly #done: () => void;
  /** There from the start, unless `immediate` asks for connections that stand. */
  #pipe: Pipe | undefined;
  #link: Link | undefined;
  #attempts = 0;
  #cancelRetry: Cancel | undefined;
  /** Cancels the attempt under way. */
  #abort: AbortController | undefined;
  #closed = false;
  #finishing = false;

  /** `done` is called once, when the endpoint is given up. */
  constructor(
    host: LinkHost,
    endpoint: Endpoint,
    assignedId: Uint8Array | undefined,
    done: () => void,
  ) {
    this.#host = host;
    this.#endpoint = endpoint;
    this.#assignedId = assignedId;
    this.#done = done;
  }

  /** Starts to dial. Answers why not, when the socket refuses another pipe. */
  start(): ZmqError | undefined {
    if (!this.#host.options.immediate) {
      const pipe = this.#newPipe();
      const refusal = this.#host.attach(pipe);
      if (refusal !== undefined) {
        pipe.dispose();
        return refusal;
      }
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
    const { options, around } = this.#host;
    return new Pipe(
      around.memory.outboxes,
      options,
      this.#host.hold,
      this.#endpoint.text,
      this.#assignedId,
    );
  }

  /** Gives the pipe up for good. */
  #drop(): void {
    const pipe = this.#pipe;
    this.#pipe = undefined;
    if (pipe !== undefined) this.#release(pipe);
    this.#done();
  }

  #release(pipe: Pipe): void {
    this.#host.detach(pipe);
    this.#host.returned(pipe.dispose());
  }

  async #dial(): Promise<void> {
    this.#cancelRetry = undefined;
    let stream: ByteStream;
    try {
      stream = await this.#connect();
    } catch {
      // Nobody listens yet, or no longer: that is no error of a connect, only a reason to try again.
      this.#retry();
      return;
    }
    if (this.#closed) return stream.abort();
    if (stream.local.port === stream.remote.port && stream.local.host === stream.remote.host) {
      // The kernel connected the socket to itself, as it may for a local port in the ephemeral range.
      stream.abort();
      this.#retry();
      return;
    }
    const link = new Link(this.#host, this, stream);
    this.#link = link;
    link.start();
  }

  /** Tries the addresses one after the other. */
  async #connect(): Promise<ByteStream> {
    const { options, around } = this.#host;
    const { source, port } = this.#endpoint;
    const addresses = await resolveRemote(this.#endpoint, around.runtime, options.ipv6);
    const from = source && {
      host: await resolveLocal(this.#endpoint, source.host, around.runtime, options.ipv6),
      port: source.port,
    };
    let failure: unknown;
    for (const host of addresses) {
      if (this.#closed) break;
      try {
        return await this.#attempt((signal) =>
          around.runtime.connect({ host, port }, from, options, signal)
        );
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** One attempt, ended by `connectTimeout` or by `close`. */
  async #attempt(connect: (signal: AbortSignal) => Promise<ByteStream>): Promise<ByteStream> {
    const { options: { connectTimeout }, around: { clock } } = this.#host;
    const abort = new AbortController();
    this.#abort = abort;
    const late = () =>
      abort.abort(new ZmqError("ETIMEDOUT", `No connection within ${connectTimeout} ms`));
    const cancel = connectTimeout > 0 ? clock.after(connectTimeout, late) : undefined;
    try {
      return await connect(abort.signal);
    } finally {
      cancel?.();
      this.#abort = undefined;
    }
  }

  /**
   * Waits, then dials again: `reconnectInterval` and a random part, which doubles with the attempts as far as
   * `reconnectMaxInterval` allows.
   */
  #retry(): void {
    if (this.#closed) return;
    const { reconnectInterval: least, reconnectMaxInterval } = this.#host.options;
    if (least < 0) return this.close();
    const most = reconnectMaxInterval > least
      ? Math.min(least * 2 ** Math.min(this.#attempts + 1, 30), reconnectMaxInterval)
      : 2 * least;
    this.#attempts++;
    const wait = least + Math.random() * (most - least);
    this.#cancelRetry = this.#host.around.clock.after(wait, () => void this.#dial());
  }

  ready(link: Link, peer: PeerIdentity): Pipe | ZmqError {
    this.#attempts = 0;
    const pipe = this.#pipe ?? this.#newPipe();
    const refusal = this.#host.identify(pipe, peer.routingId) ??
      (this.#pipe === undefined ? this.#host.attach(pipe) : undefined);
    if (refusal !== undefined) {
      if (this.#pipe === undefined) pipe.dispose();
      return refusal;
    }
    this.#pipe = pipe;
    if (this.#finishing) this.#host.around.turns.once(() => link.finish());
    return pipe;
  }

  ended(_link: Link, error: unknown): void {
    this.#link = undefined;
    if (this.#closed) return;
    const finished = this.#finishing && (this.#pipe!.outbox.empty || this.#host.options.immediate);
    // A peer that broke the protocol would do so again (RFC 37); anything else counts as temporary.
    if (finished || error instanceof ProtocolError) return this.close();
    const pipe = this.#pipe;
    if (pipe !== undefined && this.#host.options.immediate) {
      // Messages are not left waiting for a peer that is away.
      this.#pipe = undefined;
      this.#release(pipe);
    } else if (pipe !== undefined) {
      this.#host.unlinked(pipe);
    }
    this.#retry();
  }
}
