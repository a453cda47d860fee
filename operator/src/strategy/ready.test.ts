import type { StrategyInstance, StrategyInstanceStatus, TradingStrategyStatus } from '@flashpod/crds';
import { expect, test } from 'vitest';
import type { Pod } from '../kube/index.js';
import { strategy } from '../testing/desk.js';
import { lossEvent, readyVerdict } from './ready.js';
import type { World } from './world.js';

const ready = (status: 'True' | 'False', reason: string): TradingStrategyStatus => ({
  conditions: [{ type: 'Ready', status, reason, message: '', lastTransitionTime: '' }],
});
const trading = ready('True', 'Trading');

function verdict(
  status: Partial<StrategyInstanceStatus>,
  before: TradingStrategyStatus | undefined,
  pod?: Pod['status'],
) {
  const instance = { metadata: { name: 'i' }, status: { state: 'Halted', ...status } } as StrategyInstance;
  const world = {
    strategy: { ...strategy('s'), ...(before === undefined ? {} : { status: before }) },
    policies: new Map(),
    pods: new Map(pod === undefined ? [] : [['i', { status: pod }]]),
  } as unknown as World;
  return readyVerdict(world, { accepted: 'True' } as never, instance);
}

const failed = 'STRATEGY_FAILED: onBook threw: broken; its orders are kept (onSidecarLoss Keep)';
const lost = 'SIDECAR_LOST: no sidecar is connected; its orders are cancelled (onSidecarLoss Cancel)';
const crashed: Pod['status'] = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'False' }],
  containerStatuses: [
    {
      name: 'strategy',
      image: '',
      imageID: '',
      ready: false,
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 3 } },
    },
  ] as never,
};

test('a strategy that failed says why, what became of its orders, and how it is started anew', () => {
  const seen = verdict({ reasons: [failed], sidecarConnected: true }, trading);
  expect(seen).toEqual({
    status: 'False',
    reason: 'StrategyFailed',
    message: `${failed}; to start it anew: kubectl delete pod i`,
  });
  expect(lossEvent(seen, trading)).toMatchObject({ type: 'Warning', reason: 'StrategyFailed' });
  expect(lossEvent(seen, ready('False', 'StrategyFailed'))).toBeUndefined();
});

test('a sidecar that is lost says so, with the state of its pod', () => {
  const seen = verdict({ reasons: [lost], sidecarConnected: false }, trading, crashed);
  expect(seen.reason).toBe('SidecarLost');
  expect(seen.message).toBe(
    `${lost}; pod i is Running, not ready, restarted 3 times, ended last with exit code 3`,
  );
  expect(lossEvent(seen, trading)).toMatchObject({ type: 'Warning', reason: 'SidecarLost' });
  expect(lossEvent(seen, ready('False', 'SidecarLost'))).toBeUndefined();
});

test('a sidecar that hangs is lost though its stream is open, and kept orders do not hide it', () => {
  const silent = 'SIDECAR_LOST: the sidecar is silent; its orders are kept (onSidecarLoss Keep)';
  const seen = verdict({ state: 'Active', reasons: [silent], sidecarConnected: true }, trading);
  expect(seen).toMatchObject({ status: 'False', reason: 'SidecarLost' });
});

test('before there was a sidecar it is not lost but late', () => {
  const starting = ready('False', 'PodNotReady');
  const seen = verdict({ reasons: [lost], sidecarConnected: false }, starting, { phase: 'Pending' });
  expect(seen).toEqual({ status: 'False', reason: 'PodNotReady', message: 'pod i is Pending' });
  expect(lossEvent(seen, starting)).toBeUndefined();
});

test('one that was there is lost also when its pod was seen to be unready first', () => {
  const unready = ready('False', 'PodNotReady');
  expect(verdict({ reasons: [lost], acceptedOrders: 1 }, unready).reason).toBe('SidecarLost');
  expect(verdict({ reasons: [lost] }, unready, crashed).reason).toBe('SidecarLost');
});

test('a loss limit that was reached is the reason, told once, and so is its reset', () => {
  const said = 'RISK_DAILY_LOSS: 10.01 USDC lost since 00:00 UTC, maxDailyLoss is 10';
  const seen = verdict({ reasons: ['STARTING: not yet', said], sidecarConnected: true }, trading);
  expect(seen).toEqual({ status: 'False', reason: 'LossLimitReached', message: said });
  const reached = ready('False', 'LossLimitReached');
  expect(lossEvent(seen, trading)).toMatchObject({ type: 'Warning', reason: 'LossLimitReached' });
  expect(lossEvent(seen, reached)).toBeUndefined();
  const again = verdict({ state: 'Active', sidecarConnected: true }, reached);
  expect(lossEvent(again, reached)).toMatchObject({ type: 'Normal', reason: 'LossLimitReset' });
  expect(lossEvent(again, trading)).toBeUndefined();
});
