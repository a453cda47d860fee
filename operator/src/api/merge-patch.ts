import { stableJson } from './names.js';

/**
 * The JSON merge patch (RFC 7386) that turns `before` into `after`, or undefined when they say the same. Lists are
 * replaced whole, fields that are gone become null, and what did not change does not travel.
 */
export function mergePatchOf(before: unknown, after: unknown): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  const old = isRecord(before) ? before : {};
  const wanted = isRecord(after) ? after : {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
    const value = wanted[key];
    if (value === undefined) {
      if (old[key] !== undefined) patch[key] = null;
    } else if (isRecord(value) && isRecord(old[key])) {
      const inner = mergePatchOf(old[key], value);
      if (inner !== undefined) patch[key] = inner;
    } else if (stableJson(value) !== stableJson(old[key])) {
      patch[key] = value;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
