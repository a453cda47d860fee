// Applying, both ways, and what else writes whole objects.
import type { Take } from '../recorder.ts';
import { account, core, NAMESPACE, strategy } from './manifests.ts';

const config = (color: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { color: ${color}, size: small }\n`;

export const applyScenes = [
  async (take: Take) => {
    await take.kubectl(`create namespace ${NAMESPACE}`);
    await take.kubectl(`config set-context --current --namespace=${NAMESPACE}`);
  },
  async (take: Take) => {
    take.file('account.yaml', account);
    take.file('core.yaml', core);
    take.file('taker.yaml', strategy('taker'));
    await take.kubectl('apply -f account.yaml -f core.yaml -f taker.yaml');
  },
  async (take: Take) => {
    await take.kubectl('apply -f account.yaml -f core.yaml -f taker.yaml');
  },
  async (take: Take) => {
    take.file('taker.yaml', strategy('taker', { notional: '1500', symbols: 'BTCUSDC' }));
    await take.kubectl('apply -f taker.yaml');
  },
  async (take: Take) => {
    take.file('taker.yaml', strategy('taker', { notional: '1600', symbols: 'BTCUSDC' }));
    await take.kubectl('diff -f taker.yaml');
    await take.kubectl('apply -f taker.yaml --dry-run=server');
    await take.kubectl('apply view-last-applied ts/taker -o json');
  },
  async (take: Take) => {
    take.file('maker.yaml', strategy('maker'));
    await take.kubectl('apply --server-side -f maker.yaml');
    await take.kubectl('apply --server-side -f maker.yaml');
  },
  async (take: Take) => {
    take.file('maker.yaml', strategy('maker', { notional: '1800', symbols: 'ETHUSDC, BTCUSDC, SOLUSDC' }));
    await take.kubectl('apply --server-side -f maker.yaml');
    await take.kubectl('get ts maker -o yaml --show-managed-fields');
  },
  async (take: Take) => {
    take.file('maker.yaml', strategy('maker', { notional: '1900' }));
    await take.kubectl('apply --server-side --field-manager=desk-tool -f maker.yaml');
    await take.kubectl('apply --server-side --field-manager=desk-tool --force-conflicts -f maker.yaml');
    await take.kubectl(
      'apply --server-side --field-manager=desk-tool -f maker.yaml --dry-run=server -o name',
    );
    await take.kubectl('diff --server-side --field-manager=desk-tool -f maker.yaml');
  },
  async (take: Take) => {
    // From client-side to server-side.
    await take.kubectl('apply --server-side -f taker.yaml');
    await take.kubectl('get ts taker -o json --show-managed-fields');
  },
  async (take: Take) => {
    take.file('settings.yaml', config('red'));
    await take.kubectl('apply --server-side -f settings.yaml');
    take.file('settings2.yaml', config('blue').replace(', size: small', ''));
    await take.kubectl('apply --server-side -f settings2.yaml');
    await take.kubectl('get cm settings -o yaml --show-managed-fields');
  },
  async (take: Take) => {
    take.file('other.yaml', config('red').replace('settings', 'other'));
    await take.kubectl('apply -f other.yaml');
    await take.kubectl('apply -f other.yaml');
  },
  async (take: Take) => {
    take.file('bad.yaml', strategy('bad', { extra: '  colour: red\n' }));
    await take.kubectl('apply -f bad.yaml');
    await take.kubectl('apply --server-side -f bad.yaml');
    await take.kubectl('create -f bad.yaml --dry-run=server --validate=warn');
    await take.kubectl('create -f bad.yaml --dry-run=server --validate=ignore');
  },
  async (take: Take) => {
    take.file('bad.yaml', strategy('bad', { notional: '20000' }));
    await take.kubectl('apply -f bad.yaml');
    take.file('bad2.yaml', strategy('bad', { notional: 'much' }));
    await take.kubectl('apply -f bad2.yaml');
    take.file('bad3.yaml', strategy('bad', { extra: '  suspended: 5\n' }));
    await take.kubectl('apply -f bad3.yaml');
    take.file('bad4.yaml', strategy('bad', { symbols: '' }));
    await take.kubectl('apply --server-side -f bad4.yaml');
    take.file(
      'bad5.yaml',
      strategy('bad').replace('  strategy: momentum-taker\n', '').replace('mode: Paper', 'mode: Fast'),
    );
    await take.kubectl('create -f bad5.yaml');
    take.file('bad6.yaml', strategy('Bad_Name'));
    await take.kubectl('create -f bad6.yaml');
  },
  async (take: Take) => {
    await take.kubectl('create -f taker.yaml');
    take.file('fresh.yaml', strategy('fresh', { symbols: 'SOLUSDC' }));
    await take.kubectl('create -f fresh.yaml -o name');
    take.file('fresh.yaml', strategy('fresh', { symbols: 'XRPUSDC' }));
    await take.kubectl('replace -f fresh.yaml');
    await take.kubectl('replace -f fresh.yaml --dry-run=server');
    take.file('absent.yaml', strategy('absent'));
    await take.kubectl('replace -f absent.yaml');
    await take.kubectl('create -f fresh.yaml -n nowhere');
  },
  async (take: Take) => {
    await take.kubectl('edit ts fresh', { KUBE_EDITOR: 'sed -i s/mode:.Paper/mode:\\ Shadow/' });
  },
  async (take: Take) => {
    await take.kubectl('create configmap words --from-literal=a=1 --from-literal=b=2');
    await take.kubectl('create secret generic keys --from-literal=apiKey=abc --from-literal=secretKey=def');
    await take.kubectl('create configmap words --from-literal=a=1');
    await take.kubectl('create configmap dry --from-literal=a=1 --dry-run=server -o yaml');
  },
];
