// `npm run compare`: every sample strategy live and on paper at once, on one account and one recorded market; then the
// journal is replayed. What differs between them is what paper estimates.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseDuration } from '../../operator/src/cli/up/options.ts';
import { recording } from '../shared.ts';
import { render } from './render.ts';
import { bothModes } from './run.ts';

const usage = 'npm run compare -- [--for 120s] [--json FILE] [RECORDING…]';

function flags() {
  try {
    return parseArgs({
      options: { for: { type: 'string', default: '120s' }, json: { type: 'string' } },
      allowPositionals: true,
    });
  } catch (error) {
    process.stderr.write(`compare: ${(error as Error).message}\n${usage}\n`);
    process.exit(2);
  }
}

const { values, positionals } = flags();
const spot = ['btcusdt_20240808', 'btcusdt_20240809', 'ethusdt_20240808', 'ethusdt_20240809'];
const files = positionals.length > 0 ? positionals.map((file) => resolve(file)) : undefined;
const comparison = await bothModes(
  files ?? spot.map((name) => recording(`binance_spot_btc_eth_20240808/${name}.gz`)),
  parseDuration('--for', values.for),
);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(comparison, null, 2)}\n`);
process.stdout.write(`${render(comparison).join('\n')}\n`);
process.exitCode = comparison.replay.equal && comparison.ledgerEqualsVenue ? 0 : 1;
