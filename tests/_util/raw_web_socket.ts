// WebSocket frames written by hand (RFC 6455, section 5.2), right and wrong, and peers that speak nothing else. Apart from
// the library's own code on purpose.

import { assertEquals } from "@std/assert";
import { fromHex, textOf, utf8 } from "./bytes.ts";
import { concat } from "./octets.ts";
import { dial, type RawConnection } from "./raw_peer.ts";
import { ready } from "./raw_zmtp.ts";
import { ACCEPT_OF_KEY, type Fields, headOf, requestOf } from "./upgrade.ts";

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

const MASK = fromHex("37fa213d");

/** How a frame differs from a whole binary one. */
export interface FrameShape {
  readonly opcode?: number;
  /** @default {true} */
  readonly fin?: boolean;
  /** The three reserved bits, as 1 to 7. */
  readonly reserved?: number;
  /** The length that is announced; else the payload's. */
  readonly announced?: bigint;
  /** Octets for the length after the first one: 0, 2 or 8; else as few as do. */
  readonly lengthOctets?: 0 | 2 | 8;
  /** With a mask key. */
  readonly masked?: boolean;
}

/** One frame. */
export function framed(payload: Uint8Array | string, shape: FrameShape = {}): Uint8Array {
  const octets = typeof payload === "string" ? utf8(payload) : payload;
  const { opcode = BINARY, fin = true, reserved = 0, masked = false } = shape;
  const length = shape.announced ?? BigInt(octets.length);
  const extra = shape.lengthOctets ?? (length < 126n ? 0 : length < 65536n ? 2 : 8);
  const header = new Uint8Array(2 + extra);
  header[0] = (fin ? 0x80 : 0) | reserved << 4 | opcode;
  header[1] = (masked ? 0x80 : 0) | (extra === 0 ? Number(length) : extra === 2 ? 126 : 127);
  for (let i = 0; i < extra; i++) header[1 + extra - i] = Number(length >> BigInt(8 * i) & 255n);
  if (!masked) return concat(header, octets);
  return concat(header, MASK, octets.map((octet, i) => octet ^ MASK[i % 4]));
}

/** The payload of a close frame. */
export function closing(code: number, reason: Uint8Array | string = ""): Uint8Array {
  const octets = typeof reason === "string" ? utf8(reason) : reason;
  return concat(Uint8Array.of(code >> 8, code & 255), octets);
}

/** The payload of a message: its flag octet and its body. */
export function bodied(flag: number, body: Uint8Array | string): Uint8Array {
  return concat(Uint8Array.of(flag), typeof body === "string" ? utf8(body) : body);
}

/** The payload of a READY command. */
export function readying(type: string, identity?: Uint8Array | string): Uint8Array {
  return bodied(2, ready(type, identity).subarray(2));
}

/** A frame as it was read, its mask taken off. */
export interface WireFrame {
  readonly fin: boolean;
  readonly reserved: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Uint8Array;
}

/** One side of a WebSocket. */
export class RawWebSocket {
  readonly connection: RawConnection;
  /** This side is the client: its frames are masked. */
  readonly #masks: boolean;

  constructor(connection: RawConnection, masks: boolean) {
    this.connection = connection;
    this.#masks = masks;
  }

  /** Connects to a `ws://` endpoint and does the HTTP part with these headers. */
  static async connect(
    endpoint: string,
    protocol: string = "ZWS2.0/NULL",
    fields: Fields = {},
  ): Promise<RawWebSocket> {
    const { host, pathname, search } = new URL(endpoint.replace(/^ws/, "http"));
    const connection = await dial(`tcp://${host}`);
    connection.send(requestOf(
      { "Sec-WebSocket-Protocol": protocol, ...fields },
      `GET ${pathname}${search} HTTP/1.1`,
    ));
    const head = await takeHead(connection);
    assertEquals(head[0], "HTTP/1.1 101 Switching Protocols");
    assertEquals(head.includes(`Sec-WebSocket-Accept: ${ACCEPT_OF_KEY}`), true, head.join("\n"));
    return new RawWebSocket(connection, true);
  }

  /** Connects, and does the handshake of ZeroMQ as a socket of this type. */
  static async connectAs(
    endpoint: string,
    type: string,
    identity?: Uint8Array | string,
  ): Promise<RawWebSocket> {
    const webSocket = await RawWebSocket.connect(endpoint);
    webSocket.send(readying(type, identity));
    const { payload } = await webSocket.next();
    assertEquals(textOf(payload.subarray(0, 7)), "\x02\x05READY");
    return webSocket;
  }

  /** Answers the request on a connection that came, with these headers; gives the request's lines as well. */
  static async accept(
    connection: RawConnection,
    protocol: string = "ZWS2.0/NULL",
    fields: Fields = {},
  ): Promise<{ webSocket: RawWebSocket; request: string[] }> {
    const request = await takeHead(connection);
    const key = request.find((line) => line.startsWith("Sec-WebSocket-Key: "))!.slice(19);
    connection.send(headOf("HTTP/1.1 101 Switching Protocols", {
      "Upgrade": "websocket",
      "Connection": "Upgrade",
      "Sec-WebSocket-Accept": await acceptOf(key),
      "Sec-WebSocket-Protocol": protocol,
      ...fields,
    }));
    return { webSocket: new RawWebSocket(connection, false), request };
  }

  /** Accepts, and does the handshake of ZeroMQ as a socket of this type. */
  static async acceptAs(connection: RawConnection, type: string): Promise<RawWebSocket> {
    const { webSocket } = await RawWebSocket.accept(connection);
    webSocket.send(readying(type));
    await webSocket.next();
    return webSocket;
  }

  /** A frame of this side. */
  frame(payload: Uint8Array | string, shape: FrameShape = {}): Uint8Array {
    return framed(payload, { masked: this.#masks, ...shape });
  }

  /** Sends one frame. */
  send(payload: Uint8Array | string, shape: FrameShape = {}): void {
    this.connection.send(this.frame(payload, shape));
  }

  /** Sends a message of these parts. */
  say(...parts: readonly (Uint8Array | string)[]): void {
    parts.forEach((part, i) => this.send(bodied(i < parts.length - 1 ? 1 : 0, part)));
  }

  /** Reads one frame, which must be masked as the other side's are. */
  async next(): Promise<WireFrame> {
    const [first, second] = await this.connection.take(2);
    const masked = second >= 0x80;
    assertEquals(masked, !this.#masks, "the mask of a frame");
    const short = second & 0x7f;
    let length = short;
    if (short > 125) {
      length = 0;
      for (const octet of await this.connection.take(short === 126 ? 2 : 8)) {
        length = length * 256 + octet;
      }
    }
    const key = masked ? await this.connection.take(4) : new Uint8Array(4);
    const payload = await this.connection.take(length);
    for (let i = 0; i < length; i++) payload[i] ^= key[i % 4];
    return { fin: first >= 0x80, reserved: first >> 4 & 7, opcode: first & 15, masked, payload };
  }

  /** Reads the parts of one message; control frames are not expected. */
  async hear(): Promise<Uint8Array[]> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const { opcode, fin, payload } = await this.next();
      assertEquals([opcode, fin], [BINARY, true], "a whole binary frame");
      parts.push(payload.subarray(1));
      if (payload[0] === 0) return parts;
    }
  }

  /** Reads the close frame that comes next; answers its code and its reason. */
  async nextClose(): Promise<{ code: number; reason: string }> {
    const { opcode, payload } = await this.next();
    assertEquals(opcode, CLOSE, `a close frame, not ${opcode}`);
    const code = payload.length === 0 ? 1005 : payload[0] << 8 | payload[1];
    return { code, reason: textOf(payload.subarray(2)) };
  }

  /** Reads frames up to a close frame. */
  async untilClose(): Promise<{ code: number; before: WireFrame[] }> {
    const before: WireFrame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame.opcode === CLOSE) {
        return { code: frame.payload[0] << 8 | frame.payload[1], before };
      }
      before.push(frame);
    }
  }

  /** Says its own last frame, and waits for the end of the connection. */
  async part(code: number = 1000): Promise<void> {
    this.send(closing(code), { opcode: CLOSE });
    await this.connection.untilClosed(15_000);
  }
}

/** Reads the lines of an HTTP head, and of the body that its length announces. */
export async function takeHead(connection: RawConnection): Promise<string[]> {
  let text = "";
  while (!text.endsWith("\r\n\r\n")) text += textOf(await connection.take(1));
  const lines = text.split("\r\n").slice(0, -2);
  const length = Number(/\r\nContent-Length: (\d+)/i.exec(text)?.[1] ?? 0);
  if (length > 0) lines.push(textOf(await connection.take(length)));
  return lines;
}

/** What a server answers to a key, by WebCrypto. */
export async function acceptOf(key: string): Promise<string> {
  const octets = utf8(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const hash = await crypto.subtle.digest("SHA-1", octets as Uint8Array<ArrayBuffer>);
  return btoa(String.fromCharCode(...new Uint8Array(hash)));
}
