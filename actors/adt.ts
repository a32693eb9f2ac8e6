import type { Hl7Identity } from './hl7-file.ts';

/** The ADT (RAD-1, RAD-12) listens to nobody, so the site file does not know it: this is how it signs its messages. */
export const adtIdentity: Hl7Identity = { application: 'ADT', facility: 'HOSPITAL' };
