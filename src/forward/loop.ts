/**
 * Owns the loop guard: `CDN-Loop` (RFC 8586) with our token, by which a second pass through the same Worker is known.
 * The token bears the config's hash, so that one Headgate may stand behind another.
 */

const CDN_ID = 'headgate';

/** The token of this Worker. */
export function loopToken(configHash: string): string {
  return configHash === '' ? CDN_ID : `${CDN_ID};config=${configHash}`;
}

/** Whether a request bears the token already. A token that names no config counts: better a false alarm than a loop. */
export function isLoop(header: string | null, configHash: string): boolean {
  if (header === null || !header.includes(CDN_ID)) return false;
  const own = loopToken(configHash);
  return header.split(',').some((part) => {
    const token = part.trim().toLowerCase().replaceAll(' ', '');
    return token === own || token === CDN_ID;
  });
}
