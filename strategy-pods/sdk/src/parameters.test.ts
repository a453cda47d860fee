import { expect, test } from 'vitest';
import { z } from 'zod';
import { decimalParameter, parametersSchema, parseParameters } from './parameters.js';
import { defineStrategy } from './strategy.js';

const sample = defineStrategy({
  name: 'sample',
  version: '1.0.0',
  description: 'for tests',
  parameters: z.strictObject({
    size: decimalParameter().default('50').describe('Value, in quote.'),
    levels: z.number().int().min(1).max(20).default(5),
    edge: z.number().gt(0).lt(10).default(1),
    side: z.enum(['both', 'bid']).default('both'),
  }),
  memory: () => undefined,
});

test('nothing given means defaults', () => {
  const defaults = { size: '50', levels: 5, edge: 1, side: 'both' };
  expect(parseParameters(sample, '')).toEqual(defaults);
  expect(parseParameters(sample, '{}')).toEqual(defaults);
  expect(parseParameters(sample, 'null')).toEqual(defaults);
});

test.each([
  ['{"levels":0}', 'parameters.levels is 0; accepted: integer at least 1 at most 20'],
  ['{"edge":"wide"}', 'parameters.edge is "wide"; accepted: number above 0 below 10'],
  ['{"size":"-1"}', 'parameters.size is "-1"; accepted: text that matches ^'],
  ['{"size":"0.0"}', 'parameters.size is "0.0"; accepted: text that matches ^'],
  ['{"side":"ask"}', 'parameters.side is "ask"; accepted: "both" or "bid"'],
  ['{"speed":1}', 'parameters.speed is unknown; accepted: size, levels, edge, side'],
  ['[]', 'parameters is []; accepted: object'],
  ['{', 'parameters of strategy sample are not JSON'],
])('%s is refused by name: %s', (json, message) => {
  expect(() => parseParameters(sample, json)).toThrow(message);
});

test('every fault is named, not only the first', () => {
  expect(() => parseParameters(sample, '{"levels":0,"edge":99}')).toThrow(/levels is 0.*edge is 99/s);
});

test('the JSON schema asks for nothing, closes the object and keeps the descriptions', () => {
  expect(parametersSchema(sample)).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    additionalProperties: false,
    properties: { size: { default: '50', description: 'Value, in quote.' } },
  });
  expect(parametersSchema(sample)).not.toHaveProperty('required');
});
