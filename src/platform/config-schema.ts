import { z } from 'zod';
import { findNumberClashes, hd, modality, temporaryPatients } from './config-temporary-patients.ts';
import { worklistQuirkNames } from './worklist-quirks.ts';

/** The site file as a zod schema: strict, so that a misspelt key is a mistake and not a default. */

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const milliseconds = (text: string): number => parseInt(text, 10) * (units[text.replace(/^\d+/, '')] ?? 1);

/** `10m`, `500ms`, `90d` to milliseconds; nothing is waited for no time, nor for so long that it has no date. */
const durationUpTo = (longest: string) =>
  z
    .string()
    .regex(/^\d+(ms|s|m|h|d)$/, 'a duration is a whole number and a unit: 500ms, 30s, 10m, 12h, 90d')
    .transform(milliseconds)
    .refine((wait) => wait >= 1 && wait <= milliseconds(longest), `a duration is from 1ms to ${longest}`);

const duration = durationUpTo('3650d');
// What the process itself sleeps: a longer timer of the runtime (31 bits of milliseconds) would end at once.
const sleep = durationUpTo('24d');

const port = z.int('a port is a whole number from 0 to 65535').min(0).max(65535);
const peerPort = z.int('a port is a whole number from 1 to 65535').min(1).max(65535);
const host = z.string().min(1, 'a host is a name or an address');
const count = z.int().min(1);
/** 1 to 16 printable characters (PS3.5 6.2, AE). */
export const aeTitle = z
  .string()
  .regex(/^(?! )[\x20-\x5b\x5d-\x7e]{1,16}$/, 'an AE title is 1 to 16 printable characters without a backslash');

const tls = z.strictObject({
  key: z.string(),
  cert: z.string(),
  ca: z.string().optional(),
  requireClientCertificate: z.boolean().default(true),
});

const timeZone = z.string().refine((zone) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}, 'a time zone is a name such as Europe/Berlin');

const uidRoot = z
  .string()
  .regex(/^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/, 'a UID root is digits and dots')
  .max(24, 'a UID root has at most 24 characters, so that a whole UUID fits after it');

/** ORC-5 values beyond IHE's IP, CM and DC that an order placer can be told by RAD-3. */
export const optionalOrderStatuses = ['SC', 'A', 'HD'] as const;

/** Order control codes that IHE's RAD-2 does not have and that a site may allow to a sender. */
export const optionalOrderControls = ['XO', 'HD', 'RL', 'RP', 'SS'] as const;

/** RAD-12 events beyond A08 and A40 that an image manager or report manager can be sent. */
export const optionalPatientUpdates = ['A02', 'A03', 'A06', 'A07', 'A12', 'A13'] as const;

/** What a peer is sent beyond the usual, or not sent. */
const sends = z.strictObject({
  orderStatuses: z.array(z.enum(optionalOrderStatuses)).default([]),
  orderControls: z.array(z.enum(['XX', 'UC'])).default([]),
  patientUpdates: z.array(z.enum(optionalPatientUpdates)).default([]),
  // YAML reads an unquoted 2.4 as a number.
  appointments: z.preprocess(
    (value) => (value === false ? 'none' : typeof value === 'number' ? String(value) : value),
    z.enum(['none', '2.4', '2.5.1'], "'none', or the HL7 version of appointments: 2.4 or 2.5.1").default('2.4'),
  ),
  results: z.boolean().default(true),
});

const actorNames = ['order-placer', 'image-manager', 'report-manager'] as const;

const peerName = z.string().regex(/^[A-Za-z0-9_-]{1,32}$/, 'a peer name is 1 to 32 letters, digits, _ or -');
const hl7Version = z.enum(['2.3.1', '2.5.1']);

const peer = z
  .strictObject({
    name: peerName,
    actor: z.enum(actorNames),
    hl7: z
      .strictObject({
        host,
        port: peerPort,
        application: hd,
        facility: hd,
        version: hl7Version.default('2.3.1'),
        characterSet: z.string().optional(),
        tls: tls.optional(),
      })
      .optional(),
    dicom: z.strictObject({ aeTitle, host, port: peerPort, tls: tls.optional() }).optional(),
    sends: sends.prefault({}),
  })
  .refine((value) => value.hl7 ?? value.dicom, 'a peer needs an hl7 or a dicom address');

const sender = z.strictObject({
  match: z
    .strictObject({ application: z.string().optional(), facility: z.string().optional() })
    .refine((match) => match.application ?? match.facility, 'match needs application (MSH-3) or facility (MSH-4)'),
  station: z
    .string()
    .regex(/^[A-Z][A-Z0-9]{2}-\d+(\.\d+)?$/, 'a field is named like OBR-21')
    .optional(),
  serviceCode: z.enum(['OBR-4.1', 'OBR-4.4']).default('OBR-4.1'),
  characterSet: z.string().optional(),
  assigningAuthority: z.string().optional(),
  acknowledgement: z.enum(['original', 'enhanced']).default('original'),
  orderControls: z.array(z.enum(optionalOrderControls)).default([]),
});

const quirk = z.enum(worklistQuirkNames, `there is no such quirk; there are ${worklistQuirkNames.join(', ')}`);

const station = z.strictObject({
  aeTitle,
  characterSet: z.string().optional(),
  quirks: z.array(quirk).default([]),
  host: host.optional(),
  port: peerPort.optional(),
});

const worklist = z.strictObject({
  aeTitle,
  modalities: z.array(modality).default([]),
  stations: z.array(aeTitle).default([]),
});

const limits = z.strictObject({
  hl7: z
    .strictObject({
      connections: count.default(500),
      messageBytes: count.default(16_777_216),
      idle: sleep.prefault('10m'),
    })
    .prefault({}),
  dicom: z
    .strictObject({
      associations: count.default(100),
      pduBytes: z.int().min(4096).max(1_048_576).default(65_536),
      messageBytes: count.default(4_194_304),
      idle: sleep.prefault('60s'),
      artim: sleep.prefault('30s'),
      worklistRows: count.default(10_000),
    })
    .prefault({}),
});

const policy = z.strictObject({
  accessionNumber: z.enum(['assign', 'accept']).default('assign'),
  unknownPatient: z.enum(['create', 'reject']).default('create'),
  unknownProcedure: z.enum(['accept', 'reject']).default('accept'),
  validation: z.enum(['lenient', 'strict']).default('lenient'),
  receiver: z.enum(['any', 'ours']).default('any'),
  autoSchedule: z.boolean().default(true),
  reportOrderComplete: z.enum(['on-mpps-completed', 'on-report-verified', 'never']).default('on-mpps-completed'),
  startedOnWorklist: z.boolean().default(true),
  departedOnWorklist: z.boolean().default(true),
  relayMpps: z.boolean().default(true),
});

/** How long something may be waited for, and what is done when it has not come by then. */
const timer = <const E extends readonly [string, ...string[]]>(after: string, ...effects: E) =>
  z
    .strictObject({ after: duration.prefault(after), effect: z.enum(['alarm', ...effects]).default('alarm') })
    .prefault({});

const timers = z.strictObject({
  stepNotStarted: timer('24h', 'noShow', 'cancel', 'none'),
  performedStepNotEnded: timer('24h', 'discontinue', 'none'),
  imagesNotAvailable: timer('24h', 'none'),
  orderNumberNotAssigned: timer('1h', 'schedule', 'askAgain', 'none'),
});

const organisation = z.strictObject({
  application: hd.default('SWF_OF'),
  facility: hd.default('RADIOLOGY'),
  uidRoot: uidRoot.default('2.25'),
  timeZone: timeZone.default('UTC'),
});

const ownAeTitle = aeTitle.default('SWF_OF');
const callingAeTitles = z
  .union([z.literal('any'), z.array(aeTitle).min(1)], "'any' or a list of AE titles")
  .default('any');

/** What says nothing about where somebody listens. */
const rules = {
  organisation: organisation.prefault({}),
  senders: z.array(sender).default([]),
  stations: z.array(station).default([]),
  worklists: z.array(worklist).default([]),
  limits: limits.prefault({}),
  policy: policy.prefault({}),
  temporaryPatients: temporaryPatients.prefault({}),
  catalogue: z.string().optional(),
  retry: z
    .strictObject({
      first: sleep.prefault('1s'),
      factor: z.number().min(1).max(10).default(2),
      longest: sleep.prefault('5s'),
    })
    .prefault({}),
  availability: z
    .strictObject({
      first: duration.prefault('15s'),
      factor: z.number().min(1).max(10).default(2),
      longest: duration.prefault('1h'),
      giveUpAfter: duration.prefault('30d'),
    })
    .prefault({}),
  timers: timers.prefault({}),
  retention: z.strictObject({ messages: duration.prefault('90d') }).prefault({}),
};

/** The whole site file. */
export const siteSchema = z
  .strictObject({
    ...rules,
    hl7: z
      .strictObject({ host: host.default('127.0.0.1'), port: port.default(2575), tls: tls.optional() })
      .prefault({}),
    dicom: z
      .strictObject({
        host: host.default('127.0.0.1'),
        port: port.default(11112),
        aeTitle: ownAeTitle,
        callingAeTitles,
        tls: tls.optional(),
      })
      .prefault({}),
    http: z.strictObject({ host: host.default('127.0.0.1'), port: port.default(8080) }).prefault({}),
    peers: z.array(peer).default([]),
  })
  .superRefine(findClashes);

/**
 * A piece of a site file that can be laid over another one: everything but where somebody listens. A peer is named,
 * and says only what is different with it.
 */
export const settingsSchema = z.strictObject({
  ...rules,
  dicom: z.strictObject({ aeTitle: ownAeTitle, callingAeTitles }).optional(),
  peers: z
    .array(
      z.strictObject({
        name: peerName,
        hl7: z.strictObject({ version: hl7Version.optional(), characterSet: z.string().optional() }).optional(),
        sends: sends.optional(),
      }),
    )
    .optional(),
});

export type Site = z.infer<typeof siteSchema>;

function findClashes(site: z.infer<z.ZodObject> & Partial<Site>, context: z.RefinementCtx): void {
  const peers = site.peers ?? [];
  const clash = (path: (string | number)[], message: string): void => {
    context.addIssue({ code: 'custom', path, message });
  };
  const seen = new Map<string, string>();
  const once = (key: string, path: (string | number)[], message: (other: string) => string): void => {
    const other = seen.get(key);
    if (other !== undefined) clash(path, message(other));
    else seen.set(key, path.join('.'));
  };
  for (const name of ['hl7', 'dicom', 'http'] as const) {
    const own = site[name];
    if (own && own.port !== 0)
      once(`${own.host}:${own.port}`, [name, 'port'], (other) => `the same address as ${other}`);
  }
  peers.forEach((value, index) => {
    once(`name ${value.name}`, ['peers', index, 'name'], (other) => `the same name as ${other}`);
    for (const protocol of ['hl7', 'dicom'] as const) {
      const address = value[protocol];
      if (address)
        once(
          `${address.host}:${address.port}`,
          ['peers', index, protocol, 'port'],
          (other) => `the same address as ${other}`,
        );
    }
  });
  (site.stations ?? []).forEach((value, index) =>
    once(`station ${value.aeTitle}`, ['stations', index, 'aeTitle'], (other) => `the same AE title as ${other}`),
  );
  (site.worklists ?? []).forEach((value, index) => {
    if (value.aeTitle === site.dicom?.aeTitle)
      clash(['worklists', index, 'aeTitle'], 'the same AE title as dicom.aeTitle');
    once(`worklist ${value.aeTitle}`, ['worklists', index, 'aeTitle'], (other) => `the same AE title as ${other}`);
  });
  findNumberClashes(site.temporaryPatients?.numbers ?? [], clash);
}
