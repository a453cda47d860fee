// What the pod tells the process: one argument, the rest in the environment.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { StrategyError } from '@flashpod/sdk';
import { strategies } from './registry.js';

export interface Config {
  readonly strategy: string;
  /** Folder of the package that holds the strategy; undefined: it is a built-in one. */
  readonly package: string | undefined;
  /** Name of the StrategyInstance. */
  readonly instance: string;
  /** Path of the core's unix socket. */
  readonly socket: string;
  readonly tokenFile: string;
  readonly httpHost: string;
  /** 0: the system chooses. */
  readonly httpPort: number;
  readonly logLevel: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const logLevels = ['debug', 'info', 'warn', 'error'];

export function readConfig(argv: readonly string[], env: Environment): Config {
  return {
    ...readArguments(argv),
    instance: required(env, 'FLASHPOD_INSTANCE', 'the name of a StrategyInstance'),
    socket: required(env, 'FLASHPOD_SOCKET', 'the path of the core’s socket'),
    tokenFile: required(env, 'FLASHPOD_TOKEN_FILE', 'the path of the file with the session token'),
    httpHost: env['POD_IP'] || '127.0.0.1',
    httpPort: readPort(env['FLASHPOD_HTTP_PORT'] ?? '9464'),
    logLevel: oneOf('FLASHPOD_LOG_LEVEL', env['FLASHPOD_LOG_LEVEL'] ?? 'info', logLevels),
  };
}

/** Never logged and never part of an error. */
export function readToken(file: string): string {
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new StrategyError('TOKEN_UNREADABLE', `token file ${file} cannot be read (${reason})`, { cause });
  }
  if (token === '') throw new StrategyError('TOKEN_UNREADABLE', `token file ${file} is empty`);
  return token;
}

function readArguments(argv: readonly string[]): Pick<Config, 'strategy' | 'package'> {
  const builtIn = strategies.map((one) => one.name).join(', ');
  const accepted = `--strategy NAME with NAME one of ${builtIn}, or with --package DIR the name of the strategy in it`;
  try {
    const options = { strategy: { type: 'string' }, package: { type: 'string' } } as const;
    const { values } = parseArgs({ args: [...argv], options });
    if (values.strategy) return { strategy: values.strategy, package: values.package };
  } catch (cause) {
    throw new StrategyError('BAD_ARGUMENT', `${(cause as Error).message}; accepted: ${accepted}`, { cause });
  }
  throw new StrategyError('BAD_ARGUMENT', `--strategy is missing; accepted: ${accepted}`);
}

function required(env: Environment, name: string, what: string): string {
  const value = env[name];
  if (value) return value;
  throw new StrategyError('BAD_ENVIRONMENT', `${name} is not set; accepted: ${what}`);
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new StrategyError(
    'BAD_ENVIRONMENT',
    `FLASHPOD_HTTP_PORT is "${text}"; accepted: a port from 0 to 65535`,
  );
}

function oneOf(name: string, value: string, accepted: readonly string[]): string {
  if (accepted.includes(value)) return value;
  throw new StrategyError('BAD_ENVIRONMENT', `${name} is "${value}"; accepted: ${accepted.join(', ')}`);
}
