import { UsageError } from '../usage.js';

/** Of Kubernetes' names and of TradingStrategy.spec.strategy; npm's are wider but for the words below. */
const pattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const reserved = ['node_modules', 'flashpod'];

/** Checks the name of a new strategy, which becomes a folder, an npm package and a Kubernetes object. */
export function checkedName(name: string): string {
  if (reserved.includes(name)) throw new UsageError('NAME', name, `another name than ${reserved.join(', ')}`);
  if (pattern.test(name)) return name;
  const likely = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '');
  const hint = pattern.test(likely) ? `, e.g. ${likely}` : '';
  throw new UsageError(
    'NAME',
    name.slice(0, 100),
    `at most 63 of a-z, 0-9 and -, with a letter or digit at both ends${hint}`,
  );
}
