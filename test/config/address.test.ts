import { describe, expect, it } from 'vitest';
import { originFault } from '../../src/config/address.ts';
import { faultsOf, textOf, variantWith } from './sample.ts';

describe('an origin', () => {
  it.each([
    'https://api.example.com',
    'https://api.example.com/base/path',
    'https://api.example.com:8443',
    'https://8.8.8.8',
    'https://[2606:4700::1111]',
    'http://localhost:8788',
    'http://blue.localhost',
    'http://127.0.0.1:1234/v1',
    'http://127.8.9.10',
    'http://2130706433:80',
    'http://0x7f.1',
    'http://[::1]:9000',
    'http://[0:0:0:0:0:0:0:1]',
    'http://[::ffff:127.0.0.1]',
    'https://172.15.0.1',
    'https://172.32.0.1',
    'https://100.128.0.1',
    'https://192.167.1.1',
    'https://10.example.com',
    'https://fd00.example.com',
  ])('may be %s', (url) => {
    expect(originFault(url)).toBeNull();
  });

  it.each([
    ['10.0.0.1', 'private'],
    ['10.0.0.1.', 'private, with a final dot'],
    ['167772161', 'private, as one decimal number'],
    ['0x0a000001', 'private, in hexadecimal'],
    ['012.0.0.1', 'private, in octal'],
    ['10.1', 'private, shortened'],
    ['１０.0.0.1', 'private, in full-width digits'],
    ['%31%30.0.0.1', 'private, percent-encoded'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['0xc0.0xa8.1.1', 'private, in hexadecimal parts'],
    ['169.254.169.254', 'link-local, where clouds keep credentials'],
    ['2852039166', 'link-local, as one decimal number'],
    ['100.64.0.1', "shared by carriers' networks"],
    ['0.0.0.0', 'unspecified'],
    ['0', 'unspecified, shortened'],
    ['198.18.0.1', 'for benchmarks'],
    ['192.0.0.8', 'for protocols'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['[::]', 'unspecified'],
    ['[fc00::1]', 'unique local'],
    ['[fd12:3456:789a::1]', 'unique local'],
    ['[fe80::1]', 'link-local'],
    ['[febf::1]', 'link-local'],
    ['[fec0::1]', 'site-local'],
    ['[ff02::1]', 'multicast'],
    ['[::ffff:0.127.0.1]', 'unspecified inside IPv6'],
    ['[::ffff:10.0.0.1]', 'private inside IPv6'],
    ['[4000::1]', 'not assigned'],
    ['[::ffff:a9fe:a9fe]', 'link-local inside IPv6'],
    ['[0:0:0:0:0:ffff:c0a8:0101]', 'private inside IPv6, written out'],
    ['[::10.0.0.1]', 'private inside IPv6, the old way'],
    ['[64:ff9b::10.0.0.1]', 'private behind NAT64'],
    ['[64:ff9b:1::1]', 'local NAT64'],
    ['[2002:0a00:0001::1]', 'private behind 6to4'],
  ])('is never %s: %s', (host) => {
    for (const scheme of ['http', 'https']) {
      expect(originFault(`${scheme}://${host}/`)?.reason).toMatch(/private, link-local or reserved/);
    }
  });

  it.each([
    ['api.example.com', /not an http or https URL/],
    ['ftp://api.example.com', /not an http or https URL/],
    ['https:api.example.com', /not an http or https URL/],
    ['https:///api.example.com', /not an http or https URL/],
    ['javascript:alert(1)', /not an http or https URL/],
    ['http://api.example.com', /http, which is for loopback/],
    ['http://localhost.example.com', /http, which is for loopback/],
    ['http://127.0.0.1.example.com', /http, which is for loopback/],
    ['https://user:pass@api.example.com', /user name or password/],
    ['https://@api.example.com', /user name or password/],
    ['https://api.example.com/#part', /fragment/],
    ['https://api.example.com/?a=1', /query/],
    ['https://api.example.com?', /query/],
    ['https://api.example.com\\@evil.example.com', /backslash/],
    ['https://api.example.com/a b', /space/],
    ['https://api.exam\tple.com', /space/],
    ['https://api.example.com:99999', /cannot be read/],
    ['https://300.1.1.1', /cannot be read/],
    ['https://[::1', /cannot be read/],
  ])('is not %j', (url, reason) => {
    expect(originFault(url)?.reason).toMatch(reason);
    expect(faultsOf(textOf(variantWith({ url }))).map((fault) => fault.path)).toEqual(['routes[0].variants.blue.url']);
  });

  it('is not repeated in the fault when it carries a password', () => {
    const faults = faultsOf(textOf(variantWith({ url: 'https://user:hunter2@api.example.com' })));
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });
});
