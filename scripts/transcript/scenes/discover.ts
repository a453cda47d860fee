// What the server is and what it serves.
import type { Take } from '../recorder.ts';
import { CRDS, crd } from './manifests.ts';

export const discoverScenes = [
  async (take: Take) => {
    await take.kubectl('version');
  },
  async (take: Take) => {
    for (const plural of CRDS) take.file(`${plural}.yaml`, crd(plural));
    await take.kubectl(`create ${CRDS.map((plural) => `-f ${plural}.yaml`).join(' ')}`);
    await take.settled('/apis', (body) => JSON.stringify(body).includes('trading.flashpod.dev'));
    // Published kind by kind.
    await take.settled('/openapi/v3/apis/trading.flashpod.dev/v1alpha1', (body) =>
      CRDS.every((plural) => JSON.stringify(body).includes(`/${plural}/{name}/status`)),
    );
  },
  async (take: Take) => {
    await take.kubectl('wait --for=condition=Established crd --all --timeout=30s');
  },
  async (take: Take) => {
    await take.kubectl('get crd tradingstrategies.trading.flashpod.dev');
  },
  async (take: Take) => {
    await take.kubectl('api-versions');
  },
  async (take: Take) => {
    await take.kubectl('api-resources -o wide');
  },
  async (take: Take) => {
    await take.kubectl('api-resources --api-group=trading.flashpod.dev --categories=flashpod -o name');
  },
  async (take: Take) => {
    await take.kubectl('explain ts');
  },
  async (take: Take) => {
    await take.kubectl('explain tradingstrategies.spec.risk --recursive');
  },
  async (take: Take) => {
    await take.kubectl('explain pod.spec.containers.ports');
  },
  async (take: Take) => {
    await take.kubectl('explain leases --recursive');
  },
  async (take: Take) => {
    await take.kubectl('explain nothing');
  },
  async (take: Take) => {
    await take.kubectl('get --raw /readyz');
    await take.kubectl('get --raw /healthz');
    await take.kubectl('get --raw /livez');
    await take.kubectl('get --raw /api');
    await take.kubectl('get --raw /apis');
    await take.kubectl('get --raw /api/v1');
    await take.kubectl('get --raw /apis/trading.flashpod.dev/v1alpha1');
    await take.kubectl('get --raw /apis/trading.flashpod.dev');
    await take.kubectl('get --raw /nothing');
    await take.kubectl('get --raw /apis/nothing.example.com/v1/things');
  },
];
