// The pipes that a host's connections serve, with the queues that their transport needs.

import type { ZmqError } from "../errors.ts";
import type { PeerIdentity } from "../peer.ts";
import { Pipe, WirePipe } from "../routing/pipe.ts";
import { ReferenceOutbox, type ReferencePipe, References } from "../routing/references.ts";
import type { LinkHost } from "./host.ts";

/** A pipe to a peer beyond a stream: wire octets, but for the raw connections of a STREAM. */
export function openPipe(
  host: LinkHost,
  address: string,
  assignedId: Uint8Array | undefined,
): Pipe {
  if (host.type === "STREAM") return openReferencePipe(host, address, assignedId);
  const { options, around, hold, monitor, census } = host;
  const pipe = new WirePipe(around.memory.outboxes, options, hold, address, assignedId, monitor);
  census.add(pipe);
  return pipe;
}

/** A pipe that holds messages by reference. */
export function openReferencePipe(
  { options, around, hold, monitor, census }: LinkHost,
  address: string,
  assignedId: Uint8Array | undefined,
): ReferencePipe {
  const outbox = new ReferenceOutbox(
    around.memory.outboxes,
    around.frames,
    options,
  );
  const pipe: ReferencePipe = new Pipe(
    outbox,
    new References(),
    options,
    hold,
    address,
    assignedId,
    monitor,
  );
  census.add(pipe);
  return pipe;
}

/** Makes a pipe routable, of a `peer` if it is known; closes it and answers why not, when the socket refuses it. */
export function admitPipe<P extends Pipe>(
  host: LinkHost,
  pipe: P,
  peer?: PeerIdentity,
): P | ZmqError {
  const refusal = (peer && host.identify(pipe, peer.routingId)) ?? host.attach(pipe);
  if (refusal === undefined) return pipe;
  closePipe(host, pipe);
  return refusal;
}

/** The pipe of a `connect` for its peer: the one that waited for that, or a new one; or why the socket refuses it. */
export function meetPipe<P extends Pipe>(
  host: LinkHost,
  waiting: P | undefined,
  open: () => P,
  peer: PeerIdentity,
): P | ZmqError {
  if (waiting === undefined) return admitPipe(host, open(), peer);
  return host.identify(waiting, peer.routingId) ?? waiting;
}

/** Gives a pipe up: another peer may get what it did not send. */
export function closePipe(host: LinkHost, pipe: Pipe): void {
  host.detach(pipe);
  const { owed } = pipe.outbox;
  const messages = pipe.dispose();
  host.census.remove(pipe);
  host.returned(messages, owed);
}
