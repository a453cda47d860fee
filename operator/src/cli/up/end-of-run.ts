/** A key press may come twice: from the terminal, and passed on by npm. */
const samePressMs = 1_000;

/**
 * Aborts, with the reason in words, when the user or the system wants the run to end. A second Ctrl-C ends the
 * process at once; what still runs then is killed by the reaper.
 */
export function endOfRun(): AbortController {
  const end = new AbortController();
  let pressedAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (signal === 'SIGINT') {
        const now = performance.now();
        if (pressedAt !== undefined && now - pressedAt > samePressMs) process.exit(130);
        pressedAt ??= now;
      }
      end.abort(signal === 'SIGINT' ? 'Ctrl-C' : signal);
    });
  }
  // A closed terminal, or a reader that has left, must not end us before our processes.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => end.abort('nobody reads the output any more'));
  return end;
}

/** Resolves with the reason once the run is to end. */
export function ended({ signal }: AbortController): Promise<string> {
  return new Promise((resolve) => {
    const done = () => resolve(String(signal.reason));
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
