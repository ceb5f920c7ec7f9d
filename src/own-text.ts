/**
 * Owns texts that outlive the longer text they were cut from. The engine keeps the whole for a part: an id of 22 characters would keep a
 * Cookie header of 60 KB in memory for as long as the id is remembered.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/** The same text, of characters of its own; half a pair of surrogates becomes U+FFFD. */
export function ownText(text: string): string {
  return decoder.decode(encoder.encode(text));
}
