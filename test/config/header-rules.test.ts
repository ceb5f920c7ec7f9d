import { describe, expect, it } from 'vitest';
import { fillSecrets } from '../../src/config/header-rules.ts';

describe('a secret header', () => {
  const secrets: Record<string, string> = {
    KEY_A: 'aaa',
    KEY_B: 'b$&b',
    KEY_BAD: 'x\r\ny: z',
    KEY_EMPTY: '',
    ADMIN_TOKEN: 't',
  };
  const fill = (template: string) => fillSecrets(template, (name) => secrets[name]);

  it('is filled with the secrets that it names, as they are', () => {
    expect(fill(`Bearer \${KEY_A}`)).toBe('Bearer aaa');
    expect(fill(`\${KEY_A}:\${KEY_B}:\${KEY_A}`)).toBe('aaa:b$&b:aaa');
  });

  it.each(['KEY_MISSING', 'KEY_EMPTY', 'KEY_BAD', 'ADMIN_TOKEN', 'KEY_', ''])(
    'is not sent at all when it cannot be filled with %j',
    (name) => {
      expect(fill(`Bearer \${KEY_A} \${${name}}`)).toBeUndefined();
    },
  );
});
