/**
 * Owns `.dev.vars`, the secrets of a Headgate on this machine. It makes what is missing and changes nothing that is there:
 * a secret that a person put in stays. It never prints one.
 */

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

const NAMES = ['ADMIN_TOKEN', 'OUTCOME_TOKEN', 'COOKIE_SECRET'];
const HEADER = '# Secrets of the local Headgate, made by `npm start`. Git ignores this file; production has its own.\n';

/** Gives `file` a random value for each secret it lacks, readable by its owner only. Returns the names it added. */
export function ensureSecrets(file: string): string[] {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : HEADER;
  const missing = NAMES.filter((name) => !new RegExp(`^\\s*(export\\s+)?${name}\\s*=`, 'm').test(before));
  if (missing.length === 0) return [];
  const lines = missing.map((name) => `${name}=${randomBytes(32).toString('base64url')}\n`);
  const separator = before === '' || before.endsWith('\n') ? '' : '\n';
  writeFileSync(file, before + separator + lines.join(''), { mode: 0o600 });
  chmodSync(file, 0o600);
  return missing;
}
