// Which binaries can be held on an order's way.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { coreBinary } from './core.ts';

/** What the name of every failpoint begins with: core-engine/crates/net/src/failpoint.rs. */
const names = /failpoint-[a-z][a-z-]+/g;

const pointsIn = (binary: string): Set<string> => new Set(readFileSync(binary, 'latin1').match(names) ?? []);

/** What is wrong: a binary that trades has failpoints, or the one for these cells has none. */
export function failpointComplaints(): string[] {
  const released = [...pointsIn(join(dirname(coreBinary), 'flashpod-core'))];
  const held = pointsIn(coreBinary);
  return [
    ...(released.length === 0 ? [] : [`the release binary has failpoints: ${released.join(', ')}`]),
    ...(held.size > 0 ? [] : [`${coreBinary} has no failpoints: build it with --features failpoints`]),
  ];
}
