// What ends a WebSocket by this side's decision: a status before it is open, a close code from then on.

import { ProtocolError } from "../../errors.ts";

/** Thrown for what a peer must not send on an open WebSocket: the peer is told the code, this side the error. */
export class WebSocketFault {
  /** The code for the close frame (RFC 6455, section 7.4.1), e.g. 1002. */
  readonly closeCode: number;
  /** What this side is told. */
  readonly error: ProtocolError;

  /** What the peer did, and the code that says so. */
  constructor(closeCode: number, error: ProtocolError) {
    this.closeCode = closeCode;
    this.error = error;
  }
}

/** A header of an HTTP response: name and value. */
export type Header = readonly [name: string, value: string];

/** Thrown for an upgrade that is not let through: the peer is told the status and the text, this side the error. */
export class HttpRefusal {
  /** The status of the response (RFC 9110, section 15), e.g. 400. */
  readonly status: number;
  /** What is wrong, in one line; the peer gets it as the body of the response. */
  readonly text: string;
  /** Headers of the response beside those that every response has. */
  readonly headers: readonly Header[];
  /** What this side is told. */
  readonly error: ProtocolError;

  /** Why an upgrade is refused; `code` is the one of the error. */
  constructor(
    status: number,
    text: string,
    headers: readonly Header[] = [],
    code: string = "ERR_WS_UPGRADE",
  ) {
    this.status = status;
    this.text = text;
    this.headers = headers;
    this.error = new ProtocolError(
      code,
      `The WebSocket handshake failed: ${text}`,
    );
  }
}
