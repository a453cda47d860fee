import type { Take } from '../recorder.ts';
import { applyScenes } from './apply.ts';
import { celScenes } from './cel.ts';
import { changeScenes } from './change.ts';
import { discoverScenes } from './discover.ts';
import { endScenes } from './end.ts';
import { readScenes } from './read.ts';

type Script = (take: Take) => Promise<void>;

/** In this order: later groups build on what earlier ones made. */
export const scenes: Readonly<Record<string, readonly Script[]>> = {
  discover: discoverScenes,
  apply: applyScenes,
  change: changeScenes,
  read: readScenes,
  end: endScenes,
  cel: celScenes,
};
