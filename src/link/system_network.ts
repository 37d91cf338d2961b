// The network of runtimes that have tcp.

import { Zmtp1Flight, Zmtp1Reader } from "../core/zmtp1.ts";
import { Acceptor } from "./acceptor.ts";
import { streamOf } from "./connection.ts";
import { dial } from "./dialing.ts";
import { Guests } from "./guests.ts";
import type { Network } from "./network.ts";
import { RawLink } from "./raw_link.ts";
import { ServerSide } from "./websocket/sides.ts";

export const systemNetwork: Network = {
  dial,
  acceptor: (host, done) => new Acceptor(host, done),
  guests: (host, left) => new Guests(host, left),
  serverSide: (path, options) => new ServerSide(path, options),
  streamOf,
  oldReader: (to) => new Zmtp1Reader(to),
  oldFlight: (core, outbox) => new Zmtp1Flight(core, outbox),
  rawLink: (...link) => new RawLink(...link),
};
