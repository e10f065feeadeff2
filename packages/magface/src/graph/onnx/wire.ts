/**
 * Finds where an ONNX file is damaged, which the protobuf reader does not tell. After a failure, this walks the same
 * messages by their lengths, to a limited depth.
 */
import type { DescMessage } from '@bufbuild/protobuf';
import { ModelProtoSchema } from './onnx_pb.ts';

/** A place in a file where its bytes contradict the format. */
export interface Fault {
  readonly offset: number;
  readonly what: string;
}

const deepest = 100; // the protobuf reader's own limit: graphs within attributes of nodes within graphs …

/** @returns the first structural fault, or undefined if there is none */
export function findFault(bytes: Uint8Array): Fault | undefined {
  return walk(bytes, { at: 0, end: bytes.length, message: ModelProtoSchema, depth: 0 });
}

interface Part {
  readonly at: number;
  readonly end: number;
  readonly message: DescMessage | undefined;
  readonly depth: number;
}

function walk(bytes: Uint8Array, { at: start, end, message, depth }: Part): Fault | undefined {
  if (depth > deepest) return { offset: start, what: `messages nested more than ${deepest} deep` };
  for (let at = start; at < end; ) {
    const tag = varint(bytes, at, end);
    if (tag === undefined) return { offset: at, what: 'a field without its number' };
    const [field, kind] = [Math.floor(tag.value / 8), tag.value % 8];
    if (field === 0 || field >= 2 ** 29) return { offset: at, what: `a field numbered ${field}` };
    const next = step(bytes, { kind, at: tag.next, end });
    if (next === undefined) return { offset: at, what: `field ${field} that ends beyond what holds it` };
    const inner = message?.fields.find((one) => one.number === field)?.message;
    if (kind === 2 && inner !== undefined) {
      const fault = walk(bytes, { at: next.from, end: next.to, message: inner, depth: depth + 1 });
      if (fault !== undefined) return fault;
    }
    at = next.to;
  }
  return undefined;
}

/** The bytes of one field's value; undefined if it is cut off or of an unknown wire type. */
function step(
  bytes: Uint8Array,
  { kind, at, end }: { readonly kind: number; readonly at: number; readonly end: number },
): { readonly from: number; readonly to: number } | undefined {
  const within = (from: number, to: number) => (to <= end ? { from, to } : undefined);
  if (kind === 0) {
    const value = varint(bytes, at, end);
    return value && within(at, value.next);
  }
  if (kind === 1) return within(at, at + 8);
  if (kind === 5) return within(at, at + 4);
  const length = kind === 2 ? varint(bytes, at, end) : undefined;
  return length && within(length.next, length.next + length.value);
}

function varint(
  bytes: Uint8Array,
  at: number,
  end: number,
): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10 && at + i < end; i++) {
    const byte = bytes[at + i]!;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return { value, next: at + i + 1 };
  }
  return undefined;
}

/** @returns where initializer number `index` of the graph begins */
export function initializerOffset(bytes: Uint8Array, index: number): number {
  const graph = fieldsOf(bytes, { from: 0, to: bytes.length }, 7).at(-1);
  return graph === undefined ? 0 : (fieldsOf(bytes, graph, 5)[index]?.from ?? graph.from);
}

function fieldsOf(
  bytes: Uint8Array,
  { from, to }: { readonly from: number; readonly to: number },
  number: number,
): { readonly from: number; readonly to: number }[] {
  const found: { readonly from: number; readonly to: number }[] = [];
  for (let at = from; at < to; ) {
    const tag = varint(bytes, at, to);
    const value = tag && step(bytes, { kind: tag.value % 8, at: tag.next, end: to });
    if (value === undefined) break;
    if (Math.floor(tag!.value / 8) === number) found.push(value);
    at = value.to;
  }
  return found;
}
