import type { TradingAccount, TradingStrategy } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { account, core, strategy } from '../testing/desk.js';
import { accept } from './accept.js';
import { catalog } from './catalog.generated.js';
import { ParameterChecks } from './parameters.js';

const parameters = new ParameterChecks(catalog);
const known = { ...account(), status: { symbols: ['BTCUSDC', 'ETHUSDC'] } };
const long = 'x'.repeat(10_000);

function judged(change: Partial<TradingStrategy['spec']>): { accepted: string; message: string } {
  const spec = { strategy: 'imbalance-maker', mode: 'Live' as const, parameters: {}, ...change };
  const verdict = accept(strategy('s', spec), { accounts: [known], cores: [core()], parameters });
  return { accepted: verdict.accepted, message: 'message' in verdict ? verdict.message : '' };
}

test('what the catalog and the account have is accepted', () => {
  expect(judged({ symbols: ['BTCUSDC'], parameters: { orderNotional: '50' } }).accepted).toBe('True');
});

test('paper and shadow are accepted of every account, live only of one with keys and, for real money, its word', () => {
  const { credentialsSecretRef: _, ...keyless } = known.spec;
  const verdict = (mode: TradingStrategy['spec']['mode'], spec: TradingAccount['spec']) => {
    const references = { accounts: [{ ...known, spec }], cores: [core()], parameters };
    const { accepted, ...rest } = accept(strategy('s', { mode }), references);
    return 'message' in rest ? rest.message : accepted;
  };
  const production = { ...known.spec, environment: 'Production' as const };
  for (const mode of ['Paper', 'Shadow'] as const)
    for (const spec of [known.spec, keyless, production]) expect(verdict(mode, spec)).toBe('True');
  expect(verdict('Live', known.spec)).toBe('True');
  expect(verdict('Live', keyless)).toBe(
    'spec.mode: "Live" is not accepted; accepted: Paper or Shadow, since account main has no credentialsSecretRef',
  );
  expect(verdict('Live', production)).toContain('allowLive: true');
});

test.each<[string, Partial<TradingStrategy['spec']>, string[]]>([
  [
    'a strategy that is not there',
    { strategy: 'imbalance-mker' },
    ['spec.strategy: "imbalance-mker"', 'accepted: imbalance-maker'],
  ],
  [
    'a strategy of 10,000 characters',
    { strategy: long },
    ['spec.strategy: "xxx', '10002 characters', 'accepted: imbalance-maker'],
  ],
  [
    'a symbol that the account has not',
    { symbols: ['ETHUSDX'] },
    ['spec.symbols[0]: "ETHUSDX"', 'accepted: ETHUSDC'],
  ],
  [
    'a parameter that is not there',
    { parameters: { orderNotionl: '50' } },
    ['spec.parameters.orderNotionl: "50"', 'accepted: orderNotional'],
  ],
  [
    'a parameter name of 10,000 characters',
    { parameters: { [long]: 1 } },
    ['spec.parameters.xxx', '10016 characters', 'accepted: '],
  ],
  [
    'a parameter value of 10,000 characters',
    { parameters: { orderNotional: long } },
    ['spec.parameters.orderNotional: "xxx', '10002 characters', 'accepted: '],
  ],
  [
    'a parameter of another type',
    { parameters: { orderNotional: [1] } },
    ['spec.parameters.orderNotional: [1]', 'accepted: a value of type string'],
  ],
])('%s is refused with field, value and what is accepted', (_, change, said) => {
  const { accepted, message } = judged(change);
  expect(accepted).toBe('False');
  for (const part of said) expect(message).toContain(part);
  expect(message.length).toBeLessThan(1_000);
});
