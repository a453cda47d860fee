import { up } from '../up/index.js';
import { parseUpOptions, type UpFlags } from '../up/options.js';
import type { Command } from './table.js';

export const upCommand: Command = {
  name: 'up',
  summary: 'start everything on this machine and trade on a simulated exchange until Ctrl-C',
  flags: [
    {
      flags: '--strategy <folder>',
      description: 'trade this strategy of your own instead of the samples; repeatable',
      repeatable: true,
      complete: 'folder',
    },
    {
      flags: '--mode <mode>',
      description: 'Paper, Shadow or Live for every strategy, whatever its manifest says',
      complete: { words: ['Paper', 'Shadow', 'Live'] },
    },
    {
      flags: '--venue <kind>',
      description: 'simulated: an exchange started here; mexc: the one at --venue-rest and --venue-ws',
      default: 'simulated',
      complete: { words: ['simulated', 'mexc'] },
    },
    { flags: '--venue-rest <url>', description: 'REST of --venue mexc (default: https://api.mexc.com)' },
    { flags: '--venue-ws <url>', description: 'WebSocket of it (default: wss://wbs-api.mexc.com/ws)' },
    { flags: '--venue-ca <file>', description: 'PEM of an authority to trust for it', complete: 'file' },
    {
      flags: '--venue-credentials <file>',
      description: 'JSON with apiKey and secretKey; without it only Paper and Shadow are accepted',
      complete: 'file',
    },
    {
      flags: '--replay <file...>',
      description: 'replay recorded markets instead of the synthetic one',
      complete: 'file',
    },
    { flags: '--seed <number>', description: 'seed of the synthetic market', default: '1' },
    {
      flags: '--speed <factor>',
      description: "speed of the market's clock: 1, a factor, or max",
      default: '1',
      complete: { words: ['1', '10', 'max'] },
    },
    { flags: '--loop', description: 'begin the recordings anew at their end' },
    { flags: '--for <duration>', description: 'stop after this long, e.g. 60s, 2m' },
    { flags: '--headless', description: 'print lines instead of a live table' },
    { flags: '--report <file>', description: 'write what happened as JSON', complete: 'file' },
    {
      flags: '--venue-set <name=value>',
      description: 'a switch of the simulated exchange; repeatable',
      repeatable: true,
    },
    {
      flags: '--venue-accounts <file>',
      description: 'more accounts of the simulated exchange, for desks of your own',
      complete: 'file',
    },
    {
      flags: '--state <folder>',
      description: 'keep all objects in this folder, for the next run with the same one',
    },
    {
      flags: '--venue-faults <file>',
      description: 'faults of the simulated exchange',
      complete: 'file',
    },
    {
      flags: '--restart-backoff <duration>',
      description: 'longest wait before a process that crashed again is started again, 1s to 300s',
      default: '300s',
    },
  ],
  examples: [
    'flashpod up --for 60s --headless --report r.json',
    'flashpod up --strategy ./my-strategy --replay btcusdt.gz --speed 10',
  ],
  async run(flags: UpFlags) {
    const startedAt = Number(process.env['FLASHPOD_STARTED_AT'] ?? Date.now());
    process.exitCode = await up(parseUpOptions(flags, startedAt));
  },
};
