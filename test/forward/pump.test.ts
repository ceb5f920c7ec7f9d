import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdleWatch } from '../../src/forward/idle.ts';
import { type BodyReport, type PumpOptions, pump } from '../../src/forward/pump.ts';

const encoder = new TextEncoder();

/** A byte stream that a test feeds, and the stream that the pump fills. */
function world() {
  let controller!: ReadableByteStreamController;
  const told = { cancelled: false, aborted: false, closed: false };
  const source = new ReadableStream({
    type: 'bytes',
    start(own) {
      controller = own;
    },
    cancel() {
      told.cancelled = true;
    },
  });
  const written: Uint8Array[] = [];
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      written.push(chunk.slice());
    },
    close() {
      told.closed = true;
    },
    abort() {
      told.aborted = true;
    },
  });
  const writer = sink.getWriter();
  writer.closed.catch(() => {});
  const reader = source.getReader({ mode: 'byob' });
  return {
    told,
    written,
    writer,
    reader,
    text: () => Buffer.concat(written).toString(),
    say: (text: string) => controller.enqueue(encoder.encode(text)),
    end: () => {
      controller.close();
      // A read that is under way on a byte stream ends only when it is answered.
      controller.byobRequest?.respond(0);
    },
    breakOff: () => controller.error(new Error('reset')),
    start: (options: Partial<PumpOptions> = {}): Promise<BodyReport> =>
      pump({ source: reader as unknown as PumpOptions['source'], sink: writer, idleMs: 60_000, ...options }),
  };
}

describe('pump', () => {
  it('passes every byte on, in order, and ends cleanly', async () => {
    const { say, end, start, told, text } = world();
    const chunks: string[] = [];
    const pumping = start({ tap: (chunk) => void chunks.push(Buffer.from(chunk).toString()) });
    say('one ');
    await vi.waitFor(() => expect(text()).toBe('one '));
    say('two');
    await vi.waitFor(() => expect(text()).toBe('one two'));
    end();
    const report = await pumping;
    expect(report).toMatchObject({ end: 'complete', bytes: 7 });
    expect(report.firstByteAtMs).toBeLessThanOrEqual(report.endedAtMs);
    expect(told).toEqual({ closed: true, aborted: false, cancelled: false });
    expect(chunks).toEqual(['one ', 'two']);
  });

  it('knows no first byte of an empty body', async () => {
    const { end, start } = world();
    const pumping = start();
    end();
    expect(await pumping).toMatchObject({ end: 'complete', bytes: 0, firstByteAtMs: null });
  });

  it('begins with what was read before, and the read that was under way', async () => {
    const { say, end, start, reader, text } = world();
    const pending = reader.read(new Uint8Array(3)) as unknown as PumpOptions['pending'];
    const pumping = start({ head: encoder.encode('head '), pending });
    say('body');
    await vi.waitFor(() => expect(text()).toBe('head body'));
    end();
    expect(await pumping).toMatchObject({ end: 'complete', bytes: 9 });
  });

  it('breaks off at the receiver where the sender broke off', async () => {
    const { say, breakOff, start, told, text } = world();
    const onBroken = vi.fn();
    const pumping = start({ onBroken });
    say('half');
    await vi.waitFor(() => expect(text()).toBe('half'));
    breakOff();
    expect(await pumping).toMatchObject({ end: 'cut', bytes: 4 });
    expect(told).toMatchObject({ closed: false, aborted: true });
    expect(onBroken).toHaveBeenCalledOnce();
  });

  it('breaks off where the sender ended politely before the declared length', async () => {
    const { say, end, start, told, text } = world();
    const pumping = start({ length: 10 });
    say('half');
    await vi.waitFor(() => expect(text()).toBe('half'));
    end();
    expect(await pumping).toMatchObject({ end: 'cut', bytes: 4 });
    expect(told).toMatchObject({ closed: false, aborted: true });
  });

  it('lets go of the source when the receiver has left', async () => {
    const { say, start, told, writer, text } = world();
    const pumping = start();
    say('one');
    await vi.waitFor(() => expect(text()).toBe('one'));
    await writer.abort(new Error('left'));
    say('two');
    expect((await pumping).end).toBe('refused');
    expect(told.cancelled).toBe(true);
  });

  it('cuts a stalled body on both sides', async () => {
    const { say, start, told } = world();
    const pumping = start({ idleMs: 30 });
    say('one');
    expect(await pumping).toMatchObject({ end: 'stalled', bytes: 3 });
    expect(told).toMatchObject({ closed: false, aborted: true, cancelled: true });
  });
});

describe('idle watch', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('calls once when nothing moved for so long', () => {
    const onIdle = vi.fn();
    new IdleWatch(1_000, onIdle);
    vi.advanceTimersByTime(999);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(10_000);
    expect(onIdle).toHaveBeenCalledOnce();
  });

  it('counts from the last movement', () => {
    const onIdle = vi.fn();
    const watch = new IdleWatch(1_000, onIdle);
    for (let n = 0; n < 20; n++) {
      vi.advanceTimersByTime(900);
      watch.touch();
    }
    vi.advanceTimersByTime(999);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledOnce();
  });

  it('waits no longer for a clock that was set back to catch up', () => {
    const onIdle = vi.fn();
    const watch = new IdleWatch(1_000, onIdle);
    vi.advanceTimersByTime(500);
    watch.touch();
    vi.setSystemTime(Date.now() - 3_600_000);
    vi.advanceTimersByTime(1_500);
    expect(onIdle).toHaveBeenCalledOnce();
  });

  it('is silent once it is stopped', () => {
    const onIdle = vi.fn();
    new IdleWatch(1_000, onIdle).stop();
    vi.advanceTimersByTime(10_000);
    expect(onIdle).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a body that answers a request still under way', () => {
  it('is nobody’s failure when the request’s own body broke off', async () => {
    for (const [isBroken, end] of [
      [true, 'refused'],
      [false, 'cut'],
    ] as const) {
      const { breakOff, say, start, text } = world();
      const pumping = start({ upload: { endedAtMs: Infinity, isBroken } });
      say('begun');
      await vi.waitFor(() => expect(text()).toBe('begun'));
      breakOff();
      expect((await pumping).end).toBe(end);
    }
  });

  it('may wait for its end, and stalls only after it', async () => {
    vi.useFakeTimers();
    const { start } = world();
    const upload = { endedAtMs: Infinity, isBroken: false };
    let isOver = false;
    const pumping = start({ idleMs: 1_000, upload });
    void pumping.then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(isOver).toBe(false);
    // A full time from its end on, whenever the watch looked last.
    await vi.advanceTimersByTimeAsync(900);
    upload.endedAtMs = Date.now();
    await vi.advanceTimersByTimeAsync(950);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect((await pumping).end).toBe('stalled');
    vi.useRealTimers();
  });
});
