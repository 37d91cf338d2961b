// The golden vectors of ZeroMQ over WebSocket (RFC 45 over RFC 6455).

import zws from "../conformance/vectors/zws.json" with { type: "json" };
import { expand } from "./vectors.ts";

/** One WebSocket frame. */
export interface ZwsVector {
  readonly id: string;
  readonly meaning: string;
  /** As it is on the wire. */
  readonly octets: Uint8Array;
  /** The same without its header and its mask. */
  readonly payload: Uint8Array;
}

/** A client's key and the server's answer to it. */
export const ACCEPT: { readonly id: string; readonly key: string; readonly accept: string } =
  zws.accept;

/** Frames of both sides. */
export const ZWS_FRAMES: readonly ZwsVector[] = zws.frames.map(({ hex, payload, ...vector }) => ({
  ...vector,
  octets: expand(hex),
  payload: expand(payload),
}));
