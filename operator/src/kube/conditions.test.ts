import { describe, expect, it } from 'vitest';
import { isConditionTrue, microTimestamp, setCondition, timestamp } from './conditions.js';

const early = new Date('2026-01-02T03:04:05.678Z');
const late = new Date('2026-01-02T03:05:00Z');
const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'Running',
  message: 'all is well',
  observedGeneration: 1,
} as const;

describe('conditions', () => {
  it('keep their transition time until the status changes', () => {
    const first = setCondition(undefined, ready, early);
    expect(first[0]?.lastTransitionTime).toBe('2026-01-02T03:04:05Z');
    const reworded = setCondition(first, { ...ready, message: 'still' }, late);
    expect(reworded[0]).toMatchObject({ message: 'still', lastTransitionTime: '2026-01-02T03:04:05Z' });
    const changed = setCondition(reworded, { ...ready, status: 'False' }, late);
    expect(changed[0]?.lastTransitionTime).toBe('2026-01-02T03:05:00Z');
  });

  it('that did not change are the same list', () => {
    const list = setCondition([], ready, early);
    expect(setCondition(list, { ...ready }, late)).toBe(list);
  });

  it('count for a generation only when they are about it', () => {
    const list = setCondition([], ready, early);
    expect(isConditionTrue(list, 'Ready', 1)).toBe(true);
    expect(isConditionTrue(list, 'Ready', 2)).toBe(false);
    expect(isConditionTrue(list, 'Flat')).toBe(false);
  });

  it('have times as the API server writes them', () => {
    expect(timestamp(early)).toBe('2026-01-02T03:04:05Z');
    expect(microTimestamp(early)).toBe('2026-01-02T03:04:05.678000Z');
  });
});
