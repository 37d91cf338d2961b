// PEM (RFC 7468), as far as it can be told without reading what is inside.

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]*-----END \1-----/g;

/** What a text of PEM is wanted for. */
export type PemKind = "certificates" | "a private key";

/** Why a text is not PEM of a kind, without a word of the text itself; undefined when it is. */
export function pemFault(text: string, kind: PemKind): string | undefined {
  const labels = [...text.matchAll(BLOCK)].map(([, label]) => label);
  const wanted = kind === "certificates"
    ? labels.includes("CERTIFICATE")
    : labels.some((label) => /^(RSA |EC )?PRIVATE KEY$/.test(label));
  if (wanted) return undefined;
  if (text.includes("ENCRYPTED") && kind === "a private key") return "a key with a passphrase";
  return labels.length === 0 ? "text that is no PEM" : "PEM of another kind";
}
