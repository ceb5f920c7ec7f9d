/** Owns reading a body as text, no further than a bound: what others send may have no end. */

/** The text of a request or an answer; null where it has more than `maxBytes`, and the rest is left unread. */
export async function readText(message: Pick<Request, 'headers' | 'body'>, maxBytes: number): Promise<string | null> {
  if (Number(message.headers.get('content-length') ?? 0) > maxBytes) return null;
  if (!message.body) return '';
  const reader = message.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      reader.cancel().catch(() => {});
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}
