import { connectSender, orm } from '../support/messages.ts';
import type { OrderFields, PatientFields } from '../support/messages.ts';

/** The steps of one order of the service MANY, all at station US1. */
export const MANY = 300;

/** The catalogue entry of MANY. */
export const manySteps = {
  service: { code: 'MANY', scheme: 'TESTPLAN', meaning: 'Many steps' },
  requestedProcedures: [
    {
      code: { code: 'MANY', scheme: 'TESTPLAN', meaning: 'Many steps' },
      steps: Array.from({ length: MANY }, () => ({ modality: 'US', stations: ['US1'], minutes: 1, protocols: [] })),
    },
  ],
};

/** Sends one order and waits until it is accepted. */
export async function order(port: number, fields: OrderFields, patient: PatientFields): Promise<void> {
  const sender = await connectSender(port);
  const { code, text } = await sender.send(orm([fields], patient)).finally(() => sender.end());
  if (code !== 'AA') throw new Error(`the order was answered ${code}: ${text}`);
}

/** Four patients: PA1 with one step at DX1, PA2 with two at MR1, PA3 with two at PET1, PA4 with MANY at US1, each on a day of its own. */
export async function orderEverything(port: number): Promise<void> {
  const wrist = 'WRIST^Wrist in two planes^TESTPLAN';
  const spine = 'SPINE^Spine with contrast^TESTPLAN';
  const trunk = 'TRUNK^Trunk PET and CT^TESTPLAN';
  const patient = (identifier: string, name: string) => ({ identifier: `${identifier}^^^CLINIC`, name });
  await order(port, { service: wrist, orcStart: '203001150900' }, patient('PA1', 'Oskarsson^Liv'));
  await order(port, { service: spine, orcStart: '203001161000' }, patient('PA2', 'Osmund^Tor'));
  await order(port, { service: trunk, orcStart: '203001171100' }, patient('PA3', 'Berg^Liv'));
  const many = 'MANY^Many steps^TESTPLAN';
  await order(port, { service: many, orcStart: '203002010700' }, patient('PA4', 'Ruud^Per'));
}
