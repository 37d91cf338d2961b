// How the workers of the tests answer: with JSON, and what went wrong as its `error`.

/** The query of a request. */
export type Query = Readonly<Record<string, string>>;

/** Does what the path of a request asks for. */
export async function answer(
  request: Request,
  tasks: Readonly<Record<string, (query: Query) => unknown>>,
): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  try {
    return Response.json(await tasks[pathname](Object.fromEntries(searchParams)));
  } catch (error) {
    return Response.json({ error: error instanceof Error ? error.stack : String(error) });
  }
}
