import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { choosePort } from '../../src/demo/port.ts';
import { ensureSecrets } from '../../src/demo/secrets.ts';
import { type KeyValue, seedConfig } from '../../src/demo/seed.ts';
import { freePort } from '../free-port.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('.dev.vars', () => {
  it('gets three different random secrets that only its owner can read', () => {
    const file = join(directory, '.dev.vars');
    expect(ensureSecrets(file)).toEqual(['ADMIN_TOKEN', 'OUTCOME_TOKEN', 'COOKIE_SECRET']);
    const values = [...readFileSync(file, 'utf8').matchAll(/^[A-Z_]+=([\w-]{43})$/gm)].map((match) => match[1]);
    expect(new Set(values).size).toBe(3);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps what a person wrote and only adds what is missing', () => {
    const file = join(directory, '.dev.vars');
    const mine = '# mine\nADMIN_TOKEN="my own"\nKEY_MODEL=abc';
    writeFileSync(file, mine);
    expect(ensureSecrets(file)).toEqual(['OUTCOME_TOKEN', 'COOKIE_SECRET']);
    expect(readFileSync(file, 'utf8').startsWith(`${mine}\n`)).toBe(true);
    const after = readFileSync(file, 'utf8');
    expect(ensureSecrets(file)).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(after);
  });
});

/** A KV namespace of one key, which remembers what was last written to it. */
function memoryKv(value: string | null, metadata: unknown = null): KeyValue & { stored(): string | null } {
  let now = { value, metadata };
  return {
    get: async () => now.value,
    getWithMetadata: async () => now,
    put: async (_, text, options) => {
      now = { value: text, metadata: options.metadata };
    },
    stored: () => now.value,
  };
}

describe('the demo config in local KV', () => {
  it('is written where there is none, and left alone once it is there', async () => {
    const kv = memoryKv(null);
    expect(await seedConfig(kv, 'demo 1')).toEqual({ config: 'written', text: 'demo 1' });
    expect(await seedConfig(kv, 'demo 1')).toEqual({ config: 'unchanged', text: 'demo 1' });
  });

  it('follows a newer demo while nobody has touched it', async () => {
    const kv = memoryKv(null);
    await seedConfig(kv, 'demo 1');
    expect(await seedConfig(kv, 'demo 2')).toEqual({ config: 'written', text: 'demo 2' });
    expect(kv.stored()).toBe('demo 2');
  });

  it('never overwrites a config of a person, also when it began as ours', async () => {
    const theirs = memoryKv('theirs');
    expect(await seedConfig(theirs, 'demo 1')).toEqual({ config: 'kept', text: 'theirs' });
    const edited = memoryKv('edited', { demoSeed: createHash('sha256').update('demo 1').digest('hex') });
    expect(await seedConfig(edited, 'demo 1')).toEqual({ config: 'kept', text: 'edited' });
    expect(edited.stored()).toBe('edited');
  });
});

describe('the port', () => {
  it('is the next free one when nobody asked, and a refusal when somebody did', async () => {
    const taken = createServer();
    const port = await freePort();
    await new Promise<void>((done) => taken.listen(port, '127.0.0.1', done));
    const next = await choosePort(null, port);
    expect(next).toMatchObject({ ok: true });
    expect(next.ok && next.value).toBeGreaterThan(port);
    expect(await choosePort(port, port)).toEqual({
      ok: false,
      error: `Port ${port} is taken by another program. Choose another: npm start -- --port ${port + 1}`,
    });
    await new Promise((done) => taken.close(done));
    expect(await choosePort(port, port)).toEqual({ ok: true, value: port });
  });
});
