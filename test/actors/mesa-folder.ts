import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const msh = (type: string, controlId: string): string =>
  `MSH|^~\\&|KIT_A|HERE|KIT_B|THERE|||${type}|${controlId}|P|2.3.1`;
const pid = 'PID|||77001^^^REG||LINDQVIST^ASTA||19610407|F||||||||||V-77';
const pv1 = 'PV1||O||||||77^OKORO^NIA^^^DR|||||||||||V77^^^REG';
const orc = (control: string, numbers: string, status = ''): string =>
  `ORC|${control}|${numbers}||${status}||1^once^^^^R||203001051000|||88^MOREL^LUC^^^DR|||||HQ^Headquarters^L`;
const obr = (numbers: string, rest: string): string =>
  `OBR|1|${numbers}|${rest}${'|'.repeat(12)}88^MOREL^LUC^^^DR${'|'.repeat(8)}MR|||1^once^^^^R||||^Because`;

const service = 'K1^Knee^KIT';
const announced = `${service}^K1A^Knee sagittal^KITP`;

const step = (cells: readonly string[]): string =>
  `<k:coded_entry>${cells.map((cell) => `<k:param>${cell}</k:param>`).join('')}</k:coded_entry>`;
const table = (columns: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<k:CodeDocument>\n<k:columns>${columns.map((name) => `<k:column_name>${name}</k:column_name>`).join('')}</k:columns>\n` +
  `${rows.map(step).join('\n')}\n</k:CodeDocument>\n`;

/** A small kit of the test's own in the shape of a MESA kit: an order, its examination, and a cancelled second order. */
export const smallKit: Readonly<Record<string, string>> = {
  'scenarios/900/900.txt': [
    'PROFILE\tSWF',
    'PATIENT\tadt/900/a.hl7',
    'TRANSACTION\t1\tADT\tOP\tREGISTER\tadt/900/a.hl7',
    'TRANSACTION\t1\tADT\tOF\tREGISTER\tadt/900/a.hl7',
    'TRANSACTION\t2\tOP\tOF\tORDER\torder/900/b.hl7',
    'MESSAGE\tRAD-SCHEDULE\tOF\tOF\tSCHEDULE\tsched/900/c.hl7\tT900\tMR/X\tK1A\tK1\tEAST\tMR9',
    'TRANSACTION\t4\tOF\tIM\tSCHEDULE\tsched/900/c.hl7\tT900',
    'TRANSACTION\t5\tMOD\tOF\tMWL\torder/900/b.hl7\t900/q1',
    'TRANSACTION\t6\tMOD\tPPSMGR\tIN-PROGRESS\tT900\tMR9',
    'TRANSACTION\t3\tOF\tOP\tSTATUS\tstatus/900/d.hl7',
    'TRANSACTION\t7\tMOD\tPPSMGR\tCOMPLETED\tT900\tMR9',
  ].join('\n'),
  'scenarios/901/901.txt': [
    'TRANSACTION\t1\tADT\tOF\tREGISTER\tadt/900/a.hl7',
    'TRANSACTION\t3\tOF\tOP\tORDER\torder/901/e.hl7\torder/901/unused.hl7',
    'TRANSACTION\t3\tOP\tOF\tORDER_O02\torder/901/f.hl7\tordplc/1.hl7',
    'MESSAGE\tRAD-SCHEDULE\tOF\tOF\tSCHEDULE\tsched/901/g.hl7\tT901\tMR/X\tK1A\tK1\tEAST\tMR9',
    'TRANSACTION\t4\tOF\tIM\tSCHEDULE\tsched/901/g.hl7\tT901',
    'TRANSACTION\t3\tOF\tOP\tCANCEL\torder/901/h.o01x.hl7',
    'TRANSACTION\t13\tOF\tIM\tCANCEL\tsched/901/i.hl7\tsched/901/g.hl7',
    'TRANSACTION\t5\tMOD\tOF\tMWL\tadt/900/a.hl7\t901/q1',
  ].join('\n'),
  'scenarios/902/902.txt': 'TRANSACTION\t99\tXX\tOF\tDANCE\tadt/900/a.hl7\n',
  'messages/adt/900/a.hl7': `${msh('ADT^A04', '900A')}\r${'EVN||203001050900'}\r${pid}\r${pv1}\r`,
  'messages/order/900/b.hl7': `${msh('ORM^O01', '900B')}\r${pid}\r${pv1}\r${orc('NW', 'N900^KIT|')}\r${obr('N900^KIT|', service)}\r`,
  'messages/sched/900/c.hl7': `${msh('ORM^O01', '900C')}\r${pid}\r${pv1}\r${orc('NW', 'N900^KIT|Z^K', 'SC')}\r${obr('N900^KIT|Z^K', announced)}\rZDS|1.2^1^Application^DICOM\r`,
  'messages/rad_status_900_d.hl7': `${msh('ORM^O01', '900D')}\rORC|SC|N900^KIT|Z^K||IP\r`,
  'messages/order/901/e.hl7': `${msh('ORM^O01', '901E')}\r${pid}\r${pv1}\r${orc('SN', '|Z^K')}\r${obr('|Z^K', service)}\r`,
  'messages/order/901/f.hl7': `${msh('ORR^O02', '901F')}\rMSA|AA|0\r${orc('NA', 'N901^KIT|Z^K')}\r${obr('N901^KIT|Z^K', service)}\r`,
  'messages/sched/901/g.hl7': `${msh('ORM^O01', '901G')}\r${pid}\r${pv1}\r${orc('NW', 'N901^KIT|Z^K', 'SC')}\r${obr('N901^KIT|Z^K', announced)}\rZDS|1.2^1^Application^DICOM\r`,
  'messages/order/901/h.o01x.hl7': `${msh('ORM^O01', '901H')}\r${pid}\r${pv1}\r${orc('OC', 'N901^KIT|Z^K')}\r`,
  'messages/sched/901/i.hl7': `${msh('ORM^O01', '901I')}\r${pid}\r${pv1}\r${orc('CA', 'N901^KIT|Z^K', 'CA')}\r${obr('N901^KIT|Z^K', announced)}\rZDS|1.2^1^Application^DICOM\r`,
  'compare_ini/orm_sched_compare.ini': '# what must be equal\n[MSH]\n9\n12\n[PID]\n3\n5\n[ORC]\n1\n2\n[OBR]\n4\n24\n',
  'compare_ini/orm_sched_format.ini': '[ORC]\n3, Format = $Z; // its number\n5, PV = SC:CA;\n[OBR]\n18, Format = $Z;\n',
  'compare_ini/compare_hl7_status.ini': '[ORC]\n1\n2\n5\n',
  'compare_ini/orm_o01_compare.ini': '[PID]\n3\n[ORC]\n1\n7\n[OBR]\n4\n',
  'compare_ini/orm_o01x_compare.ini': '[ORC]\n1\n2\n',
  'codes/services.xml': table(['Group', 'Identifier', 'Text', 'Coding Scheme'], [['All', 'K1', 'Knee', 'KIT']]),
  'codes/plan.xml': table(
    ['Req Procedure', 'SPS Description', 'Protocol Code', 'Protocol Code Meaning', 'Coding Scheme Designator', 'Mod'],
    [['K1', 'Knee 1', 'K1A', 'Knee sagittal', 'KITP', '*']],
  ),
};

/** Writes files of a kit below a folder. */
export function writeKit(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
