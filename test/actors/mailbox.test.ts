import { describe, expect, it } from 'vitest';
import { type Arrival, belongs, createMailbox } from '../../actors/mailbox.ts';

const raw = new Uint8Array();

function arrival(actor: string, type: string, ...values: string[]): Arrival {
  return { actor, protocol: type.includes('^') ? 'hl7' : 'dicom', type, at: 0, values: new Set(values), raw };
}

const isOurs = (one: Arrival): boolean => belongs(one, new Set(['P-k3f9']));
const isTheirs = (): boolean => false;
const wanted = { actor: 'IM', type: 'ORM^O01', isOurs };
const watch = { isOurs, counts: ({ actor }: Arrival): boolean => actor === 'IM' };

/** Long enough for a fact to come, never waited out by a test that passes. */
const long = 10_000;

describe('receive', () => {
  it('takes the oldest unclaimed message of its type at its actor', async () => {
    const mailbox = createMailbox();
    const [first, second] = [arrival('IM', 'ORM^O01', 'P-k3f9'), arrival('IM', 'ORM^O01', 'P-k3f9')];
    mailbox.add(arrival('RM', 'ORM^O01', 'P-k3f9'));
    mailbox.add(arrival('IM', 'ADT^A08', 'P-k3f9'));
    mailbox.add(first);
    mailbox.add(second);

    expect(await mailbox.claim(wanted, long)).toBe(first);
    expect(await mailbox.claim(wanted, long)).toBe(second);
    expect(mailbox.backlog().map(({ actor, type }) => `${actor} ${type}`)).toEqual(['RM ORM^O01', 'IM ADT^A08']);
  });

  it('passes over a message of somebody else and leaves it where it is', async () => {
    const mailbox = createMailbox();
    const [backlog, mine] = [arrival('IM', 'ORM^O01', 'P-other'), arrival('IM', 'ORM^O01', 'P-k3f9')];
    mailbox.add(backlog);
    mailbox.add(mine);

    expect(await mailbox.claim(wanted, long)).toBe(mine);
    expect(mailbox.backlog()).toEqual([backlog]);
  });

  it('waits for a message that is not there yet', async () => {
    const mailbox = createMailbox();
    const waiting = mailbox.claim(wanted, long);
    const late = arrival('IM', 'ORM^O01', 'P-k3f9');
    mailbox.add(arrival('IM', 'ORM^O01', 'P-other'));
    mailbox.add(late);

    expect(await waiting).toBe(late);
  });

  it('ends without a message when the time is over, and at once when the playing is stopped', async () => {
    const mailbox = createMailbox();
    const stop = new AbortController();
    const waiting = mailbox.claim(wanted, long, stop.signal);
    stop.abort();

    expect(await waiting).toBeUndefined();
    expect(await mailbox.claim(wanted, 1)).toBeUndefined();
  });

  it('takes a message whose identifier was captured only after it arrived', async () => {
    const mailbox = createMailbox();
    const identifiers = new Set<string>();
    mailbox.add(arrival('IM', 'ORM^O01', 'F000123'));
    identifiers.add('F000123');

    expect(await mailbox.claim({ ...wanted, isOurs: (one) => belongs(one, identifiers) }, long)).toBeDefined();
  });

  it('takes OMI^O23 also when it is asked for with its structure', async () => {
    const mailbox = createMailbox();
    mailbox.add(arrival('IM', 'OMI^O23', 'P-k3f9'));

    expect(await mailbox.claim({ ...wanted, type: 'OMI^O23^OMI_O23' }, long)).toBeDefined();
  });
});

describe('quiet', () => {
  it('passes over the backlog and over actors outside the cast', async () => {
    const mailbox = createMailbox();
    mailbox.add(arrival('IM', 'ORM^O01', 'P-other'));
    mailbox.add(arrival('RM', 'ORM^O01', 'P-k3f9'));

    expect(await mailbox.quiet(watch, 5)).toEqual([]);
    expect(mailbox.unclaimed(watch)).toEqual([]);
  });

  it('ends at once with a message that no step claimed', async () => {
    const mailbox = createMailbox();
    const duplicate = arrival('IM', 'ORM^O01', 'P-k3f9');
    mailbox.add(duplicate);

    expect(await mailbox.quiet(watch, long)).toEqual([duplicate]);
  });

  it('ends at once with a message that comes while it waits', async () => {
    const mailbox = createMailbox();
    const waiting = mailbox.quiet(watch, long);
    const late = arrival('IM', 'ORM^O01', 'P-k3f9');
    mailbox.add(late);

    expect(await waiting).toEqual([late]);
  });
});

describe('what was set aside', () => {
  it('is handed out once, without what counts against the playing', () => {
    const mailbox = createMailbox();
    const aside = arrival('RM', 'ORM^O01', 'P-k3f9');
    mailbox.add(aside);
    mailbox.add(arrival('IM', 'ORM^O01', 'P-k3f9'));

    expect(mailbox.takeAside(watch, isTheirs)).toEqual([aside]);
    expect(mailbox.takeAside(watch, isTheirs)).toEqual([]);
  });
});
