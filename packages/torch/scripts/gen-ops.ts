/**
 * Generates src/ops.gen.ts from ops.txt and the schemas of libtorch.
 *
 * An operator whose first argument is a tensor becomes a method, any other a function. Arguments without a default are
 * positional, in the schema's order; arguments with one are fields of a trailing options object, in camelCase.
 * `--stdout` prints the text instead, to check that the file is up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Schema } from '../src/binding.ts';
import { find } from '../src/dispatch.ts';
import { native } from '../src/load.ts';

type Argument = Schema['arguments'][number];

const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

function typeOf({ type, repeats }: Pick<Argument, 'type' | 'repeats'>): string {
  if (type.endsWith('?')) return `${typeOf({ type: type.slice(0, -1), repeats })} | null`;
  const list = /^(.+)\[\d*\]$/.exec(type);
  if (list) {
    const element = typeOf({ type: list[1]!, repeats: 0 });
    const array = `readonly ${element.includes(' ') ? `(${element})` : element}[]`;
    return repeats > 0 ? `${element} | ${array}` : array;
  }
  if (type.startsWith('Tensor')) return 'Tensor';
  if (type === 'number' || type === 'Scalar' || type === 'int' || type === 'SymInt' || type === 'float')
    return 'number';
  if (type === 'bool') return 'boolean';
  if (type === 'str') return 'string';
  const named: Record<string, string> = { ScalarType: 'DType', MemoryFormat: 'MemoryFormat', Device: 'Device' };
  if (type === 'Generator') return 'Generator';
  const known = named[type];
  if (known === undefined)
    throw new Error(`ops.txt lists an operator with an argument of the unsupported type ${type}`);
  return known;
}

function resultOf(returns: readonly string[]): string {
  const one = (type: string): string => (type.startsWith('Tensor[]') ? 'Tensor[]' : typeOf({ type, repeats: 0 }));
  return returns.length === 1 ? one(returns[0]!) : `[${returns.map(one).join(', ')}]`;
}

interface Entry {
  readonly name: string;
  readonly operators: readonly string[];
  readonly schemas: readonly Schema[];
}

/** The two schemas may differ in one argument: a tensor in the first, a number in the second. */
function overloadTest({ name, schemas }: Entry): { readonly argument: string; readonly type: string } | undefined {
  if (schemas.length === 1) return undefined;
  const [first, second] = schemas as [Schema, Schema];
  const index = first.arguments.findIndex((argument, i) => argument.type !== second.arguments[i]?.type);
  const argument = first.arguments[index];
  if (argument === undefined || typeOf(second.arguments[index]!) !== 'number') {
    throw new Error(
      `ops.txt: the schemas of ${name} must differ in one argument, a tensor in the first and a number in the second`,
    );
  }
  return { argument: camel(argument.name), type: 'Tensor | number' };
}

function emit(entry: Entry): { readonly text: string; readonly isMethod: boolean } {
  const schema = entry.schemas[0]!;
  const isMethod = schema.arguments[0]?.type.startsWith('Tensor') === true && !schema.arguments[0].type.includes('[');
  const overload = overloadTest(entry);
  const given = schema.arguments.slice(isMethod ? 1 : 0);
  const required = given.filter((argument) => !argument.hasDefault);
  const optional = given.filter((argument) => argument.hasDefault && !argument.type.startsWith('Layout'));
  const parameters = required.map((argument) => {
    const name = camel(argument.name);
    return `${name}: ${name === overload?.argument ? overload.type : typeOf(argument)}`;
  });
  if (optional.length > 0) {
    const fields = optional.map((argument) => `readonly ${camel(argument.name)}?: ${typeOf(argument)} | undefined`);
    parameters.push(`options: { ${fields.join('; ')} } = {}`);
  }
  const values = schema.arguments.map((argument, i) =>
    isMethod && i === 0
      ? 'this.asTensor()'
      : argument.type.startsWith('Layout')
        ? 'undefined'
        : argument.hasDefault
          ? `options.${camel(argument.name)}`
          : camel(argument.name),
  );
  const constant = (index: number): string => `op.${entry.name}${index === 0 ? '' : 'Scalar'}`;
  const chosen = overload ? `typeof ${overload.argument} === 'number' ? ${constant(1)} : ${constant(0)}` : constant(0);
  const head = isMethod ? `  ${entry.name}` : `export function ${entry.name}`;
  const indent = isMethod ? '  ' : '';
  return {
    isMethod,
    text: [
      `${indent}/** \`${entry.operators.join('`, `')}\` */`,
      `${head}(${parameters.join(', ')}): ${resultOf(schema.returns)} {`,
      `${indent}  return invoke(${chosen}, [${values.join(', ')}]);`,
      `${indent}}`,
    ].join('\n'),
  };
}

const lines = readFileSync(new URL('../ops.txt', import.meta.url), 'utf8').split('\n');
const entries = lines
  .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  .map((line): Entry => {
    const [name = '', ...operators] = line.trim().split(/\s+/);
    return { name, operators, schemas: operators.map((operator) => native().schema(find(operator))) };
  });
const emitted = entries.map(emit);
const constants = entries.flatMap(({ name, operators }) =>
  operators.map((operator, i) => `  ${name}${i === 0 ? '' : 'Scalar'}: operator('${operator}'),`),
);
const text = `/** Generated by scripts/gen-ops.ts from ops.txt and libtorch ${native().version}: do not edit. */
import type { Device, DType, MemoryFormat } from './binding.ts';
import { invoke, operator } from './dispatch.ts';
import type { Generator } from './generator.ts';
import type { Tensor } from './tensor.ts';

const op = {
${constants.join('\n')}
};

/** Tensor methods. Arguments with a default are fields of the trailing options object. */
export abstract class TensorOps {
  /** @internal */
  protected asTensor(): Tensor {
    return this as unknown as Tensor;
  }

${emitted
  .filter(({ isMethod }) => isMethod)
  .map((one) => one.text)
  .join('\n\n')}
}

${emitted
  .filter(({ isMethod }) => !isMethod)
  .map((one) => one.text)
  .join('\n\n')}
`;
if (process.argv.includes('--stdout')) process.stdout.write(text);
else writeFileSync(new URL('../src/ops.gen.ts', import.meta.url), text);
