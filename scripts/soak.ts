// `npm run soak -- [--for 1h] [--json FILE]`: see e2e/soak/main.ts.
import './sources.ts';

await import('../e2e/soak/main.ts');
