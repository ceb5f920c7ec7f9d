import { describe, expect, it } from 'vitest';
import { ResponseReader } from './response-reader.ts';

const whole = {
  'with a length': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'in chunks':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n',
  'without a body': 'HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n',
};

describe('the reader of the load generator', () => {
  it.each(Object.entries(whole))('sees the end of a response %s wherever the network cuts it', (_, text) => {
    const bytes = Buffer.from(text);
    for (let step = 1; step <= bytes.length; step++) {
      const reader = new ResponseReader();
      const ends: boolean[] = [];
      for (let at = 0; at < bytes.length; at += step) ends.push(reader.take(bytes.subarray(at, at + step)));
      expect(ends.indexOf(true), `in steps of ${step}`).toBe(ends.length - 1);
      expect(reader.status).toBe(Number(text.slice(9, 12)));
    }
  });
});
