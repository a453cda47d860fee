import { open } from 'node:fs/promises';
import { gunzipSync, constants as zlib } from 'node:zlib';
import { UsageError } from '../usage.js';

/** What the first lines of a recording tell: which pair it is, and roughly at what price. */
export interface RecordedPair {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  /** A price of the pair, in quote units. */
  readonly price: number;
}

/** How much of a file is read to find the pair; a snapshot of 1,000 levels a side fits several times. */
const headBytes = 1 << 20;
const quotes = ['FDUSD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'USD', 'EUR', 'BTC', 'ETH', 'BNB'];

async function head(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const bytes = buffer.subarray(0, bytesRead);
    const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    // The head of a gzip file ends in the middle of its stream: take what can be read of it.
    return (gzip ? gunzipSync(bytes, { finishFlush: zlib.Z_SYNC_FLUSH }) : bytes).toString('utf8');
  } catch (error) {
    throw new UsageError('--replay', file, `a readable recording (${(error as Error).message})`);
  } finally {
    await handle.close();
  }
}

/** Splits a symbol into its assets: `BTCUSDT`, or a futures name such as `BTCUSD_PERP`. */
export function splitSymbol(symbol: string): { base: string; quote: string } | undefined {
  const plain = symbol.replace(/_.*$/, '');
  const quote = quotes.find((candidate) => plain.endsWith(candidate) && plain.length > candidate.length);
  return quote === undefined ? undefined : { base: plain.slice(0, -quote.length), quote };
}

async function peek(file: string): Promise<RecordedPair> {
  const text = await head(file);
  const symbol = /"s":"([A-Z0-9_]{2,24})"/.exec(text)?.[1];
  const price = Number(/"(?:b|a|bids|asks)":\[\["(\d+(?:\.\d+)?)"/.exec(text)?.[1] ?? Number.NaN);
  const assets = symbol === undefined ? undefined : splitSymbol(symbol);
  if (symbol === undefined || assets === undefined || !(price > 0)) {
    throw new UsageError(
      '--replay',
      file,
      'a recording of market frames: one `<time> <JSON>` a line, plain or gzip',
    );
  }
  return { symbol, ...assets, price };
}

/** The pairs of the recordings, each once, in the order of their first file. */
export async function recordedPairs(files: readonly string[]): Promise<RecordedPair[]> {
  const pairs = new Map<string, RecordedPair>();
  for (const file of files) {
    const pair = await peek(file);
    if (!pairs.has(pair.symbol)) pairs.set(pair.symbol, pair);
  }
  return [...pairs.values()];
}
