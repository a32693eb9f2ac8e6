import { z } from 'zod';
import { aeTitle } from './config-schema.ts';
import { modality } from './config-temporary-patients.ts';

/** The catalogue as a zod schema: strict, so that a misspelt key is a mistake and not a default. */

const code = z.strictObject({
  code: z.string().min(1).max(16, 'a code value has at most 16 characters (SH)'),
  scheme: z.string().min(1).max(16, 'a coding scheme has at most 16 characters (SH)'),
  meaning: z.string().min(1).max(64, 'a code meaning has at most 64 characters (LO)'),
});

const shortText = z.string().min(1).max(16, 'this text has at most 16 characters (SH)');
const longText = z.string().min(1).max(64, 'this text has at most 64 characters (LO)');

const catalogueStep = z.strictObject({
  modality,
  stations: z.array(aeTitle).min(1),
  minutes: z.int().min(1).max(1440).default(30),
  description: z.string().max(64).optional(),
  protocols: z.array(code).default([]),
  stationName: shortText.optional(),
  location: shortText.optional(),
  contrastAgent: longText.optional(),
  preMedication: longText.optional(),
});

const catalogueEntry = z.strictObject({
  service: code,
  requestedProcedures: z.array(z.strictObject({ code, steps: z.array(catalogueStep).min(1) })).min(1),
});

/** The procedure plan: which requested procedures and steps an ordered service becomes. */
export const catalogueSchema = z.array(catalogueEntry).superRefine((entries, context) => {
  const seen = new Map<string, number>();
  entries.forEach((entry, index) => {
    const key = `${entry.service.code}^${entry.service.scheme}`;
    const other = seen.get(key);
    if (other !== undefined)
      context.addIssue({ code: 'custom', path: [index, 'service'], message: `the same service as entry ${other}` });
    else seen.set(key, index);
  });
});

export type Catalogue = z.infer<typeof catalogueSchema>;
