import { beforeAll, describe, expect, it } from 'vitest';
import { type PublicKey, signedClaims } from '../../src/admin/access-token.ts';
import { ok } from '../../src/result.ts';
import { newSigner, type Signer, signed } from './access-tokens.ts';

const text = (value: string) => Buffer.from(value).toString('base64url');

describe('a signed token', () => {
  let signer: Signer;
  const claimsOf = (token: string, key: unknown = signer.jwk) => signedClaims(token, async () => ok(key as PublicKey));
  beforeAll(async () => {
    signer = await newSigner('k1');
  });

  it('gives its claims in any script, as jose signed them', async () => {
    const payload = { email: 'zoë@例え.テスト', n: [1, 2.5, null], exp: 9 };
    expect(await claimsOf(await signed(payload, signer))).toEqual({ ok: true, value: payload });
  });

  it('is none when any bit of it is another', async () => {
    const token = await signed({ email: 'ada@example.com' }, signer);
    const changed = [...token].map((char, at) => token.slice(0, at) + (char === 'A' ? 'B' : 'A') + token.slice(at + 1));
    const answers = await Promise.all(changed.map((one) => claimsOf(one)));
    expect(answers.filter(({ ok: isTaken }) => isTaken)).toEqual([]);
  });

  it.each(['[]', '"x"', 'null', '7', '{"exp":1', '\ufeff{}', ''])(
    'is none when it is signed over %j',
    async (payload) => {
      const said = `${text('{"alg":"RS256","kid":"k1"}')}.${text(payload)}`;
      const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', signer.privateKey, Buffer.from(said));
      const token = `${said}.${Buffer.from(signature).toString('base64url')}`;
      expect(await claimsOf(token)).toEqual({ ok: false, error: 'unsigned' });
    },
  );

  it('is none by a key that is short, or no key', async () => {
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) };
    const pair = (await crypto.subtle.generateKey({ ...algorithm, modulusLength: 1024 }, true, [
      'sign',
      'verify',
    ])) as CryptoKeyPair;
    const said = `${text('{"alg":"RS256","kid":"k1"}')}.${text('{}')}`;
    const signature = await crypto.subtle.sign(algorithm.name, pair.privateKey, Buffer.from(said));
    const token = `${said}.${Buffer.from(signature).toString('base64url')}`;
    expect(await claimsOf(token, await crypto.subtle.exportKey('jwk', pair.publicKey))).toMatchObject({ ok: false });
    for (const n of ['', '!', 'AA']) expect(await claimsOf(token, { n, e: 'AQAB' })).toMatchObject({ ok: false });
  });

  it.each(['', '.', '..', '...', 'x', 'x.y.z', 'x'.repeat(1_000_000), '{}.{}.{}', `${text('{}')}..`])(
    'is none where something else was sent',
    async (sent) => {
      expect(await claimsOf(sent)).toEqual({ ok: false, error: 'unsigned' });
    },
  );
});
