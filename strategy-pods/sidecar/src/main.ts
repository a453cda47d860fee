#!/usr/bin/env node
// node main.js --strategy NAME [--package DIR]. Exit codes: 0 asked to stop, 2 arguments or environment, 3 parameters, 1 all else.

import { StrategyError } from '@flashpod/sdk';
import { pino } from 'pino';
import { readConfig, readToken } from './config.js';
import { serveHttp } from './http.js';
import { chosenStrategy } from './registry.js';
import { Sidecar } from './sidecar.js';

async function configure() {
  try {
    const config = readConfig(process.argv.slice(2), process.env);
    readToken(config.tokenFile);
    return { config, strategy: await chosenStrategy(config) };
  } catch (error) {
    if (!(error instanceof StrategyError)) throw error;
    console.error(`flashpod-sidecar: ${error.code}: ${error.message}\n  remedy: ${error.remedy}`);
    process.exit(2);
  }
}

const { config, strategy } = await configure();
const logger = pino(
  { level: config.logLevel, base: { instance: config.instance, strategy: strategy.name } },
  pino.destination({ fd: 2, sync: true }),
);
const write =
  (level: 'debug' | 'info' | 'warn' | 'error') =>
  (message: string, fields: object = {}) =>
    logger[level](fields, message);
const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };

const sidecar = new Sidecar({
  strategy,
  instance: config.instance,
  socket: config.socket,
  readToken: () => readToken(config.tokenFile),
  log,
  onFatal: (error) => {
    log.error(error.message, { code: error.code, remedy: error.remedy });
    process.exit(3);
  },
});

// A promise that nobody waits for, or a timer of the strategy's own: the strategy ends, the process says why.
process.on('uncaughtException', (error, origin) => {
  log.error('an exception outside of every callback', { origin, err: error });
  if (!sidecar.handleBackgroundFailure(error)) process.exit(1);
});

async function stop(signal: string): Promise<void> {
  log.info('stopping', { signal });
  await sidecar.stop();
  log.info('stopped');
  process.exit(0);
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);

const { address } = await serveHttp(config.httpHost, config.httpPort, sidecar.metrics.registry, () =>
  sidecar.status(),
);
log.info('serving probes and metrics', { address });
sidecar.start();
