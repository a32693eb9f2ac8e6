import { describe, expect, it } from 'vitest';
import { type Catalogue, catalogueSchema } from '../../src/platform/catalogue-schema.ts';
import {
  type PlanIdentifiers,
  type PlanSite,
  orderOfService,
  planProcedures,
  planSize,
} from '../../src/workflow/planning.ts';
import type {
  CodedValue,
  OrderedService,
  PlacerOrder,
  PlannedProcedure,
  RequestedStep,
} from '../../src/workflow/vocabulary.ts';
import { failureOf } from '../hl7/support.ts';

const code = (value: string, meaning = `${value} meant`) => ({ code: value, scheme: 'L', meaning });

const catalogue: Catalogue = catalogueSchema.parse([
  {
    service: code('HEAD'),
    requestedProcedures: [
      {
        code: code('RPHEAD'),
        steps: [
          { modality: 'MR', stations: ['MR1', 'MR2'], minutes: 30, protocols: [code('P1')] },
          { modality: 'MR', stations: ['MR1'], minutes: 15, description: 'Second look', protocols: [code('P2')] },
        ],
      },
    ],
  },
  {
    service: code('PETCT'),
    requestedProcedures: [
      { code: code('PET'), steps: [{ modality: 'PT', stations: ['PET1'], minutes: 45 }] },
      { code: code('CT'), steps: [{ modality: 'CT', stations: ['PET1'], minutes: 20 }] },
    ],
  },
  { service: code('TWICE'), requestedProcedures: [{ code: code('A'), steps: [{ modality: 'CT', stations: ['C'] }] }] },
  {
    service: { ...code('TWICE'), scheme: 'M' },
    requestedProcedures: [{ code: code('B'), steps: [{ modality: 'CT', stations: ['C'] }] }],
  },
]);

const accepting: PlanSite = { catalogue, unknownProcedure: 'accept' };

const identifiers: PlanIdentifiers = {
  requestedProcedureIds: ['RP1', 'RP2', 'RP3'],
  studyInstanceUids: ['2.25.1', '2.25.2', '2.25.3'],
  scheduledProcedureStepIds: ['S1', 'S2', 'S3', 'S4'],
};

const receivedAt = { date: '2026-01-05', time: '08:15:42' };

function order(service: CodedValue, more: Partial<PlacerOrder> = {}): PlacerOrder {
  return { placerOrderNumber: { id: 'O1' }, service, ...more };
}

function planned(value: PlacerOrder, unknownProcedure: 'accept' | 'reject' = 'accept'): PlannedProcedure[] {
  return planProcedures(value, { catalogue, unknownProcedure }, identifiers, receivedAt);
}

const startsOf = (plans: readonly PlannedProcedure[]): string[] =>
  plans.flatMap((plan) => plan.steps.map((step) => `${step.start.date} ${step.start.time}`));

describe('when a step starts', () => {
  it('as the order asks', () => {
    const asked = order(code('HEAD'), { requestedStart: { date: '2026-02-03', time: '09:30:10' } });
    expect(startsOf(planned(asked))[0]).toBe('2026-02-03 09:30:10');
  });

  it('as the order asks, also in the past', () => {
    const asked = order(code('HEAD'), { requestedStart: { date: '1999-12-31', time: '09:30:00' } });
    expect(startsOf(planned(asked))[0]).toBe('1999-12-31 09:30:00');
  });

  it('at 00:00 when the order asks for a day', () => {
    expect(startsOf(planned(order(code('HEAD'), { requestedStart: { date: '2026-02-03' } })))[0]).toBe(
      '2026-02-03 00:00:00',
    );
  });

  it('at the receipt of the order, to the minute, when it asks for none', () => {
    expect(startsOf(planned(order(code('HEAD'))))[0]).toBe('2026-01-05 08:15:00');
  });

  it('when the one before it ends', () => {
    const asked = order(code('HEAD'), { requestedStart: { date: '2026-02-03', time: '09:30:00' } });
    expect(startsOf(planned(asked))).toEqual(['2026-02-03 09:30:00', '2026-02-03 10:00:00']);
  });

  it('when the one before it ends, over midnight and over the procedures of the order', () => {
    const asked = order(code('PETCT'), { requestedStart: { date: '2026-12-31', time: '23:30:00' } });
    expect(startsOf(planned(asked))).toEqual(['2026-12-31 23:30:00', '2027-01-01 00:15:00']);
  });
});

describe('a service of the catalogue', () => {
  it('becomes its requested procedures, each with a study UID and an id of its own', () => {
    const plans = planned(order(code('PETCT')));
    expect(plans.map((plan) => [plan.requestedProcedureId, plan.studyInstanceUid, plan.code.code])).toEqual([
      ['RP1', '2.25.1', 'PET'],
      ['RP2', '2.25.2', 'CT'],
    ]);
    expect(plans.flatMap((plan) => plan.steps.map((step) => step.scheduledProcedureStepId))).toEqual(['S1', 'S2']);
  });

  it('has its steps with all their stations and protocols', () => {
    const [plan] = planned(order(code('HEAD')));
    expect(plan?.steps).toMatchObject([
      { scheduledProcedureStepId: 'S1', modality: 'MR', scheduledStationAeTitles: ['MR1', 'MR2'], minutes: 30 },
      { scheduledProcedureStepId: 'S2', modality: 'MR', scheduledStationAeTitles: ['MR1'], minutes: 15 },
    ]);
    expect(plan?.steps.map((step) => step.protocols)).toEqual([[code('P1')], [code('P2')]]);
  });

  it('describes each step: its own words, else its first protocol, else the procedure (0040,0007)', () => {
    const descriptions = [...planned(order(code('HEAD'))), ...planned(order(code('PETCT')))].flatMap((plan) =>
      plan.steps.map((step) => step.description),
    );
    expect(descriptions).toEqual(['P1 meant', 'Second look', 'PET meant', 'CT meant']);
  });

  it('is found by code and coding scheme', () => {
    const codes = ['L', 'M'].map((scheme) => planned(order({ code: 'TWICE', scheme }))[0]?.code.code);
    expect(codes).toEqual(['A', 'B']);
  });

  it('is found by its code alone when the order names no scheme and only one has the code', () => {
    expect(planned(order({ code: 'HEAD' }), 'reject')[0]?.code.code).toBe('RPHEAD');
    expect(failureOf(() => planned(order({ code: 'TWICE' }), 'reject')).code).toBe('value-not-found');
  });

  it('is not one of the same code in another scheme', () => {
    expect(failureOf(() => planned(order({ code: 'HEAD', scheme: 'OTHER' }), 'reject')).code).toBe('value-not-found');
  });
});

describe('a service that the catalogue has not', () => {
  const unknown: CodedValue = { code: 'ODD', scheme: 'X', meaning: 'Odd thing' };

  it('is refused with 103 at OBR-4 where the site rejects it', () => {
    expect(failureOf(() => planned(order(unknown), 'reject'))).toEqual({
      code: 'value-not-found',
      location: 'OBR^1^4',
    });
    expect(failureOf(() => planSize(order(unknown), { catalogue, unknownProcedure: 'reject' })).code).toBe(
      'value-not-found',
    );
  });

  it('becomes one procedure with one step from OBR-4 and OBR-24 where the site accepts it', () => {
    const plans = planned(order(unknown, { modality: 'US', scheduledStationAeTitles: ['US7'] }));
    expect(plans).toHaveLength(1);
    expect(plans[0]?.code).toEqual(unknown);
    expect(plans[0]?.steps).toMatchObject([
      { modality: 'US', scheduledStationAeTitles: ['US7'], description: 'Odd thing', protocols: [] },
    ]);
  });

  it('still has a modality, which the worklist needs (PS3.4 K.6-1, type 1)', () => {
    expect(planned(order(unknown))[0]?.steps[0]?.modality).toMatch(/^[A-Z]{2}$/);
  });

  it('takes the procedure code OBR-44 before OBR-4, when it is coded', () => {
    const procedureCode = { code: 'PX', scheme: 'Y', meaning: 'Px' };
    expect(planned(order(unknown, { procedureCode }))[0]?.code).toEqual(procedureCode);
    expect(planned(order(unknown, { procedureCode: { meaning: 'text only' } }))[0]?.code).toEqual(unknown);
  });

  it('has a description that fits LO, 64 characters', () => {
    const plans = planned(order({ code: 'ODD', meaning: 'x'.repeat(200) }));
    expect(plans[0]?.steps[0]?.description.length).toBeLessThanOrEqual(64);
  });
});

describe('the identifiers of a plan', () => {
  it.each([
    ['HEAD', { procedures: 1, steps: 2 }],
    ['PETCT', { procedures: 2, steps: 2 }],
    ['UNKNOWN', { procedures: 1, steps: 1 }],
  ])('of %s are as many as planSize says: %j', (service, size) => {
    expect(planSize(order(code(service)), accepting)).toMatchObject(size);
    const plans = planned(order(code(service)));
    expect([plans.length, plans.flatMap((plan) => plan.steps).length]).toEqual([size.procedures, size.steps]);
  });

  it('that are too few are an error of the program, never a number given twice', () => {
    const few = { ...identifiers, scheduledProcedureStepIds: ['S1'] };
    const plan = () => planProcedures(order(code('HEAD')), { catalogue, unknownProcedure: 'accept' }, few, receivedAt);
    expect(failureOf(plan).code).toBe('internal');
  });
});

describe('an ORC with several OBR (HL7 v2.3.1 4.2)', () => {
  const several = order(code('HEAD'), { furtherServices: [{ service: code('PETCT') }] });

  it('is planned service by service, each procedure with the OBR that it is of', () => {
    const plans = planned(several);
    expect(plans.map(({ code: { code: value }, serviceIndex }) => [value, serviceIndex])).toEqual([
      ['RPHEAD', 0],
      ['PET', 1],
      ['CT', 1],
    ]);
    expect(plans.flatMap(({ steps }) => steps.map((step) => step.scheduledProcedureStepId))).toEqual([
      'S1',
      'S2',
      'S3',
      'S4',
    ]);
    expect(new Set(plans.map(({ studyInstanceUid }) => studyInstanceUid)).size).toBe(3);
  });

  it('has its steps one after the other over all services: a patient is at one station at a time', () => {
    const asked = { ...several, requestedStart: { date: '2026-02-03', time: '09:00:00' } };
    expect(startsOf(planned(asked)).map((start) => start.slice(11))).toEqual([
      '09:00:00',
      '09:30:00',
      '09:45:00',
      '10:30:00',
    ]);
  });

  it('needs as many identifiers as all services together', () => {
    expect(planSize(several, accepting)).toEqual({ procedures: 3, steps: 4, inCatalogue: true });
    const withUnknown = { ...several, furtherServices: [{ service: code('ODD') }] };
    expect(planSize(withUnknown, accepting)).toEqual({ procedures: 2, steps: 3, inCatalogue: false });
  });

  it('with a service that the site rejects is refused as a whole, at the OBR that orders it', () => {
    const site: PlanSite = { catalogue, unknownProcedure: 'reject' };
    const withUnknown = order(code('HEAD'), { furtherServices: [{ service: code('ODD') }] });
    expect(failureOf(() => planSize(withUnknown, site))).toEqual({ code: 'value-not-found', location: 'OBR^2^4' });
  });
});

describe('an order as the OBR of one of its procedures has it', () => {
  const left = ['', '', '', '', 'L'];
  const first: Omit<PlacerOrder, 'service' | 'furtherServices'> = {
    modality: 'MR',
    procedureCode: code('PX'),
    specimenSource: left,
    placerSupplementalServiceInformation: code('LEFT'),
    scheduledStationAeTitles: ['MR1'],
    steps: [{ protocols: [], scheduledStationAeTitles: ['MR1'] }],
    priority: 'S',
    reason: code('PAIN'),
    relevantClinicalInformation: 'asked by the first OBR',
  };
  const withFurther = (further: OrderedService): PlacerOrder =>
    order(code('HEAD'), { ...first, furtherServices: [further] });

  it('is the order itself for the first', () => {
    const asked = withFurther({ service: code('KNEE') });
    expect(orderOfService(asked, 0)).toEqual(asked);
  });

  it('has for a further one what that one says', () => {
    const further = {
      service: code('KNEE'),
      modality: 'CT',
      specimenSource: ['', '', '', '', 'R'],
      reason: code('FALL'),
    };
    expect(orderOfService(withFurther(further), 1)).toMatchObject(further);
  });

  it('never has for a further one what or which side the first one examines', () => {
    const knee = orderOfService(withFurther({ service: code('KNEE') }), 1);
    const own = ['modality', 'procedureCode', 'specimenSource', 'placerSupplementalServiceInformation', 'steps'];
    expect(knee.service).toEqual(code('KNEE'));
    expect([...own, 'scheduledStationAeTitles'].filter((key) => key in knee)).toEqual([]);
  });

  it('has for a further one what is said once for the order: number, priority, reason', () => {
    expect(orderOfService(withFurther({ service: code('KNEE') }), 1)).toMatchObject({
      placerOrderNumber: { id: 'O1' },
      priority: 'S',
      reason: code('PAIN'),
      relevantClinicalInformation: 'asked by the first OBR',
    });
  });

  it('is the order where there is no such OBR', () => {
    const asked = withFurther({ service: code('KNEE') });
    expect(orderOfService(asked, 7)).toEqual(asked);
  });
});

describe('steps that the sender planned itself (IPC of OMI^O23)', () => {
  const plannedStep = (more: Partial<RequestedStep> = {}): RequestedStep => ({
    protocols: [],
    scheduledStationAeTitles: [],
    ...more,
  });
  const asked = (...steps: RequestedStep[]): PlacerOrder =>
    order(code('ODD', 'Odd thing'), {
      modality: 'US',
      scheduledStationAeTitles: ['US7'],
      requestedStart: { date: '2026-02-03', time: '09:00:00' },
      steps,
    });

  it('become the steps of one procedure, each with what its IPC says', () => {
    const own = { modality: 'CT', protocols: [code('P9')], scheduledStationAeTitles: ['CT3'], minutes: 20 };
    const [plan, another] = planned(asked(own, plannedStep()));
    expect(another).toBeUndefined();
    expect(plan?.steps).toMatchObject([
      { ...own, scheduledProcedureStepId: 'S1', description: 'P9 meant', start: { time: '09:00:00' } },
      { scheduledProcedureStepId: 'S2', start: { time: '09:20:00' } },
    ]);
  });

  it('have what their IPC leaves out from the OBR, and 30 minutes', () => {
    expect(planned(asked(plannedStep()))[0]?.steps).toMatchObject([
      { modality: 'US', scheduledStationAeTitles: ['US7'], minutes: 30, description: 'Odd thing', protocols: [] },
    ]);
  });

  it('count as steps when numbers are taken', () => {
    expect(planSize(asked(plannedStep(), plannedStep()), accepting)).toEqual({
      procedures: 1,
      steps: 2,
      inCatalogue: false,
    });
  });

  it('are not planned where the catalogue has the service: the department plans', () => {
    const known = { ...asked(plannedStep({ modality: 'CT' })), service: code('HEAD') };
    expect(planned(known)[0]?.steps.map(({ modality }) => modality)).toEqual(['MR', 'MR']);
  });
});
