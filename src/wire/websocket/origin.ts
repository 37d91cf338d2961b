// Which pages may connect: a browser names the origin of the page (RFC 6455, sections 4.1 and 10.2; RFC 6454), others do not.

/**
 * True when a page of this origin may connect.
 *
 * @param origin The value of `Origin`; undefined for a client that is no page, which this does not keep out.
 * @param host The value of `Host`.
 * @param origins What the option allows: `"*"` all pages, a list these, null the pages of the same host and port where this
 *   side asks for credentials, and all where it does not.
 * @param credentials This side lets in only those who show credentials.
 */
export function admitsOrigin(
  origin: string | undefined,
  host: string,
  origins: string | readonly string[] | null,
  credentials: boolean,
): boolean {
  if (origin === undefined || origins === "*") return true;
  if (origins === null) return !credentials || isSame(origin, host);
  return typeof origins === "string" ? origin === origins : origins.includes(origin);
}

/** The scheme is the page's own: before a proxy that ends TLS it is another one than here. */
function isSame(origin: string, host: string): boolean {
  const [, scheme] = /^(https?):\/\/[^/?#]+$/.exec(origin) ?? [];
  const own = `${scheme}://${host}`;
  return scheme !== undefined && URL.canParse(origin) && URL.canParse(own) &&
    new URL(origin).origin === new URL(own).origin;
}
