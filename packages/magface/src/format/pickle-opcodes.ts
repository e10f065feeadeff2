/** The opcodes of pickle protocols 0 to 5. */
import { copyAgain, type PickleMachine } from './pickle-machine.ts';

type Opcode = (machine: PickleMachine) => void;

/** Integers above 2^53 stay exact as bigint. */
const whole = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

/** Two's complement, little-endian. */
function long(machine: PickleMachine, length: number): number | bigint {
  if (length > 1024)
    throw machine.error({ expected: 'a whole number', problem: `it claims ${length} bytes`, remedy: copyAgain });
  if (length === 0) return 0;
  const hex = Buffer.from(machine.cursor.take(length)).reverse().toString('hex');
  return whole(BigInt.asIntN(8 * length, BigInt(`0x${hex}`)));
}

function decimal(machine: PickleMachine): number | bigint | boolean {
  const text = machine.cursor.line().replace(/L$/, '');
  if (text === '00' || text === '01') return text === '01'; // how protocol 0 writes booleans
  if (!/^\s*[+-]?\d{1,1000}\s*$/.test(text))
    throw machine.error({ expected: 'a whole number in the pickle', problem: 'found other text', remedy: copyAgain });
  return whole(BigInt(text.trim().replace(/^\+/, '')));
}

function float(machine: PickleMachine): number {
  const value = Number(machine.cursor.line().replace(/inf|nan/i, (word) => (/nan/i.test(word) ? 'NaN' : 'Infinity')));
  return value;
}

/** Protocol 0's quoted text: names and short strings only. */
function quoted(machine: PickleMachine): string {
  const text = machine.cursor.line().trim();
  if (!/^(['"]).*\1$/s.test(text) || text.length < 2)
    throw machine.error({ expected: 'a quoted text in the pickle', problem: 'found none', remedy: copyAgain });
  return text.slice(1, -1).replace(/\\(\\|'|")/g, '$1');
}

function append(machine: PickleMachine, items: readonly unknown[]): void {
  const list = machine.top();
  if (!Array.isArray(list))
    throw machine.error({
      expected: 'a list to append to in the pickle',
      problem: 'found something else',
      remedy: copyAgain,
    });
  for (const item of items) list.push(item);
}

function setItems(machine: PickleMachine, items: readonly unknown[]): void {
  const dict = machine.top();
  if (!(dict instanceof Map) || items.length % 2 !== 0)
    throw machine.error({
      expected: 'a dict and pairs in the pickle',
      problem: 'found something else',
      remedy: copyAgain,
    });
  for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
}

function addToSet(machine: PickleMachine, items: readonly unknown[]): void {
  const set = machine.top();
  if (!(set instanceof Set))
    throw machine.error({
      expected: 'a set to add to in the pickle',
      problem: 'found something else',
      remedy: copyAgain,
    });
  for (const item of items) set.add(item);
}

function pushDict(machine: PickleMachine, items: readonly unknown[]): void {
  machine.pushContainer(new Map());
  setItems(machine, items);
}

function tuple(machine: PickleMachine, length: number): void {
  const items = Array.from({ length }, () => machine.pop()).reverse();
  machine.pushContainer(items);
}

function reduce(machine: PickleMachine): void {
  const args = machine.pop();
  machine.call(machine.pop(), args);
}

/** `module\nname\n` and the arguments above the mark. */
function instance(machine: PickleMachine): void {
  machine.global(machine.cursor.line(), machine.cursor.line());
  const callable = machine.pop();
  machine.call(callable, machine.popToMark());
}

function setOne(machine: PickleMachine): void {
  const value = machine.pop();
  setItems(machine, [machine.pop(), value]);
}

const byName: Readonly<Record<string, Opcode>> = {
  '(': (m) => m.mark(),
  '0': (m) => m.drop(),
  '1': (m) => void m.popToMark(),
  '2': (m) => m.push(m.top()),
  N: (m) => m.push(null),
  F: (m) => m.push(float(m)),
  G: (m) => m.push(m.cursor.take(8).readDoubleBE(0)),
  I: (m) => m.push(decimal(m)),
  L: (m) => m.push(decimal(m)),
  J: (m) => m.push(m.cursor.take(4).readInt32LE(0)),
  K: (m) => m.push(m.cursor.byte()),
  M: (m) => m.push(m.cursor.uint(2)),
  S: (m) => m.push(quoted(m)),
  T: (m) => m.push(m.string(m.cursor.uint(4))),
  U: (m) => m.push(m.string(m.cursor.byte())),
  V: (m) => m.push(m.cursor.line()),
  X: (m) => m.push(m.cursor.text(m.cursor.uint(4))),
  B: (m) => m.push(m.cursor.skip(m.cursor.uint(4))),
  C: (m) => m.push(m.cursor.skip(m.cursor.byte())),
  P: (m) => m.persistent(m.cursor.line()),
  Q: (m) => m.persistent(m.pop()),
  R: reduce,
  a: (m) => append(m, [m.pop()]),
  b: (m) => m.build(m.pop()),
  c: (m) => m.global(m.cursor.line(), m.cursor.line()),
  d: (m) => pushDict(m, m.popToMark()),
  '}': (m) => m.pushContainer(new Map()),
  e: (m) => append(m, m.popToMark()),
  g: (m) => m.get(Number(m.cursor.line())),
  h: (m) => m.get(m.cursor.byte()),
  j: (m) => m.get(m.cursor.uint(4)),
  i: instance,
  l: (m) => m.pushContainer(m.popToMark()),
  ']': (m) => m.pushContainer([]),
  p: (m) => m.put(Number(m.cursor.line())),
  q: (m) => m.put(m.cursor.byte()),
  r: (m) => m.put(m.cursor.uint(4)),
  s: setOne,
  t: (m) => m.pushContainer(m.popToMark()),
  ')': (m) => m.pushContainer([]),
  u: (m) => setItems(m, m.popToMark()),
  o: (m) => {
    const [callable, ...args] = m.popToMark();
    m.call(callable, args);
  },
};

/** From protocol 2 on, by number. */
const byCode: Readonly<Record<number, Opcode>> = {
  128: (m) => {
    const version = m.cursor.byte();
    if (version > 5)
      throw m.error({
        expected: 'pickle protocol 5 or lower',
        received: version,
        remedy: 'save the file with a lower protocol',
      });
  },
  129: reduce, // NEWOBJ: cls.__new__(cls, *args)
  133: (m) => tuple(m, 1),
  134: (m) => tuple(m, 2),
  135: (m) => tuple(m, 3),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  138: (m) => m.push(long(m, m.cursor.byte())),
  139: (m) => m.push(long(m, m.cursor.uint(4))),
  140: (m) => m.push(m.cursor.text(m.cursor.byte())),
  141: (m) => m.push(m.cursor.text(m.cursor.length64())),
  142: (m) => m.push(m.cursor.skip(m.cursor.length64())),
  143: (m) => m.pushContainer(new Set()),
  144: (m) => addToSet(m, m.popToMark()),
  145: (m) => m.pushContainer(new Set(m.popToMark())),
  147: (m) => {
    const name = m.pop();
    m.global(m.pop(), name);
  },
  148: (m) => m.put(),
  149: (m) => void m.cursor.length64(), // FRAME
  150: (m) => m.push(m.cursor.skip(m.cursor.length64())),
};

export const pickleOpcodes: readonly (Opcode | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => byCode[code] ?? byName[String.fromCharCode(code)],
);
