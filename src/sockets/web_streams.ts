// Sockets as Web Streams. Back-pressure is that of the socket: a stream takes a message when its consumer wants one, and
// takes the next one to send when the socket has taken the last.

import type { Frame, MessageLike } from "../message.ts";
import type { Engine } from "./engine.ts";

/** The messages of a socket, until it is closed. */
export function readableStreamOf(engine: Engine): ReadableStream<Frame[]> {
  const source = new Source(engine);
  return new ReadableStream<Frame[]>(source, { highWaterMark: 0 });
}

/** Takes a message out of the socket only when the stream has it in the same moment: cancelling loses none. */
class Source implements UnderlyingDefaultSource<Frame[]> {
  readonly #engine: Engine;
  #letGo: () => void = () => {};

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  pull(controller: ReadableStreamDefaultController<Frame[]>): Promise<void> | void {
    if (this.#deliver(controller)) return;
    return this.#wait(controller);
  }

  /** False when there is no message yet. */
  #deliver(controller: ReadableStreamDefaultController<Frame[]>): boolean {
    const engine = this.#engine;
    if (engine.closed) {
      controller.close();
      return true;
    }
    const message = engine.tryReceive();
    if (message !== undefined) controller.enqueue(message);
    return message !== undefined;
  }

  #wait(controller: ReadableStreamDefaultController<Frame[]>): Promise<void> {
    const engine = this.#engine;
    const { keepAlive } = engine.around;
    return new Promise((resolve, reject) => {
      const letGo = () => {
        engine.unwatch(look);
        keepAlive.release();
        this.#letGo = () => {};
        resolve();
      };
      const look = () => {
        try {
          if (this.#deliver(controller)) letGo();
        } catch (error) {
          letGo();
          reject(error);
        }
      };
      keepAlive.acquire();
      engine.watch(look);
      this.#letGo = letGo;
    });
  }

  cancel(): void {
    this.#letGo();
  }
}

/** Sends what is written. */
export function writableStreamOf(
  engine: Engine,
): WritableStream<MessageLike | readonly MessageLike[]> {
  return new WritableStream<MessageLike | readonly MessageLike[]>({
    write: (message, { signal }) => engine.send(message, { signal }),
  }, { highWaterMark: 1 });
}
