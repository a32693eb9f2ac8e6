#!/usr/bin/env node
// The sources are TypeScript and run unbuilt, in this process: signals reach it directly.
import { register } from 'tsx/esm/api';

register();
await import('../src/cli.ts');
