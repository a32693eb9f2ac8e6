import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// `npm run torture`: what takes too long to be asked for with every change.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { ...base.test, include: ['test/torture/**/*.torture.ts'] },
});
