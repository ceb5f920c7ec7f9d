/** Owns why a fetch of the CLI got no answer, in words for a person. */

/** One line without a full stop. */
export function whyNoAnswer(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const { code, reason, message } = inner as Partial<NodeJS.ErrnoException> & { reason?: string };
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'no TLS is spoken there; is it http:// in place of https://?';
  // OpenSSL's message bears an address in memory and a source file, and ends in a line break; `reason` is its core. Where several
  // addresses of a host were tried in vain, the message is empty.
  return reason || message || code || String(cause);
}
