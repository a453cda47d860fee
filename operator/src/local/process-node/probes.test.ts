import { afterEach, describe, expect, it } from 'vitest';
import { TestCluster } from './testing/cluster.js';
import { isReady, statusOf } from './testing/pods.js';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

describe('probes', () => {
  const server = `import { createServer } from 'node:http';
    let ready = false; let healthy = true;
    createServer((request, response) => {
      if (request.url === '/become-ready') ready = true;
      if (request.url === '/become-sick') healthy = false;
      response.writeHead(request.url === '/readyz' && !ready ? 503 : request.url === '/healthz' && !healthy ? 500 : 200).end();
    }).listen(Number(process.env.PORT), process.env.POD_IP, () => console.log('listening'));`;
  const spec = {
    containers: [
      {
        name: 'main',
        image: 'test/server',
        ports: [{ name: 'http', containerPort: 9464 }],
        env: [
          { name: 'PORT', value: '9464' },
          { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        ],
        readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 1 },
        livenessProbe: {
          httpGet: { path: '/healthz', port: 9464 },
          periodSeconds: 1,
          failureThreshold: 2,
          initialDelaySeconds: 1,
        },
      },
    ],
  };

  it('make a pod ready, and restart a container that is not alive', async () => {
    cluster = await TestCluster.start({ server });
    await cluster.run('a', spec);
    await cluster.untilLogged('a', 'main', 'listening');
    const before = await cluster.until('a', ({ status }) => status?.phase === 'Running');
    expect(isReady(before)).toBe(false);
    const base = `http://${before.status?.podIP}:9464`;
    await fetch(`${base}/become-ready`);
    await cluster.until('a', isReady);
    await fetch(`${base}/become-sick`);
    const after = await cluster.until('a', (pod) => statusOf(pod)?.restartCount === 1);
    expect(statusOf(after)?.lastState.terminated?.exitCode).toBe(143);
  });
});
