// Every pair of a stage and a fault: a cell to run, or the reason why it has no meaning.
import type { Cell } from './cell.ts';
import { stages } from './stages.ts';
import { strikes } from './strikes.ts';

export const nameOf = ({ stage, strike }: Cell): string => `${stage.id} × ${strike.id}`;

const pairs: readonly Cell[] = stages.flatMap((stage) => strikes.map((strike) => ({ stage, strike })));

export const cells: readonly Cell[] = pairs.filter(({ stage, strike }) => !strike.pointless?.(stage));

export const pointless: readonly (Cell & { readonly reason: string })[] = pairs.flatMap((cell) => {
  const reason = cell.strike.pointless?.(cell.stage);
  return reason === undefined ? [] : [{ ...cell, reason }];
});

/** Whether the process is killed in this cell. */
export const kills = ({ stage, strike }: Cell): boolean => strike.id === 'kill' || stage.crash === true;
