// What is published: the topics, and the figures that come with each. The page imports this too.

/** Milliseconds between two messages of a topic. */
export const TICK_MS = 250;
/** So much of the past is kept and shown, in milliseconds. */
export const SPAN_MS = 60_000;

/** What all figures have. */
export interface Figures {
  /** When they were taken, in milliseconds since 1970. */
  readonly at: number;
}

/** `machine.cpu` */
export interface CpuFigures extends Figures {
  /** How busy each processor was, from 0 to 1. */
  readonly cores: readonly number[];
}

/** `machine.memory`, in octets. */
export interface MemoryFigures extends Figures {
  readonly total: number;
  /** What programs cannot have because others use it. */
  readonly used: number;
  /** Of this, by the server itself. */
  readonly own: number;
}

/** `pipeline.flow`: counts are those of one tick. */
export interface FlowFigures extends Figures {
  /** Tasks a second that are wanted. */
  readonly rate: number;
  /** Octets of a task. */
  readonly size: number;
  /** How long the tick was, in milliseconds. */
  readonly ms: number;
  readonly made: number;
  readonly answered: number;
  /** Tasks that nobody had room for. */
  readonly dropped: number;
  /** Answers that were not the sum of their task. */
  readonly wrong: number;
  /** Tasks that wait for a worker. */
  readonly waiting: number;
  /** Tasks that each worker has. */
  readonly inFlight: Readonly<Record<string, number>>;
}

/** `pipeline.latency`: from when a task was made to when its answer was there, in microseconds. */
export interface LatencyFigures extends Figures {
  /** Of the last second. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  /** Of this tick: how many were in which band, those with none left out. */
  readonly bands: readonly (readonly [band: number, count: number])[];
}

/** `worker.1` and so on. */
export interface WorkerFigures extends Figures {
  readonly name: string;
  readonly ms: number;
  readonly done: number;
  readonly paused: boolean;
}

/** `server.pages`: the socket that this is published with; counts are those of one tick. */
export interface PageFigures extends Figures {
  readonly ms: number;
  readonly pages: number;
  readonly messages: number;
  readonly octets: number;
}

/** The figures of each topic; those of workers have the worker's number at the end. */
export interface TopicFigures {
  readonly "pipeline.flow": FlowFigures;
  readonly "pipeline.latency": LatencyFigures;
  readonly "machine.cpu": CpuFigures;
  readonly "machine.memory": MemoryFigures;
  readonly "worker.": WorkerFigures;
  readonly "server.pages": PageFigures;
}

/** What can be subscribed to. */
export type TopicName = keyof TopicFigures;

export const TOPICS: readonly TopicName[] = [
  "pipeline.flow",
  "pipeline.latency",
  "worker.",
  "machine.cpu",
  "machine.memory",
  "server.pages",
];

/** Bands of latency: so many to a power of two, the first one beginning at 2 ** 4 = 16 microseconds. */
export const BANDS_PER_POWER = 3;
const FIRST_POWER = 4;
const LAST_POWER = 22;
export const BANDS: number = (LAST_POWER - FIRST_POWER) * BANDS_PER_POWER;

/** Where a time is among the bands, with its fraction. */
export function bandOf(microseconds: number): number {
  const band = (Math.log2(Math.max(1, microseconds)) - FIRST_POWER) * BANDS_PER_POWER;
  return Math.min(BANDS - 0.001, Math.max(0, band));
}
