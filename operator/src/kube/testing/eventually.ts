const PATIENCE_MS = 10_000;

/** Polls until the value is as wanted; fails with the last one. */
export async function eventually<T>(
  read: () => Promise<T> | T,
  wanted: (value: T) => boolean,
  show: (value: T) => string = (value) => JSON.stringify(value) ?? 'undefined',
): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    if (wanted(value)) return value;
    if (Date.now() > deadline) throw new Error(`still not as wanted after ${PATIENCE_MS} ms: ${show(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
