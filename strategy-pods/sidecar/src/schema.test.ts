import { readFileSync } from 'node:fs';
import { parametersSchema, parseParameters } from '@flashpod/sdk';
import { expect, test } from 'vitest';
import { strategies } from './registry.js';

test.each(strategies.map((strategy) => [strategy.name, strategy] as const))(
  'schema.json of %s is what its parameters say, with a default and a description for each',
  (name, strategy) => {
    const file = new URL(`../../strategies/${name}/schema.json`, import.meta.url);
    const schema = JSON.parse(readFileSync(file, 'utf8'));
    expect(schema).toMatchObject({ ...parametersSchema(strategy) });
    expect(schema.additionalProperties).toBe(false);
    expect(schema.required).toBeUndefined();
    for (const property of Object.values<Record<string, unknown>>(schema.properties)) {
      expect(property).toMatchObject({
        default: expect.anything(),
        description: expect.stringContaining('.'),
      });
    }
    expect(parseParameters(strategy, '{}')).toBeTypeOf('object');
  },
);
