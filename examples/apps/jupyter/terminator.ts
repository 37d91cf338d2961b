// Ends the script that runs in another thread, and leaves the thread and its variables alone: on Node only, where the main
// thread's inspector reaches the others. No port is opened.

interface Session {
  connect(): void;
  disconnect(): void;
  on(event: string, listener: (message: { readonly params: WorkerEvent }) => void): void;
  post(method: string, parameters: object, callback?: (error: Error | null) => void): void;
}

interface WorkerEvent {
  readonly sessionId: string;
}

/** Stops scripts of the thread that was started last. */
export class Terminator {
  readonly #session: Session;
  #thread: string | undefined;
  #lastId = 0;

  private constructor(session: Session) {
    this.#session = session;
    session.on("NodeWorker.attachedToWorker", ({ params }) => this.#thread = params.sessionId);
    session.on("NodeWorker.detachedFromWorker", ({ params }) => {
      if (this.#thread === params.sessionId) this.#thread = undefined;
    });
  }

  /** Undefined where the runtime has no such thing; call it before the thread is started. */
  static async open(): Promise<Terminator | undefined> {
    if ("Deno" in globalThis || "Bun" in globalThis) return undefined;
    const { Session } = await import("node:inspector") as unknown as { Session: new () => Session };
    const session = new Session();
    session.connect();
    return await new Promise((resolve) => {
      const terminator = new Terminator(session);
      session.post(
        "NodeWorker.enable",
        { waitForDebuggerOnStart: false },
        (error) => resolve(error ? undefined : terminator),
      );
    });
  }

  /** Ends what runs, however deep; false when there is no thread. */
  terminate(): boolean {
    if (this.#thread === undefined) return false;
    const message = JSON.stringify({ id: ++this.#lastId, method: "Runtime.terminateExecution" });
    this.#session.post("NodeWorker.sendMessageToWorker", { sessionId: this.#thread, message });
    return true;
  }

  /** Lets the threads go. */
  close(): void {
    this.#session.disconnect();
  }
}
