import { expect, test } from 'vitest';
import { z } from 'zod';
import type { PriceText, QuantityText, SymbolName } from './brand.js';
import type { CoreRule, TouchRule } from './rules.js';
import { type Context, defineStrategy, type StrategyDefinition } from './strategy.js';
import { type AnyStage, Stage, sketchInstrument } from './testing/index.js';

const btc = 'BTCUSDC' as SymbolName;
const touch: TouchRule = { rule: 'touch', orderNotional: '50', maxInventoryNotional: '200' };
const bid = { price: '100' as PriceText, quantity: '0.01' as QuantityText };

function strategy(callbacks: Partial<StrategyDefinition<object, undefined>>) {
  return defineStrategy({
    name: 'ruled',
    version: '1.0.0',
    description: 'for tests',
    parameters: z.strictObject({}),
    memory: () => undefined,
    ...callbacks,
  });
}

/** What a timer does, after the rule was declared. */
function ruled(onTimer: (context: Context<object, undefined>) => void, rule: CoreRule = touch): AnyStage {
  return new Stage(strategy({ rule: () => rule, onTimer }), { failures: 'collect' });
}

const tick = (stage: AnyStage) => stage.act('timer', (session) => session.handleTimer());
const welcome = (stage: AnyStage) =>
  stage.act('welcome', (session) =>
    session.handleWelcome({
      lastSequence: 0n,
      mode: 'Live',
      state: 'Active',
      positions: [],
      openOrders: [],
      instruments: [sketchInstrument()],
      balances: new Map(),
    }),
  );

test('a declared rule is in force from the start, its numbers as decimal text', () => {
  const stage = ruled(() => undefined, {
    ...touch,
    imbalanceSkewBps: 0.1,
    imbalanceLevels: 3,
    pullImbalance: 1 / 3,
  });
  expect(stage.rule(btc)).toEqual({
    rule: 'touch',
    orderNotional: '50',
    maxInventoryNotional: '200',
    imbalanceSkewBps: '0.1',
    imbalanceLevels: '3',
    pullImbalance: '0.333333',
  });
});

test('the core forgets rules with each session: they are said again as they were steered last', () => {
  const stage = ruled((context) => context.setRule(btc, { ...touch, orderNotional: '75' }));
  tick(stage);
  expect(welcome(stage)).toMatchObject([{ kind: 'rule', symbol: btc, rule: 'touch' }]);
  expect(stage.rule(btc)?.['orderNotional']).toBe('75');
});

test.each<[string, (context: Context<object, undefined>) => void, string[]]>([
  ['no rule', (context) => context.setRule(btc), ['rule']],
  ['a quote', (context) => context.quote(btc, bid), ['quotes']],
  ['a pulled quote', (context) => context.quote(btc), ['quotes']],
  ['a cancel of the pair', (context) => context.cancelAll(btc), ['cancel']],
  ['a cancel of all', (context) => context.cancelAll(), ['cancel']],
])('%s ends it, also for the next session', (_, act, kinds) => {
  const stage = ruled(act);
  expect(tick(stage).map(({ kind }) => kind)).toEqual(kinds);
  expect(welcome(stage)).toEqual([]);
});

test('a rule that was not there needs no end', () => {
  const stage = new Stage(strategy({ onTimer: (context) => context.setRule(btc) }));
  expect(tick(stage)).toEqual([]);
});

test('a callback that throws pulls the rule, what it asked for is dropped, and the next one restores what was', () => {
  let fails = true;
  const stage = ruled((context) => {
    if (!fails) return;
    context.setRule(btc, { ...touch, orderNotional: '75' });
    throw new Error('broken');
  });
  expect(tick(stage)).toMatchObject([{ kind: 'quotes', quotes: [] }]);
  expect(stage.rule(btc)).toBeUndefined();
  fails = false;
  tick(stage);
  expect(stage.rule(btc)?.['orderNotional']).toBe('50');
  expect(tick(stage)).toEqual([]);
});

test.each<[Partial<Record<keyof TouchRule, unknown>>, string]>([
  [{ orderNotional: '0' }, 'orderNotional 0 is not a decimal number above 0'],
  [{ imbalanceSkewBps: 101 }, 'imbalanceSkewBps 101 is not a number from 0 to 100'],
  [{ imbalanceLevels: 2.5 }, 'imbalanceLevels 2.5 is not a whole number from 1 to 10'],
  [{ inventorySkewBps: Number.NaN }, 'inventorySkewBps NaN is not a number from 0 to 100'],
  [{ pullImbalance: 0 }, 'pullImbalance 0 is not a number from 0.000001 to 1'],
])('%j is refused before it leaves', (wrong, text) => {
  const stage = ruled((context) => context.setRule(btc, { ...touch, ...wrong } as TouchRule));
  tick(stage);
  expect(stage.failures[0]?.cause).toMatchObject({ code: 'BAD_RULE', message: `${btc}: ${text}` });
});

test('what the core refuses is logged with field, value and what is accepted', () => {
  const stage = ruled(() => undefined);
  const refused = { field: 'orderNotional', value: '50', accepted: 'at least 100' };
  stage.act('answer', (session) => session.handleRule({ symbol: btc, rule: 'touch', refused }));
  expect(stage.log.lines.at(-1)).toMatchObject({ level: 'error', fields: { symbol: btc, ...refused } });
});
