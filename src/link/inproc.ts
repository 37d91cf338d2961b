// The inproc transport: sockets of one context meet at a name, in any order, and hand messages to each other by reference.

import type { Cancel } from "../clock.ts";
import type { InprocEndpoint } from "../endpoint.ts";
import { EndpointError, ProtocolError, type ZmqError } from "../errors.ts";
import type { PeerIdentity } from "../peer.ts";
import type { ReferencePipe } from "../routing/references.ts";
import { peersOf } from "../wire/socket_type.ts";
import type { LinkHost } from "./host.ts";
import { identityOf } from "./identity.ts";
import { InprocLink } from "./inproc_link.ts";
import type { InprocNames } from "./inproc_names.ts";
import { admitPipe, closePipe, meetPipe, openReferencePipe } from "./pipes.ts";
import { tellDisconnect, tellFailure, tellHandshake, tellRetry, type Where } from "./telling.ts";

/** Both ends of a connection, the connecting side's first. */
type Ends = readonly [own: InprocLink, theirs: InprocLink];

/** The binding side of an inproc endpoint. */
export class InprocBinding {
  readonly #host: LinkHost;
  readonly #done: () => void;
  readonly name: string;
  readonly endpoint: string;
  /** The connections, by this side's ends, with what ends each. */
  readonly #links: Map<InprocLink, () => void> = new Map();
  #closed = false;

  /**
   * Binds at once; `done` is called when it has ended.
   *
   * @throws {EndpointError} `EADDRINUSE` when the name is taken.
   */
  constructor(host: LinkHost, { text, name }: InprocEndpoint, done: () => void) {
    this.#host = host;
    this.#done = done;
    this.name = name;
    this.endpoint = text;
  }

  listen(): void {
    const names = namesOf(this.#host);
    const { endpoint: address } = this;
    if (names.find(this.name) !== undefined) {
      throw new EndpointError(
        "EADDRINUSE",
        `Cannot bind ${JSON.stringify(address)}: the name is in use already in this context`,
        { address },
      );
    }
    this.#host.monitor.emit({ type: "bind", address });
    names.bind(this);
  }

  get host(): LinkHost {
    return this.#host;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A peer comes: the pipe for it, or why it is refused. */
  admit(peer: PeerIdentity): ReferencePipe | ZmqError {
    const pipe = openReferencePipe(this.#host, this.endpoint, undefined);
    pipe.peer = peer;
    return admitPipe(this.#host, pipe, peer);
  }

  opened(link: InprocLink, end: () => void): void {
    this.#links.set(link, end);
  }

  ended(link: InprocLink): void {
    this.#links.delete(link);
    closePipe(this.#host, link.pipe);
  }

  finish(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    namesOf(this.#host).unbind(this);
    for (const end of [...this.#links.values()]) end();
    this.#host.monitor.emit({ type: "close", address: this.endpoint });
    this.#done();
  }
}

/** The connecting side of an inproc endpoint. */
export class InprocConnection {
  readonly #host: LinkHost;
  readonly #endpoint: InprocEndpoint;
  readonly #assignedId: Uint8Array | undefined;
  readonly #done: () => void;
  /** There from the start, unless `immediate` asks for connections that stand. */
  #pipe: ReferencePipe | undefined;
  #ends: Ends | undefined;
  #met = false;
  #cancelRetry: Cancel | undefined;
  #finishing = false;
  #closed = false;

  constructor(
    host: LinkHost,
    endpoint: InprocEndpoint,
    assignedId: Uint8Array | undefined,
    done: () => void,
  ) {
    this.#host = host;
    this.#endpoint = endpoint;
    this.#assignedId = assignedId;
    this.#done = done;
  }

  /** Meets who is bound, or waits for that. Answers why not, when the socket refuses another pipe. */
  start(): ZmqError | undefined {
    if (!this.#host.options.immediate) {
      const pipe = admitPipe(this.#host, this.#newPipe());
      if (pipe instanceof Error) return pipe;
      this.#pipe = pipe;
    }
    this.#seek();
    return undefined;
  }

  #newPipe(): ReferencePipe {
    return openReferencePipe(this.#host, this.#endpoint.text, this.#assignedId);
  }

  #seek(): void {
    this.#cancelRetry = undefined;
    this.#host.monitor.emit({ type: "connect:delay", address: this.#endpoint.text });
    const names = namesOf(this.#host);
    const bound = names.find(this.#endpoint.name);
    if (bound === undefined) names.wait(this.#endpoint.name, this);
    else this.meet(bound);
  }

  get #where(): Where {
    return { address: this.#endpoint.text, peerAddress: this.#endpoint.text };
  }

  meet(bound: InprocBinding): void {
    // Others that waited met before, and may have closed this one.
    if (this.#closed) return;
    const own = this.#host;
    const peer = bound.host;
    const where = this.#where;
    peer.monitor.emit({ type: "accept", ...where });
    own.monitor.emit({ type: "connect", ...where });
    const mismatch = wrongPair(own, peer, where.address);
    if (mismatch !== undefined) {
      for (const { monitor } of [own, peer]) tellFailure(monitor, where, mismatch);
      // It would be the same again.
      return this.close();
    }
    const pipes = this.#pipesFor(bound);
    if (pipes instanceof Error) {
      for (const { monitor } of [own, peer]) tellFailure(monitor, where, pipes);
      return this.#retry(pipes);
    }
    this.#join(bound, ...pipes);
    // What the bound socket still had to send was sent to the new peer, and it had only waited for that to close.
    if (bound.closed) this.#end(bound, undefined, undefined);
  }

  /** The pipes of both sides, or why one of them refuses the other. */
  #pipesFor(bound: InprocBinding): [ReferencePipe, ReferencePipe] | ZmqError {
    const theirs = bound.admit(identityOf(this.#host));
    if (theirs instanceof Error) return theirs;
    const peer = identityOf(bound.host);
    const pipe = meetPipe(this.#host, this.#pipe, () => this.#newPipe(), peer);
    if (pipe instanceof Error) {
      closePipe(bound.host, theirs);
      return pipe;
    }
    pipe.peer = peer;
    return [this.#pipe = pipe, theirs];
  }

  #join(bound: InprocBinding, pipe: ReferencePipe, theirs: ReferencePipe): void {
    if (this.#met) pipe.reconnects++;
    this.#met = true;
    const end = (by: InprocLink | undefined, error: Error | undefined) =>
      this.#end(bound, by, error);
    const links = [
      new InprocLink(this.#host, pipe, end),
      new InprocLink(bound.host, theirs, end),
    ] as const;
    this.#ends = links;
    bound.opened(links[1], () => end(undefined, undefined));
    for (const { host, pipe } of links) tellHandshake(host.monitor, this.#where, pipe);
    for (const link of links) {
      link.pipe.link = link;
      link.host.linked(link.pipe);
      if (link.host.options.probeRouter) link.pipe.outbox.prepend("");
    }
    // What a socket appended to tell its peer may have ended the connection.
    if (this.#ends === undefined) return;
    links[0].open(links[1]);
    links[1].open(links[0]);
    for (const { host, pipe } of links) host.pipeWritable(pipe);
    pipe.settle();
    if (this.#finishing) this.close();
  }

  /** The connection is over: `by` one of its ends, because of `error`, or because the binding side is gone. */
  #end(bound: InprocBinding, by: InprocLink | undefined, error: Error | undefined): void {
    const ends = this.#ends;
    if (ends === undefined) return;
    this.#ends = undefined;
    const [own, theirs] = ends;
    for (const link of ends) {
      tellDisconnect(link.host.monitor, this.#where, link.pipe, error);
      link.shut();
    }
    bound.ended(theirs);
    if (this.#closed) return;
    if (this.#finishing || (by === own && error instanceof ProtocolError)) return this.close();
    if (this.#host.options.immediate) {
      this.#pipe = undefined;
      closePipe(this.#host, own.pipe);
    } else {
      this.#host.unlinked(own.pipe);
    }
    this.#retry(error);
  }

  #retry(error: Error | undefined): void {
    if (this.#closed) return;
    const { options: { reconnectInterval: interval }, around, monitor } = this.#host;
    if (interval < 0) return this.close();
    // A name that is free now is waited for; who refused or left is asked again after a while.
    const free = namesOf(this.#host).find(this.#endpoint.name) === undefined;
    tellRetry(monitor, this.#endpoint.text, free ? 0 : interval, error);
    if (free) this.#seek();
    else this.#cancelRetry = around.clock.after(interval, () => this.#seek());
  }

  /** Ends when a peer could read all that waits; without one it waits on for that if `persist` is set. */
  finish(persist: boolean): void {
    if (this.#closed || this.#finishing) return;
    this.#finishing = true;
    const pipe = this.#pipe;
    const hopeless = !persist || namesOf(this.#host).closed;
    if (pipe === undefined || this.#ends !== undefined || !pipe.outbox.owed || hopeless) {
      return this.close();
    }
    this.#host.detach(pipe);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelRetry?.();
    namesOf(this.#host).forget(this.#endpoint.name, this);
    this.#ends?.[0].refuse(undefined);
    const pipe = this.#pipe;
    this.#pipe = undefined;
    if (pipe !== undefined) closePipe(this.#host, pipe);
    this.#done();
  }
}

function namesOf(host: LinkHost): InprocNames<InprocBinding> {
  return host.around.inproc as InprocNames<InprocBinding>;
}

function wrongPair(own: LinkHost, peer: LinkHost, address: string): ProtocolError | undefined {
  if (peersOf(own.type).includes(peer.type)) return undefined;
  return new ProtocolError(
    "ERR_ZMTP_INVALID_METADATA",
    `A ${own.type} socket connected to a ${peer.type} socket; a ${own.type} talks to ${
      peersOf(own.type).join(", ")
    }`,
    { address },
  );
}
