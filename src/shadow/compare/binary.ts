/** Owns bytes that nothing is known of: whether they are the same, and a short name for them (length and SHA-256). */

import { hex, sha256 } from '../../digest.ts';

/** Whether two runs of bytes are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** `12 bytes sha256:…` (hexadecimal), which may be kept where the bytes themselves may not. */
export async function fingerprint(bytes: Uint8Array): Promise<string> {
  return `${bytes.length} bytes sha256:${hex(await sha256(bytes))}`;
}
