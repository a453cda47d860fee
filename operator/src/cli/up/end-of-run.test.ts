import { afterEach, expect, test, vi } from 'vitest';
import { ended, endOfRun } from './end-of-run.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const before = signals.map((signal) => [signal, process.listeners(signal)] as const);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  for (const [signal, listeners] of before) {
    for (const listener of process.listeners(signal))
      if (!listeners.includes(listener)) process.off(signal, listener);
  }
});

test('the first reason counts', async () => {
  const end = endOfRun();
  process.emit('SIGHUP');
  process.emit('SIGINT');
  end.abort('time is up');
  expect(await ended(end)).toBe('SIGHUP');
});

test('one press of Ctrl-C that comes twice is one; a second press ends the process at once', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as never);
  const end = endOfRun();
  process.emit('SIGINT');
  vi.advanceTimersByTime(20);
  process.emit('SIGINT');
  expect(end.signal.reason).toBe('Ctrl-C');
  expect(exit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2_000);
  process.emit('SIGINT');
  expect(exit).toHaveBeenCalledWith(130);
});
