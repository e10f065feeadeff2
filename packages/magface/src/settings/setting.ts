/**
 * Defines a setting. A table of these is the only definition of a command's settings: types, flags, help, YAML file,
 * defaults and documentation are all generated from the table.
 *
 * Tables are written as literals (`as const`), so that the compiler derives {@link ConfigOf} from them.
 */
import { z } from 'zod';

/** Kinds of value and types. */
interface Values {
  readonly text: string;
  /** One or several. */
  readonly texts: readonly string[];
  readonly boolean: boolean;
  /** A whole number from 1. */
  readonly count: number;
  /** A whole number from 0. */
  readonly whole: number;
  readonly wholes: readonly number[];
  readonly positive: number;
  /** A number from 0. */
  readonly amount: number;
  /** Numbers above 0. */
  readonly positives: readonly number[];
  /** 0 to 1. */
  readonly share: number;
  /** 0 to 1, without 1. */
  readonly properShare: number;
  /** 0 to 1, without 0. */
  readonly positiveShare: number;
  /** 0 to 1, without both. */
  readonly rate: number;
  /** One or several. */
  readonly rates: readonly number[];
  readonly device: string;
}

/** How values are checked. */
export interface Kind<Value> {
  readonly schema: z.ZodType<Value>;
  /** What the command line says it expected. @default the schema's own words */
  readonly expected?: string;
  /** Whether the value is a list. @default false */
  readonly isList?: boolean;
}

const whole: Kind<number> = { schema: z.int().nonnegative(), expected: 'a whole number from 0' };
const positive: Kind<number> = { schema: z.number().positive(), expected: 'a number above 0' };
const rate: Kind<number> = { schema: z.number().gt(0).lt(1), expected: 'a rate above 0 and below 1' };

/** One or several values; a single one need not be a list. */
const severalOf = <One>(one: Kind<One>, least: number, words: string): Kind<readonly One[]> => ({
  ...one,
  isList: true,
  schema: z.union([one.schema.transform((value) => [value]), z.array(one.schema).min(least)], words),
});

const kinds: { readonly [Name in keyof Values]: Kind<Values[Name]> } = {
  text: { schema: z.string() },
  texts: severalOf({ schema: z.string() }, 1, 'one or several texts'),
  boolean: { schema: z.boolean() },
  count: { schema: z.int().positive(), expected: 'a whole number from 1' },
  whole,
  wholes: severalOf(whole, 0, 'whole numbers'),
  positive,
  positives: severalOf(positive, 1, 'numbers above 0'),
  amount: { schema: z.number().min(0), expected: 'a number from 0' },
  share: { schema: z.number().min(0).max(1), expected: 'a number from 0 to 1' },
  properShare: { schema: z.number().min(0).lt(1), expected: 'a number from 0, below 1' },
  positiveShare: { schema: z.number().positive().max(1), expected: 'a number above 0, at most 1' },
  rate,
  rates: severalOf(rate, 1, 'rates above 0 and below 1'),
  device: { schema: z.string().regex(/^(cpu|cuda(:\d+)?)$/, 'cpu, cuda or cuda:N') },
};

/** A setting: one row of the table. */
export interface Setting {
  /** Its heading in the help. @default the heading of options without one */
  readonly group?: string;
  /** `choice` takes one of `choices`, `choices` takes several, `choiceOrModule` one of them or the path of a JavaScript module. */
  readonly takes: keyof Values | 'choice' | 'choices' | 'choiceOrModule';
  readonly choices?: readonly string[];
  /** Bounds of a number, if its kind has others; both included. */
  readonly within?: readonly [least: number, most: number];
  /** Reads a value that has a form of its own, such as `0.1,0.2`; of a list, each of them. @throws {Error} saying what was expected */
  readonly parse?: (text: string) => unknown;
  /** The value in the help: `<n>`. Empty for a flag without one. */
  readonly value: string;
  /** What it does, in one sentence. */
  readonly says: string;
  /** Modes of the command that accept it; all others reject it. @default every mode */
  readonly onlyFor?: string;
  readonly required?: true;
  readonly default?: unknown;
  /** Behaviour if there is neither value nor default. */
  readonly otherwise?: string;
  /** Default for finetuning an ONNX model. */
  readonly onnxDefault?: unknown;
  readonly onnxOtherwise?: string;
  /** The flag's short form: `-b`. */
  readonly short?: string;
  /** The official name of the flag, if it differs. */
  readonly official?: string;
  /** Maps official values to ours, if they differ. */
  readonly officialValues?: Readonly<Record<string, string>>;
  /** Another setting that must be given or have this value. */
  readonly onlyWith?: readonly [name: string, value?: string];
}

type ValueOf<Row> = Row extends { readonly parse: (text: string) => infer Value; readonly takes: infer Kind }
  ? Kind extends 'texts'
    ? readonly Value[]
    : Value
  : Row extends { readonly takes: 'choice'; readonly choices: readonly (infer Choice)[] }
    ? Choice
    : Row extends { readonly takes: 'choices'; readonly choices: readonly (infer Choice)[] }
      ? readonly Choice[]
      : Row extends { readonly takes: 'choiceOrModule' }
        ? string
        : Row extends { readonly takes: keyof Values }
          ? Values[Row['takes']]
          : never;

type Always = { readonly default: unknown } | { readonly required: true };

/** The checked values of a table: a setting with a default always has a value. */
export type ConfigOf<Table> = {
  readonly [Name in keyof Table as Table[Name] extends Always ? Name : never]: ValueOf<Table[Name]>;
} & {
  readonly [Name in keyof Table as Table[Name] extends Always ? never : Name]?: ValueOf<Table[Name]> | undefined;
};

/** The schema of a value. */
export function schemaOf(setting: Setting): z.ZodType {
  return kindOf(setting).schema.meta({ description: setting.says });
}

/** The schema of each setting, with its default. */
export const schemasOf = <Table extends Readonly<Record<string, Setting>>>(
  table: Table,
): { readonly [Name in keyof Table]: z.ZodType<ConfigOf<Table>[Name & keyof ConfigOf<Table>]> } =>
  Object.fromEntries(
    Object.entries(table).map(([name, setting]) => {
      const schema = schemaOf(setting);
      if (setting.default !== undefined) return [name, schema.default(setting.default)];
      return [name, setting.required === true ? schema : schema.optional()];
    }),
  ) as never;

/** How a setting's values are checked. */
export function kindOf({ takes, choices = [], within }: Setting): Kind<unknown> {
  if (within !== undefined) {
    const isWhole = takes === 'count' || takes === 'whole';
    const [least, most] = within;
    const expected = `a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}`;
    return { schema: (isWhole ? z.int() : z.number()).min(least).max(most), expected };
  }
  if (takes !== 'choice' && takes !== 'choices' && takes !== 'choiceOrModule') return kinds[takes];
  const choice = z.enum(choices as [string, ...string[]]);
  if (takes === 'choice') return { schema: choice };
  if (takes === 'choices') return { schema: z.array(choice).min(1), isList: true };
  const words = `one of ${choices.join(', ')}, or the path of a JavaScript module`;
  return { schema: z.union([choice, z.string().refine(isModuleFile)], words), expected: words };
}

/** Whether a setting holds a list of values. */
export const isList = ({ takes }: Setting): boolean =>
  ['texts', 'wholes', 'rates', 'positives', 'choices'].includes(takes);

/** Whether a text is the path of a JavaScript or TypeScript module, by its ending. */
export const isModuleFile = (path: string): boolean => /\.[mc]?[jt]s$/.test(path);
