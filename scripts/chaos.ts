// `npm run chaos`: see e2e/chaos/main.ts.
import './sources.ts';

await import('../e2e/chaos/main.ts');
