// What the bare rows share. They move plain bytes over the runtime's own TCP sockets, with no
// framing at all: the limit that nothing built on the same runtime can pass.

/** How much a bare sender hands over at once, and the most a bare receiver reads at once. */
export const CHUNK_BYTES: number = 256 * 1024;

/** What ZMTP adds to a body of some 1 to 1 000 bytes in REQ/REP: delimiter and frame header. */
const ENVELOPE_BYTES = 11;

/** The bytes that make the round trip of a message with a body of `size` bytes. */
export function roundTripBytes(size: number): number {
  return size + ENVELOPE_BYTES;
}

/** The round trip that stands for the handshake and the first message of a new connection. */
export const CONNECT_BYTES: number = roundTripBytes(1);

/** Splits `tcp://127.0.0.1:5555`. */
export function parseEndpoint(endpoint: string): { hostname: string; port: number } {
  const { hostname, port } = new URL(endpoint);
  return { hostname, port: Number(port) };
}

/** The only address that the bare rows listen on. */
export const HOSTNAME = "127.0.0.1";

/** The endpoint of a listener on `HOSTNAME`. */
export function formatEndpoint(port: number): string {
  return `tcp://${HOSTNAME}:${port}`;
}
