import { SwfError } from '../platform/errors.ts';

/** PDU types (PS3.8 9.3.1). */
export const pduType = {
  associateRequest: 1,
  associateAccept: 2,
  associateReject: 3,
  data: 4,
  releaseRequest: 5,
  releaseResponse: 6,
  abort: 7,
} as const;

export const DICOM_APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';

/** Names this implementation to the other side (PS3.7 D.3.3.2): a UID from a UUID (PS3.5 B.2) and a version. */
const IMPLEMENTATION_CLASS_UID = '2.25.206517411183542919301741025913560743217';
const IMPLEMENTATION_VERSION = 'SWF_ORCHESTRATOR';

const itemType = {
  applicationContext: 0x10,
  proposedContext: 0x20,
  acceptedContext: 0x21,
  abstractSyntax: 0x30,
  transferSyntax: 0x40,
  userInformation: 0x50,
  maximumLength: 0x51,
  implementationClassUid: 0x52,
  implementationVersion: 0x55,
  extendedNegotiation: 0x56,
} as const;

export interface ProposedContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

/** Application information of one SOP class (PS3.7 D.3.3.5). */
export interface ExtendedNegotiation {
  readonly sopClassUid: string;
  readonly information: Uint8Array;
}

/** A-ASSOCIATE-RQ (PS3.8 9.3.2), AE titles without padding. */
export interface AssociateRequest {
  readonly protocolVersion: number;
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly applicationContext: string;
  readonly contexts: readonly ProposedContext[];
  /** Largest P-DATA-TF the sender takes, in bytes; 0 means no limit (PS3.8 D.1). */
  readonly maxPduLength: number;
  readonly extendedNegotiations: readonly ExtendedNegotiation[];
}

/** Result of one presentation context (PS3.8 9.3.3.2): 0 accepted, 3 abstract syntax, 4 transfer syntaxes refused. */
export interface ContextResult {
  readonly id: number;
  readonly result: 0 | 3 | 4;
  readonly transferSyntax: string;
}

export interface AssociateAccept {
  readonly results: readonly { id: number; result: number; transferSyntax: string }[];
  readonly maxPduLength: number;
}

interface Item {
  readonly type: number;
  readonly body: Buffer;
}

const malformed = (what: string): SwfError => new SwfError('data-type', `${what} is malformed (PS3.8 9.3)`);

function* itemsOf(bytes: Buffer, what: string): Generator<Item> {
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 4) throw malformed(what);
    const end = at + 4 + bytes.readUInt16BE(at + 2);
    if (end > bytes.length) throw malformed(what);
    yield { type: bytes[at] ?? 0, body: bytes.subarray(at + 4, end) };
    at = end;
  }
}

const item = (type: number, body: Buffer): Buffer => {
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
};

const textItem = (type: number, text: string): Buffer => item(type, Buffer.from(text, 'latin1'));

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const uid = (bytes: Buffer): string => bytes.toString('latin1').replaceAll('\0', '').trim();

/** One PDU: type, length, body (PS3.8 9.3.1). */
export function encodePdu(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 0]), uint32(body.length), body]);
}

function proposedContext(body: Buffer): ProposedContext {
  if (body.length < 4) throw malformed('a presentation context');
  const found = [...itemsOf(body.subarray(4), 'a presentation context')];
  const abstractSyntaxes = found.filter(({ type }) => type === itemType.abstractSyntax);
  const [abstractSyntax] = abstractSyntaxes;
  if (!abstractSyntax || abstractSyntaxes.length > 1) throw malformed('a presentation context');
  const transferSyntaxes = found.filter(({ type }) => type === itemType.transferSyntax).map((each) => uid(each.body));
  return { id: body[0] ?? 0, abstractSyntax: uid(abstractSyntax.body), transferSyntaxes };
}

function maximumLength(userItems: readonly Item[]): number {
  const found = userItems.find(({ type }) => type === itemType.maximumLength);
  if (!found) return 0;
  if (found.body.length !== 4) throw malformed('the maximum length');
  return found.body.readUInt32BE(0);
}

function extendedNegotiation({ body }: Item): ExtendedNegotiation {
  const end = body.length < 2 ? Infinity : 2 + body.readUInt16BE(0);
  if (end > body.length) throw malformed('an extended negotiation');
  return { sopClassUid: uid(body.subarray(2, end)), information: body.subarray(end) };
}

const userItemsOf = (items: readonly Item[]): Item[] =>
  items
    .filter(({ type }) => type === itemType.userInformation)
    .flatMap(({ body }) => [...itemsOf(body, 'the user information')]);

/** The body of an A-ASSOCIATE-RQ. Throws `data-type` when it is malformed or uses a context identifier twice. */
export function parseAssociateRequest(body: Buffer): AssociateRequest {
  if (body.length < 68) throw malformed('the A-ASSOCIATE-RQ');
  const found = [...itemsOf(body.subarray(68), 'the A-ASSOCIATE-RQ')];
  const contexts = found
    .filter(({ type }) => type === itemType.proposedContext)
    .map((each) => proposedContext(each.body));
  if (new Set(contexts.map(({ id }) => id)).size !== contexts.length)
    throw malformed('a presentation context identifier');
  const userItems = userItemsOf(found);
  return {
    protocolVersion: body.readUInt16BE(0),
    calledAeTitle: body.toString('latin1', 4, 20).trim(),
    callingAeTitle: body.toString('latin1', 20, 36).trim(),
    applicationContext: uid(found.find(({ type }) => type === itemType.applicationContext)?.body ?? Buffer.alloc(0)),
    contexts,
    maxPduLength: maximumLength(userItems),
    extendedNegotiations: userItems
      .filter(({ type }) => type === itemType.extendedNegotiation)
      .map(extendedNegotiation),
  };
}

const implementation = (): Buffer[] => [
  textItem(itemType.implementationClassUid, IMPLEMENTATION_CLASS_UID),
  textItem(itemType.implementationVersion, IMPLEMENTATION_VERSION),
];

const userInformation = (maxPduLength: number, more: readonly Buffer[]): Buffer =>
  item(
    itemType.userInformation,
    Buffer.concat([item(itemType.maximumLength, uint32(maxPduLength)), ...implementation(), ...more]),
  );

/** The head of A-ASSOCIATE-RQ and -AC up to the application context: version, AE titles of 16 characters. */
function associateHead(calledAeTitle: string, callingAeTitle: string): Buffer {
  const aeTitles = calledAeTitle.padEnd(16).slice(0, 16) + callingAeTitle.padEnd(16).slice(0, 16);
  const head = Buffer.alloc(68);
  head.writeUInt16BE(1, 0);
  head.write(aeTitles, 4, 'latin1');
  return Buffer.concat([head, textItem(itemType.applicationContext, DICOM_APPLICATION_CONTEXT)]);
}

/** An A-ASSOCIATE-RQ; each side's AE title has at most 16 characters. */
export function encodeAssociateRequest(request: {
  calledAeTitle: string;
  callingAeTitle: string;
  contexts: readonly ProposedContext[];
  maxPduLength: number;
}): Buffer {
  const contexts = request.contexts.map(({ id, abstractSyntax, transferSyntaxes }) =>
    item(
      itemType.proposedContext,
      Buffer.concat([
        Buffer.from([id, 0, 0, 0]),
        textItem(itemType.abstractSyntax, abstractSyntax),
        ...transferSyntaxes.map((syntax) => textItem(itemType.transferSyntax, syntax)),
      ]),
    ),
  );
  const head = associateHead(request.calledAeTitle, request.callingAeTitle);
  return encodePdu(
    pduType.associateRequest,
    Buffer.concat([head, ...contexts, userInformation(request.maxPduLength, [])]),
  );
}

function extendedItem({ sopClassUid, information }: ExtendedNegotiation): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(sopClassUid.length);
  return item(itemType.extendedNegotiation, Buffer.concat([length, Buffer.from(sopClassUid, 'latin1'), information]));
}

/** An A-ASSOCIATE-AC: one result for each proposed context. */
export function encodeAssociateAccept(accept: {
  request: AssociateRequest;
  results: readonly ContextResult[];
  maxPduLength: number;
  extendedNegotiations: readonly ExtendedNegotiation[];
}): Buffer {
  const results = accept.results.map(({ id, result, transferSyntax }) =>
    item(
      itemType.acceptedContext,
      Buffer.concat([Buffer.from([id, 0, result, 0]), textItem(itemType.transferSyntax, transferSyntax)]),
    ),
  );
  const head = associateHead(accept.request.calledAeTitle, accept.request.callingAeTitle);
  const user = userInformation(accept.maxPduLength, accept.extendedNegotiations.map(extendedItem));
  return encodePdu(pduType.associateAccept, Buffer.concat([head, ...results, user]));
}

function acceptedContext({ body }: Item): AssociateAccept['results'][number] {
  if (body.length < 4) throw malformed('a presentation context result');
  const syntax = [...itemsOf(body.subarray(4), 'a presentation context result')][0];
  return { id: body[0] ?? 0, result: body[2] ?? 0, transferSyntax: syntax ? uid(syntax.body) : '' };
}

/** The body of an A-ASSOCIATE-AC. Throws `data-type` when it is malformed. */
export function parseAssociateAccept(body: Buffer): AssociateAccept {
  if (body.length < 68) throw malformed('the A-ASSOCIATE-AC');
  const found = [...itemsOf(body.subarray(68), 'the A-ASSOCIATE-AC')];
  const results = found.filter(({ type }) => type === itemType.acceptedContext).map(acceptedContext);
  return { results, maxPduLength: maximumLength(userItemsOf(found)) };
}

/** An A-ASSOCIATE-RJ: result, source, reason (PS3.8 table 9-21). */
export const encodeReject = ([result, source, reason]: readonly [number, number, number]): Buffer =>
  encodePdu(pduType.associateReject, Buffer.from([0, result, source, reason]));

/** An A-ABORT: source 0 service user, 2 service provider with its reason (PS3.8 table 9-26). */
export const encodeAbort = (source: 0 | 2, reason: number): Buffer =>
  encodePdu(pduType.abort, Buffer.from([0, 0, source, reason]));

export const encodeRelease = (type: typeof pduType.releaseRequest | typeof pduType.releaseResponse): Buffer =>
  encodePdu(type, Buffer.alloc(4));
