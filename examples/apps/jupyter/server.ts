// The kernel itself: answers requests, in order on shell and at once on control, and publishes what cells do.

import type { ExpressionResult, Failure } from "./calls.ts";
import type { Channels, RequestChannel } from "./channels.ts";
import { completeness } from "./complete_code.ts";
import { codePointOffset, utf16Offset } from "./cursor.ts";
import { type CellEvent, Executor } from "./executor.ts";
import { History } from "./history.ts";
import { kernelInfo } from "./info.ts";
import type { Json, Message } from "./messages.ts";
import { prepare, type Script } from "./prepare.ts";

type Reply = Json | undefined;

/** A kernel on its channels. */
export class Kernel {
  readonly #channels: Channels;
  readonly #history = new History();
  readonly #ended = Promise.withResolvers<{ readonly restart: boolean }>();
  #executor!: Executor;
  #count = 0;
  /** What cells print belongs to the request that ran last. */
  #parent: Json = {};
  #silent = false;
  /** Whom a cell asks: the client that sent it. */
  #asked: readonly Uint8Array[] | undefined;
  #questions = 0;

  constructor(channels: Channels) {
    this.#channels = channels;
  }

  /** Answers until a client wants the kernel to end. */
  async run(): Promise<{ readonly restart: boolean }> {
    this.#executor = await Executor.start((event) => this.#publishEvent(event));
    void this.#announce();
    void this.#serve("control");
    void this.#serve("shell");
    void this.#readAnswers();
    const end = await this.#ended.promise;
    await this.#executor.close();
    await this.#channels.close();
    return end;
  }

  /** Interrupts the cell that runs, as a client's request does. */
  async interrupt(): Promise<void> {
    await this.#executor.interrupt();
  }

  /** Ends the kernel. */
  end(restart: boolean = false): void {
    this.#ended.resolve({ restart });
  }

  /** Nobody would hear it before the first subscription. */
  async #announce(): Promise<void> {
    if (await this.#channels.subscribed()) this.#status("starting", {});
  }

  async #serve(channel: "shell" | "control"): Promise<void> {
    for (;;) {
      const message = await this.#channels.receive(channel);
      if (message === undefined) return;
      for (const waiting of await this.#handle(channel, message)) {
        await this.#handle(channel, waiting, waiting.header.msg_type === "execute_request");
      }
    }
  }

  /** Answers a request. When it is a cell that fails: the requests that were waiting, of which no cell is to be run. */
  async #handle(
    channel: RequestChannel,
    message: Message,
    abort: boolean = false,
  ): Promise<readonly Message[]> {
    const { header, content } = message;
    this.#status("busy", header);
    let reply: Reply;
    try {
      reply = abort
        ? { status: "aborted", execution_count: this.#count }
        : await this.#answer(message);
    } catch (error) {
      // Only a mistake of ours, or a content that is not what it should be.
      reply = errorReply(error);
    }
    // Before the reply: what the client sends after it is meant to be run.
    const waiting = stopsOthers(message, reply) ? await this.#waiting() : [];
    if (reply !== undefined) {
      this.#send(channel, message, header.msg_type.replace(/_request$/, "_reply"), reply);
    }
    this.#status("idle", header);
    if (header.msg_type === "shutdown_request") this.end(content.restart === true);
    return waiting;
  }

  /** What has come on shell already. */
  async #waiting(): Promise<Message[]> {
    await new Promise((resolve) => setTimeout(resolve)); // what lies in the sockets comes first
    const waiting: Message[] = [];
    for (;;) {
      const message = this.#channels.receiveNow("shell");
      if (message === undefined) return waiting;
      waiting.push(message);
    }
  }

  #answer(message: Message): Promise<Reply> | Reply {
    const { content } = message;
    switch (message.header.msg_type) {
      case "execute_request":
        return this.#execute(message);
      case "kernel_info_request":
        return kernelInfo();
      case "complete_request":
        return this.#complete(content);
      case "inspect_request":
        return this.#inspect(content);
      case "is_complete_request":
        return completeness(text(content, "code"));
      case "history_request":
        return { status: "ok", history: this.#history.find(content) };
      case "comm_info_request":
        return { status: "ok", comms: {} };
      case "interrupt_request":
        return this.#executor.interrupt().then(() => ({ status: "ok" }));
      case "shutdown_request":
        return { status: "ok", restart: content.restart === true };
      default:
        return undefined; // comm messages, and what newer clients may know
    }
  }

  async #execute({ header, content, identities }: Message): Promise<Reply> {
    const source = text(content, "code");
    const silent = content.silent === true;
    const store = !silent && content.store_history !== false;
    if (store) {
      this.#count++;
      this.#history.add(this.#count, source);
    }
    const count = this.#count;
    this.#parent = header;
    this.#silent = silent;
    this.#asked = content.allow_stdin === false ? undefined : identities;
    this.#questions = 0; // what came of an interrupted cell's question is no answer to the next
    this.#publish("execute_input", { code: source, execution_count: count });
    const { failure, result, expressions } = await this.#executor.execute({
      count,
      source,
      script: prepare(source),
      allowStdin: this.#asked !== undefined,
      expressions: prepareAll(content.user_expressions),
    });
    this.#asked = undefined;
    if (failure !== undefined) {
      this.#publish("error", { ...failure });
      return { status: "error", execution_count: count, ...failure };
    }
    if (result !== undefined && Object.keys(result.data).length > 0) {
      this.#publish("execute_result", { execution_count: count, ...result });
      if (store) this.#history.setOutput(String(result.data["text/plain"] ?? ""));
    }
    return okReply(count, expressions);
  }

  async #complete(content: Json): Promise<Reply> {
    const code = text(content, "code");
    const found = await this.#executor.complete(code, utf16Offset(code, content.cursor_pos));
    const { matches, types, start, end } = found ??
      { matches: [], types: [], start: code.length, end: code.length };
    const range = { start: codePointOffset(code, start), end: codePointOffset(code, end) };
    const typed = matches.map((match, i) => ({ ...range, text: match, type: types[i] }));
    return {
      status: "ok",
      matches,
      cursor_start: range.start,
      cursor_end: range.end,
      metadata: { _jupyter_types_experimental: typed },
    };
  }

  async #inspect(content: Json): Promise<Reply> {
    const code = text(content, "code");
    const position = utf16Offset(code, content.cursor_pos);
    const data = await this.#executor.inspect(code, position, Number(content.detail_level ?? 0));
    return { status: "ok", found: data !== undefined, data: data ?? {}, metadata: {} };
  }

  #publishEvent(event: CellEvent): Promise<void> | undefined {
    if (event.type === "stream") {
      return this.#publish("stream", { name: event.name, text: event.text });
    } else if (event.type === "clear") {
      return this.#publish("clear_output", { wait: event.wait });
    } else if (event.type === "display") {
      const { data, metadata, displayId } = event;
      const type = event.update ? "update_display_data" : "display_data";
      return this.#publish(type, { data, metadata, transient: { display_id: displayId } });
    } else {
      const content = { prompt: event.prompt, password: event.password };
      const message = { type: "input_request", parent: this.#parent, content };
      const sent = this.#asked && this.#channels.send("stdin", this.#asked, message);
      if (sent) this.#questions++;
      else this.#executor.refuse("Cannot ask: the client has no stdin channel");
      return undefined;
    }
  }

  async #readAnswers(): Promise<void> {
    for (;;) {
      const message = await this.#channels.receive("stdin");
      if (message === undefined) return;
      // An answer without a question is none.
      if (message.header.msg_type !== "input_reply" || this.#questions === 0) continue;
      this.#questions--;
      this.#executor.answer(String(message.content.value ?? ""));
    }
  }

  #status(state: "starting" | "busy" | "idle", parent: Json): void {
    this.#channels.publish({ type: "status", parent, content: { execution_state: state } });
  }

  #publish(type: string, content: Json): Promise<void> | undefined {
    return this.#silent
      ? undefined
      : this.#channels.publish({ type, parent: this.#parent, content });
  }

  #send(channel: RequestChannel, request: Message, type: string, content: Json): void {
    this.#channels.send(channel, request.identities, { type, parent: request.header, content });
  }
}

function stopsOthers({ header, content }: Message, reply: Reply): boolean {
  return header.msg_type === "execute_request" && reply?.status === "error" &&
    content.stop_on_error !== false;
}

function okReply(count: number, expressions: Readonly<Record<string, ExpressionResult>>): Json {
  return { status: "ok", execution_count: count, payload: [], user_expressions: expressions };
}

function errorReply(error: unknown): Json {
  const failure: Failure = {
    ename: error instanceof Error ? error.name : "Error",
    evalue: error instanceof Error ? error.message : String(error),
    traceback: [String(error)],
  };
  return { status: "error", ...failure };
}

function prepareAll(expressions: unknown): Record<string, Script> {
  const entries = Object.entries((expressions ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.map(([key, code]) => [key, prepare(String(code))]));
}

function text(content: Json, name: string): string {
  const value = content[name];
  if (typeof value === "string") return value;
  throw new TypeError(`The request's ${name} has to be text, not ${JSON.stringify(value)}`);
}
