import { createRequire } from 'node:module';
import dimse from 'dcmjs-dimse';
import { SwfError } from '../platform/errors.ts';

// The members of dcmjs-dimse that its declarations leave out and that the wrap stands on.
const PRIVATE_MEMBERS = ['_wrapSocket', '_performDimse', '_sendDimse'] as const;

/**
 * Silences dcmjs-dimse and dcmjs, which print values of data sets, and checks that the private members the wrap
 * relies on are there. Throws `internal` when a different version was installed.
 */
export function prepareLibrary(): void {
  const members: object = dimse.Scp.prototype;
  const missing = PRIVATE_MEMBERS.filter((name) => !(name in members));
  if (missing.length > 0) {
    throw new SwfError(
      'internal',
      `dcmjs-dimse lacks ${missing.join(', ')}: install version 0.3.3, as package.json says`,
    );
  }
  dimse.log.setLevel('silent');
  const dcmjs = createRequire(import.meta.url)('dcmjs') as { log: { setLevel(level: string): void } };
  dcmjs.log.setLevel('silent');
}
