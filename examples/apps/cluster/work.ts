// The work that is done: a request's octets are added up, so that every reply can be checked.

/** The sum of a body's octets. */
export function workOn(body: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < body.length; i++) sum += body[i];
  return sum;
}

/** A body and what its answer has to be. */
export interface Sample {
  readonly body: Uint8Array;
  readonly answer: string;
}

/** Bodies of all lengths up to `longest`, with random octets. */
export function makeSamples(count: number, longest: number): Sample[] {
  return Array.from({ length: count }, () => {
    const body = crypto.getRandomValues(new Uint8Array(Math.ceil(Math.random() * longest)));
    return { body, answer: String(workOn(body)) };
  });
}
