import { expect, test } from 'vitest';
import { epochFor } from './epoch.js';

const facts = { identity: 'me', statusHolder: 'me', statusEpoch: 7, leaseEpoch: 7, highestSeen: 7 };

test.each([
  [
    'the first epoch is 1',
    { statusHolder: undefined, statusEpoch: 0, leaseEpoch: 0, highestSeen: 0 },
    1,
    true,
  ],
  ['the same holder goes on with its epoch', {}, 7, false],
  ['the same holder goes on before its Lease was annotated', { leaseEpoch: 6 }, 7, false],
  ['another holder gets the next one', { statusHolder: 'other' }, 8, true],
  ['what the venue has seen counts', { statusHolder: 'other', highestSeen: 41 }, 42, true],
  ['what the Lease says counts', { statusHolder: 'other', leaseEpoch: 20 }, 21, true],
  ['an account made anew does not begin again', { statusHolder: undefined, statusEpoch: 0 }, 8, true],
  ['an epoch of ours that others have passed is not used again', { highestSeen: 9 }, 10, true],
])('%s', (_, change, epoch, isNew) => {
  expect(epochFor({ ...facts, ...change })).toEqual({ epoch, isNew });
});
