import { create, OrderType, RuleAnswerSchema, Side, WelcomeSchema } from '@flashpod/proto';
import type { OrderRef, PriceText, QuantityText, SymbolName } from '@flashpod/sdk';
import { expect, test } from 'vitest';
import { outputUp, ruleAnswerOf, snapshotOf } from './wire.js';

const symbol = 'BTCUSDC' as SymbolName;
const stamp = { bookVersion: 9n, causeMonoNs: 10n, decidedMonoNs: 11n };

test('an intent carries side, type, text amounts and what it was decided on', () => {
  const up = outputUp({
    kind: 'intent',
    ref: 'r-1' as OrderRef,
    symbol,
    side: 'Sell',
    type: 'Ioc',
    price: '100.5' as PriceText,
    quantity: '0.01' as QuantityText,
    reduceOnly: true,
    ...stamp,
  });
  expect(up.body).toMatchObject({
    case: 'intent',
    value: {
      ref: 'r-1',
      side: Side.SELL,
      type: OrderType.IOC,
      price: '100.5',
      quantity: '0.01',
      reduceOnly: true,
      ...stamp,
    },
  });
});

test('a market intent has an empty price, a cancel of everything has empty fields', () => {
  const market = outputUp({
    kind: 'intent',
    ref: 'r-2' as OrderRef,
    symbol,
    side: 'Buy',
    type: 'Market',
    price: undefined,
    quantity: '0.01' as QuantityText,
    reduceOnly: false,
    ...stamp,
  });
  expect(market.body.value).toMatchObject({ price: '', type: OrderType.MARKET });
  expect(outputUp({ kind: 'cancel', ref: undefined, symbol: undefined }).body.value).toMatchObject({
    ref: '',
    symbol: '',
  });
});

test('a rule carries its parameters as texts, and its answer what was refused', () => {
  const parameters = [{ name: 'orderNotional', value: '50' }];
  const { body } = outputUp({ kind: 'rule', symbol, rule: 'touch', parameters });
  expect(body).toMatchObject({ case: 'setRule', value: { symbol, rule: 'touch', parameters } });
  const refused = { field: 'orderNotional', value: '50', accepted: 'at least 100' };
  expect(ruleAnswerOf(create(RuleAnswerSchema, { symbol, rule: 'touch', refused }))).toEqual({
    symbol,
    rule: 'touch',
    refused,
  });
  expect(ruleAnswerOf(create(RuleAnswerSchema, { symbol, rule: 'touch' })).refused).toBeUndefined();
});

test('amounts that were not set read as zero, codes that are not known are refused', () => {
  const welcome = create(WelcomeSchema, { mode: 3, state: 1, positions: [{ symbol, quantity: '-0.5' }] });
  expect(snapshotOf(welcome).positions[0]).toMatchObject({ quantity: '-0.5', averageCost: '0', fees: '0' });
  expect(() => snapshotOf(create(WelcomeSchema, { mode: 0, state: 1 }))).toThrow(
    'mode 0 is not one of 1, 2, 3',
  );
});
