/** Owns what must hold within one variant beyond the form of its keys: one origin, headers that agree, secrets that exist. */

import type { Fault } from '../../result.ts';
import { isKeyName, secretNames } from '../header-rules.ts';
import { MAX_JSON_DEPTH } from '../limits.ts';
import { faultAt, faultsBelow, type Key, pathOf, shown } from '../path.ts';
import { list, object, text } from './loose.ts';

/** What the Worker has, where the caller knows: without a function nothing is said about existence. */
export interface Surroundings {
  /** Whether the Worker has a secret of this name. */
  secrets?: (name: string) => boolean;
  /** Whether the Worker has a service binding of this name. */
  services?: (name: string) => boolean;
}

/** What is wrong when a service is named that the Worker is not bound to. */
export const NO_BINDING = 'the Worker has no service binding of this name';

/** Faults within one variant. */
export function variantFaults(document: unknown, keys: Key[], surroundings: Surroundings): Fault[] {
  const variant = object(document);
  if (variant !== document) return [];
  const { faults, fault } = faultsBelow(keys);
  if (variant.url === undefined && variant.service === undefined) {
    fault([], 'names neither "url" nor "service"', 'give one of them');
  } else if (variant.url !== undefined && variant.service !== undefined) {
    fault([], 'names both "url" and "service"', 'keep one of them');
  }
  return [
    ...faults,
    ...serviceFault(variant.service, [...keys, 'service'], surroundings),
    ...plainHeaderFaults(variant.headers, [...keys, 'headers']),
    ...secretHeaderFaults(variant.secretHeaders, [...keys, 'secretHeaders'], surroundings),
    ...repeatedHeaders(variant, keys),
    ...jsonFaults(variant.json, [...keys, 'json']),
  ];
}

/** The fault of naming a service that the Worker is not bound to. */
export function serviceFault(service: unknown, keys: Key[], surroundings: Surroundings): Fault[] {
  const name = text(service);
  if (name === undefined || surroundings.services?.(name) !== false) return [];
  const mend = `add [[services]] with binding = "${name}" to wrangler.toml and deploy`;
  return [faultAt(keys, NO_BINDING, mend)];
}

function plainHeaderFaults(headers: unknown, keys: Key[]): Fault[] {
  return Object.entries(object(headers))
    .filter(([, value]) => secretNames(text(value) ?? '').some(isKeyName))
    .map(([name]) =>
      faultAt([...keys, name], 'placeholders are not filled in "headers"', 'move it to "secretHeaders"'),
    );
}

function secretHeaderFaults(headers: unknown, keys: Key[], surroundings: Surroundings): Fault[] {
  const { faults, fault } = faultsBelow(keys);
  for (const [name, value] of Object.entries(object(headers))) {
    const template = text(value);
    if (template === undefined) continue;
    const named = secretNames(template);
    if (named.length === 0 || template.replace(/\$\{[^}]*\}/g, '').includes('${')) {
      fault(
        [name],
        `has no \${KEY_…} that could be filled`,
        `write it as "Bearer \${KEY_NAME}", or move it to "headers"`,
      );
    }
    for (const secret of new Set(named)) {
      if (!isKeyName(secret)) {
        const reason = `${shown(secret)} is not a secret that the config may name`;
        fault([name], reason, 'name a Worker secret that begins with KEY_');
      } else if (surroundings.secrets?.(secret) === false) {
        fault([name], `the Worker has no secret ${secret}`, `run: wrangler secret put ${secret}`);
      }
    }
  }
  return faults;
}

/** Header names know no case (RFC 9110 §5.1), so two spellings would be one header with two meanings. */
function repeatedHeaders(variant: Record<string, unknown>, keys: Key[]): Fault[] {
  const { faults, fault } = faultsBelow(keys);
  const seen = new Map<string, string>();
  const name = (at: Key[], written: unknown) => {
    const lower = text(written)?.toLowerCase();
    if (lower === undefined) return;
    const first = seen.get(lower);
    if (first === undefined) seen.set(lower, pathOf([...keys, ...at]));
    else fault(at, `${lower} is named at ${first} too`, 'keep one of them');
  };
  for (const section of ['headers', 'secretHeaders']) {
    for (const key of Object.keys(object(variant[section]))) name([section, key], key);
  }
  for (const [index, written] of list(variant.removeHeaders).entries()) name(['removeHeaders', index], written);
  return faults;
}

function jsonFaults(json: unknown, keys: Key[]): Fault[] {
  return Object.entries(object(json))
    .filter(([, value]) => isDeeperThan(value, MAX_JSON_DEPTH))
    .map(([member]) => faultAt([...keys, member], `is nested more than ${MAX_JSON_DEPTH} deep`, 'set a flatter value'));
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
