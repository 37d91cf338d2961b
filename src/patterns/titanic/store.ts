// Where Titanic keeps requests and replies.

import type { Frame } from "../../../mod.ts";

/** What a store finds when it is opened. */
export interface StoredRequest {
  /** The name of the request. */
  readonly uuid: string;
  /** How long ago its reply was stored, in milliseconds; undefined while there is none. */
  readonly answered: number | undefined;
}

/**
 * Where Titanic keeps requests and replies: `FileStore`, or one of your own on a database. When a call resolves, what it did
 * has to survive the end of the process, and of the machine. There is one call at a time for each `uuid`, and a `uuid` is
 * always 32 hexadecimal digits.
 */
export interface TitanicStore {
  /** Opens it: all requests that are there, oldest first. Nothing else is called before. */
  open(): Promise<StoredRequest[]>;
  /** Keeps a new request: the service, then the body. */
  putRequest(uuid: string, frames: readonly Uint8Array[]): Promise<void>;
  /** Keeps the reply to a request. */
  putReply(uuid: string, frames: readonly Uint8Array[]): Promise<void>;
  /** The frames of a request; undefined when they are not whole. */
  request(uuid: string): Promise<Frame[] | undefined>;
  /** The frames of a reply; undefined when they are not whole. */
  reply(uuid: string): Promise<Frame[] | undefined>;
  /** Removes a request and its reply; does nothing when they are not there. */
  remove(uuid: string): Promise<void>;
  /** Closes it. */
  close(): Promise<void>;
}
